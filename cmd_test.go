package berth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func exitCode(err error) int {
	if e, ok := errors.AsType[*ExitError](err); ok {
		return e.Code
	}
	return -1
}

func TestCmdStreamsBothOutputs(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int {
		write(p.out, "out")
		write(p.err, "err")
		return 7
	}})
	var out, errw bytes.Buffer
	c.Stdout, c.Stderr = &out, &errw
	err := c.Run(t.Context())
	if exitCode(err) != 7 || c.ExitCode() != 7 {
		t.Fatalf("error is %v, ExitCode %d, want 7", err, c.ExitCode())
	}
	e, _ := errors.AsType[*ExitError](err)
	if string(e.Stdout) != "out" || string(e.Stderr) != "err" || out.String() != "out" || errw.String() != "err" {
		t.Errorf("stdout %q, stderr %q, tails %q and %q", &out, &errw, e.Stdout, e.Stderr)
	}
	if c.ID() != "exec1" || e.Container.ID() != "c0ffee" {
		t.Errorf("ID %q, container %v", c.ID(), e.Container)
	}
}

func TestCmdExitCodeInEveryShape(t *testing.T) {
	exit := func(p *proc) int { write(p.out, "x"); io.Copy(io.Discard, p.in); return 5 }
	shapes := map[string]func(*Cmd) error{
		"without output": func(c *Cmd) error { return c.Run(t.Context()) },
		"Output":         func(c *Cmd) error { _, err := c.Output(t.Context()); return err },
		"CombinedOutput": func(c *Cmd) error { _, err := c.CombinedOutput(t.Context()); return err },
		"terminal":       func(c *Cmd) error { c.TTY = true; _, err := c.CombinedOutput(t.Context()); return err },
		"detached":       func(c *Cmd) error { c.Detach = true; return c.Run(t.Context()) },
		"stdin": func(c *Cmd) error {
			c.Stdin = strings.NewReader(strings.Repeat("x", 1<<20))
			return c.Run(t.Context())
		},
		"pipes": func(c *Cmd) error {
			out, err := c.StdoutPipe()
			if err != nil {
				return err
			}
			if err := c.Start(t.Context()); err != nil {
				return err
			}
			if b, err := io.ReadAll(out); string(b) != "x" || err != nil {
				t.Errorf("read %q, %v", b, err)
			}
			return c.Wait()
		},
		"raw connection": func(c *Cmd) error {
			conn, err := c.Conn(t.Context())
			if err != nil {
				return err
			}
			conn.CloseWrite()
			var out bytes.Buffer
			if err := Demux(&out, nil, conn); err != nil || out.String() != "x" {
				t.Errorf("read %q, %v", &out, err)
			}
			conn.Close()
			return c.Wait()
		},
	}
	for name, run := range shapes {
		t.Run(name, func(t *testing.T) {
			c := execCommand(t, &execEngine{run: exit})
			if err := run(c); exitCode(err) != 5 || c.ExitCode() != 5 {
				t.Errorf("error is %v, ExitCode %d, want 5", err, c.ExitCode())
			}
		})
	}
}

func TestCmdSpec(t *testing.T) {
	e := &execEngine{run: func(*proc) int { return 0 }}
	c := execCommand(t, e, "sh", "-c", "true")
	c.Env, c.UnsetEnv, c.Dir, c.User, c.Privileged = map[string]string{"A": "b"}, []string{"C"}, "/d", "u:g", true
	c.TTY, c.Size, c.DetachKeys = true, Size{Rows: 3, Cols: 4}, "ctrl-a"
	c.KillOnCancel = true // the engine can kill: nothing is put into the environment
	c.Stdin = strings.NewReader("")
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := engine.ExecSpec{
		Cmd: []string{"sh", "-c", "true"}, Env: map[string]string{"A": "b"}, UnsetEnv: []string{"C"}, WorkingDir: "/d", User: "u:g",
		Privileged: true, TTY: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, DetachKeys: "ctrl-a",
	}
	if diff := cmp.Diff(want, e.spec); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(engine.ExecStartOptions{TTY: true, Size: engine.Size{Rows: 3, Cols: 4}}, e.proc.opts); diff != "" {
		t.Error(diff)
	}
}

