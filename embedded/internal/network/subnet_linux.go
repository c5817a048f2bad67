package network

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"

	"github.com/berthdev/berth/engine"
)

// pools are where subnets are taken from: the default network's first. None is what Docker, Podman or
// libvirt take first.
var pools = []struct {
	pool netip.Prefix
	bits int
}{
	{netip.MustParsePrefix("10.188.0.0/16"), 16},
	{netip.MustParsePrefix("10.189.0.0/16"), 24},
	{netip.MustParsePrefix("10.190.0.0/15"), 24},
	{netip.MustParsePrefix("172.24.0.0/13"), 24},
	{netip.MustParsePrefix("192.168.128.0/17"), 24},
}

// chooseSubnet finds an IPv4 subnet that overlaps no route and no name server of the host, and no network of ours.
func chooseSubnet(first bool, nets []*config) (engine.Subnet, error) {
	taken, err := hostRoutes(netlink.FAMILY_V4)
	if err != nil {
		return engine.Subnet{}, err
	}
	if b, err := os.ReadFile(hostResolv); err == nil {
		for _, a := range parseResolv(b).servers {
			taken = append(taken, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	for _, c := range nets {
		for _, s := range c.Subnets {
			taken = append(taken, s.Subnet)
		}
	}
	list := pools
	if !first {
		list = pools[1:]
	}
	for _, p := range list {
		for s := netip.PrefixFrom(p.pool.Addr(), p.bits); p.pool.Contains(s.Addr()); s = next(s) {
			if overlaps(s, taken) == nil {
				return complete(engine.Subnet{Subnet: s})
			}
		}
	}
	return engine.Subnet{}, errors.New("no free subnet: every one of the pools overlaps a route of the host or another network; give a subnet")
}

// chooseSubnet6 makes up a unique local prefix (RFC 4193).
func chooseSubnet6() (engine.Subnet, error) {
	var a [16]byte
	rand.Read(a[1:8])
	a[0] = 0xfd
	return complete(engine.Subnet{Subnet: netip.PrefixFrom(netip.AddrFrom16(a), 64)})
}

// complete fills the gateway of s, and checks that all of it lies in the subnet.
func complete(s engine.Subnet) (engine.Subnet, error) {
	if s.Subnet != s.Subnet.Masked() {
		return s, fmt.Errorf("%s is an address in %s, not a subnet", s.Subnet, s.Subnet.Masked())
	}
	if room := s.Subnet.Addr().BitLen() - s.Subnet.Bits(); room < 2 {
		return s, fmt.Errorf("%s has no room for containers", s.Subnet)
	}
	if s.Range.IsValid() && (s.Range.Bits() < s.Subnet.Bits() || !s.Subnet.Contains(s.Range.Addr())) {
		return s, fmt.Errorf("the range %s is not in %s", s.Range, s.Subnet)
	}
	if !s.Gateway.IsValid() {
		s.Gateway = s.Subnet.Addr().Next()
	}
	if !s.Subnet.Contains(s.Gateway) || s.Gateway == s.Subnet.Addr() {
		return s, fmt.Errorf("the gateway %s is no address in %s", s.Gateway, s.Subnet)
	}
	return s, nil
}

// next is the subnet after s.
func next(s netip.Prefix) netip.Prefix {
	a := s.Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += 1 << (32 - s.Bits())
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), s.Bits())
}

// overlaps returns the first of list that overlaps p.
func overlaps(p netip.Prefix, list []netip.Prefix) *netip.Prefix {
	for i := range list {
		if list[i].Overlaps(p) {
			return &list[i]
		}
	}
	return nil
}

// hostRoutes are the destinations of the host's routes, in all tables, but default routes and what the kernel
// has for every machine.
func hostRoutes(family int) ([]netip.Prefix, error) {
	list, err := netlink.RouteListFiltered(family, &netlink.Route{Table: 0}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []netip.Prefix
	for _, r := range list {
		if r.Dst == nil {
			continue
		}
		a, ok := netip.AddrFromSlice(r.Dst.IP)
		bits, _ := r.Dst.Mask.Size()
		if !ok || bits == 0 {
			continue
		}
		if a = a.Unmap(); a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
			continue
		}
		out = append(out, netip.PrefixFrom(a, bits))
	}
	return out, nil
}
