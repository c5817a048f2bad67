//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func tcp(container, host uint16, ip string) engine.PortMapping {
	p := engine.PortMapping{ContainerPort: container, Protocol: "tcp", HostPort: host}
	if ip != "" {
		p.HostIP = netip.MustParseAddr(ip)
	}
	return p
}

func udp(container, host uint16, ip string) engine.PortMapping {
	p := tcp(container, host, ip)
	p.Protocol = "udp"
	return p
}

// TestPublish: a published port answers from everywhere it is published, and nowhere else.
func TestPublish(t *testing.T) {
	outside := lan(t)
	m := newManager(t)
	c := connect(t, m, func(r *Request) {
		r.Ports = []engine.PortMapping{tcp(80, 8080, ""), udp(80, 8080, ""), tcp(80, 8081, "127.0.0.1"), udp(80, 8081, "127.0.0.1"), tcp(80, 8082, "192.0.2.1"), udp(80, 8082, "192.0.2.1")}
	})
	c.serve("c", 80)
	gw := c.result.Gateway.String()
	d := connect(t, m, nil)
	create(t, m, engine.NetworkCreateOptions{Name: "other"})
	o := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "other" })
	for _, proto := range []string{"tcp", "udp"} {
		// Another machine: the container sees its address, the packets did not pass through the monitor.
		wantAnswer(t, outside, proto, "192.0.2.1:8080", "c 192.0.2.2")
		wantAnswer(t, outside, proto, "192.0.2.1:8082", "c 192.0.2.2")
		wantSilence(t, outside, proto, "192.0.2.1:8081")
		// A container without an IPv6 address is reached over the monitor.
		wantAnswer(t, outside, proto, "[2001:db8::1]:8080", "c "+gw)
		// The host.
		for _, a := range []string{"127.0.0.1:8080", "[::1]:8080", "192.0.2.1:8080", "127.0.0.1:8081", "192.0.2.1:8082", gw + ":8080"} {
			wantAnswer(t, nil, proto, a, "c "+gw)
		}
		wantSilence(t, nil, proto, "127.0.0.1:8082")
		// Containers: itself, a neighbour, one of another network, over the host's addresses.
		for _, from := range []*container{c, d, o} {
			wantAnswer(t, from.machine, proto, "192.0.2.1:8080", "c "+gw)
			wantAnswer(t, from.machine, proto, from.result.Gateway.String()+":8080", "c "+gw)
		}
	}
	// Nothing answers after the end, and the ports are free.
	c.end()
	for _, proto := range []string{"tcp", "udp"} {
		wantSilence(t, outside, proto, "192.0.2.1:8080")
		wantSilence(t, nil, proto, "127.0.0.1:8080")
	}
	e := connect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{tcp(81, 8080, ""), udp(81, 8080, "")} })
	e.serve("e", 81)
	for _, proto := range []string{"tcp", "udp"} {
		wantAnswer(t, outside, proto, "192.0.2.1:8080", "e 192.0.2.2")
	}
}

// TestPublishUDPFlow: a client that goes on sending from the same port reaches the next container, not the address of the last one.
func TestPublishUDPFlow(t *testing.T) {
	outside := lan(t)
	m := newManager(t)
	var conn net.Conn
	outside.do(func() (err error) {
		conn, err = net.Dial("udp", "192.0.2.1:9090")
		return err
	})
	defer conn.Close()
	// Late answers of the last one may still come.
	ask := func(want string) string {
		buf := make([]byte, 100)
		got := "nobody"
		for range 20 {
			conn.Write([]byte("x"))
			conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			if n, err := conn.Read(buf); err == nil {
				if got = string(buf[:n]); got == want {
					return got
				}
			}
		}
		return got
	}
	for _, name := range []string{"one", "two"} {
		c := connect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{udp(90, 9090, "")} })
		c.serve(name, 90)
		if got := ask(name + " 192.0.2.2"); got != name+" 192.0.2.2" {
			t.Errorf("%s is answered by %q", name, got)
		}
		c.end()
	}
}

