package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// addVeth makes the pair of e: one end in the bridge and up, the other in the namespace with its address and name. It
// is one request, where the library would need four.
func addVeth(e *endpoint, bridge int, ns *os.File) error {
	mac, err := net.ParseMAC(e.MAC)
	if err != nil {
		return err
	}
	mtu := nl.Uint32Attr(uint32(e.MTU))
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Flags, msg.Change = unix.IFF_UP, unix.IFF_UP
	req.AddData(msg)
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(e.Host)))
	req.AddData(nl.NewRtAttr(unix.IFLA_MTU, mtu))
	req.AddData(nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(uint32(bridge))))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(e.Interface))
	peer.AddRtAttr(unix.IFLA_MTU, mtu)
	peer.AddRtAttr(unix.IFLA_ADDRESS, mac)
	peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(ns.Fd())))
	req.AddData(info)
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("make veth pair %s, %s: %w", e.Host, e.Interface, err)
	}
	if !e.Isolated {
		return nil
	}
	link, err := netlink.LinkByName(e.Host)
	if err == nil {
		err = netlink.LinkSetIsolated(link, true)
	}
	if err != nil {
		return fmt.Errorf("isolate %s: %w", e.Host, err)
	}
	return nil
}

// loopbackUp sets lo up in the calling thread's namespace.
func loopbackUp(h *netlink.Handle) error {
	if err := h.LinkSetUp(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "lo", Index: 1}}); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

// configure gives e's interface its addresses, in the calling thread's namespace.
func configure(h *netlink.Handle, e *endpoint) error {
	link, err := h.LinkByName(e.Interface)
	if err != nil {
		return fmt.Errorf("find %s in the container: %w", e.Interface, err)
	}
	wants6 := e.IPv6.IsValid() || slices.ContainsFunc(e.Asked.LinkLocalIPs, netip.Addr.Is6)
	if err := ipv6(e.Interface, wants6); err != nil {
		return err
	}
	addrs := []netip.Prefix{e.IPv4, e.IPv6}
	for _, a := range e.Asked.LinkLocalIPs {
		bits := 16
		if a.Is6() {
			bits = 64
		}
		addrs = append(addrs, netip.PrefixFrom(a, bits))
	}
	for _, p := range addrs {
		if p.IsValid() {
			if err := addAddr(h, link, p); err != nil {
				return fmt.Errorf("give %s the address %s: %w", e.Interface, p, err)
			}
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up in the container: %w", e.Interface, err)
	}
	return nil
}

// addAddr adds an address; one that is there is fine. IPv6 addresses are usable at once: we gave them out, nobody else has them.
// A nil handle is the calling thread's namespace.
func addAddr(h *netlink.Handle, link netlink.Link, p netip.Prefix) error {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	var err error
	if h != nil {
		err = h.AddrAdd(link, a)
	} else {
		err = netlink.AddrAdd(link, a)
	}
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// defaultRoutes sets the default routes in the calling thread's namespace: those of the primary endpoints.
// fresh says that there are none yet.
func defaultRoutes(h *netlink.Handle, r *record, fresh bool) error {
	var gw4, gw6 netip.Addr
	var name4, name6 string
	if p := r.primary(); p != nil {
		gw4, name4 = p.Gateway4, p.Interface
	}
	if p := r.primary6(); p != nil {
		gw6, name6 = p.Gateway6, p.Interface
	}
	for _, d := range []struct {
		family int
		gw     netip.Addr
		name   string
	}{{netlink.FAMILY_V4, gw4, name4}, {netlink.FAMILY_V6, gw6, name6}} {
		if !d.gw.IsValid() {
			if !fresh {
				if err := dropDefault(h, d.family); err != nil {
					return err
				}
			}
			continue
		}
		link, err := h.LinkByName(d.name)
		if err != nil {
			return fmt.Errorf("find %s in the container: %w", d.name, err)
		}
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: d.gw.AsSlice()}
		if fresh {
			err = h.RouteAdd(route)
		} else {
			// RouteReplace of IPv6 adds a second next hop in place of the first.
			if err := dropDefault(h, d.family); err != nil {
				return err
			}
			err = h.RouteAdd(route)
		}
		if err != nil {
			return fmt.Errorf("add the default route over %s: %w", d.gw, err)
		}
	}
	return nil
}

// dropDefault removes the default routes of a family.
func dropDefault(h *netlink.Handle, family int) error {
	list, err := h.RouteList(nil, family)
	if err != nil {
		return fmt.Errorf("list routes of the container: %w", err)
	}
	for _, r := range list {
		if r.Dst != nil {
			if bits, _ := r.Dst.Mask.Size(); bits != 0 {
				continue
			}
		}
		if r.Gw == nil {
			continue
		}
		if err := h.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("remove a default route of the container: %w", err)
		}
	}
	return nil
}
