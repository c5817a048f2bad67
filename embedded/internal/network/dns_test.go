//go:build linux

package network

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/berthdev/berth/engine"
)

// query asks the name server in the container; the answer is its addresses and names in order, or the code.
func (m *machine) query(transport, server, name string, typ dnsmessage.Type) string {
	m.t.Helper()
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: 4711, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: typ, Class: dnsmessage.ClassINET}}}
	b, err := q.Pack()
	if err != nil {
		m.t.Fatal(err)
	}
	var c net.Conn
	m.do(func() (err error) {
		c, err = net.Dial(transport, server)
		return err
	})
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 65536)
	var n int
	if transport == "tcp" {
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		if _, err = io.ReadFull(c, buf[:2]); err == nil {
			n, err = io.ReadFull(c, buf[:binary.BigEndian.Uint16(buf)])
		}
	} else {
		c.Write(b)
		n, err = c.Read(buf)
	}
	if err != nil {
		return err.Error()
	}
	var a dnsmessage.Message
	if err := a.Unpack(buf[:n]); err != nil {
		m.t.Fatal(err)
	}
	if a.ID != 4711 || !a.Response || len(a.Questions) != 1 || a.Questions[0] != q.Questions[0] {
		m.t.Errorf("answer to %s is %+v", name, a)
	}
	if a.RCode != dnsmessage.RCodeSuccess {
		return a.RCode.String()
	}
	var list []string
	for _, r := range a.Answers {
		switch r := r.Body.(type) {
		case *dnsmessage.AResource:
			list = append(list, netip.AddrFrom4(r.A).String())
		case *dnsmessage.AAAAResource:
			list = append(list, netip.AddrFrom16(r.AAAA).String())
		case *dnsmessage.PTRResource:
			list = append(list, r.PTR.String())
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// upstream serves names on the host: A records of what asks, "refuse." is refused.
func upstream(t *testing.T, addr, answer string) {
	t.Helper()
	reply := func(b []byte) []byte {
		var q dnsmessage.Message
		if q.Unpack(b) != nil {
			return nil
		}
		q.Response = true
		if q.Questions[0].Name.String() == "refuse." {
			q.RCode = dnsmessage.RCodeRefused
		} else {
			q.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 1},
				Body: &dnsmessage.AResource{A: netip.MustParseAddr(answer).As4()}}}
		}
		b, _ = q.Pack()
		return b
	}
	u, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	go func() {
		buf := make([]byte, 65536)
		for {
			n, from, err := u.ReadFrom(buf)
			if err != nil {
				return
			}
			u.WriteTo(reply(buf[:n]), from)
		}
	}()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if q, err := readTCP(c); err == nil {
				writeTCP(c, reply(q))
			}
			c.Close()
		}
	}()
}

const dnsAddr = "127.0.0.11:53"

