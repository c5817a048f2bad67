//go:build linux

package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// The tests run in network and mount namespaces of their own: TestMain executes the test binary again in them. The
// name of the role is in the environment.
const roleVar = "BERTH_NETWORK_TEST"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVar); role {
	case "":
		if os.Geteuid() != 0 {
			fmt.Fprintln(os.Stderr, "these tests make network namespaces: run them as root")
			os.Exit(1)
		}
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), roleVar+"=tests")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			os.Exit(exit.ExitCode())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "tests":
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, "prepare namespaces:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	default:
		os.Exit(play(role))
	}
}

// The host of the tests: ext0 leads to another machine.
var (
	hostAddr  = netip.MustParsePrefix("192.0.2.1/24")
	lanAddr   = netip.MustParsePrefix("192.0.2.2/24")
	hostAddr6 = netip.MustParsePrefix("2001:db8::1/64")
	lanAddr6  = netip.MustParsePrefix("2001:db8::2/64")
)

// prepare makes the host: loopback, and a resolv.conf of our own.
func prepare() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return err
	}
	if err := os.WriteFile("/run/resolv.conf", []byte("nameserver 127.0.0.53\nsearch lan.example\n"), 0o644); err != nil {
		return err
	}
	if err := unix.Mount("/run/resolv.conf", hostResolv, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// machine is a network namespace with a process in it: a container, or another machine.
type machine struct {
	t   testing.TB
	cmd *exec.Cmd
	ns  *os.File
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ns, err := openNamespace(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, cmd: cmd, ns: ns}
	t.Cleanup(m.kill)
	return m
}

// kill ends it; what it has of networks goes with it.
func (m *machine) kill() {
	if m.ns == nil {
		return
	}
	m.ns.Close()
	m.ns = nil
	m.cmd.Process.Kill()
	m.cmd.Wait()
}

func (m *machine) pid() int { return m.cmd.Process.Pid }

// do runs f on a thread in the namespace.
func (m *machine) do(f func() error) {
	m.t.Helper()
	if err := inNamespace(m.ns, f); err != nil {
		m.t.Fatal(err)
	}
}

// sh runs a command in the namespace.
func (m *machine) sh(line string) string {
	m.t.Helper()
	var out []byte
	m.do(func() error {
		var err error
		if out, err = exec.Command("/bin/sh", "-c", line).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, out)
		}
		return nil
	})
	return string(out)
}

// serve answers every connection and packet at a port with "NAME CLIENT".
func (m *machine) serve(name string, port uint16) {
	m.t.Helper()
	m.do(func() error {
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		m.t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintf(c, "%s %s", name, host)
				c.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, c)
				c.Close()
			}
		}()
		u, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
		if err != nil {
			return err
		}
		m.t.Cleanup(func() { u.Close() })
		go func() {
			buf := make([]byte, 100)
			for {
				_, from, err := u.ReadFrom(buf)
				if err != nil {
					return
				}
				host, _, _ := net.SplitHostPort(from.String())
				u.WriteTo(fmt.Appendf(nil, "%s %s", name, host), from)
			}
		}()
		return nil
	})
}

// ask dials from the machine (nil: the host) and returns what is answered, or the error.
func (m *machine) ask(network, addr string) (string, error) {
	var conn net.Conn
	dial := func() (err error) {
		d := net.Dialer{Timeout: 2 * time.Second}
		conn, err = d.Dial(network, addr)
		return err
	}
	var err error
	if m == nil {
		err = dial()
	} else {
		err = inNamespace(m.ns, dial)
	}
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if strings.HasPrefix(network, "udp") {
		conn.Write([]byte("x"))
		buf := make([]byte, 100)
		n, err := conn.Read(buf)
		return string(buf[:n]), err
	}
	b, err := io.ReadAll(conn)
	return string(b), err
}

// lan joins a new machine to the host over ext0, and makes it the host's default route.
func lan(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = "ext0", 1400
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(m.ns.Fd())}); err != nil {
		t.Fatal(err)
	}
	ext, err := netlink.LinkByName("ext0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { netlink.LinkDel(ext) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(addAddr(nil, ext, hostAddr))
	must(addAddr(nil, ext, hostAddr6))
	must(netlink.LinkSetUp(ext))
	m.do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		eth, err := h.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join(loopbackUp(h), addAddr(h, eth, lanAddr), addAddr(h, eth, lanAddr6), h.LinkSetUp(eth))
	})
	must(netlink.RouteAdd(&netlink.Route{LinkIndex: ext.Attrs().Index, Gw: lanAddr.Addr().AsSlice()}))
	must(netlink.RouteAdd(&netlink.Route{LinkIndex: ext.Attrs().Index, Gw: lanAddr6.Addr().AsSlice()}))
	return m
}

