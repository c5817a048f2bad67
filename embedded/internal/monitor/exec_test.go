//go:build linux

package monitor

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
)

// sleeper is a running container.
func (r *rig) sleeper() string {
	r.t.Helper()
	id := r.create(nil, "/bin/sleep", "100000")
	r.start(id)
	return id
}

// TestExec: output, code, and what inspect says.
func TestExec(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	code, out, errw := r.exec(id, "/bin/sh", "-c", "echo out; echo err >&2; exit 6")
	if code != 6 || out != "out\n" || errw != "err\n" {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errw)
	}
	for command, want := range map[string]error{"/nosuch": engine.ErrCommandNotFound, "/etc/passwd": engine.ErrCommandNotExecutable} {
		x, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{command}, AttachStdout: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", command, err)
		}
		if _, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s, second start: %v", command, err)
		}
	}
	if _, err := r.ExecInspect(t.Context(), id); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("inspect of what is none: %v", err)
	}
}

// TestExecStdin: megabytes go through.
func TestExecStdin(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	data := make([]byte, 2<<20)
	rand.Read(data)
	x, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/cat"}, AttachStdin: true, AttachStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := r.ExecInspect(t.Context(), x)
	if err != nil || !st.Running || st.ExitCode != nil || st.PID == 0 || st.ContainerID != id {
		t.Errorf("while it runs: %+v, %v", st, err)
	}
	if ids, err := r.ExecIDs(t.Context(), id); err != nil || len(ids) != 1 || ids[0] != x {
		t.Errorf("execs: %v, %v", ids, err)
	}
	go func() {
		s.Write(data)
		s.CloseWrite()
	}()
	out, _ := r.read(s)
	if !bytes.Equal([]byte(out), data) {
		t.Errorf("%d bytes came back of %d, or others", len(out), len(data))
	}
}

// TestExecTerminal: size, ^C, resize, the code.
func TestExecTerminal(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	x, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/sh", "-c", "stty size; trap 'stty size; exit 3' WINCH; while :; do usleep 10000; done"}, TTY: true, AttachStdin: true, AttachStdout: true, AttachStderr: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{TTY: true, Size: engine.Size{Rows: 31, Cols: 71}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	buf := make([]byte, 7)
	if _, err := io.ReadFull(s, buf); err != nil || string(buf) != "31 71\r\n" {
		t.Errorf("size is %q, %v", buf, err)
	}
	r.eventually("the trap", func() bool {
		st, err := r.ExecInspect(t.Context(), x)
		r.ExecResize(t.Context(), x, engine.Size{Rows: 12, Cols: 34})
		r.ExecResize(t.Context(), x, engine.Size{Rows: 13, Cols: 35})
		return err == nil && !st.Running
	})
	if out, _ := r.read(s); !strings.Contains(out, "1") {
		t.Errorf("output is %q", out)
	}
	if st, err := r.ExecInspect(t.Context(), x); err != nil || *st.ExitCode != 3 {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestExecDetached: it runs on its own, and its code is known; kill ends it.
func TestExecDetached(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	x, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/sh", "-c", "echo lost; exec sleep 1000"}})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{Detach: true}); err != nil || s != nil {
		t.Fatalf("%v, %v", s, err)
	}
	if err := r.ExecKill(t.Context(), x, "TERM"); err != nil {
		t.Fatal(err)
	}
	r.eventually("its end", func() bool {
		st, err := r.ExecInspect(t.Context(), x)
		return err == nil && !st.Running && *st.ExitCode == 143
	})
	if err := r.ExecKill(t.Context(), x, ""); err != nil {
		t.Errorf("kill of what is over: %v", err)
	}
}

// TestExecAfterEnd: when the container has ended, its execs have, and how they went is still told.
func TestExecAfterEnd(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	x, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/sleep", "1000"}, AttachStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.ExecStart(t.Context(), x, engine.ExecStartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := r.Kill(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	r.read(s)
	r.eventually("the monitor's end", func() bool { alive, _ := r.Store.MonitorAlive(id); return !alive })
	if st, err := r.ExecInspect(t.Context(), x); err != nil || st.Running || st.ExitCode == nil || *st.ExitCode != 137 {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := r.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"/bin/true"}}); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("exec in a container that has ended: %v", err)
	}
	if err := r.ExecKill(t.Context(), x, ""); err != nil {
		t.Errorf("kill: %v", err)
	}
}

// TestExecChild: a child that keeps the output open does not keep the code from being known; what it writes soon comes.
func TestExecChild(t *testing.T) {
	r := newRig(t)
	id := r.sleeper()
	code, out, _ := r.exec(id, "/bin/sh", "-c", "(usleep 100000; echo late; sleep 1000) & echo first; exit 5")
	if code != 5 || out != "first\nlate\n" {
		t.Errorf("code %d, output %q", code, out)
	}
}