// TestNames: containers of a network know each other by name, alias, ID and host name; others do not.
func TestNames(t *testing.T) {
	lan(t)
	upstream(t, "127.0.0.53:53", "203.0.113.1")
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "one", IPv6: true})
	create(t, m, engine.NetworkCreateOptions{Name: "two"})
	join := func(name string, nets ...engine.Endpoint) *container {
		return connect(t, m, func(r *Request) { r.Name, r.Hostname, r.Endpoints = name, name+"-host", nets })
	}
	db := join("Db", engine.Endpoint{Network: "one", Aliases: []string{"store", "Shared"}})
	web := join("web", engine.Endpoint{Network: "one", Aliases: []string{"shared"}}, engine.Endpoint{Network: "two"})
	far := join("far", engine.Endpoint{Network: "two"})
	dbIP, db6, webIP, web2 := db.ip("one").String(), db.ip6("one").String(), web.ip("one").String(), web.ip("two").String()
	both := []string{dbIP, webIP}
	slices.Sort(both)
	for _, c := range []struct {
		from *container
		name string
		typ  dnsmessage.Type
		want string
	}{
		{web, "db.", dnsmessage.TypeA, dbIP},
		{web, "DB.", dnsmessage.TypeA, dbIP},
		{web, "db.", dnsmessage.TypeAAAA, db6},
		{web, "db.", dnsmessage.TypeMX, ""},
		{web, "db.one.", dnsmessage.TypeA, dbIP},
		{web, "store.", dnsmessage.TypeA, dbIP},
		{web, "shared.", dnsmessage.TypeA, strings.Join(both, " ")},
		{web, db.id[:12] + ".", dnsmessage.TypeA, dbIP},
		{web, "db-host.", dnsmessage.TypeA, dbIP},
		{db, "web.", dnsmessage.TypeA, webIP},
		{web, "web.", dnsmessage.TypeA, webIP},
		{far, "web.", dnsmessage.TypeA, web2},
		{far, "web.", dnsmessage.TypeAAAA, ""},
		{web, "web.two.", dnsmessage.TypeA, web2},
		{far, "db.", dnsmessage.TypeA, "203.0.113.1"}, // not known here: the host is asked
		{far, "shared.", dnsmessage.TypeA, "203.0.113.1"},
		{web, "example.com.", dnsmessage.TypeA, "203.0.113.1"},
		{web, "refuse.", dnsmessage.TypeA, "RCodeRefused"},
		{web, reverseName(db.ip("one")), dnsmessage.TypePTR, "Db.one."},
		{web, reverseName(db.ip6("one")), dnsmessage.TypePTR, "Db.one."},
	} {
		for _, transport := range []string{"udp", "tcp"} {
			if got := c.from.query(transport, dnsAddr, c.name, c.typ); got != c.want {
				t.Errorf("%s %s %s from %s: %q, want %q", transport, c.name, c.typ, c.from.id[:6], got, c.want)
			}
		}
	}
	if got, want := string(web.result.Resolv), "nameserver 127.0.0.11\nsearch lan.example\noptions ndots:0\n"; got != want {
		t.Errorf("resolv.conf is %q, want %q", got, want)
	}
	// A container may serve port 53 itself.
	db.serve("own", 53)
	wantAnswer(t, web.machine, "udp", dbIP+":53", "own "+webIP)
	if got := db.query("udp", dnsAddr, "web.", dnsmessage.TypeA); got != webIP {
		t.Errorf("beside an own server: %q", got)
	}
	// Names come and go with containers.
	if err := db.session.Rename("newdb"); err != nil {
		t.Fatal(err)
	}
	if got := web.query("udp", dnsAddr, "newdb.", dnsmessage.TypeA); got != dbIP {
		t.Errorf("the new name: %q", got)
	}
	if got := web.query("udp", dnsAddr, "db.", dnsmessage.TypeA); got != "203.0.113.1" {
		t.Errorf("the old name: %q", got)
	}
	db.end()
	if got := web.query("udp", dnsAddr, "newdb.", dnsmessage.TypeA); got != "203.0.113.1" {
		t.Errorf("a container that has ended: %q", got)
	}
	// Upstream is what the host's file says now.
	if err := os.WriteFile(hostResolv, []byte("nameserver 127.0.0.54\nnameserver 127.0.0.55\n"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(hostResolv, []byte("nameserver 127.0.0.53\nsearch lan.example\n"), 0)
	upstream(t, "127.0.0.55:53", "203.0.113.2")
	if got := web.query("udp", dnsAddr, "example.com.", dnsmessage.TypeA); got != "203.0.113.2" {
		t.Errorf("the second server of the new file: %q", got)
	}
}

// TestNamesGiven: servers given to the container are asked, also one in the container itself; internal networks ask nobody.
func TestNamesGiven(t *testing.T) {
	outside := lan(t)
	upstream(t, "127.0.0.53:53", "203.0.113.1")
	outside.do(func() error { upstream(t, "192.0.2.2:53", "203.0.113.9"); return nil })
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "one"})
	create(t, m, engine.NetworkCreateOptions{Name: "in", Internal: true})
	create(t, m, engine.NetworkCreateOptions{Name: "plain", DNSDisabled: true})
	set := func(network, dns string) func(r *Request) {
		return func(r *Request) {
			r.Endpoints[0].Network = network
			if dns != "" {
				r.DNS = []netip.Addr{netip.MustParseAddr(dns)}
			}
			r.DNSOptions, r.DNSSearch = []string{"ndots:3"}, []string{"a.example", "b.example"}
		}
	}
	c := connect(t, m, set("one", "192.0.2.2"))
	if got := c.query("udp", dnsAddr, "x.example.", dnsmessage.TypeA); got != "203.0.113.9" {
		t.Errorf("the given server: %q", got)
	}
	if got, want := string(c.result.Resolv), "nameserver 127.0.0.11\nsearch a.example b.example\noptions ndots:3\n"; got != want {
		t.Errorf("resolv.conf is %q, want %q", got, want)
	}
	own := connect(t, m, set("one", "127.0.0.1"))
	own.do(func() error { upstream(t, "127.0.0.1:53", "203.0.113.77"); return nil })
	if got := own.query("udp", dnsAddr, "x.example.", dnsmessage.TypeA); got != "203.0.113.77" {
		t.Errorf("a server in the container: %q", got)
	}
	in := connect(t, m, set("in", ""))
	if got := in.query("udp", dnsAddr, "x.example.", dnsmessage.TypeA); got != "RCodeServerFailure" {
		t.Errorf("in an internal network: %q", got)
	}
	// The default network has no names, and the file has the given server.
	def := connect(t, m, set(Default, "192.0.2.2"))
	if got, want := string(def.result.Resolv), "nameserver 192.0.2.2\nsearch a.example b.example\noptions ndots:3\n"; got != want {
		t.Errorf("resolv.conf is %q, want %q", got, want)
	}
	// Without a given one the host's server at 127.0.0.53 is reached through ours.
	for _, network := range []string{Default, "plain"} {
		c := connect(t, m, set(network, ""))
		if got := c.query("udp", dnsAddr, "x.example.", dnsmessage.TypeA); got != "203.0.113.1" {
			t.Errorf("%s: the host's server: %q", network, got)
		}
		if !strings.HasPrefix(string(c.result.Resolv), "nameserver 127.0.0.11\n") {
			t.Errorf("resolv.conf is %q", c.result.Resolv)
		}
	}
}

