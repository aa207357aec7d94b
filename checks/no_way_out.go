package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"runner-preflight/checks/network"
	"runner-preflight/checks/runner"
)

var noWayOut = &Problem{
	ID:    "no-way-out",
	Title: "Nothing outside is reached from here",
	Doc: "Not one host of the public Internet takes a TCP connection from this machine, and no proxy is set. Either a " +
		"firewall lets nothing out: have it allow what runner-preflight allowlist prints. Or the way out of this network is " +
		"a proxy: docker's daemon has to be told of it (in a drop-in of docker.service, or \"proxies\" of " +
		"/etc/docker/daemon.json, then restart docker), and the runner too (HTTPS_PROXY among its variables). Or this " +
		"machine has no default route. Whoever keeps the network knows which.",
	Source:   networkMeasured,
	Explains: []string{"connect-timeout", "connect-refused", "network-unreachable", "daemon-unreachable"},
}

// wayOut is what the hosts that the runners need tell together of the way out of this machine.
type wayOut struct {
	// open says that there is one, or may be: a host outside was reached, or is behind a proxy, or was not asked to the end.
	open bool
	// shut are the hosts outside that take no connection, and failures why.
	shut     []*demand
	failures []*network.Failure
}

// see adds what came of one host.
func (w *wayOut) see(h *Host, d *demand, a network.Answer, found []Finding) {
	proxy, err := d.client.ProxyFor(d.address)
	if proxy == nil && err == nil {
		proxy, _ = h.proxyOfOthers(d.address)
	}
	reached := slices.ContainsFunc(a.Trace.Addresses, network.Public) // a name alone says nothing of the way
	switch {
	case proxy != nil || err != nil:
		w.open = true
	case a.Failure == nil:
		w.open = w.open || reached
	case barrierBefore(h, a.Failure) != (Barrier{}):
		passed := slices.ContainsFunc(found, func(f Finding) bool { return f.Status == Pass }) // by the docker daemon
		w.open = w.open || passed
		w.shut, w.failures = append(w.shut, d), append(w.failures, a.Failure)
	case a.Failure.Kind == network.NotEstablished:
		w.open = true
	default:
		w.open = w.open || reached
	}
}

// finding reports that nothing outside is reached; there is none where that is not known, or is about one host alone.
func (w *wayOut) finding(ctx context.Context, h *Host) []Finding {
	hosts := w.hosts(func(*demand) bool { return true })
	if w.open || len(hosts) < 2 || ctx.Err() != nil {
		return nil
	}
	from := "this machine"
	if h.inside {
		from = "this container"
	}
	f := Failed(noWayOut, from, "nothing outside is reached from "+from+": "+w.kinds(len(hosts)), w.hint(h))
	tried := w.hosts(func(d *demand) bool { return !d.optional() })
	if len(tried) == 0 {
		f, tried = f.As(Warn), hosts
	}
	switch {
	case w.routeless():
		f = f.Try("ip route")
	case shellSafe.MatchString(tried[0]):
		f = f.Try("curl -v --connect-timeout 5 https://" + tried[0] + "/")
	}
	for _, d := range w.shut {
		f.Runners = appendNew(f.Runners, []string{d.runner.Name})
		f = f.Touching(HostPort(d.address))
	}
	return []Finding{f.With("hosts", hosts).Try(listCommand(h))}
}

// hosts are the wanted ones of those that are shut, each once.
func (w *wayOut) hosts(wanted func(*demand) bool) []string {
	var hosts []string
	for _, d := range w.shut {
		if wanted(d) {
			hosts = appendNew(hosts, []string{d.address})
		}
	}
	return hosts
}

// kinds says in which ways all hosts are out of reach.
func (w *wayOut) kinds(all int) string {
	var parts []string
	for _, kind := range []struct{ kind, all, one, some string }{
		{network.ConnectTimeout, "none of %d hosts answers", "does not answer", "do not answer"},
		{network.ConnectRefused, "each of %d hosts refuses the connection", "refuses the connection", "refuse the connection"},
		{network.NetworkUnreachable, "none of %d hosts can be reached", "cannot be reached", "cannot be reached"},
	} {
		hosts := map[string]bool{}
		for _, f := range w.failures {
			if f.Kind == kind.kind {
				hosts[f.Address] = true
			}
		}
		switch len(hosts) {
		case 0:
		case all:
			return fmt.Sprintf(kind.all, all)
		default:
			parts = append(parts, CountOf(len(hosts), kind.one, kind.some))
		}
	}
	return fmt.Sprintf("of %d hosts %s", all, strings.Join(parts, ", "))
}

// routeless tells whether this machine, or a router, says of every host that there is no way to it.
func (w *wayOut) routeless() bool {
	return !slices.ContainsFunc(w.failures, func(f *network.Failure) bool { return f.Kind != network.NetworkUnreachable })
}

// hint names what may be missing: a hole in the firewall, the proxy that is this network's way out, a route.
func (w *wayOut) hint(h *Host) string {
	dialect := runner.DockerRun
	if definition := w.shut[0].runner.Definition; definition != nil {
		dialect = definition.Dialect
	}
	hint := fmt.Sprintf("have the firewall allow outgoing TCP to what runner-preflight allowlist prints; or, if the way out of "+
		"this network is a proxy, set HTTPS_PROXY for docker's daemon (%s) and for the runner (%s%s)",
		h.daemon.site.proxyDropIn(), dialect.Variable("HTTPS_PROXY", "http://HOST:PORT"), dialect.WhereVariables())
	if w.routeless() {
		return "give this machine a route to the outside (ip route shows those that it has); or " + hint
	}
	return hint
}
