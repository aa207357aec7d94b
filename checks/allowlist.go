package checks

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/distribution/reference"
	"golang.org/x/net/idna"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
)

// Allowed is a host that a network must let runners reach, over TCP.
type Allowed struct {
	// Host is in lower case and in ASCII, an IPv6 address without brackets.
	Host string
	Port int
	// Proxy says that it is a proxy, and needed to reach others.
	Proxy bool
	// Needs are what it is needed for, by who needs it; there is at least one.
	Needs []Need
}

// Need is what a host is needed for.
type Need struct {
	Who Actor
	// Why is a role, or what else the host does for a runner: "control channel", "blobs of registry.example.com:443".
	Why string
	// Images are the references as written.
	Images []string
	// Runners are the names of those that need it.
	Runners []string
	// Optional says that only some pipelines need it, or that the evidence for it is weak.
	Optional bool
	// Via is the host:port of the proxy on the way, empty where there is none; Variable the setting that names it.
	Via, Variable string
}

// Gap is something about which the list of hosts may be incomplete.
type Gap struct {
	// Address is the registry's host:port, where it is one that was not asked, or not to the end.
	Address string
	// Images are the references that it was, or would have been, asked for.
	Images  []string
	Runners []string
	// Reason is a fact in one line.
	Reason string
	// Offline says that nobody wanted it asked.
	Offline bool
}

// Address is host:port, an IPv6 address in brackets.
func (a Allowed) Address() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Optional says that it is needed by some pipelines at most.
func (a Allowed) Optional() bool {
	return !slices.ContainsFunc(a.Needs, func(n Need) bool { return !n.Optional })
}

// Allowlist lists every host that the runners need: those that are known, and unless the host is offline those that
// registries send their clients to, which it asks as the runners would. It is in a fixed order: proxies first, then by
// who needs the host, its name and its port.
func Allowlist(ctx context.Context, h *Host) ([]Allowed, []Gap) {
	var list allowlist
	for _, r := range h.Runners {
		list.images(h, r)
		for _, e := range r.Endpoints {
			list.endpoint(h, r, e)
		}
	}
	list.unread(h)
	list.untold(h)
	asked := askAll(ctx, h)
	for _, a := range asked {
		list.answer(h, a)
		if !slices.ContainsFunc(asked, func(b *asking) bool { return b.stands(a) && b.open == "" }) {
			list.gap(a.gap())
		}
	}
	return list.sorted(), list.gaps
}

// allowlist is a list in the making.
type allowlist struct {
	hosts []*Allowed
	gaps  []Gap
}

// unread adds gaps for files in which runners, or images, may be named that nobody has read.
func (l *allowlist) unread(h *Host) {
	if h.late {
		l.gap(Gap{Reason: unreadInTime})
	}
	for _, reading := range h.Readings {
		if len(reading.Definitions) == 0 && reading.Within == "" {
			l.gap(Gap{Reason: fmt.Sprintf("no runner was found in %s", clip(reading.Path))})
		}
	}
	for _, r := range h.Runners {
		if r.Definition == nil {
			continue
		}
		for _, env := range r.Definition.EnvFiles {
			if env.File == nil {
				l.gap(Gap{Runners: []string{r.Name}, Reason: fmt.Sprintf(
					"the env file %s was not read, and may name images and a proxy", clip(env.Path.Value))})
			}
		}
	}
}

// untold adds a gap where there is a docker daemon that does not tell which runners run here, or how it gets to hosts.
// Where there is no socket there is nobody to ask.
func (l *allowlist) untold(h *Host) {
	if h.Told != nil && h.Unlisted != nil {
		l.gap(Gap{Reason: "the docker daemon does not tell its runners: " + clip(h.Unlisted.Detail)})
	}
	if h.Untold != nil && h.Untold.Kind != engine.NoSocket {
		l.gap(Gap{Reason: "the docker daemon does not tell its runners, its proxy and its mirrors: " + clip(h.Untold.Detail)})
	}
}

// images adds the hosts that a runner's images come from.
func (l *allowlist) images(h *Host, r *Runner) {
	for _, image := range r.Images {
		for _, e := range imageEndpoints(image) {
			need := Need{
				Who: e.Actor, Why: e.Why, Images: referencesAt(image, e.Address()), Runners: []string{r.Name},
			}
			if e.OneOf != "" {
				need.Why += " of some versions of the runner"
			}
			if slices.ContainsFunc(need.Images, func(written string) bool { return hubPath(written) != "" }) {
				need = l.mirrors(h, need)
			}
			l.add(h.Daemon, e.Address(), need)
		}
	}
}

