package checks

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/engine"
	"runner-preflight/checks/network"
	"runner-preflight/checks/registry"
	"runner-preflight/checks/source"
)

// wordKind is what a failure of the daemon's comes to.
type wordKind string

// The kinds of failures that the daemon's words tell apart.
const (
	wordUntrusted   wordKind = "untrusted"
	wordCertificate wordKind = "certificate"
	wordName        wordKind = "name"
	wordProxy       wordKind = "proxy"
	wordUnreachable wordKind = "unreachable"
	wordClear       wordKind = "clear"
	wordPage        wordKind = "page"
	wordLimited     wordKind = "limited"
	wordDenied      wordKind = "denied"
	wordNotFound    wordKind = "not-found"
	wordLate        wordKind = "late"
	wordOther       wordKind = "other"
)

// words are the daemon's own, by what they come to; the first that is found counts. Measured with docker's daemons 20.10
// to 29 against registries, name servers, proxies and firewalls set up for them; the newer forms are those of containerd.
func words() []struct {
	kind wordKind
	text []string
} {
	return []struct {
		kind wordKind
		text []string
	}{
		{wordProxy, []string{"proxyconnect", "proxy authentication required", "socks connect"}},
		{wordUntrusted, []string{"unknown authority"}},
		{wordCertificate, []string{"x509:", "tls: failed to verify"}},
		{wordName, []string{"no such host", "server misbehaving", "name resolution", "dial tcp: lookup"}},
		{wordClear, []string{"http response to https client", "first record does not look like a tls handshake"}},
		{wordUnreachable, []string{
			"client.timeout exceeded", "i/o timeout", "connection refused", "no route to host", "network is unreachable",
			"connection reset", "connection timed out", "handshake timeout", "deadline exceeded", ": eof", "unexpected eof",
			"request canceled", "connect: permission denied", "host is down",
		}},
		{wordPage, []string{"error parsing http", "error unmarshalling content", "<html", "<!doctype", ": text/html"}},
		{wordLimited, []string{"toomanyrequests", "too many requests"}},
		{wordDenied, []string{
			"unauthorized", "no basic auth", "denied", "authentication required", "failed to authorize", "forbidden",
			"insufficient_scope", "failed to fetch anonymous token", "failed to fetch oauth token",
		}},
		{wordNotFound, []string{"manifest unknown", "name unknown", "not found", "not known"}},
	}
}

// kindOfWord classifies a failure of the daemon's by its words: it has no codes for them.
func kindOfWord(f *engine.Failure) wordKind {
	if f.Kind == engine.OutOfTime {
		return wordLate
	}
	said := strings.ToLower(f.Detail)
	if refusedByProxy.MatchString(said) {
		return wordProxy
	}
	for _, w := range words() {
		if slices.ContainsFunc(w.text, func(text string) bool { return strings.Contains(said, text) }) {
			return w.kind
		}
	}
	return wordOther
}

// refusedByProxy matches what Go says of a proxy that answers CONNECT with a refusal: its status in words and no more.
var refusedByProxy = regexp.MustCompile(`https://\S+": (forbidden|bad gateway|service unavailable|gateway time-?out)$`)

// askedURL matches what the daemon says that it asked for when it failed.
var askedURL = regexp.MustCompile(`(?:Get|Head|Post) "(https?://[^\s"]+)"`)

// hostOfWord is the host:port at which the daemon failed: that of the last thing that it asked for, else the registry's.
func hostOfWord(detail, reference string) string {
	if found := askedURL.FindAllStringSubmatch(detail, -1); len(found) > 0 {
		if u, err := url.Parse(found[len(found)-1][1]); err == nil && u.Hostname() != "" {
			return source.Printable(network.AddressOf(u))
		}
	}
	if host, port, ok := imageAddress(reference); ok {
		return Endpoint{Host: host, Port: port}.Address()
	}
	return ""
}

// likens maps a failure that this process met to what the daemon would call it.
func likens(f *registry.Failure) []wordKind {
	if f.Network == nil {
		switch f.Kind {
		case "credentials-missing", "credentials-rejected", "access-denied", "repository-not-found", "tag-not-found":
			return []wordKind{wordDenied, wordNotFound}
		case "token-service-failure":
			return []wordKind{wordDenied, wordPage, wordOther}
		case "rate-limited":
			return []wordKind{wordLimited}
		case "not-a-registry":
			return []wordKind{wordPage, wordNotFound, wordDenied, wordOther}
		case "insecure-registry":
			return []wordKind{wordClear}
		}
		return []wordKind{wordOther, wordNotFound}
	}
	switch f.Network.Kind {
	case network.DNSNotFound, network.DNSFailure:
		return []wordKind{wordName}
	case network.ProxyUnreachable, network.ProxyAuthRequired, network.ProxyDenied:
		return []wordKind{wordProxy, wordDenied, wordUnreachable, wordOther}
	case network.TLSUntrusted, network.TLSIntercepted:
		return []wordKind{wordUntrusted, wordCertificate}
	case network.TLSExpired, network.TLSNotYetValid, network.TLSWrongHost:
		return []wordKind{wordCertificate}
	case network.TLSNotSpoken:
		return []wordKind{wordClear, wordUnreachable}
	}
	return []wordKind{wordUnreachable, wordOther}
}

// failsAlike tells whether the daemon fails as this process does. On loopback it does not look at certificates, and goes on
// in clear, which hides what it met.
func failsAlike(f *registry.Failure, w word, reference string) bool {
	return slices.Contains(likens(f), w.kind) || loopback(registryHost(reference))
}
