package berth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/google/go-cmp/cmp"
)

func TestRunCollects(t *testing.T) {
	cli, e := newFake(t)
	res, err := cli.Containers.Run(soon(t), spec("echo", "out", "err"))
	if err != nil {
		t.Fatal(err)
	}
	if string(res.Stdout) != "out" || string(res.Stderr) != "err" || res.ExitCode != 0 || res.Container != nil || res.Truncated {
		t.Errorf("result %+v", res)
	}
	noneLeft(t, e)
	want := []string{"ContainerCreate", "ContainerAttach", "ContainerWait next-exit", "ContainerStart", "ContainerRemove"}
	if diff := cmp.Diff(want, e.Calls()); diff != "" {
		t.Errorf("requests of a run (-want +got):\n%s", diff)
	}
}

func TestRunIsByteExact(t *testing.T) {
	cli, _ := newFake(t)
	var out, errw bytes.Buffer
	for _, o := range []RunOptions{{}, {Stdout: &out, Stderr: &errw}} {
		res, err := cli.Containers.Run(soon(t), spec("random"), o)
		if err != nil {
			t.Fatal(err)
		}
		if o.Stdout != nil {
			res.Stdout, res.Stderr = out.Bytes(), errw.Bytes()
		}
		if !bytes.Equal(res.Stdout, randomBytes(1)) || !bytes.Equal(res.Stderr, randomBytes(2)) {
			t.Errorf("with writers %v: output differs", o.Stdout != nil)
		}
	}
}

func TestRunStdin(t *testing.T) {
	cli, e := newFake(t)
	data := randomBytes(3)
	res, err := cli.Containers.Run(soon(t), spec("cat"), RunOptions{Stdin: io.MultiReader(bytes.NewReader(data))})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(res.Stdout, data) {
		t.Errorf("cat returned %d bytes of %d", len(res.Stdout), len(data))
	}
	noneLeft(t, e)
}

