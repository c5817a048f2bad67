package berth

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/fakeengine"
)

func TestPublishedAddr(t *testing.T) {
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	ip := netip.MustParseAddr
	for name, tc := range map[string]struct {
		engine    string // its address
		published string
		ports     []PortBinding
		mode      string
		port      string
		want      string
		err       error
	}{
		"local":               {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}, {Container: "80/tcp", HostIP: any6, HostPort: 8080}}, "", "80/tcp", "127.0.0.1:8080", nil},
		"without protocol":    {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}}, "", "80", "127.0.0.1:8080", nil},
		"another protocol":    {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}}, "", "80/udp", "", ErrNotFound},
		"udp":                 {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 1}, {Container: "80/udp", HostIP: any4, HostPort: 2}}, "", "80/udp", "127.0.0.1:2", nil},
		"exposed only":        {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: netip.Addr{}, HostPort: 0}}, "", "80", "", ErrNotFound},
		"ipv6 only":           {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: any6, HostPort: 8080}}, "", "80", "[::1]:8080", nil},
		"one address":         {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: ip("10.0.0.5"), HostPort: 8080}}, "", "80", "10.0.0.5:8080", nil},
		"all before one":      {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: ip("10.0.0.5"), HostPort: 1}, {Container: "80/tcp", HostIP: any4, HostPort: 2}}, "", "80", "127.0.0.1:2", nil},
		"no address told":     {"unix:///run/docker.sock", "", []PortBinding{{Container: "80/tcp", HostIP: netip.Addr{}, HostPort: 8080}}, "", "80", "127.0.0.1:8080", nil},
		"tcp engine":          {"tcp://build.example:2375", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}}, "", "80", "build.example:8080", nil},
		"ssh engine":          {"ssh://u@build.example", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}}, "", "80", "build.example:8080", nil},
		"ipv6 engine":         {"tcp://[2001:db8::1]:2375", "", []PortBinding{{Container: "80/tcp", HostIP: any6, HostPort: 8080}}, "", "80", "[2001:db8::1]:8080", nil},
		"its loopback":        {"tcp://build.example:2375", "", []PortBinding{{Container: "80/tcp", HostIP: ip("127.0.0.1"), HostPort: 8080}}, "", "80", "", ErrUnsupported},
		"its other address":   {"tcp://build.example:2375", "", []PortBinding{{Container: "80/tcp", HostIP: ip("10.1.2.3"), HostPort: 8080}}, "", "80", "10.1.2.3:8080", nil},
		"tcp to ourselves":    {"tcp://127.0.0.1:2375", "", []PortBinding{{Container: "80/tcp", HostIP: ip("127.0.0.1"), HostPort: 8080}}, "", "80", "127.0.0.1:8080", nil},
		"option":              {"unix:///run/docker.sock", "198.18.28.2", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}}, "", "80", "198.18.28.2:8080", nil},
		"host's network":      {"unix:///run/docker.sock", "", nil, "host", "80", "127.0.0.1:80", nil},
		"remote's network":    {"tcp://build.example:2375", "", nil, "host", "80", "build.example:80", nil},
		"an engine by a name": {"embedded", "", []PortBinding{{Container: "80/tcp", HostIP: any4, HostPort: 8080}}, "", "80", "127.0.0.1:8080", nil},
	} {
		e := fakeengine.New(nil)
		e.ID.Host = tc.engine
		cli, err := New(t.Context(), WithEngine(e), withEnv(noEnv), WithPublishedHost(tc.published))
		if err != nil {
			t.Fatal(err)
		}
		number, proto, err := splitPort(tc.port)
		if err != nil {
			t.Fatal(err)
		}
		attrs := &Attrs{Ports: tc.ports, HostConfig: HostConfig{NetworkMode: tc.mode}, State: State{Status: StatusRunning}}
		got, err := cli.publishedAddr(attrs, number, proto)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		attrs.State.Status = StatusExited
		if _, err := cli.publishedAddr(attrs, number, proto); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s, ended: %v", name, err)
		}
	}
}

func TestSplitPort(t *testing.T) {
	for _, bad := range []string{"", "0", "x", "65536", "80/", "80/TCP", "80/tcp/x", "-1", "+1", " 80", "80-81"} {
		if _, _, err := splitPort(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzSplitPort(f *testing.F) {
	f.Add("80/tcp")
	f.Fuzz(func(t *testing.T, s string) {
		n, proto, err := splitPort(s)
		if (err == nil) != (n != 0 && proto != "") {
			t.Errorf("%q: %d, %q, %v", s, n, proto, err)
		}
	})
}

func TestAddrAndPorts(t *testing.T) {
	cli, _ := newFake(t)
	s := spec("sleep")
	s.Ports = []Port{{Container: "80", Host: "8080"}}
	c, err := cli.Containers.Create(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Addr(soon(t), "80"); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("before the start: %v", err)
	}
	if err := c.Start(soon(t)); err != nil {
		t.Fatal(err)
	}
	if addr, err := c.Addr(soon(t), "80"); addr != "127.0.0.1:8080" || err != nil {
		t.Errorf("%s, %v", addr, err)
	}
	if ports, err := c.Ports(soon(t)); len(ports) != 1 || err != nil {
		t.Errorf("%v, %v", ports, err)
	}
	if _, err := c.Addr(soon(t), "http"); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v", err)
	}
}
