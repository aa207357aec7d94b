package checks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
)

// There are two vantage points from which an image can be looked at: this process, which sees the phases of a
// connection and every layer, and the docker daemon, which is who pulls. Where the two differ the daemon is right.

// The values of the evidence "vantage".
const (
	vantageProcess = "this process"
	vantageDaemon  = "docker daemon"
	vantageBoth    = "both"
)

// word is what the docker daemon itself says of an image.
type word struct {
	// unasked says why it was not asked, or cannot know ("" if it was).
	unasked string
	// found is what it found; failed is why it found nothing, nil if it did, and kind what that comes to.
	found  engine.Found
	failed *engine.Failure
	kind   wordKind
	// host is the host:port at which it failed, as far as it says.
	host string
}

// good tells whether the daemon found the image.
func (w word) good() bool { return w.unasked == "" && w.failed == nil }

// reaches tells whether the daemon got to the registry, whatever that told it.
func (w word) reaches() bool {
	return w.good() || w.failed != nil && slices.Contains([]wordKind{wordDenied, wordNotFound, wordLimited}, w.kind)
}

// daemonWord has the docker daemon ask the registry about an image, with what the runner would send. It costs nothing to
// ask again.
func daemonWord(ctx context.Context, h *Host, r *Runner, image Image) word {
	if reason := undaemoned(h, r, image); reason != "" {
		return word{unasked: reason}
	}
	if registryHost(image.Reference) == hubHost { // where the daemon's question counts as a pull, as this process's does
		if res := resolve(ctx, h, r, image); res.Stopped != "" {
			return word{unasked: res.Stopped}
		}
	}
	p := pullOf(r, image)
	as := engine.Credentials{}
	if p.username != "" || p.password != "" {
		as = engine.Credentials{Username: p.username, Password: p.password, Server: p.key}
		if inClear(ctx, h, r, image) {
			return word{unasked: "the daemon may send the password in clear, and this tool does not have it do that"}
		}
	}
	found, err := lookUp(ctx, h, r, image, as)
	if err == nil {
		return word{found: found}
	}
	failed := &engine.Failure{Kind: engine.Failed, Detail: "it gives no answer"}
	_ = errors.As(err, &failed)
	switch failed.Kind {
	case engine.NotThere:
		return word{unasked: "this daemon does not look images up in registries"}
	case engine.Unsupported:
		return word{unasked: failed.Detail}
	case engine.NoSocket, engine.NotPermitted, engine.Refused, engine.NotDocker, engine.Version:
		return word{unasked: "the daemon stopped answering: " + clip(failed.Detail)}
	}
	w := word{failed: failed, kind: kindOfWord(failed), host: hostOfWord(failed.Detail, image.Reference)}
	if w.kind != wordLate && mirrored(h, image.Reference) {
		return word{unasked: "the daemon asks a mirror first, and says nothing of what it would pull after that: " + told(w)}
	}
	return w
}

// lookUp is the daemon's answer about an image. It is not waited for where nameless tells what it will be.
func lookUp(ctx context.Context, h *Host, r *Runner, image Image, as engine.Credentials) (engine.Found, error) {
	type answer struct {
		found engine.Found
		err   error
	}
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := beside(func() answer {
		found, err := h.Engine.Distribution(asked, image.Reference, as)
		return answer{found, err}
	})
	lost := beside(func() bool { return nameless(ctx, h, r, image) })
	var said answer
	select {
	case whether := <-lost:
		if whether() {
			cancel()
		}
		said = (<-answered)()
	case answer := <-answered:
		said = answer()
	}
	return said.found, said.err
}

// nameless tells whether no name server answers this process about an image's registry, where the daemon asks the same
// ones: that takes the daemon four times as long to find out, and before Docker 23 it tells nothing of itself meanwhile.
// Source: measured with docker's daemon 20.10.
func nameless(ctx context.Context, h *Host, r *Runner, image Image) bool {
	failed := resolve(ctx, h, r, image).Failure
	if failed == nil || failed.Network == nil || failed.Network.Kind != network.DNSFailure || h.apart() {
		return false
	}
	var late interface{ Timeout() bool }
	if !errors.As(failed.Network, &late) || !late.Timeout() {
		return false
	}
	proxy, err := h.Daemon.ProxyFor(failed.Network.Address)
	return proxy == nil && err == nil
}

// inClear tells whether the daemon may send a password for an image in clear, or to whoever shows some certificate: its
// settings say so of the registry, or the registry has it sent to such a token service. It goes by what this process met.
func inClear(ctx context.Context, h *Host, r *Runner, image Image) bool {
	host, failed := registryHost(image.Reference), resolve(ctx, h, r, image).Failure
	switch {
	case failed != nil && failed.Kind == "insecure-token-service":
		return true
	case loopback(host): // nobody else can listen there
		return false
	case failed != nil && failed.Network != nil && len(failed.Network.Addresses) == 0:
		// The daemon may look the name up elsewhere, and find an address in a network that it trusts.
		return slices.ContainsFunc(h.daemon.Insecure, func(entry string) bool {
			within, err := netip.ParsePrefix(entry)
			return entry == host || err == nil && !within.Addr().IsLoopback()
		})
	case failed != nil && failed.Network != nil:
		return daemonTrusts(h, host, failed.Network)
	}
	return daemonTrusts(h, host, &network.Failure{})
}

