//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/nftables"

	"github.com/berthdev/berth/engine"
)

// monitor is the process of play.
type monitor struct {
	t    *testing.T
	kill func()
	ask  func(line string) string
	end  func() string
}

func startMonitor(t *testing.T, m *Manager) *monitor {
	t.Helper()
	cmd, in, out := child(t, "monitor", "BERTH_ROOT="+m.root, "BERTH_RUN="+m.run)
	return &monitor{
		t:    t,
		kill: func() { cmd.Process.Kill(); cmd.Wait() },
		ask: func(line string) string {
			io.WriteString(in, line+"\n")
			out.Scan()
			return out.Text()
		},
		end: func() string {
			in.Close()
			out.Scan()
			return out.Text()
		},
	}
}

// connected reads an answer of a monitor; the process is killed at the end of the test.
func (m *monitor) connected(line string) (id string, pid int, a netip.Addr) {
	m.t.Helper()
	f := strings.Fields(m.ask(line))
	if len(f) != 3 {
		m.t.Fatalf("%s: %v", line, f)
	}
	pid, err := strconv.Atoi(f[1])
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	return f[0], pid, netip.MustParseAddr(f[2])
}

// elements is how many ports the table has.
func elements(t *testing.T, m *Manager) int {
	t.Helper()
	tb, err := openTable(m.run)
	if err != nil {
		t.Fatal(err)
	}
	defer tb.close()
	n := 0
	for _, name := range []string{"ports4", "ports6", "addressports4", "addressports6"} {
		list, err := tb.conn.GetSetElements(tb.set(name))
		if err != nil {
			t.Fatal(err)
		}
		n += len(list)
	}
	return n
}

