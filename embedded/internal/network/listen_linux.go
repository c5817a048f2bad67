package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// socket holds a published port: nobody else on the host can have it.
type socket struct {
	port port
	tcp  *net.TCPListener
	udp  *net.UDPConn
}

func (s *socket) Close() error {
	var c io.Closer = s.udp
	if s.tcp != nil {
		c = s.tcp
	}
	return c.Close()
}

// reserve opens the sockets of the ports, all or none. One in use is ErrConflict.
func reserve(ports []engine.PortMapping, hostIP netip.Addr) (list []*socket, err error) {
	defer func() {
		if err != nil {
			for _, s := range list {
				s.Close()
			}
			list = nil
		}
	}()
	// Fixed ports first: a port that we choose must not take them.
	order := slices.Clone(ports)
	slices.SortStableFunc(order, func(a, b engine.PortMapping) int { return choice(a) - choice(b) })
	for _, p := range order {
		if !p.HostIP.IsValid() {
			p.HostIP = hostIP
		}
		got, err := reserveOne(p)
		if err != nil {
			return list, err
		}
		list = append(list, got...)
	}
	return list, nil
}

// choice orders mappings by how free the choice of the port is.
func choice(p engine.PortMapping) int {
	switch {
	case p.HostPort == 0:
		return 2
	case p.HostPortEnd != 0:
		return 1
	}
	return 0
}

func reserveOne(p engine.PortMapping) ([]*socket, error) {
	first, last := int(p.HostPort), int(p.HostPort)
	if p.HostPort != 0 && p.HostPortEnd != 0 {
		last = int(p.HostPortEnd)
	}
	tries := 1
	if first == 0 {
		tries = 32 // a port that is free for one family may not be for the other
	}
	var err error
	for n := first; n <= last; n++ {
		for range tries {
			var list []*socket
			if list, err = bind(p, uint16(n)); err == nil {
				return list, nil
			}
			if !errors.Is(err, unix.EADDRINUSE) {
				return nil, portError(p, n, err)
			}
		}
	}
	return nil, portError(p, first, err)
}

// portError explains why a port cannot be published.
func portError(p engine.PortMapping, n int, err error) error {
	const op = "publish port"
	host := p.HostIP
	if !host.IsValid() {
		host = netip.IPv4Unspecified()
	}
	at := netip.AddrPortFrom(host, uint16(n)).String()
	switch {
	case errors.Is(err, unix.EADDRINUSE) && p.HostPort == 0:
		return fail(op, p.Protocol, engine.ErrConflict, "no free port on %s", host)
	case errors.Is(err, unix.EADDRINUSE) && p.HostPortEnd > p.HostPort:
		return fail(op, at, engine.ErrConflict, "Bind for %s:%d-%d/%s failed: all ports are already allocated", host, p.HostPort, p.HostPortEnd, p.Protocol)
	case errors.Is(err, unix.EADDRINUSE):
		return fail(op, at, engine.ErrConflict, "Bind for %s/%s failed: port is already allocated", at, p.Protocol)
	case errors.Is(err, unix.EACCES):
		return fail(op, at, nil, "Bind for %s/%s failed: this port needs root, or a lower net.ipv4.ip_unprivileged_port_start", at, p.Protocol)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fail(op, at, engine.ErrInvalid, "Bind for %s/%s failed: the host has no address %s", at, p.Protocol, host)
	}
	return fail(op, at, nil, "Bind for %s/%s failed: %v", at, p.Protocol, err)
}

// bind opens the sockets of one port: one, or one for each family when no address is given.
func bind(p engine.PortMapping, n uint16) ([]*socket, error) {
	addrs := []netip.Addr{p.HostIP}
	if !p.HostIP.IsValid() {
		addrs = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	var list []*socket
	for i, a := range addrs {
		s, err := open(p.Protocol, netip.AddrPortFrom(a.Unmap(), n))
		if i > 0 && (errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)) {
			break // the host has no IPv6
		}
		if err != nil {
			for _, s := range list {
				s.Close()
			}
			return nil, err
		}
		s.port.Container = p.ContainerPort
		n = s.port.HostPort
		list = append(list, s)
	}
	return list, nil
}

func open(protocol string, at netip.AddrPort) (*socket, error) {
	family := "4"
	if at.Addr().Is6() {
		family = "6"
	}
	s := &socket{port: port{Protocol: protocol, HostIP: at.Addr()}}
	if protocol == "tcp" {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		l, err := lc.Listen(context.Background(), "tcp"+family, at.String())
		if err != nil {
			return nil, err
		}
		s.tcp = l.(*net.TCPListener)
		s.port.HostPort = uint16(s.tcp.Addr().(*net.TCPAddr).Port)
		return s, nil
	}
	// The answer must come from the address that was asked: the kernel tells which.
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		c.Control(func(fd uintptr) {
			if family == "4" {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			} else {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
			}
		})
		return os.NewSyscallError("setsockopt", err)
	}}
	c, err := lc.ListenPacket(context.Background(), "udp"+family, at.String())
	if err != nil {
		return nil, err
	}
	s.udp = c.(*net.UDPConn)
	s.port.HostPort = uint16(s.udp.LocalAddr().(*net.UDPAddr).Port)
	return s, nil
}

// direct sets where the nftables elements of the ports send to: e's addresses.
func direct(p *port, e *endpoint) {
	p.To = netip.Addr{}
	if e == nil || p.HostIP.IsLoopback() {
		return
	}
	if p.HostIP.Is4() {
		p.To = addressOf(e.IPv4)
	} else {
		p.To = addressOf(e.IPv6)
	}
}

// target is where the monitor forwards to: an address of the same family where the container has one.
func target(p *port, e *endpoint) netip.AddrPort {
	if e == nil {
		return netip.AddrPort{}
	}
	a, b := addressOf(e.IPv4), addressOf(e.IPv6)
	if p.HostIP.Is6() {
		a, b = b, a
	}
	if !a.IsValid() {
		a = b
	}
	return netip.AddrPortFrom(a, p.Container)
}

// bindings are the ports as inspect shows them, sorted.
func bindings(ports []port) []engine.PortBinding {
	out := make([]engine.PortBinding, 0, len(ports))
	for _, p := range ports {
		out = append(out, engine.PortBinding{Container: fmt.Sprintf("%d/%s", p.Container, p.Protocol), HostIP: p.HostIP, HostPort: p.HostPort})
	}
	slices.SortFunc(out, func(a, b engine.PortBinding) int {
		an, ap, _ := strings.Cut(a.Container, "/")
		bn, bp, _ := strings.Cut(b.Container, "/")
		if c := len(an) - len(bn); c != 0 {
			return c
		}
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		if c := strings.Compare(ap, bp); c != 0 {
			return c
		}
		if c := a.HostIP.Compare(b.HostIP); c != 0 {
			return c
		}
		return int(a.HostPort) - int(b.HostPort)
	})
	return out
}
