//go:build linux

package monitor

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// TestStop: the stop signal, and after the timeout SIGKILL.
func TestStop(t *testing.T) {
	r := newRig(t)
	polite := r.sh("trap 'exit 9' TERM; echo ready; while :; do usleep 10000; done", nil)
	s := r.attach(polite, engine.AttachOptions{})
	r.start(polite)
	r.lines(s, "ready")
	if err := r.Stop(t.Context(), polite, engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Store.ReadExit(polite); e == nil || e.Code != 9 {
		t.Errorf("exit of the polite one is %+v", e)
	}
	if err := r.Stop(t.Context(), polite, engine.StopOptions{}); err != nil {
		t.Errorf("stop of a stopped one: %v", err)
	}
	deaf := r.create(nil, "/bin/sleep", "1000") // process 1 is deaf to SIGTERM
	r.start(deaf)
	if err := r.Stop(t.Context(), deaf, engine.StopOptions{Timeout: new(50 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Store.ReadExit(deaf); e == nil || e.Code != 137 {
		t.Errorf("exit of the deaf one is %+v", e)
	}
	if err := r.Stop(t.Context(), deaf, engine.StopOptions{Signal: "NOSUCH"}); err != nil {
		t.Errorf("stop of a stopped one with a signal: %v", err)
	}
}

// TestSignal: a signal by its name reaches the process.
func TestSignal(t *testing.T) {
	r := newRig(t)
	id := r.sh("trap 'exit 7' USR1; echo ready; while :; do usleep 10000; done", nil)
	s := r.attach(id, engine.AttachOptions{})
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	r.lines(s, "ready")
	if err := r.Kill(t.Context(), id, "sigusr1"); err != nil {
		t.Fatal(err)
	}
	if code := r.code(w); code != 7 {
		t.Errorf("code %d", code)
	}
}

// TestPause: paused, killed while paused, stopped while paused.
func TestPause(t *testing.T) {
	r := newRig(t)
	id := r.create(nil, "/bin/sleep", "1000")
	if err := r.Pause(t.Context(), id); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("pause of a created one: %v", err)
	}
	r.start(id)
	if err := r.Unpause(t.Context(), id); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("unpause of a running one: %v", err)
	}
	pause := func() {
		t.Helper()
		if err := r.Pause(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if s := r.status(id); s != engine.StatusPaused {
			t.Errorf("status is %s", s)
		}
	}
	pause()
	if err := r.Start(t.Context(), id, engine.StartOptions{}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("start of a paused one: %v", err)
	}
	if _, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/true"}}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("exec in a paused one: %v", err)
	}
	if err := r.Unpause(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := r.exec(id, "/bin/true"); code != 0 {
		t.Errorf("exec: %d", code)
	}
	pause()
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	r.start(id)
	pause()
	if err := r.Stop(t.Context(), id, engine.StopOptions{Timeout: new(20 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	if s := r.status(id); s != engine.StatusExited {
		t.Errorf("status is %s", s)
	}
}

// TestRestart: another process, in the same monitor; of a created container it is a start.
func TestRestart(t *testing.T) {
	r := newRig(t)
	id := r.create(nil, "/bin/sleep", "1000")
	for range 3 {
		before, _ := r.Store.ReadRun(id)
		if err := r.Restart(t.Context(), id, engine.StopOptions{Timeout: new(time.Duration(0))}); err != nil {
			t.Fatal(err)
		}
		after, _ := r.Store.ReadRun(id)
		if after == nil || after.Status != engine.StatusRunning || before != nil && (after.PID == before.PID || !after.StartedAt.After(before.StartedAt)) {
			t.Errorf("run.json was %+v and is %+v", before, after)
		}
	}
}

func policy(name string, retries int) func(*state.Config, *specs.Spec) {
	return func(cfg *state.Config, _ *specs.Spec) {
		cfg.Spec.RestartPolicy = engine.RestartPolicy{Name: name, MaximumRetryCount: retries}
	}
}

// TestRestartPolicy: on-failure ends, always does not until it is stopped.
func TestRestartPolicy(t *testing.T) {
	r := newRig(t)
	id := r.sh("echo run; exit 1", policy("on-failure", 2))
	w := r.waiter(id, engine.WaitExited)
	r.start(id)
	if code := r.code(w); code != 1 {
		t.Errorf("code %d", code)
	}
	s := r.attach(id, engine.AttachOptions{Stdout: true, Logs: true})
	if out, _ := r.read(s); out != "run\nrun\nrun\n" {
		t.Errorf("output is %q", out)
	}
	if e, _ := r.Store.ReadExit(id); e == nil || e.Restarts != 2 {
		t.Errorf("exit.json is %+v", e)
	}

	id = r.sh("exit 0", policy("always", 0))
	restarting := r.waiter(id, engine.WaitCondition(engine.StatusRestarting))
	r.start(id)
	r.code(restarting)
	next := r.waiter(id, engine.WaitNextExit)
	r.code(next)
	if err := r.Stop(t.Context(), id, engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if st := r.status(id); st != engine.StatusExited {
		t.Errorf("status is %s", st)
	}
	if cfg, err := r.Store.Config(id); err != nil || !cfg.StoppedByUser {
		t.Errorf("StoppedByUser is not kept: %v", err)
	}
	r.start(id)
	if cfg, err := r.Store.Config(id); err != nil || cfg.StoppedByUser {
		t.Errorf("StoppedByUser is kept: %v", err)
	}

	id = r.create(policy("unless-stopped", 0), "/bin/sleep", "1000")
	r.start(id)
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	if st := r.status(id); st != engine.StatusExited {
		t.Errorf("status after a kill is %s", st)
	}
}

// TestAutoRemove: nothing is left, and who waits for the removal gets the code.
func TestAutoRemove(t *testing.T) {
	r := newRig(t)
	auto := func(cfg *state.Config, _ *specs.Spec) { cfg.Spec.AutoRemove = true }
	for range 3 {
		id := r.sh("exit 4", auto)
		removed := r.waiter(id, engine.WaitRemoved)
		next := r.waiter(id, engine.WaitNextExit)
		r.start(id)
		if code := r.code(next); code != 4 {
			t.Errorf("next exit: %d", code)
		}
		if code := r.code(removed); code != 0 && code != 4 {
			t.Errorf("removed: %d", code)
		}
		if _, err := os.Stat(r.Store.Dir(id)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its directory: %v", err)
		}
	}
	id := r.sh("read x; exit 4", func(cfg *state.Config, oci *specs.Spec) { auto(cfg, oci); stdinOnce(cfg, oci) })
	in := r.attach(id, engine.AttachOptions{Stdin: true})
	r.start(id)
	removed := r.waiter(id, engine.WaitRemoved)
	in.CloseWrite()
	if code := r.code(removed); code != 4 {
		t.Errorf("removed: %d", code)
	}
	id = r.create(auto, "/nosuch")
	if err := r.Start(t.Context(), id, engine.StartOptions{}); !errors.Is(err, engine.ErrCommandNotFound) {
		t.Errorf("start: %v", err)
	}
	r.eventually("the removal after a failed start", func() bool {
		_, err := os.Stat(r.Store.Dir(id))
		return errors.Is(err, os.ErrNotExist)
	})
	id = r.create(auto, "/bin/sleep", "1000")
	r.start(id)
	if err := r.Restart(t.Context(), id, engine.StopOptions{Timeout: new(time.Duration(0))}); err != nil {
		t.Errorf("restart: %v", err)
	}
}

// TestTimeout: a container runs no longer than it may.
func TestTimeout(t *testing.T) {
	r := newRig(t)
	id := r.create(func(cfg *state.Config, _ *specs.Spec) { cfg.Spec.Timeout = 100 * time.Millisecond }, "/bin/sleep", "1000")
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	if code := r.code(w); code != 137 {
		t.Errorf("code %d", code)
	}
}

// TestOOM: the end for want of memory is told as such.
func TestOOM(t *testing.T) {
	r := newRig(t)
	limit := int64(16 << 20)
	id := r.sh("x=0123456789abcdef; while :; do x=$x$x; done", func(cfg *state.Config, oci *specs.Spec) {
		cfg.Spec.Resources.Memory = engine.Bytes(limit)
		oci.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &limit, Swap: &limit}
	})
	code, _, _ := r.run(id)
	if e, _ := r.Store.ReadExit(id); code != 137 || e == nil || !e.OOMKilled {
		t.Errorf("code %d, exit.json %+v", code, e)
	}
}

// TestInit: initialized, then started, or removed.
func TestInit(t *testing.T) {
	r := newRig(t)
	id := r.sh("exit 5", nil)
	if err := r.Init(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if s := r.status(id); s != engine.StatusInitialized {
		t.Errorf("status is %s", s)
	}
	if code, _, _ := r.run(id); code != 5 {
		t.Errorf("code %d", code)
	}
	id = r.create(nil, "/bin/true")
	if err := r.Init(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// TestHealth: starting, unhealthy, healthy, by itself and when asked.
func TestHealth(t *testing.T) {
	r := newRig(t)
	id := r.create(func(cfg *state.Config, _ *specs.Spec) {
		cfg.Healthcheck = &engine.Healthcheck{Test: engine.CmdShell("test -e /ok || { echo not yet; exit 1; }"), Interval: 50 * time.Millisecond, Timeout: 5 * time.Second, Retries: 2}
	}, "/bin/sleep", "1000")
	unhealthy, healthy := r.waiter(id, engine.WaitUnhealthy), r.waiter(id, engine.WaitHealthy)
	r.start(id)
	r.code(unhealthy)
	run, _ := r.Store.ReadRun(id)
	if h := run.Health; h == nil || h.Status != engine.HealthUnhealthy || len(h.Log) < 2 || h.Log[0].Output != "not yet\n" || h.Log[0].ExitCode != 1 {
		t.Errorf("health is %+v", run.Health)
	}
	r.exec(id, "/bin/touch", "/ok")
	r.code(healthy)
	if res, err := r.Healthcheck(t.Context(), id); err != nil || !res.Healthy {
		t.Errorf("%+v, %v", res, err)
	}
	none := r.create(nil, "/bin/sleep", "1000")
	r.start(none)
	if _, err := r.Healthcheck(t.Context(), none); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("check of a container without one: %v", err)
	}
}

// TestHealthTimeout: a test that takes too long is killed, and its failure told.
func TestHealthTimeout(t *testing.T) {
	r := newRig(t)
	id := r.create(func(cfg *state.Config, _ *specs.Spec) {
		cfg.Healthcheck = &engine.Healthcheck{Test: engine.CmdShell("echo slow; exec sleep 1000"), Interval: time.Hour, Timeout: 50 * time.Millisecond}
	}, "/bin/sleep", "1000")
	r.start(id)
	res, err := r.Healthcheck(t.Context(), id)
	if err != nil || res.Healthy || res.ExitCode != -1 || !strings.Contains(res.Output, "timeout") || !strings.Contains(res.Output, "slow") {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestHealthAction: what is to be done with an unhealthy container is done.
func TestHealthAction(t *testing.T) {
	r := newRig(t)
	for _, action := range []string{"kill", "stop", "restart"} {
		id := r.sh("trap 'exit 0' TERM; while :; do usleep 10000; done", func(cfg *state.Config, _ *specs.Spec) {
			cfg.Healthcheck = &engine.Healthcheck{Test: engine.CmdShell("exit 1"), Interval: 20 * time.Millisecond, Retries: 1, OnFailure: action}
		})
		w := r.waiter(id, engine.WaitNextExit)
		r.start(id)
		code := r.code(w)
		if want := map[string]int{"kill": 137}[action]; code != want {
			t.Errorf("%s: code %d", action, code)
		}
		if action == "restart" {
			r.code(r.waiter(id, engine.WaitRunning))
		}
	}
}

// TestUpdate: limits, restart policy and health check of a container that runs.
func TestUpdate(t *testing.T) {
	r := newRig(t)
	id := r.create(nil, "/bin/sleep", "1000")
	r.start(id)
	oci, err := r.Store.OCI(id)
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := r.Store.Config(id)
	limit := int64(55)
	oci.Linux.Resources.Pids = &specs.LinuxPids{Limit: &limit}
	cfg.Healthcheck = &engine.Healthcheck{Test: engine.CmdShell("true"), Interval: 10 * time.Millisecond}
	unlock, err := r.Store.Lock(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.Store.WriteOCI(id, oci)
	r.Store.WriteConfig(cfg)
	if err := r.Update(t.Context(), id); err != nil {
		t.Error(err)
	}
	unlock()
	if b, err := os.ReadFile(fmt.Sprintf("/sys/fs/cgroup/pids/%s/pids.max", cfg.Cgroup)); err == nil && string(b) != "55\n" {
		t.Errorf("pids.max is %q", b)
	}
	r.code(r.waiter(id, engine.WaitHealthy))
}

// TestReaper: process 1 is the reaper, which is found nowhere else than where it is mounted and cannot be written to; a command that is missing ends with 127.
func TestReaper(t *testing.T) {
	r := newRig(t)
	withInit := func(cfg *state.Config, _ *specs.Spec) { cfg.Init = true }
	id := r.sh("readlink /proc/1/exe; (sleep 0 &); usleep 50000; ps; (: >/dev/init); exit 7", withInit)
	code, out, errw := r.run(id)
	if code != 7 || !strings.HasPrefix(out, "/dev/init\n") || strings.Contains(out, "[sleep]") || !strings.Contains(errw, "Read-only") {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errw)
	}
	id = r.create(withInit, "/nosuch")
	if code, _, _ := r.run(id); code != 127 {
		t.Errorf("code %d", code)
	}
	id = r.sh("trap 'exit 9' TERM; echo ready; while :; do usleep 10000; done", withInit)
	s := r.attach(id, engine.AttachOptions{})
	r.start(id)
	r.lines(s, "ready")
	if err := r.Stop(t.Context(), id, engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Store.ReadExit(id); e == nil || e.Code != 9 {
		t.Errorf("exit.json is %+v", e)
	}
}
