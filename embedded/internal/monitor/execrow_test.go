//go:build linux

package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// execRun is exec by one call.
func (r *rig) execRun(id string, args ...string) (code int, stdout, stderr string) {
	r.t.Helper()
	x, s, err := r.ExecRun(r.t.Context(), id, engine.ExecSpec{Cmd: args, AttachStdout: true, AttachStderr: true}, engine.ExecStartOptions{})
	if err != nil {
		r.t.Fatalf("run exec: %v", err)
	}
	defer s.Close()
	stdout, stderr = r.read(s)
	st, err := r.ExecInspect(r.t.Context(), x)
	if err != nil || st.ExitCode == nil || st.Running || st.ID != x || st.ContainerID != id {
		r.t.Fatalf("inspect: %+v, %v", st, err)
	}
	return *st.ExitCode, stdout, stderr
}

// TestExecRun: an exec that one call creates and starts is as one of two calls.
func TestExecRun(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	for range 5 {
		if code, out, errw := r.execRun(id, "/bin/sh", "-c", "echo out; echo err >&2; exit 6"); code != 6 || out != "out\n" || errw != "err\n" {
			t.Errorf("code %d, stdout %q, stderr %q", code, out, errw)
		}
	}
	for command, want := range map[string]error{"/nosuch": engine.ErrCommandNotFound, "/etc/passwd": engine.ErrCommandNotExecutable} {
		x, s, err := r.ExecRun(t.Context(), id, engine.ExecSpec{Cmd: []string{command}, AttachStdout: true}, engine.ExecStartOptions{})
		if !errors.Is(err, want) || s != nil || x == "" {
			t.Errorf("%s: %q %v", command, x, err)
		}
		if _, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s, second start: %v", command, err)
		}
	}
	x, s, err := r.ExecRun(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/sleep", "1000"}}, engine.ExecStartOptions{Detach: true})
	if err != nil || s != nil {
		t.Fatal(s, err)
	}
	if st, err := r.ExecInspect(t.Context(), x); err != nil || !st.Running || st.PID == 0 {
		t.Errorf("detached: %+v, %v", st, err)
	}
	if err := r.ExecKill(t.Context(), x, ""); err != nil {
		t.Error(err)
	}
	r.eventually("its end", func() bool {
		st, err := r.ExecInspect(t.Context(), x)
		return err == nil && !st.Running && *st.ExitCode == 137
	})
	none := func(what string, want error) {
		t.Helper()
		if x, s, err := r.ExecRun(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/true"}}, engine.ExecStartOptions{}); !errors.Is(err, want) || x != "" || s != nil {
			t.Errorf("%s: %q %v %v", what, x, s, err)
		}
	}
	if err := r.Pause(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	none("paused", engine.ErrConflict)
	if err := r.Unpause(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	r.eventually("the monitor's end", func() bool { alive, _ := r.Store.MonitorAlive(id); return !alive })
	none("ended", engine.ErrNotRunning)
}

// TestExecRunGivenUp: a call that is given up at any moment leaves an exec that can be killed, or none.
func TestExecRunGivenUp(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	var wg sync.WaitGroup
	for n := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			for range n * 1000 {
				if ctx.Err() != nil {
					break
				}
			}
			cancel()
		})
		x, s, err := r.ExecRun(ctx, id, engine.ExecSpec{Cmd: []string{"/bin/sleep", "1000"}, AttachStdout: true}, engine.ExecStartOptions{})
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			t.Error(err)
		case err == nil:
			s.Close()
		}
		if x != "" {
			if err := r.ExecKill(t.Context(), x, ""); err != nil && !errors.Is(err, engine.ErrNotFound) {
				t.Error(err)
			}
		}
		wg.Wait()
	}
	r.eventually("no exec's process", func() bool {
		_, out, _ := r.execRun(id, "/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
		return strings.Count(out, "sleep") == 1
	})
}

// forker is the child of a container's monitor that is not the container's; 0 is none.
func (r *rig) forker(id string) int {
	r.t.Helper()
	snap, err := r.Store.State(id)
	if err != nil || snap.Run == nil {
		r.t.Fatalf("%+v %v", snap, err)
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", snap.Run.Monitor))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", snap.Run.Monitor, task.Name()))
		for f := range strings.FieldsSeq(string(b)) {
			pid, _ := strconv.Atoi(f)
			ours, _ := os.Readlink("/proc/self/ns/pid")
			its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
			if err == nil && its == ours {
				return pid
			}
		}
	}
	return 0
}

// TestExecRow: execs in a row, by way of a process that forks them where there can be one, as long as there are execs.
func TestExecRow(t *testing.T) {
	r := newRig(t)
	id := r.create(func(_ *state.Config, s *specs.Spec) {
		s.Linux.Resources = &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(20))}}
	}, "/bin/sleep", "100000")
	r.start(id)
	row := func() {
		t.Helper()
		for n := range 6 {
			if code, out, _ := r.execRun(id, "/bin/sh", "-c", fmt.Sprintf("echo %d; exit %d", n, n)); code != n || out != fmt.Sprintln(n) {
				t.Errorf("%d: %d %q", n, code, out)
			}
		}
	}
	row()
	if _, err := os.Stat("/sys/fs/cgroup/pids/tasks"); err == nil {
		there := func() bool { row(); return r.forker(id) != 0 }
		r.eventually("a forker", there)
		syscall.Kill(r.forker(id), syscall.SIGKILL)
		row()
		r.eventually("another forker", there)
		if code, out, _ := r.execRun(id, "/bin/sh", "-c", "echo /proc/[0-9]*"); code != 0 || len(strings.Fields(out)) != 2 {
			t.Errorf("the container sees the processes %q", out)
		}
		r.eventually("its end", func() bool { return r.forker(id) == 0 })
		r.eventually("a third forker", there)
	}
	if err := r.Pause(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := r.Unpause(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	row()
	if err := r.Restart(t.Context(), id, engine.StopOptions{Timeout: new(time.Duration(0))}); err != nil {
		t.Fatal(err)
	}
	row()
	row()
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	r.eventually("the monitor's end", func() bool { alive, _ := r.Store.MonitorAlive(id); return !alive })
}