// mirrors adds those that the daemon asks before Docker Hub, and returns the need of Docker Hub that is left: a mirror
// that fails, or lacks the image, is no error to docker.
func (l *allowlist) mirrors(h *Host, hub Need) Need {
	mirrors := h.daemon.hubMirrors()
	for _, m := range mirrors {
		need, route := hub, h.Daemon
		need.Why += ", at a mirror of Docker Hub"
		if m.clear {
			route = h.daemon.clearProxy()
		}
		l.add(route, m.address, need)
	}
	if len(mirrors) > 0 {
		hub.Why += ", where no mirror has it"
	}
	return hub
}

// hubPath is what an image is called within Docker Hub, as a mirror has it, with its tag or digest; "" for others.
func hubPath(written string) string {
	named, err := reference.ParseNormalizedNamed(written)
	if err != nil {
		return ""
	}
	path, hub := strings.CutPrefix(named.String(), hubHost+"/")
	if !hub {
		return ""
	}
	return path
}

// referencesAt are those of an image's references that come from a host.
func referencesAt(image Image, address string) []string {
	return slices.DeleteFunc(slices.Clone(referencesOf(image)), func(written string) bool {
		host, port, ok := imageAddress(written)
		return !ok || net.JoinHostPort(host, strconv.Itoa(port)) != address
	})
}

// endpoint adds a host that is needed for something else than images.
func (l *allowlist) endpoint(h *Host, r *Runner, e Endpoint) {
	parts := slices.DeleteFunc(strings.Split(e.Why, ", "), func(part string) bool { // as joinEndpoints joins them
		return slices.ContainsFunc(r.Images, func(image Image) bool { return needOf(image.Role) == part })
	})
	if why := strings.Join(parts, ", "); why != "" {
		why = strings.Replace(why, "--endpoint", "named by --endpoint", 1)
		need := Need{Who: e.Actor, Why: why, Runners: []string{r.Name}, Optional: e.Optional}
		if e.Host == hubAPI && e.Actor == ActorDaemon {
			need = l.mirrors(h, need)
		}
		l.add(clientFor(h, r, e), e.Address(), need)
	}
}

// add adds a need of a host, and of the proxy on the way there.
func (l *allowlist) add(route *network.Client, address string, need Need) {
	host, port, ok := hostAndPort(address)
	if !ok {
		l.gap(Gap{Runners: need.Runners, Reason: fmt.Sprintf("%q is no host, and needed as the %s", clip(address), need.Why)})
		return
	}
	proxy, err := route.ProxyFor(address)
	if err != nil {
		l.gap(Gap{Runners: need.Runners, Reason: err.Error()})
	}
	if proxy != nil {
		need.Via, need.Variable = proxy.Address(), proxy.Variable
		if at, number, ok := hostAndPort(need.Via); ok {
			l.host(at, number, true).join(Need{
				Who: need.Who, Why: "proxy (" + proxy.Variable + ")", Runners: need.Runners,
				Optional: need.Optional,
			})
		}
	}
	l.host(host, port, false).join(need)
}

// host is the list's entry of that host, which it makes if there is none.
func (l *allowlist) host(host string, port int, proxy bool) *Allowed {
	for _, known := range l.hosts {
		if known.Host == host && known.Port == port && known.Proxy == proxy {
			return known
		}
	}
	made := &Allowed{Host: host, Port: port, Proxy: proxy}
	l.hosts = append(l.hosts, made)
	return made
}

// join adds a need to those that a host has.
func (a *Allowed) join(need Need) {
	for i, n := range a.Needs {
		if n.Who == need.Who && n.Why == need.Why && n.Via == need.Via {
			a.Needs[i].Images = appendNew(n.Images, need.Images)
			a.Needs[i].Runners = appendNew(n.Runners, need.Runners)
			a.Needs[i].Optional = n.Optional && need.Optional
			return
		}
	}
	need.Runners = slices.Clone(need.Runners)
	a.Needs = append(a.Needs, need)
}

// gap adds a gap, or what it is about to one for the same reason.
func (l *allowlist) gap(g Gap) {
	for i, known := range l.gaps {
		if known.Address == g.Address && known.Reason == g.Reason {
			l.gaps[i].Images = appendNew(known.Images, g.Images)
			l.gaps[i].Runners = appendNew(known.Runners, g.Runners)
			return
		}
	}
	l.gaps = append(l.gaps, g)
}

