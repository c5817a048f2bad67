//go:build linux

package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
)

// TestDefaultNetwork: a container has an address, a way out through the host's, and nobody outside comes in.
func TestDefaultNetwork(t *testing.T) {
	outside := lan(t)
	outside.serve("outside", 7000)
	m := newManager(t)
	c := connect(t, m, nil)
	ep := c.result.Networks[Default]
	if !ep.IPv4.IsValid() || ep.Gateway != c.result.Gateway || !ep.IPv4.Contains(ep.Gateway) {
		t.Fatalf("endpoint is %+v", ep)
	}
	out := c.sh("ip -4 -o addr show eth0; ip route; ip -o link show eth0; ip -4 -o addr show lo")
	for _, want := range []string{ep.IPv4.String(), "default via " + ep.Gateway.String() + " dev eth0", ep.MACAddress, "mtu 1400", "127.0.0.1/8"} {
		if !strings.Contains(out, want) {
			t.Errorf("the container has no %q:\n%s", want, out)
		}
	}
	// Others see the host's address.
	wantAnswer(t, c.machine, "tcp", "192.0.2.2:7000", "outside 192.0.2.1")
	wantAnswer(t, c.machine, "udp", "192.0.2.2:7000", "outside 192.0.2.1")
	// The host reaches the container, the neighbour does not, even if it knows the way.
	c.serve("c", 80)
	wantAnswer(t, nil, "tcp", c.ip(Default).String()+":80", "c "+ep.Gateway.String())
	outside.sh("ip route add " + ep.IPv4.Masked().String() + " via 192.0.2.1")
	wantSilence(t, outside, "tcp", c.ip(Default).String()+":80")
	// Containers of one network reach each other.
	d := connect(t, m, nil)
	wantAnswer(t, d.machine, "tcp", c.ip(Default).String()+":80", "c "+d.ip(Default).String())
	// Another network does not.
	create(t, m, engine.NetworkCreateOptions{Name: "other"})
	o := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "other" })
	wantSilence(t, o.machine, "tcp", c.ip(Default).String()+":80")
	o.serve("o", 80)
	wantSilence(t, c.machine, "tcp", o.ip("other").String()+":80")
	wantAnswer(t, o.machine, "tcp", "192.0.2.2:7000", "outside 192.0.2.1")
}

// TestFixed: addresses, MAC address, names of interfaces and the primary network are as asked for.
func TestFixed(t *testing.T) {
	lan(t)
	m := newManager(t)
	v4, v6 := netip.MustParsePrefix("10.199.77.0/24"), netip.MustParsePrefix("fd00:77::/64")
	create(t, m, engine.NetworkCreateOptions{Name: "one", Subnets: []engine.Subnet{
		{Subnet: v4, Gateway: netip.MustParseAddr("10.199.77.254"), Range: netip.MustParsePrefix("10.199.77.64/30")}, {Subnet: v6}}})
	create(t, m, engine.NetworkCreateOptions{Name: "two"})
	create(t, m, engine.NetworkCreateOptions{Name: "three", Internal: true})
	c := connect(t, m, func(r *Request) {
		r.Endpoints = []engine.Endpoint{
			{Network: "three"},
			{Network: "one", IPv4: netip.MustParseAddr("10.199.77.99"), IPv6: netip.MustParseAddr("fd00:77::99"), MACAddress: "02:42:0a:c7:4d:63",
				LinkLocalIPs: []netip.Addr{netip.MustParseAddr("169.254.9.9")}},
			{Network: "two", InterfaceName: "wan", GatewayPriority: 7},
		}
	})
	out := c.sh("ip -o addr; ip route; ip -6 route; ip -o link")
	for _, want := range []string{"eth1    inet 10.199.77.99/24", "fd00:77::99/64", "169.254.9.9/16", "02:42:0a:c7:4d:63", "eth0", "wan",
		"default via " + c.result.Networks["two"].Gateway.String() + " dev wan", "default via fd00:77::1 dev eth1"} {
		if !strings.Contains(out, want) {
			t.Errorf("the container has no %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "scope global tentative") || strings.Count(out, "default via") != 2 {
		t.Errorf("addresses and routes are\n%s", out)
	}
	a, err := m.Inspect(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if n := a.Containers[c.id]; n.IPv4.String() != "10.199.77.99/24" || n.IPv6.String() != "fd00:77::99/64" || n.MACAddress != "02:42:0a:c7:4d:63" {
		t.Errorf("inspect shows %+v", a.Containers)
	}
	// The address is taken; the range has addresses of its own and then no more.
	join := func(a string) (*container, error) {
		return tryConnect(t, m, func(r *Request) {
			r.Endpoints = []engine.Endpoint{{Network: "one"}}
			if a != "" {
				r.Endpoints[0].IPv4 = netip.MustParseAddr(a)
			}
		})
	}
	_, err = join("10.199.77.99")
	wantKind(t, "an address in use", err, engine.ErrConflict)
	for range 4 {
		n, err := join("")
		if err != nil {
			t.Fatal(err)
		}
		if a := n.ip("one"); !netip.MustParsePrefix("10.199.77.64/30").Contains(a) {
			t.Errorf("%s is not in the range", a)
		}
	}
	_, err = join("")
	wantKind(t, "a full range", err, engine.ErrConflict)
	for _, bad := range []string{"10.199.78.1", "10.199.77.254", "10.199.77.0", "10.199.77.255"} {
		_, err = join(bad)
		wantKind(t, bad, err, engine.ErrInvalid)
	}
}

// TestInternal: an internal network has no way out, and its containers reach each other.
func TestInternal(t *testing.T) {
	outside := lan(t)
	outside.serve("outside", 7000)
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "in", Internal: true})
	a := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "in" })
	b := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "in" })
	b.serve("b", 80)
	wantAnswer(t, a.machine, "tcp", b.ip("in").String()+":80", "b "+a.ip("in").String())
	wantSilence(t, a.machine, "tcp", "192.0.2.2:7000")
	// A route that the container makes itself does not help.
	a.sh("ip route add default via " + a.bridge("in").String())
	wantSilence(t, a.machine, "tcp", "192.0.2.2:7000")
	_, err := tryConnect(t, m, func(r *Request) {
		r.Endpoints[0].Network = "in"
		r.Ports = []engine.PortMapping{{ContainerPort: 80, Protocol: "tcp"}}
	})
	wantKind(t, "ports of an internal network", err, engine.ErrInvalid)
}

// TestIPv6: addresses of both families reach the outside under the host's address.
func TestIPv6(t *testing.T) {
	outside := lan(t)
	outside.serve("outside", 7000)
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "six", IPv6: true})
	c := connect(t, m, func(r *Request) {
		r.Endpoints[0].Network = "six"
		r.Ports = []engine.PortMapping{{ContainerPort: 80, Protocol: "tcp", HostPort: 8086}, {ContainerPort: 80, Protocol: "udp", HostPort: 8086}}
	})
	wantAnswer(t, c.machine, "tcp", "[2001:db8::2]:7000", "outside 2001:db8::1")
	c.serve("c", 80)
	for _, network := range []string{"tcp", "udp"} {
		wantAnswer(t, outside, network, "[2001:db8::1]:8086", "c 2001:db8::2")
		wantAnswer(t, outside, network, "192.0.2.1:8086", "c 192.0.2.2")
		wantAnswer(t, nil, network, "[::1]:8086", "c "+c.result.IPv6Gateway.String())
	}
	wantSilence(t, outside, "tcp", "["+c.ip6("six").String()+"]:80")
}