// TestLinks: a link is a line of the hosts file in the default network, and a name in others.
func TestLinks(t *testing.T) {
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "one"})
	a := connect(t, m, func(r *Request) { r.Name = "target" })
	b := connect(t, m, func(r *Request) { r.Links = []string{"target:other"} })
	if line := fmt.Sprintf("%s\tother target %s\n", a.ip(Default), a.id[:12]); !strings.Contains(string(b.result.Hosts), line) {
		t.Errorf("hosts has no %q:\n%s", line, b.result.Hosts)
	}
	c := connect(t, m, func(r *Request) { r.Name, r.Endpoints[0].Network = "target", "one" })
	d := connect(t, m, func(r *Request) {
		r.Endpoints[0] = engine.Endpoint{Network: "one", Links: []string{"target:other"}}
	})
	if got := d.query("udp", dnsAddr, "other.", dnsmessage.TypeA); got != c.ip("one").String() {
		t.Errorf("the link is %q", got)
	}
	_, err := tryConnect(t, m, func(r *Request) { r.Links = []string{"nosuch"} })
	wantKind(t, "a link to nobody", err, engine.ErrConflict)
}

// reverseName is the name of an address in a PTR question.
func reverseName(a netip.Addr) string {
	var b strings.Builder
	if a.Is4() {
		q := a.As4()
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", q[3], q[2], q[1], q[0])
	}
	x := a.As16()
	for i := 15; i >= 0; i-- {
		fmt.Fprintf(&b, "%x.%x.", x[i]&15, x[i]>>4)
	}
	return b.String() + "ip6.arpa."
}

func TestParsePTR(t *testing.T) {
	for _, s := range []string{"10.1.2.3", "::1", "fd00:1:2:3:4:5:6:7", "255.255.255.255"} {
		a := netip.MustParseAddr(s)
		got, ok := parsePTR(reverseName(a))
		if !ok || got != a {
			t.Errorf("%s: %v, %v", reverseName(a), got, ok)
		}
	}
	for _, s := range []string{"", ".", "in-addr.arpa.", "1.2.3.in-addr.arpa.", "x.2.3.4.in-addr.arpa.", "1.ip6.arpa.", strings.Repeat("z.", 32) + "ip6.arpa.", strings.Repeat("1", 63) + ".ip6.arpa."} {
		if a, ok := parsePTR(s); ok {
			t.Errorf("%s is %v", s, a)
		}
	}
}