func TestCmdMarksItsProcess(t *testing.T) {
	e := &execEngine{noKill: true, run: func(*proc) int { return 0 }}
	c := execCommand(t, e)
	c.Env, c.KillOnCancel = map[string]string{"A": "b"}, true
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(e.spec.Env) != 2 || len(e.spec.Env["BERTH_EXEC"]) < 16 || len(c.Env) != 1 {
		t.Errorf("the process's environment is %q, the command's %q", e.spec.Env, c.Env)
	}
}

func TestCmdString(t *testing.T) {
	c := execCommand(t, &execEngine{}, "sh", "-c", "a b")
	if s := c.String(); s != "sh -c a b" {
		t.Error(s)
	}
	c.Args = nil
	if s := c.String(); s != "sh" {
		t.Error(s)
	}
}

func TestCmdRefusesBadFields(t *testing.T) {
	var buf bytes.Buffer
	for name, set := range map[string]func(*Cmd){
		"Cmd.Path":       func(c *Cmd) { c.Path = "" },
		"Cmd.Args[0]":    func(c *Cmd) { c.Args = []string{"other"} },
		"Cmd.Stderr":     func(c *Cmd) { c.TTY, c.Stderr = true, &buf },
		"Cmd.Size":       func(c *Cmd) { c.Size.Rows = 1 },
		"Cmd.Detach":     func(c *Cmd) { c.Detach, c.Stdout = true, &buf },
		"Cmd.DetachKeys": func(c *Cmd) { c.DetachKeys = "ctrl-a" },
		"DetachKeys":     func(c *Cmd) { c.TTY, c.DetachKeys = true, "ctrl-" },
		"Cmd.WaitDelay":  func(c *Cmd) { c.WaitDelay = -1 },
		"Cmd.Start":      func(c *Cmd) { c.used = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := execCommand(t, &execEngine{})
			set(c)
			err := c.Run(t.Context())
			invalid, ok := errors.AsType[*InvalidError](err)
			if !ok || invalid.Option != name || !errors.Is(err, ErrInvalid) {
				t.Errorf("error is %v, want an InvalidError of %s", err, name)
			}
		})
	}
}

func TestCmdCannotBeMisused(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(*proc) int { return 0 }})
	for name, err := range map[string]error{"Wait": c.Wait(), "Kill": c.Kill(t.Context(), ""), "Resize": c.Resize(t.Context(), Size{})} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s before Start: %v", name, err)
		}
	}
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); !errors.Is(err, ErrInvalid) {
		t.Errorf("second Start: %v", err)
	}
	if err := c.Wait(); !errors.Is(err, ErrInvalid) {
		t.Errorf("second Wait: %v", err)
	}
	if _, err := c.StdoutPipe(); !errors.Is(err, ErrInvalid) {
		t.Errorf("pipe after Start: %v", err)
	}
}

func TestCmdStdinIsHalfClosed(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int { io.Copy(p.out, p.in); return 0 }})
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	c.Stdin = bytes.NewReader(data)
	out, err := c.Output(t.Context())
	if err != nil || !bytes.Equal(out, data) {
		t.Errorf("%d bytes back of %d, %v", len(out), len(data), err)
	}
}

func TestCmdTerminalStdinEndsInControlD(t *testing.T) {
	for in, want := range map[string]string{"": "\x04", "a\n": "a\n\x04", "a": "a\x04\x04"} {
		c := execCommand(t, &execEngine{run: func(p *proc) int {
			b := make([]byte, len(want))
			io.ReadFull(p.in, b)
			p.out.Write(b)
			return 0
		}})
		c.TTY, c.Stdin = true, strings.NewReader(in)
		if out, err := c.Output(t.Context()); string(out) != want || err != nil {
			t.Errorf("the process read %q, %v, want %q", out, err, want)
		}
	}
}