func TestRunStdinOpensIt(t *testing.T) {
	cli, e := newFake(t)
	s := spec("true")
	res, err := cli.Containers.Run(soon(t), s, RunOptions{Stdin: strings.NewReader(""), Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Spec(res.Container.ID()); !got.OpenStdin || !got.StdinOnce {
		t.Errorf("OpenStdin %v, StdinOnce %v", got.OpenStdin, got.StdinOnce)
	}
	if s.OpenStdin {
		t.Error("the caller's spec was modified")
	}
}

func TestRunTTYStdinEndsWithEOT(t *testing.T) {
	for in, want := range map[string]string{"hi\n": "hi\n\x04", "hi": "hi\x04\x04", "": "\x04"} {
		cli, _ := newFake(t)
		s := spec("eot")
		s.TTY = true
		res, err := cli.Containers.Run(soon(t), s, RunOptions{Stdin: strings.NewReader(in)})
		if err != nil {
			t.Fatal(err)
		}
		if string(res.Stdout) != want {
			t.Errorf("input %q: the terminal got %q, want %q", in, res.Stdout, want)
		}
	}
}

func TestRunExitError(t *testing.T) {
	cli, e := newFake(t)
	var out bytes.Buffer
	res, err := cli.Containers.Run(soon(t), spec("echo", "out", "line\nlast words\n", "3"), RunOptions{Stdout: &out})
	ee, ok := errors.AsType[*ExitError](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	if ee.Code != 3 || string(ee.Stdout) != "out" || string(ee.Stderr) != "line\nlast words\n" || ee.OOMKilled == nil || *ee.OOMKilled || ee.Container == nil {
		t.Errorf("error %+v", ee)
	}
	if !strings.HasSuffix(err.Error(), ": last words") || !strings.Contains(err.Error(), "exit code 3") {
		t.Errorf("message %q", err)
	}
	if res.ExitCode != 3 || res.Stdout != nil || string(res.Stderr) != "line\nlast words\n" {
		t.Errorf("result %+v", res)
	}
	if errors.Is(err, ErrCommandNotFound) {
		t.Error("code 3 is ErrCommandNotFound")
	}
	noneLeft(t, e)
}

func TestRunCommandNotFound(t *testing.T) {
	cli, e := newFake(t)
	res, err := cli.Containers.Run(soon(t), spec("nosuch"))
	ee, ok := errors.AsType[*ExitError](err)
	if !ok || ee.Code != 127 || !errors.Is(err, ErrCommandNotFound) || errors.Is(err, ErrCommandNotExecutable) || !strings.Contains(ee.Message, "nosuch") {
		t.Errorf("error %v", err)
	}
	if res == nil || res.ExitCode != 127 {
		t.Errorf("result %+v", res)
	}
	noneLeft(t, e)
}

// A shell's own 127 is the shell's result, not the engine's.
func TestRunExit127IsNoMissingCommand(t *testing.T) {
	cli, _ := newFake(t)
	_, err := cli.Containers.Run(soon(t), spec("echo", "", "sh: x: not found", "127"))
	if ee, ok := errors.AsType[*ExitError](err); !ok || ee.Code != 127 || errors.Is(err, ErrCommandNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestRunFailuresLeaveNothing(t *testing.T) {
	boom := errors.New("boom")
	for _, op := range []string{"ContainerCreate", "ContainerAttach", "ContainerWait next-exit", "ContainerStart"} {
		t.Run(op, func(t *testing.T) {
			leaktest.Check(t)
			cli, e := newFake(t)
			e.Hook = failing(op, boom)
			_, err := cli.Containers.Run(soon(t), spec("sleep"), RunOptions{Stdin: strings.NewReader("x")})
			if !errors.Is(err, boom) {
				t.Errorf("error %v", err)
			}
			noneLeft(t, e)
		})
	}
}

// failing is a hook that makes one method fail.
func failing(op string, err error) func(context.Context, string, string) error {
	return func(_ context.Context, called, _ string) error {
		if called == op {
			return err
		}
		return nil
	}
}

func TestRunCancelled(t *testing.T) {
	cause := errors.New("the user left")
	for _, tc := range []struct {
		name    string
		command string
		opts    func(t *testing.T) RunOptions
	}{
		{"silent", "sleep", func(*testing.T) RunOptions { return RunOptions{} }},
		{"writing", "yes", func(*testing.T) RunOptions { return RunOptions{MaxOutput: 10} }},
		{"discarded", "sleep", func(*testing.T) RunOptions { return RunOptions{DiscardStdout: true, DiscardStderr: true} }},
		{"kept", "sleep", func(*testing.T) RunOptions { return RunOptions{Keep: true} }},
		{"blocked reader", "sleep", func(t *testing.T) RunOptions { r, _ := pipe(t); return RunOptions{Stdin: r} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			leaktest.Check(t)
			cli, e := newFake(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			o := tc.opts(t)
			o.Started = func(*Container) { cancel(cause) }
			res, err := cli.Containers.Run(ctx, spec(tc.command), o)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
				t.Errorf("error %v", err)
			}
			if res == nil || res.ExitCode != -1 {
				t.Errorf("result %+v", res)
			}
			noneLeft(t, e)
		})
	}
}

// A Write of the caller's that never returns must not keep a cancelled Run.
func TestRunCancelledWhileAWriterBlocks(t *testing.T) {
	cli, e := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	entered := make(chan struct{})
	writer := writeFunc(func(p []byte) (int, error) {
		close(entered)
		return w.Write(p)
	})
	go func() { <-entered; cancel() }()
	_, err := cli.Containers.Run(ctx, spec("hello-sleep"), RunOptions{Stdout: writer})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	noneLeft(t, e)
	r.Close() // the Write returns, and with it the goroutine
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

// A Stdin that blocks for ever, as a terminal's, must not keep a Run whose
// container has ended.
func TestRunEndsWhileStdinBlocks(t *testing.T) {
	leaktest.Check(t)
	cli, _ := newFake(t)
	r, w := pipe(t)
	if _, err := cli.Containers.Run(soon(t), spec("true"), RunOptions{Stdin: r}); err != nil {
		t.Fatal(err)
	}
	// The reader is as before: it has its bytes and no deadline.
	w.WriteString("later")
	w.Close()
	if b, err := io.ReadAll(r); string(b) != "later" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	pr, pw := io.Pipe() // has no deadline: its goroutine ends with the Read
	if _, err := cli.Containers.Run(soon(t), spec("true"), RunOptions{Stdin: pr}); err != nil {
		t.Fatal(err)
	}
	pw.Close()
}

func TestRunReaderAndWriterErrors(t *testing.T) {
	boom := errors.New("boom")
	leaktest.Check(t)
	cli, e := newFake(t)
	_, err := cli.Containers.Run(soon(t), spec("yes"), RunOptions{Stdout: writeFunc(func([]byte) (int, error) { return 0, boom })})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "write stdout") {
		t.Errorf("failing writer: %v", err)
	}
	noneLeft(t, e)
	_, err = cli.Containers.Run(soon(t), spec("yes"), RunOptions{Stdout: writeFunc(func(p []byte) (int, error) { return len(p) - 1, nil })})
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short writer: %v", err)
	}
	res, err := cli.Containers.Run(soon(t), spec("cat"), RunOptions{Stdin: io.MultiReader(strings.NewReader("in"), errReader{boom})})
	if !errors.Is(err, boom) || string(res.Stdout) != "in" || res.ExitCode != 0 {
		t.Errorf("failing reader: %v, result %+v", err, res)
	}
	noneLeft(t, e)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestRunStreamsLive(t *testing.T) {
	cli, _ := newFake(t)
	pr, pw := io.Pipe()
	inR, inW := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := cli.Containers.Run(soon(t), spec("cat"), RunOptions{Stdin: inR, Stdout: pw})
		done <- err
	}()
	buf := make([]byte, 5)
	for _, word := range []string{"hello", "world"} {
		io.WriteString(inW, word)
		if _, err := io.ReadFull(pr, buf); err != nil || string(buf) != word {
			t.Fatalf("read %q, %v", buf, err)
		}
	}
	inW.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunOrphan(t *testing.T) {
	cli, e := newFake(t)
	boom := errors.New("disk on fire")
	e.Hook = failing("ContainerRemove", boom)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := cli.Containers.Run(ctx, spec("sleep"), RunOptions{Started: func(*Container) { cancel() }})
	o, ok := errors.AsType[*OrphanError](err)
	if !ok || !errors.Is(err, boom) || !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if left := e.Left(); !slices.Equal(left, []string{o.Container.ID()}) {
		t.Errorf("left %v, orphan %v", left, o.Container)
	}
	// An exit code is not lost by it.
	_, err = cli.Containers.Run(t.Context(), spec("echo", "", "", "4"))
	ee, ok := errors.AsType[*ExitError](err)
	if o, isOrphan := errors.AsType[*OrphanError](err); !ok || ee.Code != 4 || !isOrphan || o.Container == nil {
		t.Errorf("error %v", err)
	}
	res, err := cli.Containers.Run(t.Context(), spec("echo", "out"))
	if o, isOrphan := errors.AsType[*OrphanError](err); !isOrphan || o.Cause != nil || string(res.Stdout) != "out" {
		t.Errorf("error %v", err)
	}
	e.Hook = nil
}

// A removal that hangs is given up after the cleanup timeout.
func TestRunCleanupTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cli, e := newFake(t, WithCleanupTimeout(20*time.Second))
		e.Hook = func(ctx context.Context, op, _ string) error {
			if op == "ContainerRemove" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		_, err := cli.Containers.Run(ctx, spec("sleep"), RunOptions{CleanupTimeout: 7 * time.Second, Started: func(*Container) { cancel() }})
		if _, ok := errors.AsType[*OrphanError](err); !ok || time.Since(begin) != 7*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		e.Hook = nil
	})
}

func TestRunKeepAndAutoRemove(t *testing.T) {
	cli, e := newFake(t)
	res, err := cli.Containers.Run(soon(t), spec("echo", "x", "", "2"), RunOptions{Keep: true})
	if ee, ok := errors.AsType[*ExitError](err); !ok || ee.Container != res.Container {
		t.Fatalf("error %v", err)
	}
	if got := res.Container.Attrs(); got == nil || got.State.Status != StatusExited || got.State.ExitCode != 2 {
		t.Errorf("attributes of the kept container: %+v", got)
	}
	if err := res.Container.Remove(soon(t)); err != nil {
		t.Fatal(err)
	}
	s := spec("echo", "x", "", "2")
	s.AutoRemove = true
	for range 50 {
		res, err = cli.Containers.Run(soon(t), s)
		if ee, ok := errors.AsType[*ExitError](err); !ok || ee.Code != 2 || string(res.Stdout) != "x" {
			t.Fatalf("error %v", err)
		}
		noneLeft(t, e)
	}
}

func TestRunMaxOutput(t *testing.T) {
	cli, _ := newFake(t)
	res, err := cli.Containers.Run(soon(t), spec("random"), RunOptions{MaxOutput: 100})
	if err != nil {
		t.Fatal(err)
	}
	if !res.Truncated || !bytes.Equal(res.Stdout, randomBytes(1)[:100]) || len(res.Stderr) != 100 {
		t.Errorf("kept %d and %d bytes, truncated %v", len(res.Stdout), len(res.Stderr), res.Truncated)
	}
	if res, err = cli.Containers.Run(soon(t), spec("random"), RunOptions{MaxOutput: 2_000_000}); err != nil || res.Truncated {
		t.Errorf("at the limit: truncated %v, %v", res.Truncated, err)
	}
}

func TestRunLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cli, e := newFake(t)
		begin := time.Now()
		res, err := cli.Containers.Run(t.Context(), spec("hello-sleep"), RunOptions{
			Stdout: writeFunc(func(p []byte) (int, error) {
				go e.Drop(e.Left()[0])
				return len(p), nil
			}),
		})
		if !errors.Is(err, io.ErrUnexpectedEOF) || time.Since(begin) != endGrace {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if res.ExitCode != -1 {
			t.Errorf("result %+v", res)
		}
		noneLeft(t, e)
	})
}

// A wait whose connection is lost is made up for by an inspect.
func TestRunLostWaiter(t *testing.T) {
	cli, e := newFake(t)
	e.WaitError = errors.New("connection reset")
	_, err := cli.Containers.Run(soon(t), spec("echo", "", "", "5"))
	if ee, ok := errors.AsType[*ExitError](err); !ok || ee.Code != 5 {
		t.Errorf("error %v", err)
	}
}

func TestRunDetach(t *testing.T) {
	cli, e := newFake(t)
	s := spec("detach")
	s.TTY = true
	r, w := pipe(t)
	w.WriteString("ab\x10\x11")
	res, err := cli.Containers.Run(soon(t), s, RunOptions{Stdin: r})
	if !errors.Is(err, ErrDetached) || res.Container == nil {
		t.Fatalf("error %v", err)
	}
	if len(e.Left()) != 1 {
		t.Error("the container is gone")
	}
}

func TestRunTerminalSizes(t *testing.T) {
	cli, e := newFake(t)
	s := spec("eot")
	s.TTY = true
	r, w := pipe(t)
	_, err := cli.Containers.Run(soon(t), s, RunOptions{
		Stdin: r, Size: Size{Rows: 24, Cols: 80},
		Resizes: func(ctx context.Context) iter.Seq[Size] {
			return func(yield func(Size) bool) {
				yield(Size{Rows: 25, Cols: 81})
				w.Close()
				<-ctx.Done()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := e.Calls()
	if !slices.Contains(calls, "ContainerResize 24x80") || !slices.Contains(calls, "ContainerResize 25x81") {
		t.Errorf("calls %v", calls)
	}
}

func TestRunRefuses(t *testing.T) {
	cli, e := newFake(t)
	restart := spec("true")
	restart.RestartPolicy.Name = "always"
	tty := spec("true")
	tty.TTY = true
	auto := spec("true")
	auto.AutoRemove = true
	for name, tc := range map[string]struct {
		spec Spec
		opts []RunOptions
	}{
		"restart policy": {restart, nil},
		"two options":    {spec("true"), []RunOptions{{}, {}}},
		"no image":       {Spec{}, nil},
		"stdout twice":   {spec("true"), []RunOptions{{Stdout: io.Discard, DiscardStdout: true}}},
		"stderr twice":   {spec("true"), []RunOptions{{Stderr: io.Discard, DiscardStderr: true}}},
		"stderr of tty":  {tty, []RunOptions{{Stderr: io.Discard}}},
		"size, no tty":   {spec("true"), []RunOptions{{Size: Size{Rows: 1, Cols: 1}}}},
		"keys, no tty":   {spec("true"), []RunOptions{{DetachKeys: "a"}}},
		"bad keys":       {tty, []RunOptions{{DetachKeys: "ctrl-,"}}},
		"kept, removed":  {auto, []RunOptions{{Keep: true}}},
		"timeout":        {spec("true"), []RunOptions{{CleanupTimeout: -1}}},
		"pull policy":    {spec("true"), []RunOptions{{Pull: "sometimes"}}},
	} {
		res, err := cli.Containers.Run(soon(t), tc.spec, tc.opts...)
		if !errors.Is(err, ErrInvalid) || res != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := errors.AsType[*engine.InvalidError](err); !ok {
			t.Errorf("%s: %T names no option", name, err)
		}
	}
	if slices.Contains(e.Calls(), "ContainerCreate") {
		t.Error("a container was created")
	}
}