// newManager opens networks of their own; at the end nothing of them may be left.
func newManager(t testing.TB) *Manager {
	t.Helper()
	// /run is a file system in memory, as it is where the engine runs.
	dir, err := os.MkdirTemp("/run", "berth")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m, err := Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Sweep(context.Background(), 0); err != nil {
			t.Errorf("sweep: %v", err)
		}
		nothingLeft(t, m)
	})
	return m
}

// nothingLeft checks that no bridge, interface, table, address or record of m exists.
func nothingLeft(t testing.TB, m *Manager) {
	t.Helper()
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		a := l.Attrs()
		others := false // in the bridge of another state directory
		if master, err := netlink.LinkByIndex(a.MasterIndex); err == nil && a.MasterIndex != 0 {
			others = strings.HasPrefix(master.Attrs().Alias, "berth") && !strings.HasPrefix(master.Attrs().Alias, tableName(m.run)+" ")
		}
		if strings.HasPrefix(a.Alias, tableName(m.run)+" ") || strings.HasPrefix(a.Name, "veth") && !others {
			t.Errorf("interface %s is left", a.Name)
		}
	}
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	tables, err := c.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, tb := range tables {
		if tb.Name == tableName(m.run) {
			t.Errorf("table %s is left", tb.Name)
		}
	}
	for _, dir := range []string{"containers", "addresses/*", "endpoints/*"} {
		list, err := filepath.Glob(m.netDir(dir, "[^.]*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 {
			t.Errorf("files are left: %v", list)
		}
	}
}

// container is a machine in networks.
type container struct {
	*machine
	id      string
	session *Session
	result  *Result
}

// connect makes a container; set changes its request.
func connect(t testing.TB, m *Manager, set func(r *Request)) *container {
	t.Helper()
	c, err := tryConnect(t, m, set)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return c
}

func tryConnect(t testing.TB, m *Manager, set func(r *Request)) (*container, error) {
	t.Helper()
	id := newID()
	c := &container{machine: newMachine(t), id: id}
	r := Request{ContainerID: id, Name: "c-" + id[:6], Hostname: id[:12], PID: c.pid(), Endpoints: []engine.Endpoint{{Network: Default}}}
	if set != nil {
		set(&r)
	}
	var err error
	c.result, c.session, err = m.Connect(t.Context(), r)
	if err != nil {
		c.kill()
		return nil, err
	}
	t.Cleanup(func() {
		c.kill()
		if err := c.session.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c, nil
}

// end ends the container as a monitor does.
func (c *container) end() {
	c.t.Helper()
	c.kill()
	if err := c.session.Close(c.t.Context()); err != nil {
		c.t.Errorf("close: %v", err)
	}
}

func (c *container) ip(network string) netip.Addr  { return c.result.Networks[network].IPv4.Addr() }
func (c *container) ip6(network string) netip.Addr { return c.result.Networks[network].IPv6.Addr() }

func create(t testing.TB, m *Manager, o engine.NetworkCreateOptions) *engine.NetworkAttrs {
	t.Helper()
	a, err := m.Create(t.Context(), o)
	if err != nil {
		t.Fatalf("create network: %v", err)
	}
	return a
}

func wantAnswer(t testing.TB, from *machine, network, addr, want string) {
	t.Helper()
	got, err := from.ask(network, addr)
	if err != nil || got != want {
		t.Errorf("%s %s answers %q, %v; want %q", network, addr, got, err, want)
	}
}

func wantSilence(t testing.TB, from *machine, network, addr string) {
	t.Helper()
	if got, err := from.ask(network, addr); err == nil {
		t.Errorf("%s %s answers %q, want nobody", network, addr, got)
	}
}

func wantKind(t testing.TB, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error is %v, want %v", what, err, kind)
	}
}

// child executes the test binary in another role, in the same namespaces. It returns its input and the lines that it writes.
func child(t testing.TB, role string, env ...string) (*exec.Cmd, io.WriteCloser, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(append(os.Environ(), roleVar+"="+role), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, in, bufio.NewScanner(out)
}

// bridge is the host's address in a network.
func (c *container) bridge(network string) netip.Addr {
	for _, e := range c.session.record.Load().Endpoints {
		if e.Network == network {
			return e.Bridge4
		}
	}
	c.t.Fatalf("not in network %s", network)
	return netip.Addr{}
}
