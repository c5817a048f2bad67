//go:build linux

package leftover

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// child starts a process that lives until it is killed.
func child(t *testing.T, attr *syscall.SysProcAttr, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script+"; echo ready; exec sleep 1000")
	cmd.SysProcAttr = attr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if _, err := fmt.Fscanln(out, new(string)); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// TestKill: those that are meant are killed, and no others.
func TestKill(t *testing.T) {
	a, b := child(t, nil, ":"), child(t, nil, ":")
	if err := Kill(func(pid int) bool { return pid == a.Process.Pid }); err != nil {
		t.Fatal(err)
	}
	a.Wait()
	if s := a.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != unix.SIGKILL {
		t.Errorf("%v", a.ProcessState)
	}
	if err := b.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other one: %v", err)
	}
}

// TestMounts: a mount namespace and the root in it name their processes.
func TestMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	for _, d := range []string{"lower/old", "a b", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	upper := filepath.Join(dir, "a b")
	script := fmt.Sprintf(`mount --make-rprivate / && mkdir %[1]s/new && mount -t overlay -o 'lowerdir=%[1]s/lower,upperdir=%[1]s/a b,workdir=%[1]s/work' none %[1]s/new || exit
		for d in bin lib lib64 usr; do test ! -e /$d || { mkdir -p %[1]s/new/$d && mount --bind /$d %[1]s/new/$d; }; done
		cd %[1]s/new && pivot_root . old`, dir)
	in := child(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}, script)
	child(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}, ":")
	ns, err := os.Open(file(in.Process.Pid, "ns/mnt"))
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	beside, err := Sharing(ns, "mnt")
	if err != nil {
		t.Fatal(err)
	}
	for name, is := range map[string]func(pid int) bool{"beside": beside, "rooted": Rooted(upper)} {
		if got, err := List(is); err != nil || !slices.Equal(got, []int{in.Process.Pid}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := List(Rooted(filepath.Join(dir, "a"))); err != nil || len(got) != 0 {
		t.Errorf("another directory: %v, %v", got, err)
	}
}
