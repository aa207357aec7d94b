package network

import (
	"net/netip"
	"slices"
)

// Public tells whether an address is one of the public Internet, and not of a network of one's own: neither private
// (RFC 1918, RFC 4193), nor shared behind a carrier's or a VPN's gateway (RFC 6598), nor one that clients of zero-trust
// networks make up (RFC 2544), nor of this link or machine.
func Public(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !slices.ContainsFunc([]netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10), netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18}), 15),
	}, func(own netip.Prefix) bool { return own.Contains(addr) })
}
