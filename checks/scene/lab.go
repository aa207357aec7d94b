package scene

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"runner-preflight/checks/network"
)

// Lab is a scene that runs. Close it.
type Lab struct {
	scene   Scene
	started time.Time
	pki     pki
	roots   *x509.CertPool
	public  *x509.CertPool

	mu     sync.Mutex
	closed bool
	// names are by address, both ways: one address may stand for several names.
	addresses map[string]netip.Addr
	names     map[netip.Addr]string
	servers   map[string]*server
	wait      sync.WaitGroup
}

// Start brings a scene up. Hosts begin to listen when they are first dialled.
func Start(scene Scene) (*Lab, error) {
	if scene.Now.IsZero() {
		scene.Now = time.Now()
	}
	if err := scene.check(); err != nil {
		return nil, err
	}
	pki, err := newPKI(scene.Now)
	if err != nil {
		return nil, err
	}
	l := &Lab{
		scene: scene, started: time.Now(), pki: pki, roots: pki.system(), public: pool(pki.public),
		addresses: map[string]netip.Addr{}, names: map[netip.Addr]string{}, servers: map[string]*server{},
	}
	for _, key := range slices.Sorted(maps.Keys(scene.Hosts)) {
		if own := scene.Hosts[key].Address; own != "" {
			addr, err := netip.ParseAddr(own)
			if err != nil {
				return nil, fmt.Errorf("scene: host %s: %w", key, err)
			}
			l.addresses[nameOf(key)], l.names[addr] = addr, nameOf(key)
		}
		l.addressOf(nameOf(key))
	}
	return l, nil
}

// Config is a direct route into the scene.
func (l *Lab) Config() network.Config {
	return network.Config{
		Dial: l.Dial, Resolve: l.Resolve, Public: l.public,
		Roots:        func(string) (*x509.CertPool, error) { return l.roots, nil },
		IPv6Route:    func() bool { return l.scene.IPv6 },
		PhaseTimeout: time.Duration(l.scene.PhaseTimeout),
		Now:          l.Now,
	}
}

// Now is the scene's clock.
func (l *Lab) Now() time.Time { return l.scene.Now.Add(time.Since(l.started)) }

// Close ends every server and waits for it.
func (l *Lab) Close() {
	l.mu.Lock()
	l.closed = true
	for _, s := range l.servers {
		s.close()
	}
	l.mu.Unlock()
	l.wait.Wait()
}

// addressOf gives a name an address of its own, of those that are kept for documentation (RFC 5737).
func (l *Lab) addressOf(name string) netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr
	}
	addr, known := l.addresses[name]
	if !known {
		n := len(l.addresses)
		block := [][3]byte{{192, 0, 2}, {198, 51, 100}, {203, 0, 113}}[n/250%3]
		addr = netip.AddrFrom4([4]byte{block[0], block[1], block[2], byte(n%250 + 1)})
		l.addresses[name], l.names[addr], l.names[sixOf(addr)] = addr, name, name
	}
	return addr
}

// sixOf is the IPv6 address of the host that has an IPv4 address (RFC 3849).
func sixOf(addr netip.Addr) netip.Addr {
	four := addr.As4()
	six := netip.MustParseAddr("2001:db8::").As16()
	copy(six[12:], four[:])
	return netip.AddrFrom16(six)
}

func nameOf(key string) string {
	if name, _, err := net.SplitHostPort(key); err == nil {
		return name
	}
	return key
}

// find is the host at a name and port; with port 0 any host of that name.
func (l *Lab) find(name, port string) (Host, bool) {
	for _, key := range slices.Sorted(maps.Keys(l.scene.Hosts)) {
		if nameOf(key) == name && (port == "" || key == net.JoinHostPort(name, port) || key == name &&
			port == "443") {
			return l.scene.Hosts[key], true
		}
	}
	if _, err := netip.ParseAddr(name); err != nil && l.scene.Others != nil && (port == "" || port == "443") {
		return *l.scene.Others, true
	}
	return Host{}, false
}

// Resolve is the scene's name server.
func (l *Lab) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if err := wait(ctx, time.Duration(l.scene.Latency)); err != nil {
		return nil, err
	}
	h, found := l.find(strings.TrimSuffix(name, "."), "")
	refuse := net.DNSError{Name: name, Server: "192.0.2.253:53"}
	switch {
	case !found, h.DNS == "nxdomain":
		refuse.Err, refuse.IsNotFound = "no such host", true
	case h.DNS == "servfail":
		refuse.Err, refuse.IsTemporary = "server misbehaving", true
	case h.DNS == "timeout":
		refuse.Err, refuse.IsTimeout, refuse.IsTemporary = "i/o timeout", true, true
	case len(h.Addresses) > 0:
		var addrs []netip.Addr
		for _, text := range h.Addresses {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("scene: %w", err)
			}
			addrs = append(addrs, addr)
		}
		return addrs, nil
	case h.IPv6 != "":
		addr := l.addressOf(name)
		return []netip.Addr{sixOf(addr), addr}, nil
	default:
		return []netip.Addr{l.addressOf(name)}, nil
	}
	return nil, &refuse
}

// byProxy marks the context of a connection that a proxy makes.
type byProxy struct{}

// Dial connects to an address of the scene.
func (l *Lab) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("scene: %w", err)
	}
	ip, port := target.Addr(), fmt.Sprint(target.Port())
	l.mu.Lock()
	name, known := l.names[ip]
	l.mu.Unlock()
	if !known {
		name = ip.String()
	}
	h, found := l.find(name, port)
	behaviour := h.TCP
	if proxied, _ := ctx.Value(byProxy{}).(bool); !proxied && h.Direct != "" {
		behaviour = h.Direct
	}
	if ip.Is6() && known {
		behaviour = h.IPv6
	}
	if !found {
		behaviour = "refused"
	}
	switch behaviour {
	case "timeout":
		if l.scene.Hasty {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	case "refused":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case "unreachable":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}
	}
	if err := wait(ctx, time.Duration(l.scene.Latency)); err != nil {
		return nil, err
	}
	s, err := l.serverOf(name, port, h)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.listener.Addr().String())
	if err != nil || l.scene.Latency == 0 {
		return conn, err
	}
	return &slowConn{Conn: conn, delay: time.Duration(l.scene.Latency)}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slowConn lets the answer to what was written arrive a round trip later.
type slowConn struct {
	net.Conn
	delay time.Duration
	mu    sync.Mutex
	sent  time.Time
}

func (c *slowConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.sent.IsZero() {
		c.sent = time.Now()
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	due := c.delay - time.Since(c.sent)
	if c.sent.IsZero() {
		due = 0
	}
	c.sent = time.Time{}
	c.mu.Unlock()
	time.Sleep(due)
	return n, err
}