// undaemoned says why the daemon is not asked about an image ("" if it is).
func undaemoned(h *Host, r *Runner, image Image) string {
	if reason := unasked(h, image); reason != "" {
		return reason
	}
	if reason := undaemonedHost(h); reason != "" {
		return reason
	}
	if r.Definition != nil && ownDaemon(r.Definition) {
		return "the runner has a docker daemon of its own"
	}
	return pullOf(r, image).unknown
}

// undaemonedHost says why the daemon is asked about nothing ("" if it is).
func undaemonedHost(h *Host) string {
	switch {
	case h.Told == nil && h.Untold == nil:
		return "no docker daemon was asked"
	case h.Told == nil || h.Engine == nil:
		return "the docker daemon does not answer (see daemon-answers)"
	case !docker(h.Told):
		return "what answers is no docker daemon (see daemon-answers)"
	}
	return ""
}

// mirrored tells whether the daemon has mirrors for an image: they stand for Docker Hub alone.
func mirrored(h *Host, reference string) bool {
	return len(h.daemon.Mirrors) > 0 && registryHost(reference) == hubHost
}

// told is what the daemon said, for people: in one line.
func told(w word) string { return clip(w.failed.Detail) }

// throughDaemon is the question with the daemon's answer in the place of this process's, where only the daemon gets to
// the registry, and is refused there.
func (q question) throughDaemon() question {
	if q.failure.Network == nil && q.failure.Kind != "not-established" || !q.word.reaches() || q.word.good() {
		return q
	}
	p := pullOf(q.runner, q.image)
	said := told(q.word)
	f := &registry.Failure{Kind: "tag-not-found", Stage: registry.StageManifest, Host: q.res.Host}
	f.Detail = fmt.Sprintf("%s does not have it, as the docker daemon is told: %s", spoken(q.res.Host), said)
	switch lower := strings.ToLower(said); {
	case q.word.kind == wordLimited:
		f.Kind, f.Detail = "rate-limited", fmt.Sprintf("%s allows no more pulls for now, as the docker daemon is told: %s",
			spoken(q.res.Host), said)
	case q.word.kind == wordNotFound:
	case p.username == "" && p.password == "":
		f.Kind = "credentials-missing"
	case strings.Contains(lower, "denied") || strings.Contains(lower, "forbidden"):
		f.Kind = "access-denied"
	default:
		f.Kind = "credentials-rejected"
	}
	if q.word.kind == wordDenied {
		f.Detail = "the docker daemon is told: " + said
	}
	q.failure, q.byDaemon = f, true
	return q
}

// moment is how long the daemon may take about the first of several images before it is asked about the others too. One
// that finds the image takes less.
const moment = time.Second

// bestWord is the daemon's word about an image; of the vendor's defaults for one role any will do. It is waited for until
// docker itself gives up, which takes 15 seconds where a firewall drops packets: that is what the runner's pull comes to.
// To take this process's own time-out for it would be a guess, as the daemon may yet get there, over a slow proxy say.
func bestWord(ctx context.Context, h *Host, r *Runner, image Image) (word, Image) {
	others := slices.DeleteFunc(slices.Clone(referencesOf(image)), func(other string) bool { return other == image.Reference })
	if len(others) == 0 {
		return daemonWord(ctx, h, r, image), image
	}
	said := make(chan func() pulledWord, 1+len(others))
	ask := func(reference string) {
		one := image
		one.Reference = reference
		begin(said, func() pulledWord { return pulledWord{daemonWord(ctx, h, r, one), one} })
	}
	ask(image.Reference)
	select {
	case first := <-said:
		if w := first(); w.failed == nil {
			return w.word, image
		}
		said <- first
	case <-time.After(moment):
	}
	for _, other := range others {
		ask(other)
	}
	return bestOf(said, image)
}

// pulledWord is the daemon's word about one of several images that will do.
type pulledWord struct {
	word
	pulled Image
}

// bestOf is the first good word of all that are said; if there is none, that about the image itself.
func bestOf(said <-chan func() pulledWord, image Image) (word, Image) {
	var own word
	for range cap(said) {
		switch w := (<-said)(); {
		case w.good():
			return w.word, w.pulled
		case w.pulled.Reference == image.Reference:
			own = w.word
		}
	}
	return own, image
}

