package checks

import (
	"fmt"
	"net/netip"
	"slices"

	"runner-preflight/checks/network"
)

// Barrier is what stands before a host and, where others are out of reach in the same way, before those too: one thing
// to mend for all of them. The zero value is none.
type Barrier struct {
	// Name is what somebody has to act on in the place of each host.
	Name string
	// Fact is what the hosts behind it do: "do not answer".
	Fact string
	// Mend is what to do about them, to be followed by their names.
	Mend string
	// List is the command that lists all hosts that are needed.
	List string
}

// mostNamed is how many hosts a hint names of those that are needed, and of those that may be.
const mostNamed = 12

// Together is what to do about several hosts behind a barrier, and the commands to run: those of the first host show
// what it does to all.
func (b Barrier) Together(findings []Finding) (hint string, commands []string) {
	needed, optional := rootsOf(findings)
	hint = b.Mend
	switch {
	case len(needed) == 0:
		hint += " and which may be needed: " + Few(optional, mostNamed)
	case len(optional) == 0:
		hint += ": " + Few(needed, mostNamed)
	default:
		hint += ": " + Few(needed, mostNamed) + "; also to these, which may be needed: " + Few(optional, mostNamed)
	}
	return hint + "; runner-preflight allowlist prints all that is needed",
		append(slices.Clone(findings[0].Commands), b.List)
}

// Told says in one line what the findings behind a barrier come to.
func (b Barrier) Told(findings []Finding) string {
	needed, optional := rootsOf(findings)
	switch {
	case len(needed) == 0:
		return fmt.Sprintf("%d hosts that may be needed %s", len(optional), b.Fact)
	case len(optional) == 0:
		return fmt.Sprintf("%d hosts that are needed %s", len(needed), b.Fact)
	}
	return fmt.Sprintf("%d hosts %s: %d that are needed, and %d that may be", len(needed)+len(optional), b.Fact, len(needed),
		len(optional))
}

// rootsOf are the hosts that findings are about: those that are needed, and those that only warn.
func rootsOf(findings []Finding) (needed, optional []string) {
	for _, f := range findings {
		if f.Status > Warn {
			needed = appendNew(needed, []string{f.Root})
		}
	}
	for _, f := range findings {
		if !slices.Contains(needed, f.Root) {
			optional = appendNew(optional, []string{f.Root})
		}
	}
	return needed, optional
}

// barrierBefore is what stands before a host of the public Internet that did not take a TCP connection. A private one is
// behind a VPN or a route of its own, or down. One that refuses may do so itself, unless it is known to serve the public:
// a reset of the host's and a rejection of a firewall's look the same.
func barrierBefore(h *Host, f *network.Failure) Barrier {
	if f.Proxy != "" || f.Phase != network.PhaseTCP || !public(f.Addresses) {
		return Barrier{}
	}
	b := Barrier{Name: "firewall", List: listCommand(h)}
	const allow = "have the firewall allow outgoing TCP to each of these, "
	switch {
	case f.Kind == network.ConnectTimeout:
		b.Fact, b.Mend = "do not answer", allow+"which it drops now"
	case f.Kind == network.ConnectRefused && isPublicHost(hostOfAddress(f.Address)):
		b.Fact, b.Mend = "refuse the connection", allow+"which something rejects now"
	case f.Kind == network.NetworkUnreachable:
		b.Name, b.Fact = "router or firewall", "cannot be reached"
		b.Mend = allow + "or add a route to them, which a router says cannot be reached"
	default:
		return Barrier{}
	}
	return b
}

// public tells whether a name leads to the public Internet, and nowhere else.
func public(addrs []netip.Addr) bool {
	private := func(addr netip.Addr) bool { return !network.Public(addr) }
	return len(addrs) > 0 && !slices.ContainsFunc(addrs, private)
}

// listCommand is the command that lists what the runners need: with the file that was given for them, if it is one.
func listCommand(h *Host) string {
	const command = "runner-preflight allowlist"
	var files []string
	for _, r := range h.Runners {
		if r.Definition != nil && r.Definition.File != nil && r.Container == nil {
			files = appendNew(files, []string{r.Definition.File.Whole().Outermost().File.Path})
		}
	}
	if len(files) != 1 || files[0] == "-" {
		return command
	}
	if _, err := h.Files.Stat(files[0]); err != nil {
		return command
	}
	return command + " " + shellWord(files[0])
}
