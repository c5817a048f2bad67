//go:build linux

package monitor

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// TestMonitorDies kills the monitor at every step of a container's life: the next call finds
// a true state, nothing is left, and the container can be started again or removed.
func TestMonitorDies(t *testing.T) {
	for _, step := range []string{"starting", "cgroup", "streams", "cloned", "connected", "executed", "running", "dead", "exit written", "told", "clean", "removed"} {
		t.Run(strings.ReplaceAll(step, " ", "-"), func(t *testing.T) {
			r := newRig(t)
			id := r.sh("read x; exit 3", func(cfg *state.Config, oci *specs.Spec) {
				stdinOnce(cfg, oci)
				cfg.Spec.AutoRemove = step == "removed"
			})
			r.die = step
			s := r.attach(id, all)
			w := r.waiter(id, engine.WaitNextExit)
			err := r.Start(t.Context(), id, engine.StartOptions{})
			if err != nil && !errors.Is(err, engine.ErrUnavailable) {
				t.Errorf("start: %v", err)
			}
			s.CloseWrite()
			r.die = ""
			_, rerr := io.ReadAll(s)
			if rerr != nil && rerr != io.ErrUnexpectedEOF {
				t.Errorf("read: %v", rerr)
			}
			exit, werr := w.Wait()
			r.eventually("the monitor's death", func() bool { alive, _ := r.Store.MonitorAlive(id); return !alive })
			r.gone(id)
			switch step {
			case "starting", "cgroup", "streams", "cloned", "connected", "executed":
				// It never ran, as far as anybody was told.
				if err == nil || !errors.Is(werr, engine.ErrUnavailable) || rerr == nil {
					t.Errorf("start: %v, wait: %v %v, read: %v", err, exit, werr, rerr)
				}
				if st := r.status(id); st != engine.StatusCreated {
					t.Errorf("status is %s", st)
				}
			case "running", "dead":
				if werr != nil || exit.Code != 137 {
					t.Errorf("wait: %+v, %v", exit, werr)
				}
				e, err := r.Store.ReadExit(id)
				if err != nil || !e.MonitorLost || e.Code != 137 || e.StartedAt.IsZero() {
					t.Errorf("exit.json is %+v, %v", e, err)
				}
			case "exit written":
				// The code is known, and so is that nobody heard of it.
				if werr != nil || exit.Code != 3 && exit.Code != 137 {
					t.Errorf("wait: %+v, %v", exit, werr)
				}
			case "removed":
				if werr != nil || exit.Code != 3 {
					t.Errorf("wait: %+v, %v", exit, werr)
				}
				return
			default:
				if werr != nil || exit.Code != 3 {
					t.Errorf("wait: %+v, %v", exit, werr)
				}
				if e, err := r.Store.ReadExit(id); err != nil || e.Code != 3 || e.MonitorLost {
					t.Errorf("exit.json is %+v, %v", e, err)
				}
			}
			in := r.again(id)
			in.CloseWrite()
			if code := r.code(r.waiter(id, engine.WaitExited)); code != 3 {
				t.Errorf("the next run's code is %d", code)
			}
		})
	}
}

// again starts a container that reads its input.
func (r *rig) again(id string) engine.Stream {
	r.t.Helper()
	r.start(id)
	return r.attach(id, all)
}

// gone recovers, and looks for what a dead monitor has left.
func (r *rig) gone(id string) {
	r.t.Helper()
	if err := r.Recover(r.t.Context(), id); err != nil {
		r.t.Errorf("recover: %v", err)
	}
	if _, err := os.Stat(r.Store.RunDir(id)); !errors.Is(err, os.ErrNotExist) {
		r.t.Errorf("the run directory is left: %v", err)
	}
	if left, _ := filepath.Glob("/sys/fs/cgroup/*/" + r.parent() + "/" + id); len(left) > 0 {
		r.t.Errorf("cgroups are left: %v", left)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(mounts), id) {
		r.t.Errorf("mounts are left: %v", err)
	}
}

