// Package network connects to one host in phases (DNS, TCP, proxy, TLS, HTTP), times each, and says why it failed.
package network

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Phase is a step of a connection.
type Phase string

// The phases, in their order.
const (
	PhaseDNS   Phase = "dns"
	PhaseTCP   Phase = "tcp"
	PhaseProxy Phase = "proxy"
	PhaseTLS   Phase = "tls"
	PhaseHTTP  Phase = "http"
)

// Config is a route: who connects, over what, trusting whom. The zero value is a direct connection of this machine.
type Config struct {
	// Dial connects to an IP address and port; nil takes net.Dialer. With Resolve it is the seam for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolve looks a name's addresses up; nil takes net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Proxy chooses the proxy for a request; nil goes directly.
	Proxy func(*url.URL) (*url.URL, error)
	// Roots are trusted for host:port; nil takes the system's.
	Roots func(address string) (*x509.CertPool, error)
	// Public are the roots that everybody trusts; nil takes the bundle that is built in.
	Public *x509.CertPool
	// PublicOnly says that Public decides, not Roots: the runner's own JVM.
	PublicOnly bool
	// PhaseTimeout bounds one phase (DNS gets at least 10 s); 0 means 5 s.
	PhaseTimeout time.Duration
	// Now is the clock that certificates are judged by; nil takes time.Now.
	Now func() time.Time
}

// Step is one phase as it went.
type Step struct {
	Phase    Phase
	Duration time.Duration
}

// Trace is how the first connection to an address went.
type Trace struct {
	// Address is host:port.
	Address string
	Steps   []Step
	// Addresses are what the name resolved to.
	Addresses []netip.Addr
	// Proxy is the proxy's host:port, empty on a direct route.
	Proxy string
	// Failure is nil when a connection was made.
	Failure *Failure
}

// Failure says why there is no answer. It is an error, found with errors.As.
type Failure struct {
	// Kind is spelled as the problem that it is: connect-timeout, tls-expired, …
	Kind string
	// Phase is where it happened.
	Phase Phase
	// Address is the host:port that was wanted.
	Address string
	// Root is what somebody has to act on: the host:port, the name, the name server or the proxy.
	Root string
	// Detail is the fact in one line, for people.
	Detail string
	// Err is what the system said.
	Err error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Address, f.Detail) }

func (f *Failure) Unwrap() error { return f.Err }

// Client connects over one route and remembers how each address went: a second attempt at an address that did not
// answer fails at once with the first one's failure.
type Client struct {
	config    Config
	transport *http.Transport
}

// New makes a client for a route.
func New(config Config) *Client {
	return &Client{config: config, transport: &http.Transport{ForceAttemptHTTP2: true}}
}

// RoundTrip sends one HTTPS request and follows nothing. Its error, if any, is a *Failure.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	return c.transport.RoundTrip(req)
}

// Trace tells how the first connection to host:port went, if there was one.
func (c *Client) Trace(address string) (Trace, bool) { return Trace{}, false }

// Answer is what a GET got.
type Answer struct {
	Trace
	// Status is the HTTP status; 0 when none came.
	Status int
	Header http.Header
	// Body is the beginning of the body, at most 64 KiB.
	Body []byte
}

// Probe asks for a URL once, however often it is called, and says how each phase went.
func (c *Client) Probe(ctx context.Context, rawURL string) Answer { return Answer{} }
