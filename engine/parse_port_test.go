package engine

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePort(t *testing.T) {
	lo, lo6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	parserTest(t, ParsePort, map[string]Port{
		"80":                                {Container: "80"},
		"80/udp":                            {Container: "80/udp"},
		"80/UDP":                            {Container: "80/udp"},
		":80":                               {Container: "80"},
		"8080:80/tcp":                       {Container: "80/tcp", Host: "8080"},
		"0:80":                              {Container: "80", Host: "0"},
		"127.0.0.1:8080:80":                 {Container: "80", Host: "8080", HostIP: lo},
		"127.0.0.1::80":                     {Container: "80", HostIP: lo},
		"[::1]:8080:80/sctp":                {Container: "80/sctp", Host: "8080", HostIP: lo6},
		"[::1]::80":                         {Container: "80", HostIP: lo6},
		"8000-8010:9000-9010/udp":           {Container: "9000-9010/udp", Host: "8000-8010"},
		"8000-8010:80":                      {Container: "80", Host: "8000-8010"},
		"9000-9010":                         {Container: "9000-9010"},
		"0.0.0.0:1-65535:1-65535":           {Container: "1-65535", Host: "1-65535", HostIP: netip.IPv4Unspecified()},
		"[::ffff:1.2.3.4]:8080:80/t" + "cp": {Container: "80/tcp", Host: "8080", HostIP: netip.MustParseAddr("::ffff:1.2.3.4")},
	},
		"", ":", "::", "::80", ":8080:80", "80/", "80/xyz", "80/tcp/udp", "0", "65536", "x", "-1", "80-", "-80", "90-80", "80-90-100", "+80", " 80",
		"8080:", "8080:0", "127.0.0.1:8080", "localhost:8080:80", "1.2.3:8080:80", "::1:8080:80", "[::1]", "[::1]:80", "[::1]80", "[127.0.0.1]:8080:80", "[::1:8080:80",
		"[fe80::1%eth0]:8080:80", "8000-8001:80-82", "8000:80-81", "0-10:80", "1:2:3:4", "127.0.0.1:1:2:3", "[::1]:1:2:3", "80\x00", "8080:80:tcp",
	)
}

func TestParsePorts(t *testing.T) {
	got, err := ParsePorts([]string{"80", "443:443"})
	if diff := cmp.Diff([]Port{{Container: "80"}, {Container: "443", Host: "443"}}, got, byAddr); err != nil || diff != "" {
		t.Error(err, diff)
	}
	_, err = ParsePorts([]string{"80", "x"})
	wantInvalid(t, err)
}

func TestPortExpand(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	for _, c := range []struct {
		port Port
		want []PortMapping
		text string
	}{
		{Port{Container: "80"}, []PortMapping{{ContainerPort: 80, Protocol: "tcp"}}, "80"},
		{Port{Container: "80/udp", Host: "8080", HostIP: lo}, []PortMapping{{80, "udp", lo, 8080, 0}}, "127.0.0.1:8080:80/udp"},
		{Port{Container: "80-81", Host: "90-91"}, []PortMapping{{80, "tcp", netip.Addr{}, 90, 0}, {81, "tcp", netip.Addr{}, 91, 0}}, "90-91:80-81"},
		{Port{Container: "80", Host: "90-91"}, []PortMapping{{80, "tcp", netip.Addr{}, 90, 91}}, "90-91:80"},
		{Port{Container: "80-80", Host: "90-90"}, []PortMapping{{80, "tcp", netip.Addr{}, 90, 0}}, "90-90:80-80"},
		{Port{Container: "80-81"}, []PortMapping{{ContainerPort: 80, Protocol: "tcp"}, {ContainerPort: 81, Protocol: "tcp"}}, "80-81"},
		{Port{Container: "80-81", Host: "0"}, []PortMapping{{ContainerPort: 80, Protocol: "tcp"}, {ContainerPort: 81, Protocol: "tcp"}}, "0:80-81"},
		{Port{Container: "80", Host: "90", Range: 2}, []PortMapping{{80, "tcp", netip.Addr{}, 90, 0}, {81, "tcp", netip.Addr{}, 91, 0}}, "90-91:80-81/tcp"},
		{Port{Container: "80/udp", Range: 2}, []PortMapping{{ContainerPort: 80, Protocol: "udp"}, {ContainerPort: 81, Protocol: "udp"}}, "80-81/udp"},
		{Port{Container: "80", Range: 1}, []PortMapping{{ContainerPort: 80, Protocol: "tcp"}}, "80"},
	} {
		got, err := c.port.Expand()
		if diff := cmp.Diff(c.want, got, byAddr); err != nil || diff != "" {
			t.Errorf("%+v: %v %s", c.port, err, diff)
		}
		if c.port.String() != c.text {
			t.Errorf("%+v is %q, want %q", c.port, c.port, c.text)
		}
	}
	for _, p := range []Port{
		{}, {Container: "80-90", Range: 2}, {Container: "80", Host: "90-91", Range: 2}, {Container: "65535", Range: 2},
		{Container: "80", Host: "65535", Range: 2}, {Container: "80", Host: "x"}, {Container: "80", HostIP: netip.MustParseAddr("fe80::1%lo")},
	} {
		_, err := p.Expand()
		wantInvalid(t, err)
	}
}

func TestExpandExpose(t *testing.T) {
	got, err := ExpandExpose("53-54/udp")
	if diff := cmp.Diff([]PortMapping{{ContainerPort: 53, Protocol: "udp"}, {ContainerPort: 54, Protocol: "udp"}}, got, byAddr); err != nil || diff != "" {
		t.Error(err, diff)
	}
	_, err = ExpandExpose("8080:80")
	wantInvalid(t, err)
}

func FuzzParsePort(f *testing.F) {
	for _, s := range []string{"80", "[::1]:8080:80/tcp", "127.0.0.1::80", "8000-8010:9000-9010/udp", ":80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePort(s)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if again, err := ParsePort(p.String()); err != nil || again != p {
			t.Fatalf("%q is %+v, its text %q is %+v, %v", s, p, p.String(), again, err)
		}
		list, err := p.Expand()
		if err != nil || len(list) == 0 {
			t.Fatalf("%q does not expand: %v", s, err)
		}
		for _, m := range list {
			if m.ContainerPort == 0 || m.HostPortEnd != 0 && m.HostPortEnd <= m.HostPort {
				t.Fatalf("%q has %+v", s, m)
			}
		}
	})
}

func FuzzPortExpand(f *testing.F) {
	f.Add("80/tcp", "8080", uint16(3))
	f.Fuzz(func(t *testing.T, container, host string, n uint16) {
		p := Port{Container: container, Host: host, Range: n}
		list, err := p.Expand()
		if err != nil {
			wantInvalid(t, err)
		} else if want := int(max(n, 1)); want > 1 && len(list) != want {
			t.Fatalf("%+v: %d ports", p, len(list))
		}
	})
}