// TestMonitorKilled: SIGKILL from outside, in the middle of a run.
func TestMonitorKilled(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	run, err := r.Store.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	s := r.attach(id, engine.AttachOptions{})
	w := r.waiter(id, engine.WaitNotRunning)
	removed := r.waiter(id, engine.WaitRemoved)
	syscall.Kill(run.Monitor, syscall.SIGKILL)
	if _, err := io.ReadAll(s); err != io.ErrUnexpectedEOF {
		t.Errorf("the stream of a monitor that was killed: %v", err)
	}
	if code := r.code(w); code != 137 {
		t.Errorf("code %d", code)
	}
	r.gone(id)
	r.eventually("the end of the container's process", func() bool { return dead(run.PID) })
	r.remove(t.Context(), id)
	if code := r.code(removed); code != 137 {
		t.Errorf("code of the removed one: %d", code)
	}
}

// dead says that a process is none, or a zombie.
func dead(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(b), ") Z ")
}

// TestInitKilled: the first process killed from outside is an end like any other.
func TestInitKilled(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	run, err := r.Store.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	w := r.waiter(id, engine.WaitNotRunning)
	syscall.Kill(run.PID, syscall.SIGKILL)
	if code := r.code(w); code != 137 {
		t.Errorf("code %d", code)
	}
	if e, _ := r.Store.ReadExit(id); e == nil || e.MonitorLost {
		t.Errorf("exit.json is %+v", e)
	}
}

// TestMain is also the caller that TestCallerKilled kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BERTH_TEST_CALLER"); dir != "" {
		caller(dir, os.Getenv("BERTH_TEST_ID"))
		return
	}
	os.Exit(m.Run())
}

// caller starts a container, attaches to it, and waits to be killed.
func caller(dir, id string) {
	s, err := state.Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"))
	if err != nil {
		panic(err)
	}
	c := &Client{Store: s}
	st, err := c.Attach(context.Background(), id, engine.AttachOptions{Stdin: true, Stdout: true})
	if err != nil {
		panic(err)
	}
	if err := c.Start(context.Background(), id, engine.StartOptions{}); err != nil {
		panic(err)
	}
	io.Copy(os.Stdout, st)
	time.Sleep(time.Hour)
}

// TestCallerKilled: the container goes on when the program that has started it, its session and its group are killed.
func TestCallerKilled(t *testing.T) {
	r := newRig(t)
	id := r.sh("echo up; sleep 0.2; echo still; sleep 1000", nil)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BERTH_TEST_CALLER="+filepath.Dir(r.Store.Root()), "BERTH_TEST_ID="+id)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	cmd.Wait()
	r.eventually("the output after it", func() bool {
		b, _ := os.ReadFile(filepath.Join(r.Store.Dir(id), "log", "container-json.log"))
		return strings.Contains(string(b), "still")
	})
	if st := r.status(id); st != engine.StatusRunning {
		t.Errorf("status is %s", st)
	}
	if code, out, _ := r.exec(id, "/bin/echo", "hello"); code != 0 || out != "hello\n" {
		t.Errorf("exec: %d, %q", code, out)
	}
}

// TestCallerForgetsNothing: no descriptor, goroutine or zombie stays in the program, but sockets to the last monitors.
func TestCallerForgetsNothing(t *testing.T) {
	r := newRig(t)
	once := func() {
		id := r.sh("exit 0", nil)
		r.run(id)
		r.remove(t.Context(), id)
	}
	once()
	before := descriptors(t)
	for range 12 {
		once()
	}
	r.mu.Lock()
	if len(r.kept) > keepMost {
		t.Errorf("%d monitors are kept", len(r.kept))
	}
	r.endSpares()
	r.mu.Unlock()
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
	r.eventually("the end of all zombies", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reap()
		return len(r.children) == 0
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
