package checks

import (
	"context"
	"fmt"
	"strings"

	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
)

var daemonPulls = Check{
	Name:  "daemon-pulls",
	Title: "The docker daemon itself finds every image",
	Doc: "Has the docker daemon ask the registry of each image for it, with exactly the credentials that the runner would " +
		"send: with its own proxy, name servers, certificates and mirrors, which may be others than those of this " +
		"process. Nothing is pulled. Where the two differ the daemon is right, and the difference is what is wrong. " +
		"Where both fail alike, image-resolves says why.",
	Problems: []*Problem{
		daemonProxyMissing, daemonProxyFailing, daemonUntrusted, daemonDNS, daemonUnreachable, daemonDenied, daemonDiffers,
	},
	Run: func(ctx context.Context, h *Host) []Finding {
		if reason := undaemonedHost(h); reason != "" {
			return []Finding{Skipped(daemonSubject, reason)}
		}
		return eachImage(h, func(r *Runner, image Image) []Finding { return []Finding{daemonPulling(ctx, h, r, image)} })
	},
}

// daemonMeasured is the source of what is read from the daemon's words.
const daemonMeasured = "the daemon's own words (GET /distribution); measured with docker's daemons 20.10 to 29"

var daemonProxyMissing = &Problem{
	ID:    "daemon-proxy-missing",
	Title: "The docker daemon has no proxy, and needs one",
	Doc: "Only the proxy leads to the registry, and the docker daemon is not told of it: the variables of a shell are not " +
		"those of the daemon, which systemd starts, and what is written in its files counts from its next start on. Put it into a " +
		"drop-in of docker.service (or \"proxies\" of /etc/docker/daemon.json, from Docker 23 on) and restart docker, which " +
		"stops its containers.",
	Source: daemonMeasured + "; docker's documentation, \"Daemon proxy configuration\"",
	Explains: []string{
		"connect-timeout", "connect-refused", "network-unreachable", "dns-not-found", "dns-failure", "tls-reset", "tls-timeout",
		"http-blocked", "http-failure", "daemon-unreachable", "daemon-dns",
	},
	Prints: []Print{
		{printsTimeout, 5},
	},
}

var daemonProxyFailing = &Problem{
	ID:    "daemon-proxy-failing",
	Title: "The docker daemon's proxy does not let it through",
	Doc: "The docker daemon goes through a proxy that cannot be reached, wants another password, or refuses the host, while " +
		"this process gets to the registry. Correct the proxy where the daemon is told of it, or except the registry " +
		"(NO_PROXY), and restart docker.",
	Source:   daemonMeasured + "; docker's documentation, \"Daemon proxy configuration\"",
	Explains: []string{"proxy-unreachable", "proxy-auth-required", "proxy-denied"},
	Prints: []Print{
		{printsProxy, 3},
	},
}

var daemonUntrusted = &Problem{
	ID:    "daemon-untrusted",
	Title: "The docker daemon does not trust a registry's certificate",
	Doc: "This process trusts the certificate, and the docker daemon does not: it reads the system's authorities when it " +
		"starts, and those in /etc/docker/certs.d/HOST[:PORT] at each pull. Authorities that were installed since, or " +
		"that a variable such as SSL_CERT_FILE names, are unknown to it. Put the authority's certificate where the daemon " +
		"looks (no restart is needed), or restart docker.",
	Source:   daemonMeasured + "; docker's documentation of certs.d",
	Explains: []string{"tls-untrusted"},
	Prints: []Print{
		{printsUnknownAuthority, 3},
	},
}

var daemonDNS = &Problem{
	ID:    "daemon-dns",
	Title: "The docker daemon cannot look a registry's name up",
	Doc: "This process can look the name up, and the docker daemon cannot: it runs where other name servers, or another " +
		"/etc/hosts, are in force (a virtual machine, a network namespace, a container), or the name server answers one " +
		"time and not another. Have the name server of the daemon's machine know the name.",
	Source: daemonMeasured,
	Prints: []Print{
		{`no such host`, 2},
	},
}

var daemonUnreachable = &Problem{
	ID:    "daemon-unreachable",
	Title: "The docker daemon cannot reach a host",
	Doc: "This process reaches the registry, and the docker daemon does not: a firewall, a route or a network namespace of " +
		"its own keeps it from connecting, or a rule lets only this user through. What it pulls has to come its way: let " +
		"the daemon's machine through.",
	Source: daemonMeasured,
	Prints: []Print{
		{printsRefused, 3},
		{printsTimeout, 6},
		{printsNoRoute, 3},
	},
}

var daemonDenied = &Problem{
	ID:    "daemon-denied",
	Title: "The registry refuses the docker daemon",
	Doc: "With the very same credentials, the registry shows the image to this process and refuses the docker daemon. It " +
		"tells them apart by where they come from (a list of addresses, another proxy), or the daemon is led to another " +
		"registry of that name. Let the daemon's address through, or have both led to the same registry.",
	Source: daemonMeasured,
	Prints: []Print{
		{printsUnauthorized, 9},
	},
}

