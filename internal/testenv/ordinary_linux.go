package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Ordinary is an ordinary user of this run of the tests alone: in a passwd that only the processes see that [Ordinary.Run] starts.
type Ordinary struct {
	Subordinate bool     // subuid and subgid have a line for him
	Programs    []string // what his PATH has beside busybox
	CgroupV1    bool     // he sees no cgroup v2 beside v1: crun 1.8 refuses to run where both are
	Delegated   bool     // where cgroup v2 is alone he is in a group that is his, with all controllers
}

// Everything is an ordinary user who has all that makes containers of his.
var Everything = Ordinary{Subordinate: true, Programs: []string{"newuidmap", "newgidmap", "pasta", "slirp4netns", "runc", "crun"}}

// HostAddress is an address of the host that his containers reach, where a test may listen.
const HostAddress = "10.112.0.2"

// inOrdinary is the variable with the user's ID in the processes of [Ordinary.Run].
const inOrdinary = "BERTH_TEST_ORDINARY_ID"

// OrdinaryID is the user and group ID of the ordinary user of this run, and the first of his 65536 subordinate IDs.
func OrdinaryID() (id, subordinate int) {
	id, err := strconv.Atoi(os.Getenv(inOrdinary))
	if err != nil {
		id = 20000 + os.Getpid()%20000
	}
	return id, 1_000_000 + (id-20000)*65536
}

// Run runs a program as the user, with a home, accounts, programs, a network and a /dev/net/tun of his own, and waits for its
// end and that of all others of his. cmd's environment is added to his. It needs root, and below /etc it changes nothing
// but that missing passwd, group, subuid, subgid and cdi are made, empty.
func (o Ordinary) Run(cmd *exec.Cmd) (err error) {
	id, subordinate := OrdinaryID()
	dir, err := os.MkdirTemp("/var/lib", "berth-test-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	home, bin := filepath.Join(dir, "home"), filepath.Join(dir, "bin")
	if err := o.furnish(dir, home, bin, id, subordinate); err != nil {
		return err
	}
	cmd.Env = append([]string{fmt.Sprintf("%s=%d", inOrdinary, id), "HOME=" + home, "PATH=" + bin, "XDG_RUNTIME_DIR=" + filepath.Join(home, "run")}, cmd.Env...)
	cmd.Dir = home
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}, Pdeathsig: syscall.SIGKILL}
	if o.Delegated && CgroupV2() {
		group, remove, derr := delegate(id)
		if derr != nil {
			return derr
		}
		defer func() { err = errors.Join(err, remove()) }()
		defer group.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(group.Fd())
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread ends with its namespaces
		err := privateMounts(dir, id)
		if unified := "/sys/fs/cgroup/unified"; err == nil && o.CgroupV1 && unix.Access(unified+"/cgroup.procs", unix.F_OK) == nil {
			err = os.NewSyscallError("umount", unix.Unmount(unified, unix.MNT_DETACH))
		}
		if err == nil {
			err = privateNetwork()
		}
		if err == nil {
			err = cmd.Run()
		}
		done <- err
	}()
	err = <-done
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left, perr := OrdinaryProcesses()
		if perr != nil || len(left) == 0 {
			return errors.Join(err, perr)
		}
		if time.Now().After(deadline) {
			return errors.Join(err, fmt.Errorf("processes were left, and are killed: %v", left), killOrdinary())
		}
	}
}

// accounts are the files of /etc that the user's processes see another version of.
var accounts = []string{"passwd", "group", "subuid", "subgid"}

// furnish makes the user's directories and files in dir.
func (o Ordinary) furnish(dir, home, bin string, id, subordinate int) error {
	for _, d := range []string{home, bin, filepath.Join(home, "run")} {
		if err := errors.Join(os.Mkdir(d, 0o755), os.Chown(d, id, id)); err != nil {
			return err
		}
	}
	for _, p := range append([]string{"busybox"}, o.Programs...) {
		path, err := exec.LookPath(p)
		if err != nil {
			return fmt.Errorf("this test needs busybox, newuidmap, newgidmap, pasta and slirp4netns (Debian: busybox-static, uidmap, passt, slirp4netns): %w", err)
		}
		if err := os.Symlink(path, filepath.Join(bin, p)); err != nil {
			return err
		}
	}
	ranges := ""
	if o.Subordinate {
		ranges = fmt.Sprintf("berth-ordinary:%d:65536\n", subordinate)
	}
	for i, text := range []string{
		fmt.Sprintf("root:x:0:0::/root:/bin/sh\nberth-ordinary:x:%d:%d::%s:/bin/sh\n", id, id, home),
		fmt.Sprintf("root:x:0:\nberth-ordinary:x:%d:\n", id),
		ranges, ranges,
	} {
		if err := os.WriteFile(filepath.Join(dir, accounts[i]), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// privateMounts gives the calling thread, and what it starts, other files in /etc, a network device that everybody may use, and a
// directory for CDI specifications that is the user's.
func privateMounts(dir string, id int) error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	for _, file := range accounts {
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
	for path, owner := range map[string]int{"/dev/net": 0, "/etc/cdi": id} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("berth-test", path, "tmpfs", 0, fmt.Sprintf("mode=755,uid=%d", owner)); err != nil {
			return &os.PathError{Op: "mount", Path: path, Err: err}
		}
	}
	if err := unix.Mknod("/dev/net/tun", unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
		return os.NewSyscallError("mknod", err)
	}
	return os.Chmod("/dev/net/tun", 0o666)
}

// privateNetwork gives the calling thread's network namespace an interface with a default route, which pasta wants to see, and
// one with [HostAddress]: pasta gives the address of the first to the container too, so that is not the host's there.
func privateNetwork() error {
	for _, line := range []string{
		"link set lo up",
		"link add out type bridge", "addr add 10.111.0.2/24 dev out", "link set out up", "route add default via 10.111.0.1",
		"link add host type bridge", "addr add " + HostAddress + "/24 dev host", "link set host up",
	} {
		if out, err := exec.Command("busybox", append([]string{"ip"}, strings.Fields(line)...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}

// OrdinaryProcesses are the processes of the ordinary user and of his subordinate IDs, but zombies: IDs, each with a name.
func OrdinaryProcesses() ([]string, error) {
	id, subordinate := OrdinaryID()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []string
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
		own := uid == id || uid >= subordinate && uid < subordinate+65536
		if own && !strings.Contains(text, "\nState:\tZ") {
			name, _, _ := strings.Cut(text, "\n")
			out = append(out, e.Name()+" "+name)
		}
	}
	return out, nil
}

// killOrdinary kills them: those of a test that has failed would go on for ever.
func killOrdinary() error {
	left, err := OrdinaryProcesses()
	for _, p := range left {
		var pid int
		if _, err := fmt.Sscan(p, &pid); err == nil && pid > 1 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return err
}
