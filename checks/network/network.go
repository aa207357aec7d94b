// Package network connects to one host in phases (DNS, TCP, proxy, TLS, HTTP), times each, and says why it failed.
package network

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
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

const (
	defaultPhaseTimeout = 5 * time.Second
	// dnsTimeout is more than the 10 s that a resolver with its usual settings waits for one dead name server, so
	// that its own verdict, which names the server, comes first.
	dnsTimeout = 12 * time.Second
	// maxHeaders bounds what a peer may send before the body.
	maxHeaders = 256 << 10
)

// Config is a route: who connects, over what, trusting whom. The zero value is a direct connection of this machine.
type Config struct {
	// Dial connects to an IP address and port; nil takes net.Dialer. With Resolve it is the seam for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolve looks a name's addresses up; nil asks the system's name servers.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Proxy chooses the proxy for a URL, nil for none; a nil function goes directly. See ProxyFromEnv.
	Proxy func(*url.URL) (*Proxy, error)
	// Roots are trusted for host:port; nil, and a nil pool, take the system's.
	Roots func(address string) (*x509.CertPool, error)
	// ClientCertificates are shown to host:port if it asks for one; nil has none.
	ClientCertificates func(address string) ([]tls.Certificate, error)
	// Public are the roots that everybody trusts; nil takes the bundle that is built in.
	Public *x509.CertPool
	// PublicOnly says that Public decides, not Roots: the runner's own JVM.
	PublicOnly bool
	// PublicHost tells hosts that are known to have public addresses: a private one is then a sinkhole's. May be nil.
	PublicHost func(host string) bool
	// IPv6Route tells whether the machine has a way out over IPv6; nil looks.
	IPv6Route func() bool
	// PhaseTimeout bounds one phase; 0 means 5 s. DNS gets at least 12 s, HTTP twice the time.
	PhaseTimeout time.Duration
	// SlowAfter is how long a connection with its first answer may take without remark; 0 means 2 s.
	SlowAfter time.Duration
	// Now is the clock that certificates are judged by; nil takes time.Now.
	Now func() time.Time
	// UserAgent is sent with requests that have none.
	UserAgent string
}

// Proxy is a proxy as somebody named it.
type Proxy struct {
	// URL holds the proxy's password, if any: print Address instead.
	URL *url.URL
	// Variable is the setting that names it, as HTTPS_PROXY.
	Variable string
}

// Address is the proxy's host:port.
func (p *Proxy) Address() string { return AddressOf(p.URL) }

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
	// Addresses are what the name resolved to (the proxy's, where there is one).
	Addresses []netip.Addr
	// Proxy is the proxy's host:port, empty on a direct route; ProxyVariable the setting that names it.
	Proxy, ProxyVariable string
	// Certificate is what the host showed; nil if it did not come to that.
	Certificate *Certificate
	// Failure is nil when a connection was made.
	Failure *Failure

	slowAfter time.Duration
}

// slow is how long a connection with its first answer may take without remark, unless it is said otherwise.
const slow = 2 * time.Second

// Slow tells whether the first byte took too long to come, two seconds if nothing else is said, and which phase took
// longest.
func (t Trace) Slow() (total time.Duration, longest Step, yes bool) {
	for _, step := range t.Steps {
		total += step.Duration
		if step.Duration > longest.Duration {
			longest = step
		}
	}
	return total, longest, total > cmp.Or(t.slowAfter, slow)
}

// Client connects over one route and remembers how each address went: a second attempt at an address that did not
// answer fails at once with the first one's failure.
type Client struct {
	config    Config
	transport *http.Transport
	public    func() *x509.CertPool

	mu     sync.Mutex
	hosts  map[string]*host
	probes map[string]*probe
}

// New makes a client for a route.
func New(config Config) *Client {
	if config.PhaseTimeout <= 0 {
		config.PhaseTimeout = defaultPhaseTimeout
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{}).DialContext
	}
	if config.Resolve == nil {
		config.Resolve = systemResolve
	}
	if config.IPv6Route == nil {
		config.IPv6Route = systemIPv6Route
	}
	if config.UserAgent == "" {
		config.UserAgent = "runner-preflight"
	}
	c := &Client{config: config, hosts: map[string]*host{}, probes: map[string]*probe{}}
	c.public = sync.OnceValue(publicRoots)
	if config.Public != nil {
		c.public = func() *x509.CertPool { return config.Public }
	}
	c.transport = &http.Transport{
		DialTLSContext:         c.dialTLS,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeaders,
		ResponseHeaderTimeout:  c.httpTimeout(),
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    8,
		DisableCompression:     true,
		// What a server may send before it is read is held in memory, for each request.
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 256 << 10, MaxReceiveBufferPerConnection: 1 << 20},
	}
	return c
}

func (c *Client) httpTimeout() time.Duration { return 2 * c.config.PhaseTimeout }

// Close closes the connections that are kept for further requests.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hosts {
		if conn := h.takeSpare(); conn != nil {
			_ = conn.Close()
		}
	}
	c.transport.CloseIdleConnections()
}

// Trace tells how the first connection to host:port went, if there was one.
func (c *Client) Trace(address string) (Trace, bool) {
	h := c.host(address)
	h.mu.Lock()
	defer h.mu.Unlock()
	trace := h.trace
	trace.Steps = slices.Clone(trace.Steps)
	return trace, trace.Address != ""
}

func (c *Client) host(address string) *host {
	address = strings.ToLower(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[address]
	if h == nil {
		h = &host{address: address, shared: make(chan struct{})}
		c.hosts[address] = h
	}
	return h
}

// AddressOf is a URL's host:port, the scheme's own port where none is written.
func AddressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// brief is a duration for people: 14 ms, 5 s, 1.5 s.
func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%g s", d.Round(100*time.Millisecond).Seconds())
}
