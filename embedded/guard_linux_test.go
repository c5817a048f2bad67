package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
)

// TestClose: what is in progress ends at once, says why, and leaves no goroutine and no descriptor; containers go on.
func TestClose(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	id := r.start(engine.Spec{OpenStdin: true}, "cat")
	ended := r.create(engine.Spec{}, "true")
	silent, err := net.Listen("tcp", "127.0.0.1:0") // a registry that does not answer
	r.check(err)
	defer silent.Close()
	leaktest.Check(t)
	e, err := Open(ctx, WithRoot(filepath.Join(r.dir, "root")), WithRunRoot(filepath.Join(r.dir, "run")))
	r.check(err)

	blocked, unblock := io.Pipe()
	read := func(s io.ReadCloser, err error) func() error {
		r.check(err)
		t.Cleanup(func() { s.Close() })
		return func() error {
			_, err := io.Copy(io.Discard, s)
			return err
		}
	}
	wait := func(w engine.Waiter, err error) func() error {
		r.check(err)
		t.Cleanup(func() { w.Close() })
		return func() error {
			_, err := w.Wait()
			return err
		}
	}
	x, err := e.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sleep", "1000"}, AttachStdout: true})
	r.check(err)
	exec, err := e.ExecStart(ctx, x, engine.ExecStartOptions{})
	calls := map[string]func() error{
		"exec":             read(exec, err),
		"attach":           read(e.ContainerAttach(ctx, id, engine.AttachOptions{Stdout: true, Stdin: true})),
		"logs":             read(e.ContainerLogs(ctx, id, engine.LogOptions{Follow: true})),
		"wait":             wait(e.ContainerWait(ctx, id, engine.WaitNotRunning)),
		"wait for removal": wait(e.ContainerWait(ctx, id, engine.WaitRemoved)),
		"events": func() (last error) {
			for _, last = range e.Events(ctx, engine.EventOptions{}) {
			}
			return last
		},
		"stats": func() (last error) {
			for _, last = range e.ContainerStats(ctx, []string{id}, engine.StatsOptions{Stream: true}) {
			}
			return last
		},
		"stop": func() error {
			return e.ContainerStop(ctx, id, engine.StopOptions{Signal: "WINCH", Timeout: new(time.Hour)})
		},
		"put":  func() error { return e.ContainerPutArchive(ctx, id, "/tmp", blocked, engine.PutArchiveOptions{}) },
		"load": func() error { _, err := e.ImageLoad(ctx, blocked); return err },
		"import": func() error {
			_, err := e.ImageImport(ctx, blocked, engine.ImportOptions{})
			return err
		},
		"pull": func() error {
			_, err := e.ImagePull(ctx, silent.Addr().String()+"/x", engine.PullOptions{})
			return err
		},
	}
	export, err := e.ContainerExport(ctx, ended)
	r.check(err)
	if _, err := io.ReadFull(export, make([]byte, 512)); err != nil {
		t.Error(err)
	}
	got := make(chan string, len(calls))
	for name, call := range calls {
		go func() {
			err := call()
			if !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "the engine is closed") || errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			got <- name
		}()
	}
	select {
	case name := <-got:
		t.Errorf("%s ends before it should", name)
	case <-time.After(300 * time.Millisecond): // all of them are waiting now, or will be told when they begin
	}
	r.check(e.Close())
	r.check(e.Close())
	deadline := time.After(time.Minute)
	for range len(calls) {
		select {
		case name := <-got:
			delete(calls, name)
		case <-deadline:
			for name := range calls {
				t.Errorf("%s goes on", name)
			}
			t.FailNow()
		}
	}
	if _, err := io.Copy(io.Discard, export); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("export: %v", err)
	}
	export.Close()
	unblock.Close()                                                            // a Read in progress is its owner's to end
	if st := r.status(id); st.Status != engine.StatusStopping || st.PID == 0 { // as it was told to
		t.Errorf("the container is %+v", st)
	}
	if x, err := r.ExecInspect(ctx, x); err != nil || !x.Running {
		t.Errorf("the exec is %+v, %v", x, err)
	}
	r.check(r.ContainerKill(ctx, id, "KILL"))
	r.ended(id)
}