var daemonDiffers = &Problem{
	ID:    "daemon-differs",
	Title: "The docker daemon does not find what this process finds",
	Doc: "The registry answers this process with the image, and the docker daemon with something else: it may be led to " +
		"another server (a mirror, another name server, a proxy), or the registry may have failed this once. The daemon's " +
		"own words say what it met.",
	Source: daemonMeasured,
}

// daemonPulling compares the two vantage points for one image.
func daemonPulling(ctx context.Context, h *Host, r *Runner, image Image) Finding {
	w, pulled := bestWord(ctx, h, r, image)
	if w.unasked != "" {
		return Skipped(string(image.Role), w.unasked)
	}
	q := ask(ctx, h, r, image)
	q.word = w
	name := clip(pulled.Reference)
	switch {
	case w.good() && q.saved():
		return q.savedFinding("resolves")
	case w.good():
		f := Passed(q.role(), "the docker daemon finds "+name).With("vantage", vantageDaemon).With("digest", clip(w.found.Digest))
		if q.res.Digest != "" && q.res.Digest != w.found.Digest {
			f = f.With("digest_here", q.res.Digest)
		}
		return f
	case q.failure != nil && q.failure.Stage == registry.StageManifest:
		return q.bothFail(ctx, h)
	case w.kind == wordLate:
		return Unestablished(ctx, q.role(), "the docker daemon does not say in time whether it finds "+name)
	}
	return q.daemonFails(h)
}

// bothFail is the finding where neither finds the image. Where only a proxy of this process leads to the registry, that
// is what is wrong; otherwise, what the daemon says is new only if it is something else.
func (q question) bothFail(ctx context.Context, h *Host) Finding {
	said := told(q.word)
	switch {
	case q.proxyLeads(ctx, h):
		return q.proxyMissing(h)
	case q.word.kind == wordLate:
		return Skipped(q.role(), "the docker daemon does not answer in time either (see image-resolves)")
	case q.byDaemon:
		return Skipped(q.role(), "the docker daemon is refused: see image-resolves").With("vantage", vantageDaemon)
	case q.failure.Kind != "not-established" && failsAlike(q.failure, q.word, q.image.Reference):
		return Skipped(q.role(), "the docker daemon fails as this process does: "+said).With("vantage", vantageBoth)
	}
	return q.daemonFails(h)
}

// proxyLeads tells whether the daemon goes to the registry directly and fails, where the proxy of this process leads
// there.
func (q question) proxyLeads(ctx context.Context, h *Host) bool {
	if h.own.Daemon == nil || q.res.Host == "" || (q.word.kind != wordUnreachable && q.word.kind != wordName &&
		q.word.kind != wordPage && q.word.kind != wordLate) {
		return false
	}
	if proxy, err := h.Daemon.ProxyFor(q.res.Host); proxy != nil || err != nil {
		return false
	}
	if proxy, err := h.own.Daemon.ProxyFor(q.res.Host); proxy == nil || err != nil {
		return false
	}
	p := pullOf(q.runner, q.image)
	res := h.own.Registries.Resolve(ctx, registry.Request{
		Reference: q.image.Reference, Username: p.username, Password: p.password, Platform: q.runner.Platform,
	})
	return res.Failure == nil || res.Failure.Network == nil && res.Failure.Kind != "not-established"
}

// daemonFails is the finding where the daemon fails in a way of its own.
func (q question) daemonFails(h *Host) Finding {
	said, name := told(q.word), q.name()
	host := q.word.host
	if host == "" {
		host = q.res.Host
	}
	problem, root, hint := daemonDiffers, q.image.Reference, "look where the daemon is led: its mirrors, name servers and proxy"
	message := "this process finds " + name + ", and the docker daemon does not"
	if q.failure != nil && q.failure.Stage == registry.StageManifest {
		message = "the docker daemon does not find " + name + " either, for another reason"
	}
	var commands []string
	switch q.word.kind {
	case wordName:
		problem, root, message = daemonDNS, host, "the docker daemon cannot look up "+hostOfAddress(host)
		hint = "have the name server of the daemon's machine know it"
		if shellSafe.MatchString(host) {
			commands = []string{"getent hosts " + hostOfAddress(host), "cat " + resolverFile}
		}
	case wordUnreachable:
		problem, root, message = daemonUnreachable, host, "the docker daemon cannot reach "+spoken(host)
		hint = "let the daemon's machine through to " + host
	case wordUntrusted, wordCertificate:
		return q.untrusting(h, host, said)
	case wordProxy:
		problem, root = daemonProxyFailing, withoutUser(h.Told.HTTPSProxy)
		message = fmt.Sprintf("the docker daemon does not get through its proxy %s to %s", clip(root), spoken(host))
		hint = "correct the daemon's proxy, or except " + hostOfAddress(host) + " from it with NO_PROXY, then restart docker"
		commands = []string{h.daemon.site.unit(), h.daemon.site.restart()}
	case wordDenied:
		problem, root, message = daemonDenied, q.res.Host, fmt.Sprintf("%s refuses the docker daemon %s", spoken(q.res.Host), name)
		hint = "look for what tells the daemon from this process: its address, its proxy"
	case wordLimited, wordPage, wordClear, wordNotFound, wordLate, wordOther:
	}
	f := Failed(problem, q.role(), message+": "+said, hint)
	if problem == daemonDiffers {
		f = f.As(Warn)
	}
	f = f.On(root)
	if problem == daemonUnreachable {
		f.Behind = q.daemonBarrier(h, host)
	}
	return q.daemonBase(f, host).Try(commands...)
}