// sorted is the list in its order.
func (l *allowlist) sorted() []Allowed {
	rank := func(who Actor) int { return slices.Index([]Actor{ActorDaemon, ActorJVM, ActorCLI}, who) }
	var all []Allowed
	for _, a := range l.hosts {
		slices.SortStableFunc(a.Needs, func(a, b Need) int { return cmp.Compare(rank(a.Who), rank(b.Who)) })
		all = append(all, *a)
	}
	class := func(a Allowed) int {
		if a.Proxy {
			return -1
		}
		return rank(a.Needs[0].Who)
	}
	slices.SortFunc(all, func(a, b Allowed) int {
		return cmp.Or(cmp.Compare(class(a), class(b)), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
	})
	return all
}

// asking is one question: what a registry sends its clients to for an image of a runner.
type asking struct {
	runner *Runner
	// image has one of the references that may be pulled for it.
	image Image
	hosts []registry.Host
	// open says what kept the question from being answered ("" if it was); offline, that it was not to be asked.
	open    string
	offline bool
}

// askAll asks about every image of every runner, at the same time.
func askAll(ctx context.Context, h *Host) []*asking {
	var all []*asking
	for _, r := range h.Runners {
		for _, image := range r.Images {
			for _, written := range referencesOf(image) {
				one := image
				one.Reference = written
				all = append(append(all, h.mirrorAskings(r, one)...), &asking{runner: r, image: one})
			}
		}
	}
	atOnce(len(all), func(i int) { all[i].ask(ctx, h) })
	return all
}

// mirrorAskings are the same question to the mirrors that the daemon asks first. A mirror that is asked in clear is not
// asked by this tool.
func (h *Host) mirrorAskings(r *Runner, image Image) []*asking {
	path := hubPath(image.Reference)
	if path == "" || unasked(h, image) != "" {
		return nil
	}
	var all []*asking
	for _, m := range h.daemon.hubMirrors() {
		a := &asking{runner: r, image: image}
		a.image.Reference = m.reference(path)
		if m.clear {
			a.open = "the daemon asks this mirror in clear, and this tool does not"
		}
		all = append(all, a)
	}
	return all
}

func (a *asking) ask(ctx context.Context, h *Host) {
	if a.open != "" {
		return
	}
	known := a.image.Reference != "" && a.image.Unresolved == ""
	if _, _, ok := imageAddress(a.image.Reference); known && !ok {
		a.open = fmt.Sprintf("%q names no image of a registry", clip(a.image.Reference))
		return
	}
	if a.open = unasked(h, a.image); a.open != "" {
		a.offline = known && h.Offline
		if !known {
			a.open = string(a.image.Role) + ": " + a.open
		}
		return
	}
	found := resolve(ctx, h, a.runner, a.image)
	a.hosts, a.open = found.Hosts, unsettled(found)
}

// unsettled says why it is not known where a registry sends those that pull an image ("" if it is): one layer tells
// where all come from.
func unsettled(r registry.Resolution) string {
	layerRead := slices.ContainsFunc(r.Blobs, func(b registry.Blob) bool { return !b.Config && b.Failure == nil })
	switch {
	case layerRead:
		return ""
	case r.Failure == nil:
		return r.Stopped
	case r.Failure.Network != nil && r.Failure.Host != r.Host:
		return clip(r.Failure.Host + ": " + r.Failure.Detail)
	}
	return clip(r.Failure.Detail)
}

// stands tells whether an answer stands for another's: of the vendor's defaults for a role one is enough.
func (a *asking) stands(b *asking) bool { return a.runner == b.runner && a.image.Role == b.image.Role }

func (a *asking) gap() Gap {
	g := Gap{Runners: []string{a.runner.Name}, Reason: a.open, Offline: a.offline}
	if host, port, ok := imageAddress(a.image.Reference); ok && a.image.Unresolved == "" {
		g.Address, g.Images = net.JoinHostPort(host, strconv.Itoa(port)), []string{a.image.Reference}
	}
	return g
}

// answer adds the hosts that a registry sends its clients to.
func (l *allowlist) answer(h *Host, a *asking) {
	host, port, _ := imageAddress(a.image.Reference)
	from := net.JoinHostPort(host, strconv.Itoa(port))
	for _, met := range a.hosts {
		l.add(h.Daemon, met.Address, Need{
			Who: pullerOf(a.image.Role), Why: met.Why + " of " + from, Images: []string{a.image.Reference},
			Runners: []string{a.runner.Name},
		})
	}
}

// dialable matches a host's name, in lower case and ASCII. An underscore is no good name, and is met.
var dialable = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// hostAndPort reads host:port. The host may come from anybody: what could be no host of a list is refused.
func hostAndPort(address string) (host string, port int, ok bool) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, false
	}
	number, err := strconv.ParseUint(service, 10, 16)
	host, ok = hostName(host)
	return host, int(number), ok && err == nil && number > 0
}

// hostName is a name or an IP address as lists have it: in lower case, in ASCII, without the dot of the root.
func hostName(text string) (string, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return addr.String(), true
	}
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	if strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", false
		}
		name = ascii
	}
	return name, len(name) <= 253 && dialable.MatchString(name)
}
