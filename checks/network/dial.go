package network

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// host is what is remembered of one address.
type host struct {
	address string
	// shared is closed once the first connection is in the transport's pool, so that requests that begin together
	// share it where it is HTTP/2.
	shared   chan struct{}
	shareOne sync.Once

	mu sync.Mutex
	// opening is closed when the attempt that is under way ends; nil when none is.
	opening chan struct{}
	// settled says that the first attempt came to a verdict, which is in trace.
	settled bool
	trace   Trace
	spare   *tls.Conn
	http2   bool
	claimed bool
	// answered says that a request got an answer.
	answered bool
	// wanted says that the host asked for a client certificate, shown that there was one for it.
	wanted, shown bool
	ipv6          *ipv6Watch
}

func (h *host) takeSpare() *tls.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	conn := h.spare
	h.spare = nil
	return conn
}

// open makes the first connection to an address, once: whoever comes meanwhile waits, and shares its failure. An
// attempt that ended with its caller's time says nothing to others: the next caller tries again.
func (c *Client) open(ctx context.Context, h *host) *Failure {
	for {
		h.mu.Lock()
		if h.settled {
			defer h.mu.Unlock()
			return h.trace.Failure
		}
		waiting := h.opening
		if waiting == nil {
			h.opening = make(chan struct{})
			h.mu.Unlock()
			return c.lead(ctx, h)
		}
		h.mu.Unlock()
		select {
		case <-waiting:
		case <-ctx.Done():
			return c.failed(h.address, outOfTime(ctx, PhaseTCP))
		}
	}
}

func (c *Client) lead(ctx context.Context, h *host) *Failure {
	a := &attempt{client: c, address: h.address, trace: Trace{Address: h.address, slowAfter: c.config.SlowAfter}}
	conn, failure := a.run(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	a.trace.Failure = failure
	h.trace, h.ipv6, h.wanted, h.shown = a.trace, a.ipv6, a.wanted, a.shown
	h.settled = failure == nil || failure.Kind != NotEstablished
	if conn != nil {
		h.spare, h.http2 = conn, conn.ConnectionState().NegotiatedProtocol == "h2"
	}
	close(h.opening)
	h.opening = nil
	return failure
}

// dialTLS gives the transport the first connection, and makes further ones in the same phases.
func (c *Client) dialTLS(ctx context.Context, _, address string) (net.Conn, error) {
	h := c.host(address)
	if conn := h.takeSpare(); conn != nil {
		return conn, nil
	}
	a := &attempt{client: c, address: h.address, trace: Trace{Address: h.address, slowAfter: c.config.SlowAfter}}
	conn, failure := a.run(ctx)
	if failure != nil {
		return nil, failure
	}
	return conn, nil
}

// failed completes a failure with the address that was wanted.
func (c *Client) failed(address string, f *Failure) *Failure {
	f.Address = address
	f.Root = cmp.Or(f.Root, address)
	return f
}

// attempt is one connection as it is made.
type attempt struct {
	client  *Client
	address string
	trace   Trace
	// proven says that this machine's roots vouch for the host's certificate.
	proven bool
	// wanted says that it asked for a client certificate, shown that there was one for it.
	wanted, shown bool
	ipv6          *ipv6Watch
}

// run goes through the phases up to TLS.
func (a *attempt) run(ctx context.Context) (*tls.Conn, *Failure) {
	raw, failure := a.reach(ctx)
	var conn *tls.Conn
	if failure == nil {
		conn, failure = a.handshake(ctx, raw)
	}
	if failure == nil {
		return conn, nil
	}
	failure.Addresses = a.trace.Addresses
	if a.sinkhole(failure) {
		failure.Detail = "the name resolves to " + join(a.trace.Addresses) + ", and what is there is not the host: " +
			failure.Detail
		failure.Kind, failure.Root = DNSSinkhole, nameOf(a.address)
	}
	return nil, a.client.failed(a.address, failure)
}

// reach connects as far as TLS: directly, or through a proxy.
func (a *attempt) reach(ctx context.Context) (net.Conn, *Failure) {
	proxy, err := a.client.ProxyFor(a.address)
	switch {
	case err != nil:
		return nil, badProxy(err)
	case proxy == nil:
		return a.connect(ctx, a.address)
	}
	a.trace.Proxy, a.trace.ProxyVariable = proxy.Address(), proxy.Variable
	return a.throughProxy(ctx, proxy)
}

// timed runs one phase under its own limit and records how long it took. When the caller's time ended too, that is
// the only thing known.
func (a *attempt) timed(
	ctx context.Context, phase Phase, run func(ctx context.Context, limit time.Duration) *Failure,
) *Failure {
	limit := a.client.config.PhaseTimeout
	if phase == PhaseDNS {
		limit = max(limit, dnsTimeout)
	}
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started := time.Now()
	failure := run(inner, limit)
	a.trace.Steps = append(a.trace.Steps, Step{phase, time.Since(started)})
	if failure == nil {
		return nil
	}
	if late := outOfTime(ctx, phase); late != nil {
		return late
	}
	return failure
}

// connect resolves a name and connects to the first of its addresses that answers.
func (a *attempt) connect(ctx context.Context, address string) (net.Conn, *Failure) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &Failure{
			Kind: NotEstablished, Phase: PhaseDNS, Detail: "this is not a host with a port",
			Err: err,
		}
	}
	addrs, failure := a.resolve(ctx, name)
	if failure != nil {
		return nil, failure
	}
	a.trace.Addresses = addrs
	var conn net.Conn
	var winner netip.Addr
	failure = a.timed(ctx, PhaseTCP, func(ctx context.Context, limit time.Duration) *Failure {
		var errs []dialError
		if conn, winner, errs = a.race(ctx, interleave(addrs), port); conn == nil {
			return tcpFailure(errs, limit)
		}
		return nil
	})
	if failure == nil && winner.Unmap().Is4() {
		a.watchIPv6(ctx, addrs, port)
	}
	return conn, failure
}

