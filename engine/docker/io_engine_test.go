package docker

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// TestAttachStdin half-closes the input: cat ends.
func TestAttachStdin(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		data := make([]byte, 2_000_000)
		rand.Read(data)
		for _, tty := range []bool{false, true} {
			id := made(t, e, engine.Spec{Command: []string{"cat"}, OpenStdin: true, StdinOnce: true, TTY: tty})
			s, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if s.Multiplexed() == tty {
				t.Errorf("tty %v, multiplexed %v", tty, s.Multiplexed())
			}
			if err := e.ContainerStart(t.Context(), id, engine.StartOptions{}); err != nil {
				t.Fatal(err)
			}
			if tty {
				if _, err := s.Write([]byte("abc\n\x04")); err != nil {
					t.Error(err)
				}
				if out, err := io.ReadAll(s); err != nil || !strings.HasPrefix(string(out), "abc\r\nabc\r\n") {
					t.Errorf("got %q, %v", out, err)
				}
				continue
			}
			go func() {
				s.Write(data)
				s.CloseWrite()
			}()
			var out, errs bytes.Buffer
			if _, err := frame.Copy(&out, &errs, s); err != nil || !bytes.Equal(out.Bytes(), data) || errs.Len() > 0 {
				t.Errorf("%d bytes, %q, %v", out.Len(), errs.String(), err)
			}
		}
	})
}

// TestAttachEnded attaches to containers that do not run (docker-py #2087).
func TestAttachEnded(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Command: []string{"echo", "hello"}})
		wait(t, e, id)
		if _, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
		s, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{Logs: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var out bytes.Buffer
		if _, err := frame.Copy(&out, &out, s); err != nil || out.String() != "hello\n" {
			t.Errorf("got %q, %v", out.String(), err)
		}
		if _, err := e.ContainerAttach(t.Context(), "no-such-container", engine.AttachOptions{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{NoStream: true}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func wait(t *testing.T, e *Engine, id string) engine.Exit {
	t.Helper()
	w, err := e.ContainerWait(t.Context(), id, engine.WaitNotRunning)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	exit, err := w.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return exit
}

// TestAttachEndsSoon attaches to containers in the moment that they end: it is their output or ErrNotRunning, and never hangs.
func TestAttachEndsSoon(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		for i := range 8 {
			id := started(t, e, engine.Spec{Command: []string{"sleep", "0.0" + string(rune('0'+i))}})
			s, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{})
			if err != nil {
				if !errors.Is(err, engine.ErrNotRunning) {
					t.Error(err)
				}
				continue
			}
			if _, err := io.Copy(io.Discard, s); err != nil {
				t.Error(err)
			}
			s.Close()
		}
	})
}

func TestAttachCancelAndDetach(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Command: []string{"cat"}, OpenStdin: true, TTY: true})
		ctx, cancel := context.WithCancel(t.Context())
		s, err := e.ContainerAttach(ctx, id, engine.AttachOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		s.Close()
		e.keys = "ctrl-x,x" // as from config.json
		s, err = e.ContainerAttach(t.Context(), id, engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, b := range []byte{'X' - '@', 'x'} { // a terminal sends them one by one
			s.Write([]byte{b})
			time.Sleep(50 * time.Millisecond)
		}
		if _, err := io.Copy(io.Discard, s); err != nil {
			t.Errorf("detached: %v", err)
		}
		if a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{}); err != nil || a.State.Status != engine.StatusRunning {
			t.Errorf("after detach: %v, %v", a, err)
		}
	})
}

