package checks

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks/network"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var endpointReachable = Check{
	Name:  "endpoint-reachable",
	Title: "Every host that the runner needs can be reached",
	Doc: "Connects to each host that this runner needs, in phases (DNS, TCP, proxy, TLS, HTTP), as " +
		"the program does that needs it: docker's daemon for images, the runner's JVM for the " +
		"control channel. Hosts that registries send their clients to (token services, stores of " +
		"layers) are among them once they are known.",
	Problems: append(networkProblems(), noWayOut, httpBlocked, endpointFailing, slowEndpoint, brokenIPv6),
	Run:      runEndpointReachable,
}

// demand is one host that one runner needs, over one route. Several endpoints of the runner may stand behind it.
type demand struct {
	runner    *Runner
	client    *network.Client
	address   string
	endpoints []Endpoint
	images    []Image
	// met says what a host is for that a registry sends its clients to; metFor is the registry's word for it.
	met, metFor string
}

func runEndpointReachable(ctx context.Context, h *Host) []Finding {
	if h.Offline {
		return []Finding{Skipped("network", "no host was asked: the network is not used here")}
	}
	demands := demandsOf(h)
	answers := lookAll(ctx, demands)
	var findings []Finding
	var out wayOut
	for i, d := range demands {
		found := judgeEndpoint(ctx, h, d, answers[i])
		out.see(h, d, answers[i], found)
		if d.spare(found, demands, answers) {
			found = []Finding{Skipped(d.address,
				"out of reach, and not needed: the host of the other default pause image answers")}
		}
		for _, f := range found {
			findings = append(findings, d.complete(f))
		}
	}
	findings = append(findings, discovered(ctx, h, demands)...)
	return append(out.finding(ctx, h), shareRoots(findings)...)
}

// demandsOf lists what the runners need, the routes apart.
func demandsOf(h *Host) []*demand {
	var demands []*demand
	for _, r := range h.Runners {
		for _, e := range r.Endpoints {
			client := clientFor(h, r, e)
			i := slices.IndexFunc(demands, func(d *demand) bool {
				return d.runner == r && d.client == client && d.address == e.Address()
			})
			if i < 0 {
				i = len(demands)
				demands = append(demands, &demand{
					runner: r, client: client, address: e.Address(),
					images: imagesAt(r, e.Address()),
				})
			}
			demands[i].endpoints = append(demands[i].endpoints, e)
		}
	}
	return demands
}

// clientFor is the route to an endpoint. What the runner needs of others than the vendor may be private, with an
// authority that this machine knows: only the vendor's hosts are judged as the JVM would.
func clientFor(h *Host, r *Runner, e Endpoint) *network.Client {
	if e.Actor == ActorJVM && isVendorHost(e.Host) && r.Control != nil {
		return r.Control
	}
	for _, image := range imagesAt(r, e.Address()) {
		return h.pulling(image.Reference).Daemon
	}
	return h.Daemon
}

// imagesAt are the runner's images that come from a host.
func imagesAt(r *Runner, address string) []Image {
	var images []Image
	for _, image := range r.Images {
		for _, e := range imageEndpoints(image) {
			if e.Address() == address {
				images = append(images, image)
				break
			}
		}
	}
	return images
}

// lookAll asks all hosts at the same time.
func lookAll(ctx context.Context, demands []*demand) []network.Answer {
	answers := make([]network.Answer, len(demands))
	atOnce(len(demands), func(i int) { answers[i] = demands[i].client.Probe(ctx, demands[i].url()) })
	return answers
}

func (d *demand) registry() bool {
	return slices.ContainsFunc(d.endpoints, func(e Endpoint) bool { return e.Registry })
}

// url is what is asked for: registries have an address that says what they are.
func (d *demand) url() string {
	host := strings.TrimSuffix(d.address, ":443")
	if d.registry() {
		return "https://" + host + "/v2/"
	}
	return "https://" + host + "/"
}

// need says who needs the host and what for; nothing for a registry, whose images say so.
func (d *demand) need() string {
	if len(d.images) > 0 && !d.optional() {
		return d.met
	}
	if d.optional() {
		return "which may be needed (" + d.endpoints[0].Why + ")"
	}
	var who []string
	for _, e := range d.endpoints {
		switch {
		case e.Optional:
		case e.Why == "--endpoint" || e.Actor == "":
			who = append(who, "--endpoint asks for")
		default:
			who = append(who, "the "+string(e.Actor)+" needs ("+e.Why+")")
		}
	}
	return "which " + strings.Join(who, " and ")
}

