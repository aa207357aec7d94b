package checks

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Pattern is a line of somebody's list of hosts that a firewall or proxy lets through.
type Pattern struct {
	// host is a name or an address; of a pattern for all hosts it is empty.
	host string
	// below says that it matches the names below host, itself that it matches host.
	below, itself bool
	// port is the only one that it matches, 0 for all.
	port int
}

// ParsePatterns reads a list with one pattern a line: HOST, *.HOST for the names below it or squid's .HOST for both,
// an address, or * for everything, each with :PORT if it is about that port alone. What follows a # is a comment. The
// error names the first line that is no pattern, and what is wrong with it.
func ParsePatterns(path string, list []byte) ([]Pattern, error) {
	var patterns []Pattern
	number := 0
	for line := range strings.Lines(string(bytes.TrimPrefix(list, []byte("\ufeff")))) {
		number++
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		pattern, reason := parsePattern(text)
		if reason != "" {
			return nil, fmt.Errorf("%s:%d: %q %s", path, number, clip(text), reason)
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}

// parsePattern reads one pattern, or says what is wrong with it.
func parsePattern(text string) (p Pattern, mistake string) {
	host, port, mistake := splitPort(text)
	if mistake != "" {
		return p, mistake
	}
	p = Pattern{port: port, itself: true}
	switch rest, wild := strings.CutPrefix(host, "*."); {
	case host == "*":
		return Pattern{port: port, below: true}, ""
	case wild:
		host, p.below, p.itself = rest, true, false
	case strings.HasPrefix(host, "."):
		host, p.below = host[1:], true
	}
	name, ok := hostName(host)
	_, notAddress := netip.ParseAddr(name)
	switch {
	case strings.Contains(host, "*"):
		return p, "has a * that does not stand for its first labels, as in *.example.com"
	case !ok, p.below && notAddress == nil:
		return p, "is no host"
	}
	p.host = name
	return p, ""
}

// splitPort takes a port off, and refuses what is more than a host and a port.
func splitPort(text string) (host string, port int, mistake string) {
	switch {
	case strings.Contains(text, "://"):
		return "", 0, "begins with a scheme: write the host alone"
	case strings.Contains(text, "/"):
		return "", 0, "has a slash: write a host, not a path or a network"
	case strings.ContainsAny(text, " \t,;"):
		return "", 0, "is more than one word: write one host a line"
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return text, 0, ""
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		return text[1 : len(text)-1], 0, ""
	}
	if !strings.Contains(text, ":") {
		return text, 0, ""
	}
	host, service, err := net.SplitHostPort(text)
	number, wrong := strconv.ParseUint(service, 10, 16)
	if err != nil || wrong != nil || number == 0 {
		return "", 0, "does not end in a port from 1 to 65535"
	}
	return host, int(number), ""
}

// Match tells whether the pattern lets a host through.
func (p Pattern) Match(a Allowed) bool {
	switch {
	case p.port != 0 && p.port != a.Port:
		return false
	case p.host == "":
		return true
	}
	return p.itself && a.Host == p.host || p.below && strings.HasSuffix(a.Host, "."+p.host)
}

// Missing are the hosts that no pattern lets through. Proxies are not among them: a list is the firewall's or the
// proxy's own, and the latter has no need to name itself.
func Missing(hosts []Allowed, patterns []Pattern) []Allowed {
	return slices.DeleteFunc(slices.Clone(hosts), func(a Allowed) bool {
		return a.Proxy || slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(a) })
	})
}
