package report

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"runner-preflight/checks"
)

// Allowlist is what a network team is asked for: the hosts that runners need, or those of them that a list lacks.
type Allowlist struct {
	// Version is the tool's.
	Version string
	// Runners are the names of all runners that were looked at.
	Runners []string
	Hosts   []checks.Allowed
	Gaps    []checks.Gap
	// Assumed says that a runner was given no definition: the vendor's defaults stand for what it is told.
	Assumed bool
	// Against is the path of the list that was compared, and Hosts what is missing there; empty when none was.
	Against string
}

// NewAllowlist asks what the runners of a host need.
func NewAllowlist(ctx context.Context, version string, h *checks.Host) Allowlist {
	l := Allowlist{Version: version}
	for _, r := range h.Runners {
		l.Runners = append(l.Runners, r.Name)
		l.Assumed = l.Assumed || r.Definition == nil
	}
	l.Hosts, l.Gaps = checks.Allowlist(ctx, h)
	return l
}

// AllowlistFormat writes an allowlist in one form.
type AllowlistFormat func(io.Writer, Allowlist) error

// AllowlistFormats are all formats of an allowlist by name; the options are those of text.
func AllowlistFormats(o TextOptions) map[string]AllowlistFormat {
	return map[string]AllowlistFormat{
		"text": AllowlistText(o), "csv": AllowlistCSV, "json": AllowlistJSON, "squid": AllowlistSquid,
		"markdown": AllowlistMarkdown,
	}
}

// Incomplete tells whether hosts may be missing that somebody wanted to know of.
func (l Allowlist) Incomplete() bool {
	return slices.ContainsFunc(l.Gaps, func(g checks.Gap) bool { return !g.Offline })
}

// offlineCaveat is what a list lacks that was made without asking anybody.
const offlineCaveat = "no registry was asked (--offline): token services and the hosts that registries redirect to are " +
	"not in this list"

// Caveats say in one line each what may be missing from the list, and why.
func (l Allowlist) Caveats() []string {
	var lines []string
	if l.Assumed {
		lines = append(lines, "no runner definition was given: this is for the vendor's defaults")
	}
	for _, g := range l.Gaps {
		line := "this list may be incomplete: "
		switch {
		case g.Offline:
			line = offlineCaveat
		case g.Address != "":
			line += fmt.Sprintf("where %s sends those that pull %s is not known: %s", g.Address,
				checks.Few(g.Images, usualFindings), g.Reason)
		default:
			line += g.Reason
		}
		lines = append(lines, clean(line))
	}
	if proxies := l.proxies(); len(proxies) > 0 {
		lines = append(lines, "hosts with a proxy on the way must be allowed there, and by the firewall the proxy: "+
			strings.Join(proxies, ", "))
	}
	return unique(lines)
}

// proxies are those on the way to the hosts, as host:port.
func (l Allowlist) proxies() []string {
	var all []string
	for _, a := range l.Hosts {
		for _, n := range a.Needs {
			if n.Via != "" {
				all = append(all, n.Via)
			}
		}
	}
	return unique(all)
}

// note is what may be missing that has to do with one host.
func (l Allowlist) note(a checks.Allowed) string {
	for _, g := range l.Gaps {
		switch {
		case g.Address != a.Address() || a.Proxy:
		case g.Offline:
			return "not asked: its token service and the hosts that it redirects to are not in this list"
		default:
			return "its token service and the hosts that it redirects to may be missing: " + clean(g.Reason)
		}
	}
	return ""
}

// column collects what the needs of a host say about one thing, each once.
func column(a checks.Allowed, of func(checks.Need) []string) []string {
	var all []string
	for _, n := range a.Needs {
		for _, text := range of(n) {
			all = append(all, clean(text))
		}
	}
	return unique(all)
}

func whoOf(n checks.Need) []string { return []string{string(n.Who)} }

func whyOf(n checks.Need) []string { return []string{n.Why} }

func imagesOf(n checks.Need) []string { return n.Images }

func runnersOf(n checks.Need) []string { return n.Runners }

// routeOf is the proxy on the way, if there is one.
func routeOf(n checks.Need) []string {
	if n.Via == "" {
		return []string{"direct"}
	}
	return []string{n.Via}
}

// necessity is how much a host is needed, in one word.
func necessity(a checks.Allowed) string {
	if a.Optional() {
		return "optional"
	}
	return "required"
}

// AllowlistText makes the format for people: a line for each host, and below it, indented, who needs it and what for.
func AllowlistText(o TextOptions) AllowlistFormat {
	return func(w io.Writer, l Allowlist) error {
		p := newPage(o)
		for _, a := range l.Hosts {
			mark := ""
			if a.Optional() {
				mark = "  " + p.status[checks.Warn].Sprint("optional")
			}
			p.line("%s  tcp%s", p.bold.Sprint(p.safe(a.Address())), mark)
			for _, n := range a.Needs {
				p.paragraph("    ", "", l.need(n), p.faint)
			}
		}
		if l.Against != "" && len(l.Hosts) == 0 {
			p.line("nothing is missing from %s", p.safe(l.Against))
		}
		for i, caveat := range l.Caveats() {
			if i == 0 {
				p.line("")
			}
			p.paragraph("", "! ", caveat, p.plain)
		}
		_, err := io.WriteString(w, p.String())
		return err
	}
}

// need is who needs a host and what for, in one line.
func (l Allowlist) need(n checks.Need) string {
	line := string(n.Who) + ": " + n.Why
	if len(n.Images) > 0 {
		line += ", " + strings.Join(n.Images, ", ")
	}
	if n.Via != "" {
		line += fmt.Sprintf(", over the proxy %s (%s)", n.Via, n.Variable)
	}
	if len(n.Runners) < len(unique(l.Runners)) {
		line += ", for " + strings.Join(n.Runners, ", ")
	}
	return line
}