func (d *demand) optional() bool {
	return !slices.ContainsFunc(d.endpoints, func(e Endpoint) bool { return !e.Optional })
}

// complete adds to a finding whom and what it is about, and where the host is named.
func (d *demand) complete(f Finding) Finding {
	f = f.For(d.runner.Name).Touching(HostPort(d.address))
	for _, image := range d.images {
		f = f.Touching(Reference(image.Reference))
		if f.Location == (source.Span{}) && f.Status > Pass {
			f = f.At(image.Place)
		}
	}
	if d.optional() && f.Status == Fail {
		f = f.As(Warn)
	}
	return f
}

// spare tells whether a host that is out of reach is one of several of which another answers.
func (d *demand) spare(found []Finding, demands []*demand, answers []network.Answer) bool {
	group := d.endpoints[0].OneOf
	if group == "" || len(d.endpoints) > 1 || !slices.ContainsFunc(found,
		func(f Finding) bool { return f.Status > Warn }) {
		return false
	}
	for i, other := range demands {
		if other != d && other.runner == d.runner && answers[i].Failure == nil &&
			answers[i].Status < http.StatusInternalServerError &&
			slices.ContainsFunc(other.endpoints, func(e Endpoint) bool { return e.OneOf == group }) {
			return true
		}
	}
	return false
}

// judgeEndpoint says what came of one host.
func judgeEndpoint(ctx context.Context, h *Host, d *demand, a network.Answer) []Finding {
	if a.Failure != nil {
		settled, known := d.daemonReaches(ctx, h, a.Failure)
		reason := daemonAllows(h, spoken(d.address), a.Failure)
		switch {
		case d.registry() && reason != "" && settled.Status != Pass:
			return []Finding{Skipped(d.address, reason)}
		case known:
			return []Finding{d.traced(settled, a.Trace)}
		}
		found := networkFinding(ctx, h, a.Failure, d.need())
		if a.Failure.Kind == network.TLSIntercepted && aged(h) {
			found = found.As(Warn)
		}
		found = d.untoldProxy(h, d.atVariable(found, a.Failure.ProxyVariable), a.Failure)
		return []Finding{d.traced(found, a.Trace)}
	}
	found := judgeAnswer(d, a)
	found = append(found, judgeTrace(ctx, d.client, a.Trace)...)
	if len(found) == 0 {
		found = []Finding{Passed(d.address, "answers: "+steps(a.Trace))}
	}
	for i := range found {
		found[i] = d.traced(found[i], a.Trace).With("status", a.Status)
		if a.Retries > 0 {
			found[i] = found[i].With("retries", a.Retries)
		}
	}
	return found
}

// untoldProxy says of a host that the runner does not reach where docker's daemon, or this process, has a proxy for it,
// and the runner none. All such hosts have one cause: what the runner is not told.
func (d *demand) untoldProxy(h *Host, f Finding, failed *network.Failure) Finding {
	if d.client != d.runner.Control || failed.Proxy != "" || failed.Phase == network.PhaseHTTP {
		return f
	}
	proxy, who := h.proxyOfOthers(d.address)
	if own, _ := d.client.ProxyFor(d.address); proxy == nil || own != nil {
		return f
	}
	f.Message += fmt.Sprintf("; %s goes through the proxy %s (%s), and the runner is told of none", who, proxy.Address(),
		proxy.Variable)
	dialect := runner.DockerRun
	if definition := d.runner.Definition; definition != nil {
		dialect = definition.Dialect
	}
	f.Hint = fmt.Sprintf("give the runner the proxy too: %s%s; or have the firewall let the runner out without it",
		dialect.Variable("HTTPS_PROXY", proxy.URL.Scheme+"://"+proxy.Address()), dialect.WhereVariables())
	return f.On("HTTPS_PROXY")
}

// proxyOfOthers is the proxy through which docker's daemon goes to an address, else this process, and who that is.
func (h *Host) proxyOfOthers(address string) (proxy *network.Proxy, who string) {
	if proxy, err := h.Daemon.ProxyFor(address); err == nil && proxy != nil {
		return proxy, "docker's daemon"
	}
	if h.own.Daemon == nil {
		return nil, ""
	}
	if proxy, err := h.own.Daemon.ProxyFor(address); err == nil {
		return proxy, "this process"
	}
	return nil, ""
}