func (a *attempt) resolve(ctx context.Context, name string) ([]netip.Addr, *Failure) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	var addrs []netip.Addr
	failure := a.timed(ctx, PhaseDNS, func(ctx context.Context, _ time.Duration) *Failure {
		var err error
		if addrs, err = a.client.config.Resolve(ctx, name); err != nil {
			return dnsFailure(name, err)
		}
		if len(addrs) == 0 {
			return dnsFailure(name, &net.DNSError{IsNotFound: true})
		}
		return nil
	})
	return addrs, failure
}

// systemResolve asks the system's name servers, and remembers which was asked first: an error that comes of the
// phase's limit does not say so.
func systemResolve(ctx context.Context, name string) ([]netip.Addr, error) {
	var mu sync.Mutex
	first := ""
	dial := func(ctx context.Context, network, server string) (net.Conn, error) {
		mu.Lock()
		first = cmp.Or(first, server)
		mu.Unlock()
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}
	resolver := &net.Resolver{PreferGo: true, Dial: dial}
	addrs, err := resolver.LookupNetIP(ctx, "ip", name)
	var failed *net.DNSError
	if errors.As(err, &failed) && failed.Server == "" {
		mu.Lock()
		failed.Server = first
		mu.Unlock()
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

// dialError is why one address did not connect.
type dialError struct {
	addr netip.Addr
	err  error
}

// stagger is how long an address may be silent before the next is tried beside it (RFC 8305, section 5).
const stagger = 250 * time.Millisecond

// race connects to the addresses, each a little after the one before it, and returns the first connection.
func (a *attempt) race(ctx context.Context, addrs []netip.Addr, port string) (net.Conn, netip.Addr, []dialError) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		conn net.Conn
		dialError
	}
	outcomes := make(chan outcome, len(addrs))
	begin := func(addr netip.Addr) {
		conn, err := a.client.config.Dial(ctx, "tcp", net.JoinHostPort(addr.String(), port))
		outcomes <- outcome{conn, dialError{addr, err}}
	}
	var errs []dialError
	started, next := 0, time.NewTimer(0)
	defer next.Stop()
	for len(errs) < len(addrs) {
		select {
		case <-next.C:
			if started < len(addrs) {
				go begin(addrs[started])
				started++
				next.Reset(stagger)
			}
		case o := <-outcomes:
			if o.err != nil {
				errs = append(errs, o.dialError)
				next.Reset(0)
				continue
			}
			go func(rest int) { // whoever comes later is not needed
				for range rest {
					if late := <-outcomes; late.conn != nil {
						_ = late.conn.Close()
					}
				}
			}(started - len(errs) - 1)
			return o.conn, o.addr, nil
		}
	}
	return nil, netip.Addr{}, errs
}

// maxAddresses bounds how many addresses of one name are tried.
const maxAddresses = 6

// interleave alternates between the address families, beginning with that of the first address.
func interleave(addrs []netip.Addr) []netip.Addr {
	var same, other, out []netip.Addr
	for _, addr := range addrs {
		if addr.Unmap().Is4() == addrs[0].Unmap().Is4() {
			same = append(same, addr)
		} else {
			other = append(other, addr)
		}
	}
	for i := range max(len(same), len(other)) {
		out = append(out, same[min(i, len(same)):min(i+1, len(same))]...)
		out = append(out, other[min(i, len(other)):min(i+1, len(other))]...)
	}
	return out[:min(len(out), maxAddresses)]
}

// sinkhole tells whether the name was answered with an address where the host cannot be, and what is there cannot
// prove to be the host. An expired certificate proves it well enough, and beside port 443 a local service that
// speaks no TLS is an ordinary one.
func (a *attempt) sinkhole(f *Failure) bool {
	name := nameOf(a.address)
	_, notName := netip.ParseAddr(name)
	if notName == nil || a.trace.Proxy != "" || len(a.trace.Addresses) == 0 || isLocal(name) || a.proven {
		return false
	}
	switch f.Kind {
	case NotEstablished, TLSExpired, TLSNotYetValid:
		return false
	case TLSNotSpoken:
		if !strings.HasSuffix(a.address, ":443") {
			return false
		}
	}
	known := a.client.config.PublicHost != nil && a.client.config.PublicHost(name)
	return !slices.ContainsFunc(a.trace.Addresses, func(addr netip.Addr) bool {
		addr = addr.Unmap()
		return !addr.IsUnspecified() && !addr.IsLoopback() &&
			(!known || !addr.IsPrivate() && !addr.IsLinkLocalUnicast())
	})
}

func isLocal(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

func nameOf(address string) string {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return name
}

func join(addrs []netip.Addr) string {
	var out []string
	for _, addr := range addrs[:min(len(addrs), 4)] {
		out = append(out, addr.String())
	}
	return strings.Join(out, ", ")
}
