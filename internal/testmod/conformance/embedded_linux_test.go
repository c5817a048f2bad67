package conformance

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
	"github.com/berthdev/berth/engine"
)

// isolated marks the process that has namespaces of its own.
const isolated = "BERTH_TEST_ISOLATED"

// isolate runs this test binary again in a network and a mount namespace of its
// own, so that the bridges and rules of the embedded engine are nobody else's
// business. It returns false in that process, and for other engines.
func isolate() (code int, done bool) {
	if os.Getenv("BERTH_ENGINE_HOST") != embeddedHost {
		return 0, false
	}
	if os.Getenv(isolated) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "conformance:", err)
			return 1, true
		}
		return 0, false
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args, Env: append(os.Environ(), isolated+"=1"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL},
	}
	err := cmd.Run()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok && ee.ExitCode() > 0 {
		return ee.ExitCode(), true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance: run in namespaces of its own:", err)
		return 1, true
	}
	return 0, true
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

// openEmbedded makes a state directory with the image in it, and returns what
// opens an engine on it.
func openEmbedded(t *testing.T, image string) func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
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
	open := func(ctx context.Context) (engine.Engine, error) {
		return embedded.Open(ctx, embedded.WithRoot(filepath.Join(dir, "root")), embedded.WithRunRoot(filepath.Join(dir, "run")), embedded.WithRuntime(os.Getenv("BERTH_RUNTIME")))
	}
	e, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.ImageImport(t.Context(), busybox(t), engine.ImportOptions{Reference: image, Changes: []string{"ENV PATH=/bin:/usr/bin", `CMD ["sh"]`}})
	if err != nil {
		t.Fatalf("make the image: %v", err)
	}
	return func(ctx context.Context, opts ...berth.Option) (*berth.Client, error) {
		e, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return berth.New(ctx, append([]berth.Option{berth.WithEngine(e)}, opts...)...)
	}
}

// busybox is the root file system of the image that scripts/engines gives the
// other engines: this machine's static busybox and its applets.
func busybox(t *testing.T) io.Reader {
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
		pids := monitors(t)
		if len(pids) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("monitors are left: %v", pids)
			return
		}
	}
}

// monitors are the process IDs of the monitors in this network namespace.
func monitors(t *testing.T) []string {
	t.Helper()
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, dir := range all {
		args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !bytes.HasPrefix(args, []byte("berth-monitor\x00")) {
			continue
		}
		if ns, err := os.Readlink(filepath.Join(dir, "ns", "net")); err == nil && ns == ours {
			pids = append(pids, filepath.Base(dir))
		}
	}
	return pids
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