// apart tells whether this process is known to stand elsewhere than the daemon: what it cannot reach the daemon may.
func (h *Host) apart() bool {
	if h.inside || h.daemon.elsewhere() {
		return true
	}
	if h.Told == nil || h.Engine == nil || h.Engine.Socket() != "" {
		return false
	}
	u, err := url.Parse(h.Engine.Host)
	if err != nil || u.Hostname() == "localhost" || u.Hostname() == "" { // a pipe of Windows has no host
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || !ip.IsLoopback()
}

// whyApart says where this process stands.
func (h *Host) whyApart() string {
	if h.inside {
		return "this process is in a container, where the daemon's proxy, certificates and name servers are out of sight"
	}
	return "the docker daemon is not on this machine, and may reach it another way"
}

// outweighs tells whether the daemon's success outweighs a failure that this process met: it reached the registry another
// way, or was served by a mirror. What was served wrong is wrong for the daemon too, when it pulls.
func outweighs(f *registry.Failure) bool {
	return f != nil && f.Stage == registry.StageManifest &&
		!slices.Contains([]string{"manifest-unsupported", "digest-mismatch", "invalid-reference"}, f.Kind)
}

// loopback tells whether a host, as a reference writes it, is this machine's loopback.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return name == "localhost" || err == nil && ip.IsLoopback()
}

// saved tells whether the daemon finds an image that this process does not.
func (q question) saved() bool { return outweighs(q.failure) && q.word.good() }

// here says why this process does not find what the daemon finds.
func (q question) here() string {
	detail := q.failure.Detail
	if q.failure.Network != nil {
		detail = q.failure.Network.Detail
	}
	if q.failure.Host != "" && !strings.HasPrefix(detail, q.failure.Host) {
		detail = spoken(q.failure.Host) + ": " + detail
	}
	return detail
}

// savedFinding is the pass of an image that the daemon alone finds.
func (q question) savedFinding(said string) Finding {
	f := Passed(q.role(), fmt.Sprintf("%s %s for the docker daemon, and not for this process (%s)",
		q.name(), said, q.here())).With("vantage", vantageDaemon)
	if digest := clip(q.word.found.Digest); digest != "" {
		f = f.With("digest", digest)
	}
	return f.With("this_process", q.failure.Kind)
}

// seen adds from where an image was looked at, and what the daemon says where it fails as well.
func (q question) seen(f Finding) Finding {
	switch {
	case q.byDaemon:
		return f.With("vantage", vantageDaemon).With("docker_daemon", told(q.word))
	case q.failure == nil || q.word.unasked != "" || q.word.failed == nil:
		return f.With("vantage", vantageProcess)
	case q.word.kind == wordLate:
		return f.With("vantage", vantageProcess).With("docker_daemon", "no answer in time")
	}
	vantage := vantageProcess
	if failsAlike(q.failure, q.word, q.image.Reference) {
		vantage = vantageBoth
	}
	return f.With("vantage", vantage).With("docker_daemon", told(q.word))
}

// curable is the finding in place of a failure that the daemon's own settings may cure, where this process does not
// stand where the daemon does and the daemon does not say.
func curable(h *Host, f Finding) Finding {
	found := Erred(notEstablished, f.Subject, f.Message+"; "+h.whyApart(),
		"mount docker's socket into this container (-v "+dockerSocket+":"+dockerSocket+"), so that the daemon can be asked, "+
			"or run the tool on the host itself")
	if !h.inside {
		found.Hint = "run the tool where the docker daemon is"
	}
	found.Location, found.Touches, found.Evidence, found.Runners = f.Location, f.Touches, f.Evidence, f.Runners
	found.Connection, found.Pull = f.Connection, f.Pull
	if f.Problem != nil {
		found = found.With("here", f.Problem.ID)
	}
	return found.On(f.Root)
}

// daemonReaches is the finding about a host that this process does not reach and the docker daemon needs, where the
// daemon is known to reach it (it finds an image there), or where it stands elsewhere and does not say. It is not
// settled otherwise: then the failure stands.
func (d *demand) daemonReaches(ctx context.Context, h *Host, failed *network.Failure) (found Finding, settled bool) {
	if d.client == d.runner.Control || slices.ContainsFunc(d.endpoints, func(e Endpoint) bool { return e.Actor == ActorJVM }) {
		return Finding{}, false
	}
	known := false
	for _, image := range d.images {
		for _, reference := range referencesOf(image) {
			if host, port, ok := imageAddress(reference); d.metFor == "" &&
				(!ok || Endpoint{Host: host, Port: port}.Address() != d.address) {
				continue
			}
			image.Reference = reference
			w := daemonWord(ctx, h, d.runner, image)
			if w.reaches() && d.metFor != registry.ForBlobs {
				verb := map[bool]string{true: "finds", false: "is answered about"}[w.good()]
				return Passed(d.address, fmt.Sprintf("the docker daemon %s %s, and this process does not reach the host (%s)",
					verb, clip(reference), failed.Detail)).With("vantage", vantageDaemon).With("this_process", failed.Kind), true
			}
			known = known || w.failed != nil && w.kind != wordLate
		}
	}
	if failed.Kind == network.ProxyAuthRequired && h.daemon.masked() {
		return Skipped(d.address, daemonAllows(h, spoken(d.address), failed)), true
	}
	if !h.apart() || known && d.metFor != registry.ForBlobs || failed.Kind == network.NotEstablished {
		return Finding{}, false
	}
	if d.optional() {
		return Skipped(d.address, fmt.Sprintf("%s; %s", failed.Detail, h.whyApart())), true
	}
	return curable(h, networkFinding(ctx, h, failed, d.need())), true
}
