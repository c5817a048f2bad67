package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// planRootless checks what was asked for where there are no bridges: a helper's network or none.
func planRootless(endpoints []engine.Endpoint, ports []engine.PortMapping) error {
	for i, ep := range endpoints {
		if len(endpoints) > 1 || !slices.Contains(Helpers, ep.Network) {
			return &engine.UnsupportedError{Option: fmt.Sprintf("Spec.Networks[%d]", i), Value: ep.Network, Engine: "embedded",
				Reason: "rootless: a bridge needs the rights of root on the host; pasta, slirp4netns, host and none work"}
		}
		if _, ok := parseMAC(ep.MACAddress); ep.MACAddress != "" && !ok {
			return &engine.InvalidError{Option: "Spec.MACAddress", Value: ep.MACAddress, Reason: wantMAC}
		}
	}
	for i, p := range ports {
		if p.Protocol != "tcp" && p.Protocol != "udp" {
			return &engine.UnsupportedError{Option: fmt.Sprintf("Spec.Ports[%d]", i), Value: fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol), Engine: "embedded", Reason: "tcp and udp are published"}
		}
	}
	return nil
}

// connectRootless gives the namespace a helper's interface, and publishes the ports of the request by proxies of this
// process. Nothing of it is written down: it ends with this process.
func (s *Session) connectRootless(ctx context.Context, ns *os.File) error {
	asked := s.request.Endpoints[0]
	h, err := startHelper(ctx, asked.Network, int(s.pid.Load()), s.m.netDir("helpers"))
	if err != nil {
		return err
	}
	s.helper = h
	e := endpoint{NetworkID: asked.Network, Network: asked.Network, EndpointID: newID(), Interface: helperInterface, Asked: asked}
	serve := NeedsServer(readHostResolv(), s.request.DNS)
	server := &nameServer{log: s.m.log()}
	err = inNamespace(ns, func() error {
		if err := e.read(); err != nil {
			return err
		}
		if !serve {
			return nil
		}
		return server.listen()
	})
	r := *s.record.Load()
	r.Endpoints = []endpoint{e}
	if err == nil {
		err = s.publishRootless(ns, &r)
	}
	s.record.Store(&r)
	if err != nil {
		server.close()
		return err
	}
	if serve {
		s.serve(server)
	}
	return nil
}

// publishRootless opens the ports. Connections to the container are made in its namespace.
func (s *Session) publishRootless(ns *os.File, r *record) error {
	sockets, err := reserve(s.request.Ports, netip.Addr{})
	if err != nil {
		return err
	}
	if len(sockets) == 0 {
		return nil
	}
	fd, err := unix.FcntlInt(ns.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	s.netns = os.NewFile(uintptr(fd), ns.Name())
	dial := func(network, to string) (c net.Conn, err error) {
		err = inNamespace(s.netns, func() (err error) {
			c, err = (&net.Dialer{Timeout: dialTimeout}).Dial(network, to)
			return err
		})
		return c, err
	}
	for _, k := range sockets {
		r.Ports = append(r.Ports, k.port)
		s.proxies = append(s.proxies, startProxyWith(k, target(&k.port, &r.Endpoints[0]), s.m.log(), dial))
	}
	return nil
}

// read takes the addresses that the helper has given to the interface, in the calling thread's namespace; that of the hardware is set first if one was asked for.
func (e *endpoint) read() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink in the container's namespace: %w", err)
	}
	defer h.Close()
	link, err := h.LinkByName(e.Interface)
	if err != nil {
		return fmt.Errorf("look at the interface %s: %w", e.Interface, err)
	}
	if mac, ok := parseMAC(e.Asked.MACAddress); ok { // both helpers learn it from what the container sends
		if err := h.LinkSetHardwareAddr(link, mac); err != nil {
			return fmt.Errorf("give the interface %s its address: %w", e.Interface, err)
		}
		link.Attrs().HardwareAddr = mac
	}
	e.MAC, e.MTU = link.Attrs().HardwareAddr.String(), link.Attrs().MTU
	addrs, err := h.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("look at the interface %s: %w", e.Interface, err)
	}
	for _, a := range addrs {
		ip, ok := netip.AddrFromSlice(a.IP)
		ones, _ := a.Mask.Size()
		p := netip.PrefixFrom(ip.Unmap(), ones)
		switch {
		case !ok || ip.IsLinkLocalUnicast():
		case p.Addr().Is4() && !e.IPv4.IsValid():
			e.IPv4 = p
		case p.Addr().Is6() && !e.IPv6.IsValid():
			e.IPv6 = p
		}
	}
	routes, err := h.RouteList(link, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("look at the routes of %s: %w", e.Interface, err)
	}
	for _, r := range routes {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		if gw, ok := netip.AddrFromSlice(r.Gw); ok && gw.Unmap().Is4() {
			e.Gateway4 = gw.Unmap()
		} else if ok {
			e.Gateway6 = gw
		}
	}
	return nil
}

// endRootless ends what connectRootless has begun. s.mu is held.
func (s *Session) endRootless() {
	for _, p := range s.proxies {
		p.stop()
	}
	s.proxies = nil
	if s.helper != nil {
		s.helper.stop()
		s.helper = nil
	}
	if s.netns != nil {
		s.netns.Close()
		s.netns = nil
	}
	s.record.Store(&record{ID: s.request.ContainerID, Name: s.request.Name, Hostname: s.request.Hostname})
}
