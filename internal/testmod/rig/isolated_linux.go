package rig

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// isolated marks the process that has namespaces of its own.
const isolated = "BERTH_TEST_ISOLATED"

// Isolate runs this test binary again in a network and a mount namespace of its
// own, so that the bridges and rules of the embedded engine are nobody else's
// business. It returns false in that process, which goes on with its tests, and
// otherwise the exit code.
func Isolate() (code int, done bool) {
	if os.Getenv(isolated) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "isolate:", err)
			return 1, true
		}
		return 0, false
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args, Env: append(os.Environ(), isolated+"=1"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL},
	}
	err := cmd.Start()
	if err == nil {
		ns, nerr := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
		err = cmd.Wait()
		if nerr == nil {
			endMonitors(ns)
		}
	}
	if ee, ok := errors.AsType[*exec.ExitError](err); ok && ee.ExitCode() > 0 {
		return ee.ExitCode(), true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run in namespaces of its own:", err)
		return 1, true
	}
	return 0, true
}

// endMonitors kills the monitors in a network namespace that nobody else uses any more, and their
// containers with them: those of tests that have failed, or run out of time, would go on for ever.
func endMonitors(ns string) {
	pids, err := monitorsIn(ns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "find what is left:", err)
	}
	for _, pid := range pids {
		n, err := strconv.Atoi(pid)
		if err != nil {
			continue
		}
		fmt.Fprintln(os.Stderr, "killed a monitor that was left:", n)
		syscall.Kill(n, syscall.SIGKILL)
	}
}

// settle makes the fresh namespaces fit for use: mounts stay here, and propagate
// between each other as on a machine with systemd; the loopback interface is up.
func settle() error {
	for _, how := range []uintptr{unix.MS_PRIVATE, unix.MS_SHARED} {
		if err := unix.Mount("", "/", "", how|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("set propagation: %w", err)
		}
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

// StateDir makes a directory for an embedded engine's state, which is removed with
// the test. Monitors of this network namespace, and mounts, that are left then are failures.
func StateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "berth-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		awaitMonitors(t)
		if mounts := mountsBelow(t, dir); len(mounts) > 0 {
			t.Errorf("mounts are left: %v", mounts)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Busybox is the root file system of the image that scripts/engines gives the
// engines: this machine's static busybox and its applets.
func Busybox(t *testing.T) io.Reader {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("the image is made of a static busybox (Debian: busybox-static): %v", err)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	applets, err := exec.Command(path, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	add := func(h tar.Header, data []byte) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range strings.Fields("bin dev etc home mnt proc root run sys tmp usr usr/bin var") {
		h := tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o755}
		if d == "tmp" {
			h.Mode = 0o1777
		}
		add(h, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, binary)
	for _, a := range strings.Fields(string(applets)) {
		if a != "busybox" {
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + a, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0:root:/root:/bin/sh\ndaemon:x:2:2:daemon:/sbin:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n"))
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644}, []byte("root:x:0:\ndaemon:x:2:\nnobody:x:65534:\n"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

// awaitMonitors waits for the last monitors, which remove the bridges a while
// after their containers have ended. Those that stay are a failure.
func awaitMonitors(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		pids := Monitors(t)
		if len(pids) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("monitors are left: %v", pids)
			return
		}
	}
}

// Monitors are the process IDs of the embedded engine's monitors in this network namespace.
func Monitors(t *testing.T) []string {
	t.Helper()
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	pids, err := monitorsIn(ours)
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

// monitorsIn are those in a network namespace, by the name that /proc gives it.
func monitorsIn(ns string) ([]string, error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []string
	for _, dir := range all {
		args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !bytes.HasPrefix(args, []byte("berth-monitor\x00")) {
			continue
		}
		if theirs, err := os.Readlink(filepath.Join(dir, "ns", "net")); err == nil && theirs == ns {
			pids = append(pids, filepath.Base(dir))
		}
	}
	return pids, nil
}

// mountsBelow are the mount points below a directory, in this namespace.
func mountsBelow(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			out = append(out, f[4])
		}
	}
	return out
}