func TestCmdBlockedStdinDoesNotHoldWait(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(*proc) int { return 3 }})
	r, w := io.Pipe()
	defer w.Close() // ends the goroutine that reads, before the leak check
	c.Stdin = r
	if err := c.Run(t.Context()); exitCode(err) != 3 {
		t.Errorf("error is %v, want exit code 3", err)
	}
}

func TestCmdStdinError(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int { io.Copy(io.Discard, p.in); return 0 }})
	failure := errors.New("bad reader")
	c.Stdin = io.MultiReader(strings.NewReader("x"), readerFunc(func([]byte) (int, error) { return 0, failure }))
	if err := c.Run(t.Context()); !errors.Is(err, failure) {
		t.Errorf("error is %v, want the reader's", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCmdWriterErrorDoesNotBlockTheProcess(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int {
		for range 100 {
			write(p.out, strings.Repeat("x", 1000))
		}
		return 0
	}})
	failure := errors.New("disk full")
	c.Stdout = writerFunc(func([]byte) (int, error) { return 0, failure })
	if err := c.Run(t.Context()); !errors.Is(err, failure) || c.ExitCode() != 0 {
		t.Errorf("error is %v, code %d, want the writer's and 0", err, c.ExitCode())
	}
}

func TestCmdPipes(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int {
		b := make([]byte, 3)
		io.ReadFull(p.in, b)
		write(p.out, "got "+string(b))
		write(p.err, "warning")
		return 0
	}})
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	errp, err3 := c.StderrPipe()
	if err := errors.Join(err1, err2, err3, c.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	go func() { write(in, "abc"); in.Close() }()
	got := make(chan string)
	go func() { b, _ := io.ReadAll(errp); got <- string(b) }()
	b, err := io.ReadAll(out)
	if string(b) != "got abc" || err != nil || <-got != "warning" {
		t.Errorf("read %q, %v", b, err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := in.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write after the end: %v", err)
	}
}

// Reading one line and calling Wait works with os/exec, and does here.
func TestCmdWaitWithUnreadPipe(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int {
		write(p.out, "first\n")
		go write(p.out, strings.Repeat("second\n", 1000)) // what a kernel's socket buffer would hold
		return 4
	}})
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	e := c.c.cli.e.(*execEngine)
	e.run = func(p *proc) int {
		write(p.out, "first\n")
		done := make(chan struct{})
		go func() { defer close(done); write(p.out, strings.Repeat("second\n", 1000)) }()
		p.mu.Lock()
		p.code = new(4) // the process is over; its output is still on the way
		p.mu.Unlock()
		<-done
		return 4
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 6)
	if _, err := io.ReadFull(out, b); string(b) != "first\n" {
		t.Fatalf("read %q, %v", b, err)
	}
	if err := c.Wait(); exitCode(err) != 4 {
		t.Errorf("error is %v, want exit code 4", err)
	}
}

