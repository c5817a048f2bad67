package engine

import (
	"net/netip"
	"testing"
)

func TestParseNetwork(t *testing.T) {
	v4, v6 := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("fd00::5")
	full := Endpoint{Network: "net", IPv4: v4, IPv6: v6, MACAddress: "02:42:ac:11:00:02", Aliases: []string{"a", "b"}, InterfaceName: "eth5"}
	parserTest(t, ParseNetwork, map[string]Endpoint{
		"net": {Network: "net"},
		"net:ip=10.0.0.5,ip6=fd00::5,mac=02:42:ac:11:00:02,alias=a,alias=b,interface_name=eth5":              full,
		"net:ip=10.0.0.5,ip=fd00::5,mac-address=02:42:ac:11:00:02,alias=a,alias=b,interface-name=eth5":       full,
		"name=net,ip=10.0.0.5,ip6=fd00::5,mac-address=02:42:ac:11:00:02,alias=a,alias=b,interface-name=eth5": full,
		"name=net,driver-opt=a=b=c,driver-opt=d=,gw-priority=-3,link-local-ip=169.254.1.1": {
			Network: "net", DriverOptions: map[string]string{"a": "b=c", "d": ""}, GatewayPriority: -3, LinkLocalIPs: []netip.Addr{netip.MustParseAddr("169.254.1.1")}},
	}, "", ":", "net:", ":ip=10.0.0.5", "host", "none", "container:x", "net:x", "net:ip=", "net:ip=x", "net:ip6=10.0.0.5", "net:ip=10.0.0.5,ip=10.0.0.6", "net:mac=x",
		"net:mac=02:42:ac:11:00:02:00:00", "net:mac=02:42:ac:11:00:02,mac=02:42:ac:11:00:03", "net:alias=", "net:foo=bar", "ip=10.0.0.5", "name=a,name=b", "net:name=other",
		"net:ip6=fe80::1%eth0", "net:gw-priority=x", "net:driver-opt==x", "a b", "net,b", `net:"alias=a`, "net:ip6=::ffff:10.0.0.5", "net:link-local-ip=x", "name=host")
}

func TestParseExtraHost(t *testing.T) {
	for in, want := range map[string][2]string{
		"a:1.2.3.4":         {"a", "1.2.3.4"},
		"a=1.2.3.4":         {"a", "1.2.3.4"},
		"a.b-c:::1":         {"a.b-c", "::1"},
		"a=[::1]":           {"a", "::1"},
		"a:[::1]":           {"a", "::1"},
		"a:host-gateway":    {"a", "host-gateway"},
		"a=host-gateway":    {"a", "host-gateway"},
		"a;b:1.2.3.4":       {"a;b", "1.2.3.4"},
		"a:::ffff:10.0.0.1": {"a", "::ffff:10.0.0.1"},
	} {
		name, address, err := ParseExtraHost(in)
		if err != nil || name != want[0] || address != want[1] {
			t.Errorf("%q: %q, %q, %v", in, name, address, err)
		}
	}
	for _, in := range []string{"", ":", "a", "a:", ":1.2.3.4", "a:b", "a b:1.2.3.4", "a:1.2.3", "a:[::1", "a:fe80::1%eth0", "a#:1.2.3.4", "a\n:1.2.3.4", "a:1.2.3.4 "} {
		_, _, err := ParseExtraHost(in)
		wantInvalid(t, err)
	}
}

func FuzzParseNetwork(f *testing.F) {
	f.Add("net:ip=10.0.0.5,ip6=fd00::5,mac=02:42:ac:11:00:02,alias=a", "a:::1")
	f.Add("name=net,driver-opt=a=b,gw-priority=3", "a=[::1]")
	f.Fuzz(func(t *testing.T, network, host string) {
		e, err := ParseNetwork(network)
		if err != nil {
			wantInvalid(t, err)
		} else if faults := e.check(); len(faults) > 0 {
			t.Fatalf("%q gives %+v, which has %+v", network, e, faults)
		}
		name, address, err := ParseExtraHost(host)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if n2, a2, err := ParseExtraHost(name + ":" + address); err != nil || n2 != name || a2 != address {
			t.Fatalf("%q gives %q, %q; again %q, %q, %v", host, name, address, n2, a2, err)
		}
	})
}