// FuzzAnswer: whatever a container sends, the server neither panics nor answers what is no question.
func FuzzAnswer(f *testing.F) {
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: 1}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("a."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	b, err := q.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0xc0, 12})
	m, err := Open(f.TempDir(), f.TempDir(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	own := &record{ID: newID(), Name: "a", Endpoints: []endpoint{{NetworkID: "n", Network: "net", DNS: true, IPv4: netip.MustParsePrefix("10.0.0.2/24")}}}
	if err := m.writeRecord(own); err != nil {
		f.Fatal(err)
	}
	s := &nameServer{dir: &directory{m: m}, own: func() (*record, map[string]string) { return own, nil }, forward: &forwarder{allowed: func() bool { return false }}}
	f.Fuzz(func(t *testing.T, b []byte) {
		a := s.answer(b, "udp")
		if a == nil {
			return
		}
		var p dnsmessage.Parser
		h, err := p.Start(a)
		if err != nil || !h.Response || h.ID != uint16(b[0])<<8|uint16(b[1]) {
			t.Errorf("answer to %x is %x", b, a)
		}
	})
}

func TestResolv(t *testing.T) {
	const host = "# made by x\nnameserver 127.0.0.53\nnameserver 192.0.2.7 # second\nnameserver fe80::1%eth0\nnameserver nonsense\nsearch a b\noptions edns0\nsearch lan\n"
	ip := netip.MustParseAddr("192.0.2.53")
	for _, c := range []struct {
		name string
		in   ResolvInput
		want string
	}{
		{"the host's", ResolvInput{Host: []byte(host)}, "nameserver 192.0.2.7\nsearch lan\noptions edns0\n"},
		{"in the host's network", ResolvInput{Host: []byte(host), HostNetwork: true}, "nameserver 127.0.0.53\nnameserver 192.0.2.7\nnameserver fe80::1%eth0\nsearch lan\noptions edns0\n"},
		{"given", ResolvInput{Host: []byte(host), DNS: []netip.Addr{ip}, Options: []string{"ndots:2"}, Search: []string{"x", "y"}}, "nameserver 192.0.2.53\nsearch x y\noptions ndots:2\n"},
		{"no search", ResolvInput{Host: []byte(host), Search: []string{"."}}, "nameserver 192.0.2.7\noptions edns0\n"},
		{"own", ResolvInput{Host: []byte(host), DNS: []netip.Addr{ip}, Own: true}, "nameserver 127.0.0.11\nsearch lan\noptions edns0 ndots:0\n"},
		{"own with ndots", ResolvInput{Options: []string{"ndots:5"}, Own: true}, "nameserver 127.0.0.11\noptions ndots:5\n"},
		{"nothing", ResolvInput{}, ""},
	} {
		if d := cmp.Diff(c.want, string(Resolv(c.in))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	if NeedsServer([]byte(host), nil) || !NeedsServer([]byte("nameserver 127.0.0.1\n"), nil) || NeedsServer([]byte("nameserver 127.0.0.1\n"), []netip.Addr{ip}) || NeedsServer(nil, nil) {
		t.Error("NeedsServer is wrong")
	}
}

// FuzzResolv: what comes out is read as the same again.
func FuzzResolv(f *testing.F) {
	f.Add("nameserver 192.0.2.7 # x\nsearch a b\noptions c\n")
	f.Add("nameserver\tfe80::1%eth0\n;\ndomain x")
	f.Fuzz(func(t *testing.T, s string) {
		once := Resolv(ResolvInput{Host: []byte(s), HostNetwork: true})
		if d := cmp.Diff(string(once), string(Resolv(ResolvInput{Host: once, HostNetwork: true}))); d != "" {
			t.Errorf("%q: %s", s, d)
		}
	})
}

func TestHosts(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")
	for _, c := range []struct {
		name string
		in   HostsInput
		want string
	}{
		{"before the start", HostsInput{Hostname: "h", ExtraHosts: []string{"g:host-gateway", "x:192.0.2.1"}}, "192.0.2.1\tx\n"},
		{"all", HostsInput{Hostname: "h", Domainname: "d", Addresses: []netip.Addr{a, b}, ExtraHosts: []string{"g:host-gateway", "y:2001:db8::2"}, Gateway: netip.MustParseAddr("10.0.0.1"),
			Links: []HostsLink{{netip.MustParseAddr("10.0.0.3"), []string{"l", "m"}}}},
			"10.0.0.1\tg\n2001:db8::2\ty\n10.0.0.3\tl m\n10.0.0.2\th.d h\nfd00::2\th.d h\n"},
		{"a full name", HostsInput{Hostname: "h.d.e", Addresses: []netip.Addr{a}}, "10.0.0.2\th.d.e h\n"},
	} {
		if d := cmp.Diff(hostsHead+c.want, string(Hosts(c.in))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}
