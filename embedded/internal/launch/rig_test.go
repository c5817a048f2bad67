//go:build linux

package launch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/testspec"
)

// busybox is a static one of the machine's. The tests that start containers take a
// minute and need programs of the machine's: they run where BERTH_EMBEDDED is set, as .ci/run does
// after installing them.
func busybox(t testing.TB) string {
	t.Helper()
	if os.Getenv("BERTH_EMBEDDED") == "" {
		t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run, with busybox-static and runc installed")
	}
	p, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("these tests need a static busybox in PATH (Debian: busybox-static): ", err)
	}
	return p
}

// rootfs makes a directory with busybox in it, the way an image is.
func rootfs(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "rootfs")
	for _, d := range []string{"bin", "proc", "dev", "sys", "etc", "tmp", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(busybox(t))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "bin/busybox"), string(b), 0o755)
	for _, a := range []string{"sh", "cat", "ls", "true", "id", "sleep", "stty", "tty", "hostname", "env", "mount", "ps", "kill", "echo", "pwd", "readlink", "stat", "grep", "uname", "touch", "mkdir", "ulimit", "umask", "head", "test", "wc", "setsid", "chmod", "ln", "rm", "sed", "cut", "mknod", "dd", "ipcs", "sort", "find", "chown", "sync"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", a)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n", 0o644)
	if err := os.Chmod(filepath.Join(dir, "tmp"), 0o1777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// dockerSpec is a configuration as Docker's, and dockerCaps its capabilities.
var dockerSpec, dockerCaps = testspec.Docker, testspec.DockerCapabilities

// result is what a container did.
type result struct {
	out, err string
	Status
}

// output runs a configuration to its end.
func output(t testing.TB, cfg Config) (result, error) {
	t.Helper()
	return collect(t, func(in, out, err *os.File) (*Process, error) {
		cfg.Stdin, cfg.Stdout, cfg.Stderr = in, out, err
		return Start(cfg)
	})
}

// collect starts a process with pipes and reads them to their end.
func collect(t testing.TB, start func(in, out, err *os.File) (*Process, error)) (result, error) {
	t.Helper()
	var r result
	or, ow := pipe(t)
	er, ew := pipe(t)
	p, err := start(nil, ow, ew)
	ow.Close()
	ew.Close()
	if err != nil {
		or.Close()
		er.Close()
		return r, err
	}
	errc := make(chan []byte)
	go func() { b, _ := io.ReadAll(er); errc <- b }()
	b, _ := io.ReadAll(or)
	r.out, r.err = string(b), string(<-errc)
	or.Close()
	er.Close()
	r.Status, err = p.Wait()
	p.Pidfd.Close()
	return r, err
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// mustRun runs a shell line in a container of the configuration, which change may change.
func mustRun(t testing.TB, line string, change func(*Config)) result {
	t.Helper()
	cfg := config(t, line, change)
	r, err := output(t, cfg)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return r
}

// config is Docker's configuration with a shell line.
func config(t testing.TB, line string, change func(*Config)) Config {
	t.Helper()
	root := rootfs(t)
	cfg := Config{Spec: dockerSpec(root, "/bin/sh", "-c", line)}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

// runc runs the same configuration with runc.
func runc(t testing.TB, spec *specs.Spec) result {
	t.Helper()
	bin, err := exec.LookPath("runc")
	if err != nil {
		t.Fatal("these tests need runc in PATH: ", err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.json"), toJSON(t, spec), 0o644)
	var out, errb bytes.Buffer
	cmd := exec.Command(bin, "--root", filepath.Join(dir, "state"), "run", "--bundle", dir, fmt.Sprintf("launch-%d-%s", os.Getpid(), strings.ReplaceAll(filepath.Base(dir), "/", "-")+filepath.Base(filepath.Dir(dir))))
	cmd.Stdout, cmd.Stderr = &out, &errb
	err = cmd.Run()
	r := result{out: out.String(), err: errb.String()}
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	r.Code = cmd.ProcessState.ExitCode()
	return r
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