func TestCmdClosedPipeDiscards(t *testing.T) {
	c := execCommand(t, &execEngine{run: func(p *proc) int {
		for range 100 {
			write(p.out, strings.Repeat("x", 10_000))
		}
		return 0
	}})
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestCmdWaitDelay(t *testing.T) {
	child := make(chan struct{})
	c := execCommand(t, &execEngine{run: func(p *proc) int {
		write(p.out, "x")
		p.mu.Lock()
		p.code = new(0) // over, but a child keeps the output open
		p.mu.Unlock()
		<-child
		return 0
	}})
	defer close(child)
	c.WaitDelay = 30 * time.Millisecond
	out, err := c.Output(t.Context())
	if !errors.Is(err, exec.ErrWaitDelay) || string(out) != "x" {
		t.Errorf("output %q, error %v, want ErrWaitDelay", out, err)
	}
}

func TestCmdOutputIsCut(t *testing.T) {
	for name, e := range map[string]*execEngine{
		"between frames": {cut: true},
		"inside a frame": {cut: true, truncated: []byte{1, 0, 0, 0, 0, 0, 0, 9, 'h', 'a', 'l', 'f'}},
		"at a header":    {cut: true, truncated: []byte{1, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			e.run = func(*proc) int { <-over; return 0 }
			c := execCommand(t, e)
			c.c.cli.cleanupTimeout = 50 * time.Millisecond
			defer close(over)
			if err := c.Run(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("error is %v, want io.ErrUnexpectedEOF", err)
			}
		})
	}
}

func TestCmdPipeSeesTheCut(t *testing.T) {
	over := make(chan struct{})
	c := execCommand(t, &execEngine{cut: true, truncated: []byte{1, 0, 0}, run: func(*proc) int { <-over; return 0 }})
	defer close(over)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(out); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read: %v, want io.ErrUnexpectedEOF", err)
	}
	if err := c.Wait(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("wait: %v, want io.ErrUnexpectedEOF", err)
	}
}

func TestCmdLostExitCodeIsAnError(t *testing.T) {
	c := execCommand(t, &execEngine{noCode: true, run: func(*proc) int { return 0 }})
	c.c.cli.cleanupTimeout = 20 * time.Millisecond
	if err := c.Run(t.Context()); err == nil || c.ExitCode() != -1 {
		t.Errorf("error is %v, code %d, want an error and -1", err, c.ExitCode())
	}
}

func TestCmdStartErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
	}{
		{&engine.APIError{Message: "exec: \"x\": executable file not found", Kind: engine.ErrCommandNotFound}, 127},
		{&engine.APIError{Message: "exec: \"x\": permission denied", Kind: engine.ErrCommandNotExecutable}, 126},
		{&engine.APIError{Kind: engine.ErrNotRunning}, -1},
	} {
		c := execCommand(t, &execEngine{startErr: tt.err})
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err = c.Start(t.Context()); exitCode(err) != tt.code || c.ExitCode() != tt.code {
			t.Errorf("error is %v, code %d, want code %d", err, c.ExitCode(), tt.code)
		}
		if tt.code < 0 && !errors.Is(err, ErrNotRunning) {
			t.Errorf("error is %v, want ErrNotRunning", err)
		}
		if _, err := io.ReadAll(out); err == nil {
			t.Error("the pipe ended without an error")
		}
	}
}

func TestCmdResizeAndInspect(t *testing.T) {
	e := &execEngine{run: func(p *proc) int { io.Copy(io.Discard, p.in); return 0 }}
	c := execCommand(t, e)
	c.TTY = true
	in, _ := c.StdinPipe()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Resize(t.Context(), Size{Rows: 5, Cols: 6}); err != nil || e.proc.size != (engine.Size{Rows: 5, Cols: 6}) {
		t.Errorf("size %v, %v", e.proc.size, err)
	}
	if st, err := c.Inspect(t.Context()); err != nil || !st.Running {
		t.Errorf("state %+v, %v", st, err)
	}
	e.proc.stream.inR.CloseWithError(io.EOF)
	in.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestCmdDetachKeys(t *testing.T) {
	over := make(chan struct{})
	c := execCommand(t, &execEngine{cut: true, run: func(p *proc) int { <-over; return 0 }})
	defer close(over)
	c.TTY, c.DetachKeys = true, "ctrl-a,x"
	c.Stdin = strings.NewReader("ls\n\x01x")
	e := c.c.cli.e.(*execEngine)
	e.cut = false
	e.run = func(p *proc) int {
		b := make([]byte, 5)
		io.ReadFull(p.in, b)
		p.stream.end(nil)
		<-over
		return 0
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Run(ctx); !errors.Is(err, ErrDetached) {
		t.Errorf("error is %v, want ErrDetached", err)
	}
}