// daemonBarrier is what stands between the daemon and a host of the public Internet that this process reaches.
func (q question) daemonBarrier(h *Host, host string) Barrier {
	trace, _ := h.pulling(q.image.Reference).Daemon.Trace(host)
	if !public(trace.Addresses) {
		return Barrier{}
	}
	return Barrier{
		Name: "way out of the docker daemon", Fact: "are out of reach of the docker daemon",
		Mend: "let the daemon's machine through to each of these", List: listCommand(h),
	}
}

// daemonBase is what findings about the daemon's own failures have in common.
func (q question) daemonBase(f Finding, host string) Finding {
	f = f.At(q.image.Place).Touching(Reference(q.image.Reference), HostPort(q.res.Host)).With("vantage", vantageDaemon)
	if host != "" && host != q.res.Host {
		f = f.Touching(HostPort(host))
	}
	if q.failure != nil {
		f = f.With("this_process", q.failure.Kind)
	}
	return f.With("docker_daemon", told(q.word))
}

// untrusting is the finding where the daemon does not take a certificate.
func (q question) untrusting(h *Host, host, said string) Finding {
	hint := "put the authority's certificate where the daemon looks, which needs no restart; or, if it was installed into the " +
		"system after docker was started, restart docker"
	commands := []string{h.daemon.site.certificate("644", "ca.crt", registryHost(q.image.Reference))}
	message := "the docker daemon does not trust the certificate of " + spoken(host)
	if q.word.kind == wordCertificate {
		hint = "look at the certificate from the daemon's machine: its clock, its proxy or its name servers may differ"
		commands = []string{"date -u"}
		if shellSafe.MatchString(host) {
			commands = append(commands, "openssl s_client -connect "+host+" -servername "+hostOfAddress(host)+" </dev/null")
		}
		message = "the docker daemon does not take the certificate of " + spoken(host)
	}
	return q.daemonBase(Failed(daemonUntrusted, q.role(), message+": "+said, hint).On(host), host).Try(commands...)
}

// proxyDropIn is where systemd reads the daemon's proxy from.
func (s daemonSite) proxyDropIn() string { return s.dropIns + "/http-proxy.conf" }

// proxyMissing is the finding where the daemon does not know of a proxy that it needs: nobody told it, or it was started
// before it was told.
func (q question) proxyMissing(h *Host) Finding {
	proxy, _ := h.own.Daemon.ProxyFor(q.res.Host)
	direct := fmt.Sprintf("the docker daemon goes to %s directly and fails; the proxy %s", spoken(q.res.Host), proxy.Address())
	var f Finding
	if written, _, origin := h.daemon.written(); written != "" {
		f = Failed(daemonProxyMissing, q.role(), fmt.Sprintf("%s (%s) leads there, and the daemon was started before that was written",
			direct, origin), "restart docker, so that it reads "+origin).Try(h.daemon.site.restart())
	} else {
		f = Failed(daemonProxyMissing, q.role(), fmt.Sprintf("%s, which %s gives this process alone, leads there", direct,
			proxyVariable(proxy)), "give the daemon the proxy too, in "+h.daemon.site.proxyDropIn()+userToo(proxy)).
			Try(h.daemon.site.writeProxy(proxy), h.daemon.site.restart())
	}
	f = f.On(daemonSubject)
	for _, e := range q.runner.Endpoints { // what else the daemon may need is out of its reach for the same reason
		if proxied, _ := h.own.Daemon.ProxyFor(e.Address()); e.Actor == ActorDaemon && proxied != nil {
			f = f.Touching(HostPort(e.Address()))
		}
	}
	return q.daemonBase(f, q.word.host).With("proxy", proxy.Address())
}

// writeProxy is the command that tells systemd of the daemon's proxy, without its password.
func (s daemonSite) writeProxy(proxy *network.Proxy) string {
	address := proxy.URL.Scheme + "://" + proxy.Address()
	if proxy.URL.User != nil {
		address = proxy.URL.Scheme + "://USER:PASSWORD@" + proxy.Address()
	}
	unit := fmt.Sprintf(`[Service]\nEnvironment="HTTPS_PROXY=%s" "NO_PROXY=localhost,127.0.0.1"\n`, address)
	return fmt.Sprintf("%s && printf %s | %s", s.sudo("mkdir -p "+shellWord(s.dropIns)),
		shellWord(strings.ReplaceAll(unit, "%", "%%")), s.sudo("tee "+shellWord(s.proxyDropIn())))
}

func userToo(proxy *network.Proxy) string {
	if proxy.URL.User == nil {
		return ""
	}
	return ", with its user and password"
}

func proxyVariable(proxy *network.Proxy) string {
	if proxy.Variable == "" {
		return "a setting"
	}
	return proxy.Variable
}