// TestPortChoice: the engine chooses a port, or one in a range, and reports it.
func TestPortChoice(t *testing.T) {
	m := newManager(t)
	taken, err := net.Listen("tcp", ":9101")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := connect(t, m, func(r *Request) {
		r.Ports = []engine.PortMapping{
			{ContainerPort: 80, Protocol: "tcp"}, {ContainerPort: 80, Protocol: "udp"},
			{ContainerPort: 81, Protocol: "tcp", HostPort: 9101, HostPortEnd: 9103},
			{ContainerPort: 82, Protocol: "tcp", HostPort: 9102, HostIP: netip.MustParseAddr("127.0.0.1")},
		}
	})
	got := map[string][]string{}
	for _, p := range c.result.Ports {
		if p.HostPort == 0 {
			t.Errorf("binding %+v has no port", p)
		}
		if p.Container[:2] == "80" {
			p.HostPort = 1 // any
		}
		got[p.Container] = append(got[p.Container], netip.AddrPortFrom(p.HostIP, p.HostPort).String())
	}
	want := map[string][]string{
		"80/tcp": {"0.0.0.0:1", "[::]:1"}, "80/udp": {"0.0.0.0:1", "[::]:1"},
		"81/tcp": {"0.0.0.0:9103", "[::]:9103"}, "82/tcp": {"127.0.0.1:9102"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("bindings (-want +got):\n%s", d)
	}
	if a, b := c.result.Ports[0], c.result.Ports[1]; a.HostPort != b.HostPort {
		t.Errorf("one port has two numbers: %v, %v", a, b)
	}
}

// TestPortInUse: a port that the host or another container uses is a conflict, and nothing is left of the container.
func TestPortInUse(t *testing.T) {
	m := newManager(t)
	l, err := net.Listen("tcp", "127.0.0.1:9201")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp6", "[::]:9202")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	connect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{tcp(80, 9203, "")} })
	for _, p := range []engine.PortMapping{tcp(80, 9201, ""), udp(80, 9202, ""), tcp(80, 9203, ""), tcp(80, 9203, "127.0.0.1"), {ContainerPort: 80, Protocol: "tcp", HostPort: 9203, HostPortEnd: 9203}} {
		_, err := tryConnect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{tcp(79, 9204, ""), p} })
		wantKind(t, fmt.Sprint(p), err, engine.ErrConflict)
		if err != nil && !strings.Contains(err.Error(), "already allocated") {
			t.Errorf("error is %v", err)
		}
	}
	_, err = tryConnect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{tcp(80, 9205, "203.0.113.9")} })
	wantKind(t, "an address that the host has not", err, engine.ErrInvalid)
	_, err = tryConnect(t, m, func(r *Request) {
		r.Ports = []engine.PortMapping{{ContainerPort: 80, Protocol: "sctp"}}
	})
	wantKind(t, "sctp", err, engine.ErrUnsupported)
	ids, err := m.records()
	if err != nil || len(ids) != 1 {
		t.Errorf("records are %v, %v; want that of the one container", ids, err)
	}
	free, err := net.Listen("tcp", ":9204")
	if err != nil {
		t.Fatalf("a port of a failed start is not free: %v", err)
	}
	free.Close()
}

// TestProxyHalfClose: each side may end its half of a connection that the monitor forwards.
func TestProxyHalfClose(t *testing.T) {
	m := newManager(t)
	c := connect(t, m, func(r *Request) {
		r.Ports = []engine.PortMapping{tcp(80, 9301, "127.0.0.1"), tcp(81, 9302, "127.0.0.1")}
	})
	var l net.Listener
	c.do(func() (err error) {
		l, err = net.Listen("tcp", ":80")
		return err
	})
	defer l.Close()
	big := make([]byte, 1<<20)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		n := 0
		buf := make([]byte, 65536)
		for {
			k, err := conn.Read(buf)
			if n += k; err != nil {
				break
			}
		}
		fmt.Fprint(conn, n)
	}()
	conn, err := net.Dial("tcp", "127.0.0.1:9301")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(big); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if string(buf[:n]) != fmt.Sprint(len(big)) {
		t.Errorf("the container read %q bytes, %v", buf[:n], err)
	}
	// Nobody listens in the container: a reset, not an empty answer.
	conn2, err := net.Dial("tcp", "127.0.0.1:9302")
	if err == nil {
		_, err = conn2.Read(buf)
		conn2.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a port without listener: %v, want a reset", err)
	}
}

// TestClosedSession: Close leaves no goroutine and no descriptor.
func TestClosedSession(t *testing.T) {
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "names"})
	before := descriptors(t)
	for range 3 {
		c := connect(t, m, func(r *Request) {
			r.Endpoints[0].Network = "names"
			r.Ports = []engine.PortMapping{tcp(80, 0, ""), udp(80, 0, "")}
		})
		c.serve("c", 80)
		wantAnswer(t, nil, "udp", fmt.Sprintf("127.0.0.1:%d", c.result.Ports[2].HostPort), "c "+c.result.Gateway.String())
		c.end()
	}
	// The servers of the tests hold two each until the end.
	if after := descriptors(t); after > before+6 {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
}

func descriptors(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
