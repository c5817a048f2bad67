package embedded

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/internal/testenv"
)

// ordinaryID is a user of this run of the tests alone: it is in a passwd that only their processes see.
var ordinaryID = func() int {
	if os.Getenv(asUser) != "" {
		return os.Geteuid()
	}
	return 20000 + os.Getpid()%20000
}()

// subordinateID is the first of its subordinate IDs.
var subordinateID = 1_000_000 + (ordinaryID-20000)*65536

// asUser is the variable that says to a process of the tests which case of an ordinary user it is.
const asUser = "BERTH_TEST_ORDINARY"

// ordinaryCases are the ordinary users that there are.
var ordinaryCases = map[string]struct {
	subordinate bool     // subuid and subgid have a line
	programs    []string // in PATH, beside busybox
}{
	"subordinate IDs": {true, []string{"newuidmap", "newgidmap", "pasta", "slirp4netns"}},
	"no ranges":       {false, []string{"newuidmap", "newgidmap", "slirp4netns"}},
	"no programs":     {true, nil},
}

// TestRootless runs the engine as an ordinary user: this same test in processes that have given up root's rights.
func TestRootless(t *testing.T) {
	if name := os.Getenv(asUser); name != "" {
		testAsUser(t, name)
		return
	}
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run")
	}
	for name := range ordinaryCases {
		t.Run(name, func(t *testing.T) { runAsUser(t, name) })
	}
}

// runAsUser runs this test in a process of the user, who has a home, accounts, programs and a /dev/net/tun of his own.
func runAsUser(t *testing.T, name string) {
	c := ordinaryCases[name]
	dir := testenv.StateDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	home, bin := filepath.Join(dir, "home"), filepath.Join(dir, "bin")
	for _, d := range []string{home, bin, filepath.Join(home, "run")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(d, ordinaryID, ordinaryID); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range append([]string{"busybox"}, c.programs...) {
		path, err := exec.LookPath(p)
		if err != nil {
			t.Fatalf("this test needs busybox, newuidmap, newgidmap, pasta and slirp4netns (Debian: busybox-static, uidmap, passt, slirp4netns): %v", err)
		}
		if err := os.Symlink(path, filepath.Join(bin, p)); err != nil {
			t.Fatal(err)
		}
	}
	account := fmt.Sprintf("berth-ordinary:x:%d:%d::%s:/bin/sh\n", ordinaryID, ordinaryID, home)
	ranges := ""
	if c.subordinate {
		ranges = fmt.Sprintf("berth-ordinary:%d:65536\n", subordinateID)
	}
	etc := map[string]string{
		"passwd": "root:x:0:0::/root:/bin/sh\n" + account, "group": fmt.Sprintf("root:x:0:\nberth-ordinary:x:%d:\n", ordinaryID),
		"subuid": ranges, "subgid": ranges,
	}
	for file, text := range etc {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestRootless$", "-test.timeout=90s", "-test.v="+fmt.Sprint(testing.Verbose()))
	cmd.Env = []string{asUser + "=" + name, "HOME=" + home, "PATH=" + bin, "XDG_RUNTIME_DIR=" + filepath.Join(home, "run")}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(ordinaryID), Gid: uint32(ordinaryID)}, Pdeathsig: syscall.SIGKILL,
	}
	var out []byte
	err := onThread(func() (err error) {
		if err := privateMounts(dir, slices.Collect(mapsKeys(etc))); err != nil {
			return err
		}
		out, err = cmd.CombinedOutput()
		return err
	})
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := processesOf(t)
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("processes are left: %v", left)
			break
		}
	}
}

func mapsKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// onThread runs f on a thread that ends with it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// privateMounts gives the calling thread, and what it starts, other files in /etc and a network device that everybody may use.
func privateMounts(dir string, etc []string) error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	for _, file := range etc {
		path := filepath.Join("/etc", file)
		if _, err := os.Stat(path); err != nil {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				return err
			}
		}
		if err := unix.Mount(filepath.Join(dir, file), path, "", unix.MS_BIND, ""); err != nil {
			return &os.PathError{Op: "mount", Path: path, Err: err}
		}
	}
	if err := os.MkdirAll("/dev/net", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tun", "/dev/net", "tmpfs", 0, "mode=755"); err != nil {
		return os.NewSyscallError("mount", err)
	}
	if err := unix.Mknod("/dev/net/tun", unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
		return os.NewSyscallError("mknod", err)
	}
	if err := os.Chmod("/dev/net/tun", 0o666); err != nil {
		return err
	}
	return privateNetwork()
}

// privateNetwork gives the calling thread's network namespace an interface with a default route, which pasta wants to see.
func privateNetwork() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	out := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "out"}}
	if err == nil {
		err = netlink.LinkAdd(out)
	}
	if err == nil {
		err = netlink.AddrAdd(out, &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(10, 111, 0, 2), Mask: net.CIDRMask(24, 32)}})
	}
	if err == nil {
		err = netlink.LinkSetUp(out)
	}
	if err == nil {
		err = netlink.RouteAdd(&netlink.Route{LinkIndex: out.Attrs().Index, Gw: net.IPv4(10, 111, 0, 1)})
	}
	return err
}

// processesOf are the processes of the ordinary user and of its subordinate IDs, but zombies.
func processesOf(t *testing.T) []string {
	t.Helper()
	var out []string
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join("/proc", e.Name(), "status"))
		if err != nil {
			continue
		}
		text := string(b)
		var uid int
		if _, after, ok := strings.Cut(text, "\nUid:\t"); ok {
			fmt.Sscan(after, &uid)
		}
		own := uid == ordinaryID || uid >= subordinateID && uid < subordinateID+65536
		if own && !strings.Contains(text, "\nState:\tZ") {
			name, _, _ := strings.Cut(text, "\n")
			out = append(out, e.Name()+" "+name)
		}
	}
	return out
}
