//go:build linux

package network

import (
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/berthdev/berth/engine"
)

// TestJoin: a running container joins and leaves networks; routes, names and ports follow.
func TestJoin(t *testing.T) {
	outside := lan(t)
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "two", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.78.0/24")}}})
	create(t, m, engine.NetworkCreateOptions{Name: "in", Internal: true})
	c := connect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{tcp(80, 9801, ""), tcp(80, 9802, "127.0.0.1")} })
	c.serve("c", 80)
	peer := connect(t, m, func(r *Request) { r.Name, r.Endpoints[0].Network = "peer", "two" })
	ctx := t.Context()

	res, err := c.session.Join(ctx, engine.Endpoint{Network: "two", IPv4: netip.MustParseAddr("10.199.78.44"), Aliases: []string{"joined"}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Networks["two"].IPv4.String() != "10.199.78.44/24" || len(res.Networks) != 2 || res.Gateway != c.result.Gateway {
		t.Errorf("networks are %+v", res)
	}
	if out := c.sh("ip -4 -o addr show eth1; ip route"); !strings.Contains(out, "10.199.78.44/24") || strings.Count(out, "default") != 1 || !strings.Contains(out, "default via "+c.result.Gateway.String()) {
		t.Errorf("interfaces and routes are\n%s", out)
	}
	// It had no name server: now it has, and is known.
	if !strings.HasPrefix(string(res.Resolv), "nameserver 127.0.0.11\n") || !strings.Contains(string(res.Hosts), "10.199.78.44\t") {
		t.Errorf("files are\n%s%s", res.Resolv, res.Hosts)
	}
	if got := c.query("udp", dnsAddr, "peer.", dnsmessage.TypeA); got != peer.ip("two").String() {
		t.Errorf("peer is %q", got)
	}
	if got := peer.query("udp", dnsAddr, "joined.", dnsmessage.TypeA); got != "10.199.78.44" {
		t.Errorf("joined is %q", got)
	}
	_, err = c.session.Join(ctx, engine.Endpoint{Network: "two"})
	wantKind(t, "a network that it is in", err, engine.ErrConflict)
	_, err = c.session.Join(ctx, engine.Endpoint{Network: "nosuch"})
	wantKind(t, "no network", err, engine.ErrNotFound)
	_, err = c.session.Leave(ctx, "in")
	wantKind(t, "leaving a network that it is not in", err, engine.ErrNotFound)
	wantKind(t, "removal of a network in use", m.Remove(ctx, "two", nil), engine.ErrConflict)

	// It leaves the primary network: the other one takes over.
	if res, err = c.session.Leave(ctx, Default); err != nil {
		t.Fatal(err)
	}
	if res.Gateway.String() != "10.199.78.1" || len(res.Networks) != 1 {
		t.Errorf("networks are %+v", res)
	}
	if out := c.sh("ip -4 -o addr; ip route"); strings.Contains(out, c.ip(Default).String()) || !strings.Contains(out, "default via 10.199.78.1 dev eth1") {
		t.Errorf("addresses and routes are\n%s", out)
	}
	wantAnswer(t, outside, "tcp", "192.0.2.1:9801", "c 192.0.2.2")
	wantAnswer(t, nil, "tcp", "127.0.0.1:9802", "c 10.199.78.1")

	// An internal network alone: no route, no ports outside; back again all is as before.
	if _, err = c.session.Join(ctx, engine.Endpoint{Network: "in"}); err != nil || !strings.Contains(c.sh("ip -o addr"), "eth0") {
		t.Errorf("join: %v", err)
	}
	if res, err = c.session.Leave(ctx, "two"); err != nil {
		t.Fatal(err)
	}
	if out := c.sh("ip route"); strings.Contains(out, "default") || res.Gateway.IsValid() {
		t.Errorf("routes are\n%s", out)
	}
	wantSilence(t, outside, "tcp", "192.0.2.1:9801")
	if _, err := c.session.Join(ctx, engine.Endpoint{Network: Default, GatewayPriority: 1}); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, outside, "tcp", "192.0.2.1:9801", "c 192.0.2.2")
	if err := m.Remove(ctx, "two", func(name, id string) []string { return []string{"someone"} }); err == nil {
		t.Error("a network that a stopped container uses was removed")
	}
	peer.end()
	if err := m.Remove(ctx, "two", nil); err != nil {
		t.Errorf("remove: %v", err)
	}
	_, err = m.Inspect(ctx, "two")
	wantKind(t, "a removed network", err, engine.ErrNotFound)
}

// TestNone: a container without networks has loopback, and may join one.
func TestNone(t *testing.T) {
	m := newManager(t)
	c := connect(t, m, func(r *Request) { r.Endpoints = nil })
	if out := c.sh("ip -o link; ip -4 -o addr"); strings.Contains(out, "eth0") || !strings.Contains(out, "127.0.0.1") {
		t.Errorf("interfaces are\n%s", out)
	}
	res, err := c.session.Join(t.Context(), engine.Endpoint{Network: Default})
	if err != nil || !res.Gateway.IsValid() || !strings.Contains(c.sh("ip route"), "default via "+res.Gateway.String()) {
		t.Errorf("join: %+v, %v", res, err)
	}
}

// TestIsolated: without enable_icc containers of a network do not reach each other.
func TestIsolated(t *testing.T) {
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "icc", Options: map[string]string{"com.docker.network.bridge.enable_icc": "false", "com.docker.network.driver.mtu": "1300", "com.docker.network.container_iface_prefix": "net"}})
	a := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "icc" })
	b := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "icc" })
	b.serve("b", 80)
	wantSilence(t, a.machine, "tcp", b.ip("icc").String()+":80")
	wantAnswer(t, nil, "tcp", b.ip("icc").String()+":80", "b "+b.result.Gateway.String())
	if out := a.sh("ip -o link show net0"); !strings.Contains(out, "mtu 1300") {
		t.Errorf("interface is %s", out)
	}
}
