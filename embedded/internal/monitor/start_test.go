//go:build linux

package monitor

import (
	"errors"
	"testing"

	"github.com/berthdev/berth/engine"
)

// TestRun: a container runs, its output is exact, its code is told, its state is true before and after.
func TestRun(t *testing.T) {
	r := newRig(t)
	id := r.sh("echo out; echo err >&2; exit 7", nil)
	if s := r.status(id); s != engine.StatusCreated {
		t.Errorf("status before the start is %s", s)
	}
	code, out, errw := r.run(id)
	if code != 7 || out != "out\n" || errw != "err\n" {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errw)
	}
	if s := r.status(id); s != engine.StatusExited {
		t.Errorf("status after the end is %s", s)
	}
	if e, err := r.Store.ReadExit(id); err != nil || e.Code != 7 || e.OOMKilled || e.StartedAt.IsZero() || e.FinishedAt.Before(e.StartedAt) {
		t.Errorf("exit.json is %+v, %v", e, err)
	}
	if code := r.code(r.waiter(id, engine.WaitNotRunning)); code != 7 {
		t.Errorf("a later wait says %d", code)
	}
	// Again, in the same container.
	if code, out, _ = r.run2(id); code != 7 || out != "out\n" {
		t.Errorf("second run: code %d, stdout %q", code, out)
	}
}

// run2 is run of a container that has run before: it is attached to when it runs, so its output may be missed.
func (r *rig) run2(id string) (int, string, string) {
	r.t.Helper()
	w := r.waiter(id, engine.WaitNextExit)
	s := r.attach(id, engine.AttachOptions{Logs: true, NoStream: true})
	out, errw := r.read(s)
	r.start(id)
	return r.code(w), out, errw
}

// TestCommandMissing: a command that cannot be executed is told from a start that failed.
func TestCommandMissing(t *testing.T) {
	r := newRig(t)
	for command, want := range map[string]error{"/nosuch": engine.ErrCommandNotFound, "/etc/passwd": engine.ErrCommandNotExecutable, "nosuch": engine.ErrCommandNotFound} {
		id := r.create(nil, command)
		err := r.Start(t.Context(), id, engine.StartOptions{})
		if !errors.Is(err, want) {
			t.Errorf("%s: error is %v", command, err)
		}
		code := map[error]int{engine.ErrCommandNotFound: 127, engine.ErrCommandNotExecutable: 126}[want]
		if e, err := r.Store.ReadExit(id); err != nil || e == nil || e.Code != code || e.Error == "" {
			t.Errorf("%s: exit.json is %+v, %v", command, e, err)
		}
		if st := r.status(id); st != engine.StatusCreated {
			t.Errorf("%s: the status of a container that has never run is %s", command, st)
		}
	}
}

// TestStartTwice: starting a running container is a success and starts nothing.
func TestStartTwice(t *testing.T) {
	r := newRig(t)
	id := r.create(nil, "/bin/sleep", "1000")
	r.start(id)
	run, err := r.Store.ReadRun(id)
	if err != nil {
		t.Fatal(err)
	}
	r.start(id)
	again, err := r.Store.ReadRun(id)
	if err != nil || again.PID != run.PID {
		t.Errorf("the process was %d, and is %d: %v", run.PID, again.PID, err)
	}
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	if s := r.status(id); s != engine.StatusExited {
		t.Errorf("status after SIGKILL is %s", s)
	}
	if code := r.code(r.waiter(id, engine.WaitNotRunning)); code != 137 {
		t.Errorf("code is %d", code)
	}
	if err := r.Kill(t.Context(), id, ""); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("second kill: %v", err)
	}
}
