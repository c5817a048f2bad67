//go:build linux

package cgroup

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// TestStats: what a process of the group uses is counted.
func TestStats(t *testing.T) {
	dir, err := os.MkdirTemp("/var/tmp", "berth-test") // on a disk
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	g := newGroup(t, &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(256 * mib))},
		CPU:    &specs.LinuxCPU{Quota: new(int64(50000))},
		Pids:   &specs.LinuxPids{Limit: new(int64(33))},
	})
	// 40 MiB written past the page cache (what is in it the kernel may write itself, for nobody), 40 MiB of page cache that
	// nobody uses any more, 20 MiB held in a variable, and some CPU time.
	running(t, g, "sh", "-c", "dd if=/dev/zero of="+dir+"/d bs=1M count=40 oflag=direct 2>&-; dd if=/dev/zero of="+dir+"/f bs=1M count=40 conv=fsync 2>&-; x=$(head -c 20000000 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000 & echo ready; wait")
	s, err := g.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(s.Read); age < 0 || age > time.Minute {
		t.Errorf("read at %v", s.Read)
	}
	if s.CPU.Total < 1e6 || s.CPU.System == nil || *s.CPU.System < s.CPU.Total || s.CPU.OnlineCPUs != runtime.NumCPU() {
		t.Errorf("CPU: %+v", s.CPU)
	}
	if s.CPU.User == nil || s.CPU.Kernel == nil || *s.CPU.User+*s.CPU.Kernel == 0 || s.CPU.Periods == nil || *s.CPU.Periods == 0 || s.CPU.Throttled == nil || *s.CPU.Throttled == 0 || *s.CPU.ThrottledNS == 0 {
		t.Errorf("CPU: %+v", s.CPU)
	}
	var sum uint64
	for _, n := range s.CPU.PerCPU {
		sum += n
	}
	if v2Alone() != (s.CPU.PerCPU == nil) || !v2Alone() && (len(s.CPU.PerCPU) < runtime.NumCPU() || sum < s.CPU.Total) {
		t.Errorf("per CPU: %v of %d", s.CPU.PerCPU, s.CPU.Total)
	}
	m := s.Memory
	if m.Limit != 256*mib || m.Usage < 55*mib || m.Usage > m.Limit || m.Used < 15*mib || m.Used > m.Usage-30*mib {
		t.Errorf("memory: usage %d, used %d, limit %d", m.Usage, m.Used, m.Limit)
	}
	if want := float64(m.Used) / float64(m.Limit) * 100; m.Percent != want {
		t.Errorf("memory: %v percent, want %v", m.Percent, want)
	}
	if v2Alone() != (m.MaxUsage == nil) || v2Alone() != (m.Failcnt == nil) || !v2Alone() && *m.MaxUsage < m.Usage {
		t.Errorf("memory: %+v", m)
	}
	if m.Stats["inactive_file"] == 0 {
		t.Errorf("memory.stat: %v", m.Stats)
	}
	if s.Pids.Current != 2 || s.Pids.Limit == nil || *s.Pids.Limit != 33 {
		t.Errorf("pids: %+v", s.Pids)
	}
	if s.Blkio.Write < 40*mib || len(s.Blkio.ServiceBytes) == 0 {
		t.Errorf("block I/O: %+v", s.Blkio)
	}
}

// TestUnlimitedStats: without a limit of memory it is the machine's.
func TestUnlimitedStats(t *testing.T) {
	s, err := newGroup(t, nil).Stats()
	if err != nil {
		t.Fatal(err)
	}
	if s.Memory.Limit != memTotal() || s.Memory.Limit < 64*mib || s.Pids.Limit != nil || s.Pids.Current != 0 {
		t.Errorf("memory %+v of %d, pids %+v", s.Memory, memTotal(), s.Pids)
	}
}

