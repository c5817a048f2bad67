package execkill

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth/engine"
)

// victim starts a command with the marker in its environment. It is killed with the test.
func victim(t *testing.T, marker string, command ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "MULTI=line one\nline two", marker, "LAST=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd
}

// endedBy waits for a command and returns the signal that ended it.
func endedBy(t *testing.T, cmd *exec.Cmd) syscall.Signal {
	t.Helper()
	cmd.Wait()
	return cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()
}

// The script is run by the shells that are here, on this machine's processes.
func TestMarkerScript(t *testing.T) {
	for _, shell := range [][]string{{"sh"}, {"bash"}, {"dash"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			continue // sh is everywhere
		}
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			marker := "BERTH_EXEC=" + t.Name() + "-0123456789abcdef"
			bystander := victim(t, marker+"0", "sleep", "1000")
			other := victim(t, "BERTH_EXEC=other", "sleep", "1000")
			cmd := victim(t, marker+"1", "sleep", "1000")
			f := &fakeEngine{state: always(5)}
			f.run = func(spec engine.ExecSpec) (string, int, error) {
				spec.Cmd = append(shell, spec.Cmd[1:]...)
				return runHere(spec)
			}
			if err := kill(t, f, "SIGUSR1", marker+"1"); err != nil {
				t.Fatal(err)
			}
			if sig := endedBy(t, cmd); sig != syscall.SIGUSR1 {
				t.Errorf("ended by %v", sig)
			}
			for _, c := range []*exec.Cmd{bystander, other} {
				if err := c.Process.Signal(syscall.Signal(0)); err != nil {
					t.Errorf("a bystander was killed, too: %v", err)
				}
			}
			wantAlive(t, kill(t, f, "", marker+"1"), "exit code 3", "no process has the marker")
		})
	}
}

// Children inherit the marker; the signal is for the process that the engine started.
func TestMarkerScriptSparesChildren(t *testing.T) {
	const marker = "BERTH_EXEC=TestMarkerScriptSparesChildren"
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait")
	cmd.Env = []string{"PATH=/usr/bin:/bin", marker}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 32)
	n, _ := out.Read(buf)
	child, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(child, syscall.SIGKILL)
	f := &fakeEngine{state: always(5), run: runHere}
	if err := kill(t, f, "", marker); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, 0); err != nil {
		t.Errorf("the child was killed, too: %v", err)
	}
	out.Close()
	if sig := endedBy(t, cmd); sig != syscall.SIGKILL {
		t.Errorf("ended by %v", sig)
	}
}
