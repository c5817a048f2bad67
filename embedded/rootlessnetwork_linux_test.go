package embedded

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// datagrams is the variable that makes this program a server inside a container: it sends each datagram that comes to this
// address back, with a word in front. busybox has none.
const datagrams = "BERTH_TEST_DATAGRAMS"

func init() {
	addr := os.Getenv(datagrams)
	if addr == "" {
		return
	}
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		os.Exit(1)
	}
	b := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			os.Exit(1)
		}
		c.WriteTo(append([]byte("back "), b[:n]...), from)
	}
}

// program mounts a copy of this program, and what it is linked with, into a container.
func (r *userRig) program() []engine.Mount {
	r.t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	r.check(err)
	path := filepath.Join(r.t.TempDir(), "program")
	r.check(os.WriteFile(path, b, 0o755))
	mounts := []engine.Mount{{Type: engine.MountBind, Source: path, Target: "/program", ReadOnly: true}}
	for _, dir := range []string{"/lib", "/lib64"} { // with the race detector it needs them
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			mounts = append(mounts, engine.Mount{Type: engine.MountBind, Source: real, Target: dir, ReadOnly: true})
		}
	}
	return mounts
}

// network: an interface through a helper program, a way out, and published ports.
func (r *userRig) network(helper string) {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	const mac = "02:42:ac:11:00:77"
	spec := engine.Spec{NetworkMode: helper, MACAddress: mac, Mounts: r.program(), Ports: []engine.Port{
		{HostIP: loopback, Container: "80"}, {HostIP: loopback, Container: "81/udp"}, {Container: "82/udp"},
	}}
	id := r.start(spec, "sh", "-c", "for p in 81 82; do "+datagrams+"=:$p /program & done; exec nc -ll -p 80 -e echo served")
	a, err := r.ContainerInspect(r.t.Context(), id, engine.InspectOptions{})
	r.check(err)
	if n := a.Networks[helper]; !n.IPv4.IsValid() && !n.IPv6.IsValid() || n.MACAddress != mac {
		r.t.Errorf("networks: %+v", a.Networks)
	}
	tried := map[string]bool{}
	for _, p := range a.Ports {
		if p.HostPort == 0 || p.HostIP.IsValid() && p.HostIP.Is6() {
			continue
		}
		tried[p.Container] = true
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.HostPort)))
		if p.Container == "80/tcp" {
			r.ask("tcp", at, "served\n", "served\n")
			continue
		}
		r.ask("udp", at, "one", "back one")
		if p.Container == "82/udp" { // on all addresses
			r.ask("udp", net.JoinHostPort(testenv.HostAddress, strconv.Itoa(int(p.HostPort))), "two", "back two")
		}
	}
	if len(tried) != 3 {
		r.t.Errorf("ports: %+v", a.Ports)
	}
	r.outbound(helper)
	low := r.create(engine.Spec{NetworkMode: helper, Ports: []engine.Port{{HostIP: loopback, Host: "99", Container: "80"}}}, "true")
	defer r.remove(low)
	if err := r.ContainerStart(r.t.Context(), low, engine.StartOptions{}); err == nil || !strings.Contains(err.Error(), "99") || !strings.Contains(err.Error(), "ip_unprivileged_port_start") {
		r.t.Errorf("a port below 1024: %v", err)
	}
}

// ask sends a word and waits for the answer, over new connections until there is one.
func (r *userRig) ask(network, to, word, want string) {
	r.t.Helper()
	got := ""
	await(r.t, func() bool {
		c, err := net.DialTimeout(network, to, time.Second)
		if err != nil {
			return false
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Second))
		io.WriteString(c, word)
		b := make([]byte, 64)
		n, _ := c.Read(b)
		got = string(b[:n])
		return got != ""
	})
	if got != want {
		r.t.Errorf("%s %s answers %q, want %q", network, to, got, want)
	}
}

// outbound: a container reaches a server of the host, with TCP and with UDP; not the host's loopback.
func (r *userRig) outbound(helper string) {
	greet := func(addr string) string {
		l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
		r.check(err)
		r.t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					c.SetDeadline(time.Now().Add(10 * time.Second))
					io.WriteString(c, "welcome\n")
					io.Copy(io.Discard, c) // until the other side closes: pasta can lose what comes with the end of both
				}()
			}
		}()
		_, port, err := net.SplitHostPort(l.Addr().String())
		r.check(err)
		return port
	}
	// An old pasta on a new kernel can say it several times and lose the end of the connection: that it comes through counts.
	ask := "nc -w 5 " + testenv.HostAddress + " " + greet(testenv.HostAddress) + " </dev/null >/said & for i in $(seq 100); do [ -s /said ] && break; sleep 0.1; done; cat /said"
	if out := r.output(engine.Spec{NetworkMode: helper}, ask); !strings.HasPrefix(out, "welcome") {
		r.t.Errorf("the host says %q", out)
	}
	// The gateway would be the host's loopback, if the helper were let.
	hidden := greet("127.0.0.1")
	if code, out := r.sh(engine.Spec{NetworkMode: helper}, "nc -w 2 $(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p') "+hidden+" </dev/null"); code == 0 || strings.Contains(out, "welcome") {
		r.t.Errorf("the host's loopback is reached: %d, %q", code, out)
	}
	c, err := net.ListenPacket("udp", net.JoinHostPort(testenv.HostAddress, "0"))
	r.check(err)
	defer c.Close()
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo(answer(b[:n]), from)
		}
	}()
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	if out := r.output(engine.Spec{NetworkMode: helper}, "nslookup -type=a berth.example "+testenv.HostAddress+":"+port); !strings.Contains(out, "192.0.2.7") {
		r.t.Errorf("a server of names says %q", out)
	}
}

// answer is the answer to a question for an address: 192.0.2.7.
func answer(query []byte) []byte {
	end := 12
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	if end+5 > len(query) {
		return nil
	}
	out := append([]byte{}, query[:end+5]...)
	copy(out[2:], []byte{0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0})
	return append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7)
}

// noNetwork: without a helper the default network is an error that says what to do.
func (r *userRig) noNetwork() {
	_, err := r.ContainerCreate(r.t.Context(), &engine.Spec{Image: image1}, engine.CreateOptions{})
	if !errors.Is(err, engine.ErrUnsupported) || !strings.Contains(err.Error(), "passt") || !strings.Contains(err.Error(), "none or host") {
		r.t.Error(err)
	}
	if code, out := r.sh(engine.Spec{NetworkMode: "host"}, "ip link show lo"); code != 0 {
		r.t.Errorf("%d: %s", code, out)
	}
}