func TestSystem(t *testing.T) {
	a, cpus, err := System()
	if err != nil || cpus != runtime.NumCPU() {
		t.Fatal(a, cpus, err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		b, _, err := System()
		if err != nil || b < a {
			t.Fatal(a, b, err)
		}
		if b > a {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the time stands still")
		}
	}
}

func TestParseStat(t *testing.T) {
	ns, cpus, err := parseStat([]byte("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu2 0\nintr 3\n"))
	if ns != 28e7 || cpus != 2 || err != nil {
		t.Errorf("%d ns, %d CPUs, %v", ns, cpus, err)
	}
	for _, s := range []string{"", "intr 1\n", "cpu 1 2\ncpu0\n", "cpu a b c d e f g\ncpu0\n", "cpu 1 2 3 4 5 6 7\n"} {
		if ns, cpus, err := parseStat([]byte(s)); err == nil {
			t.Errorf("%q: %d, %d", s, ns, cpus)
		}
	}
}

func TestParseBlkio(t *testing.T) {
	got, err := parseBlkio("8:0 Read 1\n8:0 Write 2\n252:16 9\nTotal 3\n")
	want := []engine.BlkioEntry{{Major: 8, Op: "Read", Value: 1}, {Major: 8, Op: "Write", Value: 2}, {Major: 252, Minor: 16, Value: 9}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	got, err = parseIO("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n7:1\n")
	want = []engine.BlkioEntry{{Major: 8, Op: "read", Value: 1}, {Major: 8, Op: "write", Value: 2}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, s := range []string{"8 Read 1", "a:b Read 1", "8:0 Read x"} {
		if got, err := parseBlkio(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
	for _, s := range []string{"8 rbytes=1", "8:0 rbytes=x"} {
		if got, err := parseIO(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// TestNetwork: the counters of another process's network namespace.
func TestNetwork(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test makes a network namespace: run it as root")
	}
	started := make(chan *exec.Cmd, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with its namespace
		cmd, err := inNetwork()
		if err != nil {
			t.Error(err)
		}
		started <- cmd
	}()
	cmd := <-started
	if cmd == nil {
		return
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	m, err := Network(cmd.Process.Pid)
	if err != nil || len(m) != 2 {
		t.Fatalf("%v: %v", m, err)
	}
	if a, b := m["eth0"], m["peer"]; a.TxPackets < 3 || a.TxBytes < 3*1000 || b.RxPackets < 3 || b.RxBytes < 3*1000 {
		t.Errorf("eth0 %+v, its peer %+v", a, b)
	}
	if m, err := Network(1 << 30); err == nil {
		t.Errorf("of no process: %v", m)
	}
}

// inNetwork starts a process in a new network namespace with two interfaces that are one cable, over which three packets of 1,000 bytes have gone.
func inNetwork() (*exec.Cmd, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	hardware := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	eth0 := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "peer"}
	if err := netlink.LinkAdd(eth0); err != nil {
		return nil, err
	}
	for _, name := range []string{"eth0", "peer"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return nil, err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return nil, err
		}
		if name == "eth0" {
			if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(192, 0, 2, 1), Mask: net.CIDRMask(24, 32)}}); err != nil {
				return nil, err
			}
			if err := netlink.NeighAdd(&netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: net.IPv4(192, 0, 2, 2), HardwareAddr: hardware}); err != nil {
				return nil, err
			}
		}
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for sent := uint64(0); sent < 3; time.Sleep(time.Millisecond) { // the first are lost, until the cable is found to be plugged in
		if err := unix.Sendto(fd, make([]byte, 1000), 0, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{192, 0, 2, 2}}); err != nil {
			return nil, err
		}
		b, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return nil, err
		}
		m, err := parseNetwork(string(b))
		if err != nil {
			return nil, err
		}
		sent = m["eth0"].TxBytes / 1000
	}
	cmd := exec.Command("sleep", "1000")
	return cmd, cmd.Start()
}

func FuzzParseNetwork(f *testing.F) {
	f.Add("Inter-|   Receive\n face |bytes\n    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
	f.Add("eth0:1 2 3")
	f.Add("eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseNetwork(s)
		if err == nil {
			for name := range m {
				if name == "lo" || !strings.Contains(s, name) {
					t.Errorf("%q has %q", s, name)
				}
			}
		}
	})
}

func TestParseNetwork(t *testing.T) {
	got, err := parseNetwork("Inter-|   Receive\n face |bytes\n    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
	want := map[string]engine.NetworkStats{"eth0": {RxBytes: 1, RxPackets: 2, RxErrors: 3, RxDropped: 4, TxBytes: 9, TxPackets: 10, TxErrors: 11, TxDropped: 12}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func FuzzParseCounters(f *testing.F) {
	f.Add("8:0 Read 1\nTotal 3\n")
	f.Add("8:0 rbytes=1 wbytes=2\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) ([]engine.BlkioEntry, error){parseBlkio, parseIO} {
			list, err := parse(s)
			for _, e := range list {
				if err == nil && !strings.Contains(s, fmt.Sprint(e.Major)) && !strings.Contains(s, "0") {
					t.Errorf("%q has %+v", s, e)
				}
			}
		}
	})
}
