//go:build linux && (amd64 || arm64)

package reaper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// install writes the program to a file.
func install(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "init")
	if err := os.WriteFile(name, Program(), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestProgram: the command's output, arguments, environment and exit code are its own.
func TestProgram(t *testing.T) {
	name := install(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		path string
		code int
		out  string
	}{
		{[]string{"sh", "-c", `echo "$0 $1 $A"; exit 7`, "x y", "z"}, "", 7, "x y z b\n"},
		{[]string{"/bin/sh", "-c", "kill -TERM $$"}, "", 143, ""},
		{[]string{"true"}, "/nosuch:/etc/passwd::/bin:/usr/bin", 0, ""},
		{[]string{"nosuch"}, "", 127, ""},
		{[]string{"nosuch"}, "none", 127, ""},
		{[]string{"/no/such"}, "", 127, ""},
		{[]string{dir + "/plain"}, "", 126, ""},
		{[]string{"plain"}, dir, 126, ""},
		{[]string{"text"}, dir, 126, ""},
		{[]string{strings.Repeat("x", 5000)}, strings.Repeat("y", 20000) + ":/bin", 126, ""},
		{nil, "", 127, ""},
	} {
		cmd := exec.Command(name, c.args...)
		switch c.path {
		case "":
			cmd.Env = []string{"A=b", "PATHS=x", "PATH=/usr/bin:/bin"}
		case "none":
			cmd.Env = []string{}
		default:
			cmd.Env = []string{"PATH=" + c.path}
		}
		var out bytes.Buffer
		cmd.Stdout = &out
		err := cmd.Run()
		code := 0
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			code = e.ExitCode()
		} else if err != nil {
			t.Fatalf("%.80q: %v", c.args, err)
		}
		if code != c.code || out.String() != c.out {
			t.Errorf("%.80q: code %d, output %q", c.args, code, out.String())
		}
	}
}

// TestSignals: signals go to the command, which has a process group of its own.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR2, syscall.SIGINT} {
		cmd := exec.Command(install(t), "sh", "-c", "trap 'exit 9' TERM USR2 INT; echo ready; while :; do sleep 0.01; done")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 6))
		cmd.Process.Signal(sig)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 9 {
			t.Errorf("%v: code %d", sig, code)
		}
	}
}

// TestOrphans: as process 1 it reaps what others have left.
func TestOrphans(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a pid namespace takes privilege")
	}
	cmd := exec.Command(install(t), "sh", "-c", "for i in 1 2 3; do sh -c 'sleep 0.02 &'; done; sleep 0.3; exit 3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	zombies, _ := exec.Command("sh", "-c", fmt.Sprintf("cat /proc/[0-9]*/stat 2>/dev/null | grep ' (sleep) Z %d '", cmd.Process.Pid)).Output()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("code %d", code)
	}
	if len(zombies) > 0 {
		t.Errorf("zombies: %s", zombies)
	}
}