// atVariable places a finding about a proxy where the definition names the proxy.
func (d *demand) atVariable(f Finding, name string) Finding {
	if name == "" || d.client != d.runner.Control || d.runner.Definition == nil {
		return f
	}
	for _, v := range d.runner.Definition.Environment {
		if v.Name.Value == name {
			f = f.At(v.Value.Place)
		}
	}
	return f.Touching(Variable(name))
}

// aged tells whether the public roots of this tool are so old that one which everybody trusts may be missing.
func aged(h *Host) bool { return h.Now().After(network.PublicRootsDate().AddDate(1, 0, 0)) }

// judgeAnswer judges who answered, and with what.
func judgeAnswer(d *demand, a network.Answer) []Finding {
	host := hostOfAddress(d.address)
	proven := a.Certificate != nil && a.Certificate.Public
	switch {
	case blocked(d, a, proven):
		return []Finding{Failed(httpBlocked, d.address, fmt.Sprintf("%s: %s answers in its place",
			needed(d.address, d.need()), pageOf(a)),
			"have the web filter allow "+host+"; its page, opened in a browser, says which rule it is").
			Try("curl -v https://" + d.address + "/")}
	case a.Status >= http.StatusInternalServerError:
		return []Finding{Warned(endpointFailing, d.address, fmt.Sprintf("%s: it answers with status %d",
			needed(d.address, d.need()), a.Status),
			"try again later, and look at the status page of whoever runs "+host)}
	case !proven && a.Certificate != nil && isPublicHost(host):
		return []Finding{withCertificate(Warned(tlsIntercepted, d.address, fmt.Sprintf(
			"%s: its certificate was issued by %s, which this machine trusts and which is no public authority",
			needed(d.address, d.need()), a.Certificate.Issuer),
			"have the firewall leave TLS to "+host+" alone (no inspection)"), a.Certificate)}
	}
	return nil
}

// blocked tells a block page or a captive portal from the host. A registry answers /v2/ with JSON or nothing; what a
// private host of another kind answers nobody can know.
func blocked(d *demand, a network.Answer, proven bool) bool {
	if !isPage(a) && !elsewhere(a) {
		return false
	}
	refusal := a.Status == http.StatusForbidden || a.Status == http.StatusUnavailableForLegalReasons ||
		a.Status == http.StatusNetworkAuthenticationRequired || filterWords(a) || elsewhere(a) && !proven && !related(a)
	public := isPublicHost(hostOfAddress(d.address))
	switch {
	case proven && a.Status >= http.StatusInternalServerError:
		return false
	case d.registry():
		return refusal || public
	}
	return !proven && refusal
}

func isPage(a network.Answer) bool {
	return strings.HasPrefix(strings.ToLower(a.Header.Get("Content-Type")), "text/html")
}

// elsewhere tells whether the answer sends one to another host.
func elsewhere(a network.Answer) bool {
	if a.Status/100 != 3 {
		return false
	}
	to, err := url.Parse(a.Header.Get("Location"))
	return err == nil && to.Hostname() != "" && to.Hostname() != hostOfAddress(a.Address)
}

// related tells whether an answer sends one to a host of the same domain: a company's own login rather than a portal.
func related(a network.Answer) bool {
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || to.Scheme == "http" {
		return false
	}
	_, domain, found := strings.Cut(hostOfAddress(a.Address), ".")
	return found && strings.Contains(domain, ".") && strings.HasSuffix("."+to.Hostname(), "."+domain)
}

// filterWords looks for what block pages say and other pages do not.
func filterWords(a network.Answer) bool {
	text := strings.ToLower(string(a.Body[:min(len(a.Body), 16<<10)]))
	return slices.ContainsFunc([]string{
		"web filter", "webfilter", "fortiguard", "zscaler", "forcepoint", "websense", "bluecoat",
		"blue coat", "umbrella", "captive portal", "blocked by", "has been blocked", "is blocked", "blocked page",
		"block page",
		"url category", "access to this site", "site blocked", "web page blocked", "acceptable use",
	},
		func(word string) bool { return strings.Contains(text, word) })
}

func pageOf(a network.Answer) string {
	if elsewhere(a) {
		to, err := url.Parse(a.Header.Get("Location"))
		if err == nil {
			return fmt.Sprintf("a redirection to %s (status %d)", source.Printable(to.Hostname()), a.Status)
		}
	}
	return fmt.Sprintf("a web page (status %d)", a.Status)
}

