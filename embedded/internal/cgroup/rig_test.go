//go:build linux

package cgroup

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// testParent is the group above those of the tests; TestMain removes it.
var testParent = fmt.Sprintf("berth-test-%d", os.Getpid())

// TestMain is also the process that tests put into groups: it joins them as a container's first process does.
func TestMain(m *testing.M) {
	if files := os.Getenv("BERTH_TEST_TASKS"); files != "" {
		os.Unsetenv("BERTH_TEST_TASKS")
		child(strings.Split(files, ":"))
	}
	code := m.Run()
	if g, err := Open(testParent, Options{}); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := g.Remove(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "remove the cgroup of the tests:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// child joins by tasks files and executes the command that it was given.
func child(files []string) {
	fail := func(err error) { fmt.Fprintln(os.Stderr, err); os.Exit(99) }
	runtime.LockOSThread() // the one thread that joins all of them is the one that execve leaves
	for _, f := range files {
		if f == "-" {
			continue
		}
		if err := os.WriteFile(f, []byte("0"), 0); err != nil {
			fail(err)
		}
	}
	fail(syscall.Exec(os.Args[1], os.Args[1:], os.Environ()))
}

// newGroup makes a group, and removes it with its processes at the end of the test.
func newGroup(t testing.TB, res *specs.LinuxResources) *Group {
	t.Helper()
	g := named(t)
	if err := g.Create(res); err != nil {
		t.Fatal(err)
	}
	return g
}

// named names a group that is removed at the end of the test, if the test makes it.
func named(t testing.TB) *Group {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes cgroups: run it as root")
	}
	g, err := Open(testParent+"/"+strings.NewReplacer("/", "-", " ", "_").Replace(t.Name()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Kill(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := g.Remove(ctx); err != nil {
			t.Error(err)
		}
		if g.Exists() {
			t.Error("the group is still there")
		}
	})
	return g
}

// in prepares a command that is executed in the group.
func in(t testing.TB, g *Group, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(args[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", append([]string{path}, args[1:]...)...)
	cmd.Env = append(os.Environ(), "BERTH_TEST_TASKS="+strings.Join(append(g.TasksFiles(), "-"), ":"))
	fd, err := g.FD()
	if err != nil {
		t.Fatal(err)
	}
	if fd != nil {
		t.Cleanup(func() { fd.Close() })
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(fd.Fd())}
	}
	return cmd
}

// running starts a command in the group that ends with the test.
func running(t testing.TB, g *Group, args ...string) *exec.Cmd {
	t.Helper()
	cmd := in(t, g, args...)
	out := &strings.Builder{}
	cmd.Stderr = out
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Kill(); cmd.Wait() })
	buf := make([]byte, 100)
	if n, err := ready.Read(buf); err != nil || !strings.Contains(string(buf[:n]), "ready") {
		t.Fatalf("%q: output %q, %q: %v", args, buf[:n], out, err)
	}
	return cmd
}

// file is the content of a file of the group in the hierarchy with a controller.
func file(t testing.TB, g *Group, controller, name string) string {
	t.Helper()
	d := g.with(controller)
	if d == nil {
		t.Fatalf("no controller %s", controller)
	}
	s, err := read(filepath.Join(d.path, name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// v2Alone says which files a test has to expect.
func v2Alone() bool { return Mode() == Unified }