// TestKilledMonitor: after kill -9 of a monitor Release finds and removes everything, any number of times, whether the container lives or not.
func TestKilledMonitor(t *testing.T) {
	lan(t)
	m := newManager(t)
	for _, dead := range []bool{true, false} {
		mon := startMonitor(t, m)
		id, pid, _ := mon.connected(Default + " 9401")
		if n := elements(t, m); n != 2 {
			t.Errorf("%d ports in the table, want 2", n)
		}
		if err := m.Release(t.Context(), id); err == nil {
			t.Error("a container with a living monitor was released")
		}
		mon.kill()
		if dead {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		// It may have been about to write its record.
		if err := os.WriteFile(m.recordPath(id)+tempExt, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := m.Release(t.Context(), id); err != nil {
				t.Errorf("release: %v", err)
			}
		}
		if n := elements(t, m); n != 0 {
			t.Errorf("%d ports in the table after the release", n)
		}
		if err := m.Sweep(t.Context(), 0); err != nil {
			t.Errorf("sweep: %v", err)
		}
		nothingLeft(t, m)
		if left, err := names(m.netDir("containers")); err != nil || len(left) > 0 {
			t.Errorf("files are left: %v, %v", left, err)
		}
	}
	if err := m.Release(t.Context(), newID()); err != nil {
		t.Errorf("release of a container that never was: %v", err)
	}
}

// TestKilledCreate: what a process has left of a network that it was about to make, the next one removes.
func TestKilledCreate(t *testing.T) {
	m := newManager(t)
	left := m.configPath("left") + tempExt
	if err := os.WriteFile(left, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := m.files(); err != nil || len(list) > 0 {
		t.Errorf("networks are %v, %v", list, err)
	}
	create(t, m, engine.NetworkCreateOptions{Name: "other"})
	if _, err := os.Lstat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
}

// TestDeadGiveWay: without a Release, the next one that needs an address or a port of the dead gets it, and names of the dead are not known.
func TestDeadGiveWay(t *testing.T) {
	outside := lan(t)
	upstream(t, "127.0.0.53:53", "203.0.113.1")
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "small", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.9.0/29")}}})
	mon := startMonitor(t, m)
	var ids []string
	var fixed netip.Addr
	for i := range 5 {
		id, _, a := mon.connected(fmt.Sprintf("small %d", 9501+i))
		ids, fixed = append(ids, id), a
	}
	if got := mon.ask("small 0"); !strings.Contains(got, "no free address") {
		t.Errorf("a full network: %s", got)
	}
	mon.kill()
	c := connect(t, m, func(r *Request) {
		r.Endpoints[0] = engine.Endpoint{Network: "small", IPv4: fixed}
		r.Ports = []engine.PortMapping{tcp(81, 9505, ""), tcp(82, 9501, "")}
	})
	c.serve("c", 81)
	wantAnswer(t, outside, "tcp", "192.0.2.1:9505", "c 192.0.2.2")
	if got := c.query("udp", dnsAddr, "n"+ids[1][:8]+".", 1); got != "203.0.113.1" {
		t.Errorf("the name of a dead container: %s", got)
	}
	a, err := m.Inspect(t.Context(), "small")
	if err != nil || len(a.Containers) != 1 {
		t.Errorf("containers are %v, %v", a.Containers, err)
	}
	for range 4 {
		connect(t, m, func(r *Request) { r.Endpoints[0].Network = "small" })
	}
}

// TestProcesses: several processes give out addresses at once, none twice, and leave nothing.
func TestProcesses(t *testing.T) {
	m := newManager(t)
	const processes, each = 4, 6
	type got struct {
		addrs []string
		end   string
	}
	results := make(chan got)
	for range processes {
		mon := startMonitor(t, m)
		go func() {
			var g got
			for range each {
				f := strings.Fields(mon.ask(Default + " 0"))
				g.addrs = append(g.addrs, f[len(f)-1])
			}
			g.end = mon.end()
			results <- g
		}()
	}
	seen := map[string]bool{}
	for range processes {
		g := <-results
		if g.end != "closed" {
			t.Errorf("a monitor says %q", g.end)
		}
		for _, a := range g.addrs {
			if _, err := netip.ParseAddr(a); err != nil || seen[a] {
				t.Errorf("address %q", a)
			}
			seen[a] = true
		}
	}
	if len(seen) != processes*each {
		t.Errorf("%d addresses, want %d", len(seen), processes*each)
	}
}

// TestFlushedTable: where somebody has flushed all tables, the next container brings ours back, with the ports of the others.
func TestFlushedTable(t *testing.T) {
	outside := lan(t)
	m := newManager(t)
	c := connect(t, m, func(r *Request) { r.Ports = []engine.PortMapping{tcp(80, 9601, "")} })
	c.serve("c", 80)
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	conn.FlushRuleset()
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, outside, "tcp", "192.0.2.1:9601", "c "+c.result.Gateway.String())
	connect(t, m, nil)
	wantAnswer(t, outside, "tcp", "192.0.2.1:9601", "c 192.0.2.2")
	wantAnswer(t, c.machine, "tcp", "192.0.2.1:9601", "c "+c.result.Gateway.String())
}

// TestSecondConnect: a container is connected once; after the end it may be again.
func TestSecondConnect(t *testing.T) {
	m := newManager(t)
	c := connect(t, m, nil)
	_, _, err := m.Connect(t.Context(), Request{ContainerID: c.id, PID: c.pid(), Endpoints: []engine.Endpoint{{Network: Default}}})
	wantKind(t, "a second connection", err, engine.ErrConflict)
	c.end()
	again := newMachine(t)
	_, s, err := m.Connect(t.Context(), Request{ContainerID: c.id, PID: again.pid(), Endpoints: []engine.Endpoint{{Network: Default}}})
	if err != nil {
		t.Fatal(err)
	}
	again.kill()
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestFailedConnect: whatever fails, nothing is left.
func TestFailedConnect(t *testing.T) {
	m := newManager(t)
	create(t, m, engine.NetworkCreateOptions{Name: "one", IPv6: true})
	for name, set := range map[string]func(r *Request){
		"no process": func(r *Request) { r.PID = 1 << 30 },
		"no network": func(r *Request) { r.Endpoints = append(r.Endpoints, engine.Endpoint{Network: "nosuch"}) },
		"twice":      func(r *Request) { r.Endpoints = append(r.Endpoints, engine.Endpoint{Network: Default}) },
		"an interface twice": func(r *Request) {
			r.Endpoints = append(r.Endpoints, engine.Endpoint{Network: "one", InterfaceName: "eth0"})
		},
		"a wrong interface's name": func(r *Request) { r.Endpoints[0].InterfaceName = "a/b" },
		"an option of nobody":      func(r *Request) { r.Endpoints[0].DriverOptions = map[string]string{"com.docker.network.x": "y"} },
		"a group's MAC address":    func(r *Request) { r.Endpoints[0].MACAddress = "03:00:00:00:00:01" },
	} {
		_, err := tryConnect(t, m, func(r *Request) {
			r.Ports = []engine.PortMapping{tcp(80, 9701, "")}
			set(r)
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if ids, err := m.records(); err != nil || len(ids) > 0 {
			t.Errorf("%s: records are left: %v, %v", name, ids, err)
		}
	}
}
