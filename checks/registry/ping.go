package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Ping is how a registry answers GET /v2/: whether it is one, and how it wants its clients to log in.
type Ping struct {
	// Address is the registry's host:port.
	Address string
	// Status is the HTTP status; 0 when no answer came.
	Status int
	// Header is the answer's.
	Header http.Header
	// Scheme is "basic", "bearer", or "" when it asks for no login that docker knows.
	Scheme string
	// Realm is the token service's URL and Service the name that it is told, of a bearer challenge.
	Realm, Service string
	// Hosts are the token service and those that a registry redirected the ping to.
	Hosts []Host
	// Registry says that the answer is a registry's, as far as one can see.
	Registry bool
	// Failure is why there was no answer; nil when there was one, whatever its status.
	Failure *Failure

	sent, retries int
}

// Ping asks a registry for its challenge, once, however often it is asked. The host is as in a reference
// (docker.io stands for registry-1.docker.io).
func (c *Client) Ping(ctx context.Context, host string) Ping {
	host = dialed(host)
	return c.pings.do(ctx, host, func() Ping { return c.ping(ctx, host) }, func() Ping {
		return Ping{Address: withPort(host), Failure: outOfTime(StageManifest, withPort(host))}
	})
}

func (c *Client) ping(ctx context.Context, host string) Ping {
	p := Ping{Address: withPort(host)}
	reg, err := name.NewRegistry(host)
	if err != nil {
		p.Failure = &Failure{Kind: "invalid-reference", Host: p.Address, Detail: "this is no registry's host"}
		return p
	}
	tap := &tap{send: func(q call) (reply, *Failure) {
		// A registry may fail at /v2/ and serve images all the same, and those are asked twice.
		q.once, q.shared, q.limit = true, true, maxError
		q.url = "https://" + strings.TrimSuffix(p.Address, ":443") + "/v2/" // as others spell it who ask the same
		return c.send(ctx, q)
	}}
	challenge, _ := transport.Ping(ctx, reg, tap)
	p.sent, p.retries = tap.last.sent, tap.last.retries
	if tap.failure != nil {
		p.Failure = c.pingFailure(ctx, p.Address, tap.failure)
		return p
	}
	p.Status, p.Header = tap.last.status, tap.last.header
	p.take(challenge)
	if p.Registry = p.isRegistry(tap.last); p.Registry {
		p.Hosts = append(p.Hosts, hostsOf(tap.last.hops, ForManifests)...)
	}
	return p
}

// pingFailure looks twice at what does not speak TLS: it may be a registry that speaks plain HTTP.
func (c *Client) pingFailure(ctx context.Context, host string, f *Failure) *Failure {
	f.Stage = StageManifest
	switch f.Kind {
	case plainRedirect, brokenRedirect:
		f.Kind, f.Host = "not-a-registry", host
	case "tls-not-spoken":
		talker, ok := c.transport.(interface {
			SpeaksHTTP(ctx context.Context, address string) bool
		})
		if ok && talker.SpeaksHTTP(ctx, f.Host) {
			f.Kind = "insecure-registry"
			f.Detail = fmt.Sprintf("%s speaks plain HTTP where the daemon expects HTTPS", f.Host)
		}
	}
	return f
}

// take takes a challenge over.
func (p *Ping) take(challenge *transport.Challenge) {
	if challenge == nil {
		return
	}
	switch scheme := strings.ToLower(challenge.Scheme); scheme {
	case "basic":
		p.Scheme = scheme
	case "bearer":
		p.Scheme, p.Realm, p.Service = scheme, challenge.Parameters["realm"], challenge.Parameters["service"]
		if realm, err := url.Parse(p.Realm); err == nil && realm.Hostname() != "" && address(realm) != p.Address {
			p.Hosts = append(p.Hosts, Host{Address: address(realm), Why: ForTokens})
		}
	}
}

// isRegistry judges an answer to GET /v2/. Registries that want a login give a challenge; the others name the
// protocol's version in a header or answer with nothing or JSON.
func (p *Ping) isRegistry(r reply) bool {
	switch {
	case p.Scheme != "", r.header.Get("Docker-Distribution-Api-Version") != "":
		return true
	case r.status != http.StatusOK || r.isPage():
		return false
	}
	body := strings.TrimSpace(string(r.body))
	return body == "" || strings.HasPrefix(body, "{") || body == "true"
}

// challengeOf reads the challenge of an answer that is no ping's: some registries ask for a login only where a
// repository is closed.
func challengeOf(ctx context.Context, host string, r reply) *transport.Challenge {
	reg, err := name.NewRegistry(host)
	if err != nil {
		return nil
	}
	replay := &tap{send: func(call) (reply, *Failure) { return r, nil }}
	challenge, _ := transport.Ping(ctx, reg, replay)
	return challenge
}

// dialed is the host that the daemon dials for a reference's.
func dialed(host string) string {
	switch host {
	case "docker.io", "index.docker.io":
		return "registry-1.docker.io"
	}
	return host
}

// withPort is a reference's host as host:port.
func withPort(host string) string { return address(&url.URL{Scheme: "https", Host: host}) }

func hostsOf(addresses []string, why string) []Host {
	var hosts []Host
	for _, a := range addresses {
		hosts = append(hosts, Host{Address: a, Why: why})
	}
	return hosts
}
