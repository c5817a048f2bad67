package podman

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestExec(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{User: "0"})
		out, code := exec(t, e, id, engine.ExecSpec{
			Cmd: []string{"sh", "-c", "echo $A; pwd; id -u; exit 3"}, Env: map[string]string{"A": "b c"}, WorkingDir: "/tmp", User: "7",
		})
		if out != "b c\n/tmp\n7\n" || code != 3 {
			t.Errorf("output %q, code %d", out, code)
		}
		if out, code := exec(t, e, id, engine.ExecSpec{Cmd: []string{"/no/such"}}); code != 127 || !strings.Contains(out, "no such file") {
			t.Errorf("missing command: %q, %d", out, code)
		}
		if _, code := exec(t, e, id, engine.ExecSpec{Cmd: []string{"/etc/passwd"}}); code != 126 {
			t.Errorf("file as command: %d", code)
		}
		if out, _ := exec(t, e, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "test -t 0 && echo tty"}, TTY: true}); out != "tty\r\n" {
			t.Errorf("terminal: %q", out)
		}
		if out, _ := exec(t, e, id, engine.ExecSpec{Cmd: []string{"grep", "CapEff", "/proc/self/status"}, Privileged: true}); !strings.Contains(out, "000001f") {
			t.Errorf("privileged: %q", out)
		}
		_, err := e.ExecCreate(ctx, id, engine.ExecSpec{})
		wantKind(t, "no command", err, engine.ErrInvalid)
		_, err = e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"true"}, UnsetEnv: []string{"A"}})
		wantUnsupported(t, err, "ExecSpec.UnsetEnv")
		_, err = e.ExecCreate(ctx, "no-such-container", engine.ExecSpec{Cmd: []string{"true"}})
		wantKind(t, "missing container", err, engine.ErrNotFound)
		_, err = e.ExecInspect(ctx, "no-such-exec")
		wantKind(t, "missing exec", err, engine.ErrNotFound)
		_, err = e.ExecStart(ctx, "no-such-exec", engine.ExecStartOptions{})
		wantKind(t, "start of a missing exec", err, engine.ErrNotFound)

		x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"cat"}, AttachStdin: true, AttachStdout: true})
		if err != nil {
			t.Fatal(err)
		}
		st, err := e.ExecInspect(ctx, x)
		if err != nil || st.Started || st.Running || st.ExitCode != nil || st.ContainerID != id || strings.Join(st.Command, " ") != "cat" {
			t.Errorf("exec before its start: %+v, %v", st, err)
		}
		s, err := e.ExecStart(ctx, x, engine.ExecStartOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		eventually(t, "running", func() bool { st, err := e.ExecInspect(ctx, x); return err == nil && st.Running && st.ExitCode == nil })
		if _, err := io.WriteString(s, "through\n"); err != nil {
			t.Fatal(err)
		}
		if err := s.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if out, _, err := read(s); err != nil || out != "through\n" {
			t.Errorf("cat: %q, %v", out, err)
		}
		_, err = e.ExecStart(ctx, x, engine.ExecStartOptions{})
		wantKind(t, "second start", err, engine.ErrConflict)
	})
}

func TestExecTerminalSize(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		// The size of the start comes with it, at times a moment after the process began to run.
		x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "until stty size | grep '^12 34'; do sleep 0.05; done 2>/dev/null; read x; until stty size | grep '^56 78'; do sleep 0.05; done"}, TTY: true, AttachStdin: true, AttachStdout: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.ExecStart(ctx, x, engine.ExecStartOptions{TTY: true, Size: engine.Size{Rows: 12, Cols: 34}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		buf := make([]byte, 64)
		n, err := s.Read(buf)
		if err != nil || string(buf[:n]) != "12 34\r\n" {
			t.Errorf("first size %q, %v", buf[:n], err)
		}
		if err := e.ExecResize(ctx, x, engine.Size{Rows: 56, Cols: 78}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(s, "\n"); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(s)
		if err != nil || !strings.Contains(string(out), "56 78") {
			t.Errorf("second size %q, %v", out, err)
		}
	})
}

func TestExecDetached(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "while ! test -e /go; do sleep 0.05; done; exit 4"}})
		if err != nil {
			t.Fatal(err)
		}
		if s, err := e.ExecStart(ctx, x, engine.ExecStartOptions{Detach: true}); err != nil || s != nil {
			t.Fatal(s, err)
		}
		st, err := e.ExecInspect(ctx, x)
		if err != nil || !st.Running || !st.Started || st.ExitCode != nil || st.PID == 0 {
			t.Errorf("running: %+v, %v", st, err)
		}
		execOut(t, e, id, "touch", "/go")
		eventually(t, "ended", func() bool { st, err = e.ExecInspect(ctx, x); return err == nil && !st.Running })
		if st.ExitCode == nil || *st.ExitCode != 4 {
			t.Errorf("ended: %+v", st)
		}
		x, err = e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"/no/such"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.ExecStart(ctx, x, engine.ExecStartOptions{Detach: true})
		wantKind(t, "missing command", err, engine.ErrCommandNotFound)
	})
}

// TestExecDetachedByAnother: 4.3 tells one that has ended as running for five minutes.
func TestExecDetachedByAnother(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"true"}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := e.Do(ctx, "POST", "/exec/"+x+"/start", strings.NewReader(`{"Detach":true}`), jsonHeader())
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
		var st *engine.ExecState
		eventually(t, "ended", func() bool { st, err = e.ExecInspect(ctx, x); return err == nil && !st.Running })
		if !st.Started || (st.ExitCode == nil) != (e.version < vExecLiveness) {
			t.Errorf("ended: %+v", st)
		}
	})
}

// TestExecRemoveKills is what ExecKill leaves to the engine where nothing else reaches the process.
func TestExecRemoveKills(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		if e.version < vExecRemove {
			t.Skip("the engine cannot remove an exec before 4.8")
		}
		ctx := t.Context()
		id := started(t, e, engine.Spec{StopTimeout: new(time.Second)})
		x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.ExecStart(ctx, x, engine.ExecStartOptions{Detach: true}); err != nil {
			t.Fatal(err)
		}
		if err := e.removeExec(ctx, x); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the process gone", func() bool { return !strings.Contains(execOut(t, e, id, "ps"), "trap") })
		_, err = e.ExecInspect(ctx, x)
		wantKind(t, "inspect", err, engine.ErrNotFound)
	})
}

func TestExecKill(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{StopTimeout: new(time.Second)})
		for _, local := range []bool{true, false} {
			e.local = local
			x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}, AttachStdout: true})
			if err != nil {
				t.Fatal(err)
			}
			s, err := e.ExecStart(ctx, x, engine.ExecStartOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := e.ExecKill(ctx, x, ""); err != nil {
				t.Fatal(err)
			}
			if _, _, err := read(s); err != nil {
				t.Error(err)
			}
			if ps := execOut(t, e, id, "ps"); strings.Contains(ps, "trap") {
				t.Errorf("local %t: it lives on:\n%s", local, ps)
			}
		}
	})
}
