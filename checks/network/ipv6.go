package network

import (
	"context"
	"net"
	"net/netip"
)

// ipv6Watch finds out, beside the connection that is used, whether a host's IPv6 address connects.
type ipv6Watch struct {
	done chan struct{}
	addr netip.Addr
	err  error
}

// watchIPv6 starts a watch where IPv4 was faster, though the host has an IPv6 address and the machine a way to it.
func (a *attempt) watchIPv6(ctx context.Context, addrs []netip.Addr, port string) {
	var six netip.Addr
	for _, addr := range addrs {
		if addr.Is6() && !addr.Is4In6() {
			six = addr
			break
		}
	}
	if !six.IsValid() || !a.client.config.IPv6Route() {
		return
	}
	watch := &ipv6Watch{done: make(chan struct{}), addr: six}
	a.ipv6 = watch
	go func() {
		defer close(watch.done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.client.config.PhaseTimeout)
		defer cancel()
		conn, err := a.client.config.Dial(ctx, "tcp", net.JoinHostPort(six.String(), port))
		if watch.err = err; err == nil {
			_ = conn.Close()
		}
	}()
}

// BrokenIPv6 tells whether a host that was reached over IPv4 has an IPv6 address that does not connect, though
// this machine has a way out over IPv6. It waits for the answer, one phase at most.
func (c *Client) BrokenIPv6(ctx context.Context, address string) (addr netip.Addr, detail string, broken bool) {
	h := c.host(address)
	h.mu.Lock()
	watch := h.ipv6
	h.mu.Unlock()
	if watch == nil {
		return netip.Addr{}, "", false
	}
	select {
	case <-watch.done:
	case <-ctx.Done():
		return netip.Addr{}, "", false
	}
	if watch.err == nil || dialKind(watch.err) == NotEstablished {
		return netip.Addr{}, "", false
	}
	return watch.addr, tcpFailure([]dialError{{watch.addr, watch.err}}, c.config.PhaseTimeout).Detail, true
}

// systemIPv6Route asks the kernel for a way to a public IPv6 address. Connecting a UDP socket sends nothing.
func systemIPv6Route() bool {
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "udp6", "[2600::]:443")
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	return err == nil && local.Addr().IsGlobalUnicast() && !local.Addr().IsPrivate()
}
