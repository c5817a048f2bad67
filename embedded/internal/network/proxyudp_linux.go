package network

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// udpIdle is how long a flow without packets is kept: as long as Docker's proxy does.
const udpIdle = 90 * time.Second

// maxFlows is how many flows a port has at once; packets that would begin further ones are dropped.
const maxFlows = 1024

// flow is a client's address and the address of the host that it sent to.
type flow struct {
	client netip.AddrPort
	local  netip.Addr
}

func (p *proxy) serveUDP() {
	var mu sync.Mutex
	flows := map[flow]*net.UDPConn{}
	buf, oob := make([]byte, 65536), make([]byte, 128)
	for {
		n, oobn, _, client, err := p.socket.udp.ReadMsgUDPAddrPort(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// An ICMP error of an answer that nobody took, or no memory.
			continue
		}
		f := flow{client, localAddr(oob[:oobn])}
		mu.Lock()
		server, full := flows[f], len(flows) >= maxFlows
		mu.Unlock()
		if server == nil && full {
			continue
		}
		if server == nil {
			c, err := p.dial("udp", p.target.Load().String())
			if err != nil {
				continue
			}
			server = c.(*net.UDPConn)
			if !p.track(server) {
				server.Close()
				return
			}
			mu.Lock()
			flows[f] = server
			mu.Unlock()
			p.wg.Go(func() {
				p.answers(f, server)
				mu.Lock()
				delete(flows, f)
				mu.Unlock()
				p.done(server)
			})
		}
		server.SetReadDeadline(time.Now().Add(udpIdle))
		server.Write(buf[:n])
	}
}

// answers sends what the container answers back from the address that the client asked.
func (p *proxy) answers(f flow, server *net.UDPConn) {
	buf := make([]byte, 65536)
	oob := sourceOption(f.local)
	for {
		n, err := server.Read(buf)
		if errors.Is(err, unix.ECONNREFUSED) {
			continue // nobody listens yet
		}
		if err != nil {
			return
		}
		server.SetReadDeadline(time.Now().Add(udpIdle))
		p.socket.udp.WriteMsgUDPAddrPort(buf[:n], oob, f.client)
	}
}

// localAddr is the address that a packet was sent to; zero when the kernel does not tell.
func localAddr(oob []byte) netip.Addr {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.Addr{}
	}
	for _, m := range list {
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= 12:
			return netip.AddrFrom4([4]byte(m.Data[8:12])) // ipi_addr
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			return netip.AddrFrom16([16]byte(m.Data[:16]))
		}
	}
	return netip.Addr{}
}

// sourceOption is the control message that sets the source of a packet.
func sourceOption(a netip.Addr) []byte {
	switch {
	case a.Is4():
		return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: a.As4()})
	case a.Is6() && !a.IsLinkLocalUnicast():
		return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: a.As16()})
	}
	return nil
}