func TestLogs(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "echo one; sleep 0.3; echo two >&2; sleep 0.1; echo three"}})
		read := func(opts engine.LogOptions) (stdout, stderr string) {
			l, err := e.ContainerLogs(t.Context(), id, opts)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if !l.Multiplexed() {
				t.Error("not multiplexed")
			}
			var out, errs bytes.Buffer
			if _, err := frame.Copy(&out, &errs, l); err != nil {
				t.Error(err)
			}
			return out.String(), errs.String()
		}
		if out, errs := read(engine.LogOptions{Follow: true}); out != "one\nthree\n" || errs != "two\n" {
			t.Errorf("follow: %q, %q", out, errs)
		}
		if out, errs := read(engine.LogOptions{NoStderr: true, Tail: new(1)}); out != "three\n" || errs != "" {
			t.Errorf("tail: %q, %q", out, errs)
		}
		if out, _ := read(engine.LogOptions{Tail: new(0)}); out != "" {
			t.Errorf("tail 0: %q", out)
		}
		out, _ := read(engine.LogOptions{Timestamps: true, NoStderr: true})
		first, _, _ := strings.Cut(out, " ")
		at, err := time.Parse(time.RFC3339Nano, first)
		if err != nil {
			t.Fatal(err)
		}
		if out, errs := read(engine.LogOptions{Since: at.Add(100 * time.Millisecond)}); out != "three\n" || errs != "two\n" {
			t.Errorf("since: %q, %q", out, errs)
		}
		if out, errs := read(engine.LogOptions{Until: at.Add(100 * time.Millisecond)}); out != "one\n" || errs != "" {
			t.Errorf("until: %q, %q", out, errs)
		}
		tty := started(t, e, engine.Spec{TTY: true, Command: []string{"echo", "tty"}})
		l, err := e.ContainerLogs(t.Context(), tty, engine.LogOptions{Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if raw, err := io.ReadAll(l); l.Multiplexed() || string(raw) != "tty\r\n" || err != nil {
			t.Errorf("tty: %q, %v", raw, err)
		}
		none := started(t, e, engine.Spec{LogConfig: engine.LogConfig{Driver: "none"}, Command: []string{"true"}})
		if _, err := e.ContainerLogs(t.Context(), none, engine.LogOptions{}); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("driver none: %v", err)
		}
		if _, err := e.ContainerLogs(t.Context(), id, engine.LogOptions{NoStdout: true, NoStderr: true}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ContainerLogs(t.Context(), "no-such-container", engine.LogOptions{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		follow := started(t, e, engine.Spec{})
		l2, err := e.ContainerLogs(t.Context(), follow, engine.LogOptions{Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		l2.Close() // while it follows
	})
}

func TestExec(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Env: map[string]string{"A": "1"}})
		start := func(spec engine.ExecSpec, opts engine.ExecStartOptions) (string, engine.Stream) {
			t.Helper()
			exec, err := e.ExecCreate(ctx, id, spec)
			if err != nil {
				t.Fatal(err)
			}
			if st, err := e.ExecInspect(ctx, exec); err != nil || st.Started || st.Running || st.ExitCode != nil || st.ContainerID != id {
				t.Errorf("before start: %+v, %v", st, err)
			}
			s, err := e.ExecStart(ctx, exec, opts)
			if err != nil {
				t.Fatal(err)
			}
			return exec, s
		}
		t.Run("outputs", func(t *testing.T) {
			exec, s := start(engine.ExecSpec{
				Cmd: []string{"sh", "-c", "echo $A $B; pwd; id -u; echo err >&2; exit 42"}, Env: map[string]string{"B": "2"}, WorkingDir: "/tmp", User: "2",
				AttachStdout: true, AttachStderr: true,
			}, engine.ExecStartOptions{})
			defer s.Close()
			var out, errs bytes.Buffer
			if _, err := frame.Copy(&out, &errs, s); err != nil || out.String() != "1 2\n/tmp\n2\n" || errs.String() != "err\n" {
				t.Errorf("%q, %q, %v", out.String(), errs.String(), err)
			}
			st, err := e.ExecInspect(ctx, exec)
			if err != nil || st.Running || !st.Started || st.ExitCode == nil || *st.ExitCode != 42 || st.Command[0] != "sh" {
				t.Errorf("%+v, %v", st, err)
			}
		})
		t.Run("stdin", func(t *testing.T) {
			_, s := start(engine.ExecSpec{Cmd: []string{"cat"}, AttachStdin: true, AttachStdout: true}, engine.ExecStartOptions{})
			defer s.Close()
			io.WriteString(s, "in")
			if err := s.CloseWrite(); err != nil {
				t.Error(err)
			}
			var out bytes.Buffer
			if _, err := frame.Copy(&out, nil, s); err != nil || out.String() != "in" {
				t.Errorf("%q, %v", out.String(), err)
			}
		})
		t.Run("terminal", func(t *testing.T) {
			exec, s := start(engine.ExecSpec{Cmd: []string{"sh", "-c", "sleep 0.5; stty size; read x; stty size"}, TTY: true, AttachStdin: true, AttachStdout: true, AttachStderr: true},
				engine.ExecStartOptions{TTY: true, Size: engine.Size{Rows: 33, Cols: 77}})
			defer s.Close()
			if s.Multiplexed() {
				t.Error("multiplexed")
			}
			buf := make([]byte, 100)
			n, err := s.Read(buf)
			if err != nil || string(buf[:n]) != "33 77\r\n" {
				t.Errorf("%q, %v", buf[:n], err)
			}
			if err := e.ExecResize(ctx, exec, engine.Size{Rows: 44, Cols: 88}); err != nil {
				t.Error(err)
			}
			io.WriteString(s, "\n")
			if rest, err := io.ReadAll(s); err != nil || !strings.HasSuffix(string(rest), "44 88\r\n") {
				t.Errorf("%q, %v", rest, err)
			}
		})
		t.Run("detached", func(t *testing.T) {
			exec, s := start(engine.ExecSpec{Cmd: []string{"sh", "-c", "sleep 0.2; exit 5"}}, engine.ExecStartOptions{Detach: true})
			if s != nil {
				t.Error("a stream")
			}
			for {
				st, err := e.ExecInspect(ctx, exec)
				if err != nil {
					t.Fatal(err)
				}
				if st.Running && st.ExitCode != nil {
					t.Errorf("%+v", st)
				}
				if !st.Running && st.ExitCode != nil {
					if *st.ExitCode != 5 {
						t.Errorf("%+v", st)
					}
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
		t.Run("missing command", func(t *testing.T) {
			exec, s := start(engine.ExecSpec{Cmd: []string{"/no/such"}, AttachStdout: true, AttachStderr: true}, engine.ExecStartOptions{})
			defer s.Close()
			var out bytes.Buffer
			frame.Copy(&out, &out, s)
			st, err := e.ExecInspect(ctx, exec)
			if err != nil || st.ExitCode == nil || *st.ExitCode != 126 && *st.ExitCode != 127 || !strings.Contains(out.String(), "/no/such") {
				t.Errorf("%+v, %v, %q", st, err, out.String())
			}
			exec, err = e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"/no/such"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.ExecStart(ctx, exec, engine.ExecStartOptions{Detach: true}); !errors.Is(err, engine.ErrCommandNotFound) {
				t.Errorf("detached: %v", err)
			}
		})
		if _, err := e.ExecCreate(ctx, id, engine.ExecSpec{}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("got %v", err)
		}
		if _, err := e.ExecInspect(ctx, "nosuch"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		stopped := made(t, e, engine.Spec{})
		if _, err := e.ExecCreate(ctx, stopped, engine.ExecSpec{Cmd: []string{"true"}}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
	})
}

func TestExecKill(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Init: new(true)})
		for _, local := range []bool{true, false} {
			e.local = local
			exec, err := e.ExecCreate(t.Context(), id, engine.ExecSpec{Cmd: []string{"sleep", "998"}, AttachStdout: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := errors.AsType[*engine.ExecAliveError](e.ExecKill(t.Context(), exec, "")); !ok {
				t.Error("a process that is yet to start was killed")
			}
			s, err := e.ExecStart(t.Context(), exec, engine.ExecStartOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for {
				st, err := e.ExecInspect(t.Context(), exec)
				if err != nil {
					t.Fatal(err)
				}
				if st.PID != 0 {
					break
				}
			}
			if err := e.ExecKill(t.Context(), exec, ""); err != nil {
				alive, ok := errors.AsType[*engine.ExecAliveError](err)
				if !ok || alive.ExecID != exec {
					t.Fatalf("local %v: %v", local, err)
				}
				t.Logf("local %v: %v", local, err)
				continue
			}
			io.Copy(io.Discard, s)
			if st, err := e.ExecInspect(t.Context(), exec); err != nil || st.Running || st.ExitCode == nil || *st.ExitCode != 137 {
				t.Errorf("local %v: %+v, %v", local, st, err)
			}
			if err := e.ExecKill(t.Context(), exec, ""); err != nil {
				t.Errorf("after its end: %v", err)
			}
		}
	})
}

func TestResize(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{TTY: true, Command: []string{"sh", "-c", "sleep 0.5; stty size"}})
		if err := e.ContainerResize(t.Context(), id, engine.Size{Rows: 31, Cols: 71}); err != nil {
			t.Fatal(err)
		}
		l, err := e.ContainerLogs(t.Context(), id, engine.LogOptions{Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if out, err := io.ReadAll(l); err != nil || string(out) != "31 71\r\n" {
			t.Errorf("%q, %v", out, err)
		}
		if err := e.ContainerResize(t.Context(), id, engine.Size{Rows: 1, Cols: 1}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAttachWebsocket(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := made(t, e, engine.Spec{Command: []string{"sh", "-c", "read x; echo got $x; echo err >&2; sleep 0.1; head -c 200000 /dev/zero"}, OpenStdin: true, StdinOnce: true})
		s, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{Websocket: true, Stdin: true, Stdout: true, Stderr: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if s.Multiplexed() {
			t.Error("multiplexed")
		}
		if err := s.CloseWrite(); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
		if err := e.ContainerStart(t.Context(), id, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(s, "abc\n"); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(s)
		if err != nil || len(out) != 200_000+len("got abc\nerr\n") || !bytes.Contains(out, []byte("got abc\n")) || !bytes.Contains(out, []byte("err\n")) {
			t.Errorf("%d bytes, %.40q, %v", len(out), out, err)
		}
		if _, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{Websocket: true}); !errors.Is(err, engine.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
	})
}