// judgeTrace judges how long it took, and the way that was not taken.
func judgeTrace(ctx context.Context, c *network.Client, t network.Trace) []Finding {
	var found []Finding
	if total, longest, slow := t.Slow(); slow {
		root, hint := slowAdvice(longest.Phase, t)
		found = append(found, Warned(slowEndpoint, t.Address,
			fmt.Sprintf("%s: %s until the first byte, most of it for %s (%s)",
				t.Address, seconds(total), longest.Phase, seconds(longest.Duration)), hint).On(root))
	}
	if addr, detail, broken := c.BrokenIPv6(ctx, t.Address); broken {
		found = append(found, Warned(brokenIPv6, t.Address, fmt.Sprintf("%s: IPv4 works and IPv6 does not: %s",
			t.Address, detail),
			"mend the IPv6 route of this machine, or take it away").On("IPv6").Try("ip -6 route get "+addr.String()))
	}
	return found
}

// slowAdvice says what to look at, and what to do.
func slowAdvice(phase network.Phase, t network.Trace) (root, hint string) {
	switch {
	case phase == network.PhaseDNS:
		return resolverFile, "look at the name servers in " + resolverFile +
			": a dead first one costs seconds each time"
	case t.Proxy != "" && phase != network.PhaseHTTP:
		return t.Proxy, "look at the load of the proxy " + t.Proxy + " and at the path to it"
	case phase == network.PhaseHTTP:
		return t.Address, "look at the load of " + hostOfAddress(t.Address)
	}
	return t.Address, "look at the path to " + hostOfAddress(t.Address) + " (loss, distance, inspection)"
}

// shareRoots gives one root to what is wrong with this machine rather than with each of several hosts: IPv6 that
// works with none of them.
func shareRoots(findings []Finding) []Finding {
	var hosts []string
	for _, f := range findings {
		if f.Problem == brokenIPv6 {
			hosts = appendNew(hosts, []string{f.Subject})
		}
	}
	for i, f := range findings {
		if f.Problem == brokenIPv6 && len(hosts) > 1 {
			findings[i] = f.On("IPv6")
		}
	}
	return findings
}

// discovered reports the hosts that registries send their clients to: token services, and where layers are kept. They
// are known once the images were asked for, and so is how the connections to them went.
func discovered(ctx context.Context, h *Host, known []*demand) []Finding {
	findings := eachImage(h, func(r *Runner, image Image) []Finding {
		var findings []Finding
		daemon, res := h.pulling(image.Reference).Daemon, resolve(ctx, h, r, image)
		for _, met := range res.Hosts {
			trace, seen := daemon.Trace(met.Address)
			listed := func(d *demand) bool { // an optional one that fails is needed after all
				return d.runner == r && d.client == daemon && d.address == met.Address &&
					(!d.optional() || trace.Failure == nil)
			}
			if !seen || slices.ContainsFunc(known, listed) {
				continue
			}
			d := &demand{
				runner: r, client: daemon, address: met.Address, images: []Image{image}, met: whyMet(met, res.Host),
				metFor: met.Why, endpoints: []Endpoint{{Actor: ActorDaemon, Why: met.Why}},
			}
			findings = append(findings, d.complete(judgeDiscovered(ctx, h, d, trace)))
		}
		return findings
	})
	return slices.DeleteFunc(findings, func(f Finding) bool { return f.Status == Skip })
}

func judgeDiscovered(ctx context.Context, h *Host, d *demand, t network.Trace) Finding {
	if t.Failure != nil {
		if found, settled := d.daemonReaches(ctx, h, t.Failure); settled {
			return d.traced(found, t)
		}
		return d.traced(networkFinding(ctx, h, t.Failure, d.need()), t)
	}
	return d.traced(Passed(d.address, "answers ("+d.met+"): "+steps(t)), t)
}

// steps lists the phases with their times: "dns 2 ms, tcp 14 ms".
func steps(t network.Trace) string {
	var out []string
	for _, step := range t.Steps {
		out = append(out, fmt.Sprintf("%s %d ms", step.Phase, step.Duration.Milliseconds()))
	}
	return strings.Join(out, ", ")
}

// seconds is a duration for people: 2.4 s.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// traced adds the phases and their milliseconds.
func (d *demand) traced(f Finding, t network.Trace) Finding {
	for _, step := range t.Steps {
		f = f.With(string(step.Phase)+"_ms", step.Duration.Milliseconds())
	}
	return f.Over(d.connection(t, f))
}