// TestClosed: no call of an engine that is closed does anything, and each says why. A call that the
// guard does not know of fails here.
func TestClosed(t *testing.T) {
	dir := t.TempDir()
	e, err := Open(t.Context(), WithRoot(filepath.Join(dir, "root")), WithRunRoot(filepath.Join(dir, "run")))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	says := func(name string, v reflect.Value) {
		err, _ := v.Interface().(error)
		if !errors.Is(err, engine.ErrUnavailable) || err.Error() != errClosed.Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := 0
	for m := range reflect.TypeFor[engine.Engine]().Methods() {
		f := reflect.ValueOf(e).MethodByName(m.Name)
		if f.Type().NumIn() == 0 || f.Type().In(0) != reflect.TypeFor[context.Context]() {
			continue
		}
		n++
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for i := 1; i < f.Type().NumIn(); i++ {
			args = append(args, reflect.Zero(f.Type().In(i)))
		}
		out := f.Call(args)
		last := out[len(out)-1]
		if last.Kind() != reflect.Func {
			says(m.Name, last)
			continue
		}
		values := 0
		for _, err := range last.Seq2() {
			values++
			says(m.Name, err)
		}
		if values != 1 {
			t.Errorf("%s has %d values", m.Name, values)
		}
	}
	if n < 60 {
		t.Errorf("%d calls", n)
	}
}

// TestGuardedContext: who has ended a call is told from the others, and calls that are over are forgotten.
func TestGuardedContext(t *testing.T) {
	cause := errors.New("the caller's")
	for _, test := range []struct {
		name string
		end  func(g *guard, c *call, cancel context.CancelCauseFunc)
		err  error
		why  error
	}{
		{"caller", func(_ *guard, _ *call, cancel context.CancelCauseFunc) { cancel(cause) }, context.Canceled, cause},
		{"close", func(g *guard, _ *call, _ context.CancelCauseFunc) { g.Close() }, errClosed, errClosed},
		{"caller, then close", func(g *guard, _ *call, cancel context.CancelCauseFunc) { cancel(cause); g.Close() }, context.Canceled, cause},
		{"over", func(_ *guard, c *call, _ context.CancelCauseFunc) { c.end() }, errOver, errOver},
		{"close, then over", func(g *guard, c *call, _ context.CancelCauseFunc) { g.Close(); c.end() }, errClosed, errClosed},
	} {
		closes := 0
		g := newGuard(closer{closes: &closes})
		parent, cancel := context.WithCancelCause(t.Context())
		c, err := g.begin(parent)
		if err != nil {
			t.Fatal(err)
		}
		child, stop := context.WithCancel(c)
		if c.Err() != nil || child.Err() != nil {
			t.Errorf("%s: it begins with %v", test.name, c.Err())
		}
		test.end(g, c, cancel)
		<-child.Done()
		if c.Err() != test.err || context.Cause(c) != test.why || context.Cause(child) != test.why {
			t.Errorf("%s: %v, because of %v, %v", test.name, c.Err(), context.Cause(c), context.Cause(child))
		}
		c.end()
		g.Close()
		if len(g.calls) != 0 || closes < 1 {
			t.Errorf("%s: %d calls are left, closed %d times", test.name, len(g.calls), closes)
		}
		cancel(nil)
		stop()
	}
}

// TestInput: a call whose context ends does not wait for what it reads from, and takes no more of it. Where
// that has a deadline, nothing is left of it.
func TestInput(t *testing.T) {
	leaktest.Check(t)
	dir := t.TempDir()
	e, err := Open(t.Context(), WithRoot(filepath.Join(dir, "root")), WithRunRoot(filepath.Join(dir, "run")))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	defer pw.Close()
	blocked, unblock := io.Pipe()
	defer unblock.Close()
	for _, in := range []io.Reader{pr, blocked} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := e.ImageLoad(ctx, in); !errors.Is(err, context.Canceled) {
			t.Errorf("load: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := e.ImageImport(ctx, in, engine.ImportOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("import: %v", err)
		}
		cancel()
	}
	go io.WriteString(pw, "next")
	b := make([]byte, 4)
	if _, err := io.ReadFull(pr, b); err != nil || string(b) != "next" {
		t.Errorf("the pipe gives %q, %v", b, err)
	}
	own := errors.New("the reader's own")
	if _, err := e.ImageLoad(t.Context(), iotest.ErrReader(own)); !errors.Is(err, own) {
		t.Errorf("load: %v", err)
	}
	if images, err := e.ImageList(t.Context(), engine.ImageListOptions{All: true}); err != nil || len(images) != 0 {
		t.Errorf("there are images: %v, %v", images, err)
	}
}

type closer struct {
	engine.Engine
	closes *int
}

func (c closer) Close() error { *c.closes++; return nil }

// BenchmarkGuard is what a call costs more for being known.
func BenchmarkGuard(b *testing.B) {
	g := newGuard(nil)
	for b.Loop() {
		if err := g.do(b.Context(), func(ctx context.Context) error { return ctx.Err() }); err != nil {
			b.Fatal(fmt.Sprint(err))
		}
	}
}
