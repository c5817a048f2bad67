package term

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	_, tty := openPTY(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tt := range []struct {
		name    string
		in, out *os.File
		ok      bool
	}{
		{"both", tty, tty, true},
		{"input only", tty, nil, true},
		{"output only", nil, tty, true},
		{"output elsewhere", tty, file, true},
		{"input elsewhere", file, tty, false},
		{"input from a pipe", r, tty, false},
		{"input from null", null, tty, false},
		{"output alone elsewhere", nil, w, false},
		{"nothing", nil, nil, false},
	} {
		got, err := Open(tt.in, tt.out)
		if (err == nil) != tt.ok || err != nil && (got != nil || !errors.Is(err, ErrNotTerminal)) {
			t.Errorf("%s: Open() = %v, %v", tt.name, got, err)
		}
		if err == nil && (got.In() != tt.in || got.Out() != tt.out) {
			t.Errorf("%s: other files", tt.name)
		}
		if err != nil && tt.in != nil && !strings.Contains(err.Error(), tt.in.Name()) {
			t.Errorf("%s: error does not name the file: %v", tt.name, err)
		}
		if tt.ok {
			if s, err := got.Size(); s != (Size{24, 80}) || err != nil {
				t.Errorf("%s: Size() = %v, %v", tt.name, s, err)
			}
		}
	}
	if !IsTerminal(tty) || IsTerminal(file) || IsTerminal(nil) {
		t.Error("IsTerminal is wrong")
	}
	closed, _ := Open(tty, tty)
	tty.Close()
	if _, err := closed.Size(); err == nil {
		t.Error("Size() of a closed file: no error")
	}
	if _, err := Open(tty, tty); !errors.Is(err, ErrNotTerminal) {
		t.Errorf("Open() of a closed file: %v", err)
	}
}

func TestMakeRaw(t *testing.T) {
	master, tty := openPTY(t)
	before := modeOf(t, tty)
	if isRaw(before) {
		t.Fatal("a new terminal is raw")
	}
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	restore, err := term.MakeRaw()
	if err != nil {
		t.Fatal(err)
	}
	if !isRaw(modeOf(t, tty)) {
		t.Errorf("mode = %+v", modeOf(t, tty))
	}

	// Bytes pass as they are, both ways: ^C, ^D, ^Z, ^V, CR, and all the others.
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, ends := range [][2]*os.File{{master, tty}, {tty, master}} {
		if _, err := ends[0].Write(all); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(all))
		if _, err := io.ReadFull(ends[1], got); err != nil {
			t.Fatal(err)
		}
		if string(got) != string(all) {
			t.Errorf("%s -> %s: %q", ends[0].Name(), ends[1].Name(), got)
		}
	}

	for range 2 {
		if err := restore(); err != nil {
			t.Error(err)
		}
	}
	if got := modeOf(t, tty); got != before {
		t.Errorf("mode after restore = %+v, before %+v", got, before)
	}
}

func TestRestoreError(t *testing.T) {
	_, tty := openPTY(t)
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	restore, err := term.MakeRaw()
	if err != nil {
		t.Fatal(err)
	}
	tty.Close()
	for range 2 {
		if err := restore(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("restore() = %v", err)
		}
	}
	err = term.Raw(t.Context(), func(context.Context) error { t.Error("called"); return nil })
	if !errors.Is(err, os.ErrClosed) {
		t.Errorf("Raw() = %v", err)
	}
}

func TestRawRestores(t *testing.T) {
	_, tty := openPTY(t)
	before := modeOf(t, tty)
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	oops := errors.New("oops")
	for name, leave := range map[string]func() error{
		"return": func() error { return nil },
		"error":  func() error { return oops },
		"panic":  func() error { panic(oops) },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() {
				if r := recover(); (r != nil) != (name == "panic") {
					t.Errorf("%s: recovered %v", name, r)
				}
			}()
			err := term.Raw(t.Context(), func(ctx context.Context) error {
				if !isRaw(modeOf(t, tty)) || ctx.Err() != nil {
					t.Errorf("%s: not raw, or ended: %v", name, ctx.Err())
				}
				return leave()
			})
			if errors.Is(err, oops) != (name == "error") {
				t.Errorf("%s: Raw() = %v", name, err)
			}
		}()
		<-done
		if modeOf(t, tty) != before {
			t.Errorf("%s: not restored", name)
		}
	}
}

func TestRawEndsWithItsContext(t *testing.T) {
	_, tty := openPTY(t)
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var inner context.Context
	err = term.Raw(ctx, func(ctx context.Context) error {
		inner = ctx
		cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Raw() = %v", err)
	}
	if err := term.Raw(t.Context(), func(ctx context.Context) error { inner = ctx; return nil }); err != nil || inner.Err() == nil {
		t.Errorf("Raw() = %v; context afterwards: %v", err, inner.Err())
	}
}

func TestRawRestoresAtASignal(t *testing.T) {
	_, tty := openPTY(t)
	before := modeOf(t, tty)
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range endSignals() {
		if signal.Ignored(sig) {
			continue // the test was started with nohup
		}
		err := term.Raw(t.Context(), func(ctx context.Context) error {
			if err := syscall.Kill(os.Getpid(), sig.(syscall.Signal)); err != nil {
				t.Fatal(err)
			}
			<-ctx.Done()
			if modeOf(t, tty) != before {
				t.Errorf("%v: not restored before the function returns", sig)
			}
			return errors.New("something else")
		})
		if e, ok := errors.AsType[*SignalError](err); !ok || e.Signal != sig || !strings.Contains(err.Error(), sig.String()) {
			t.Errorf("%v: Raw() = %v", sig, err)
		}
		if modeOf(t, tty) != before {
			t.Errorf("%v: not restored", sig)
		}
	}
}

func TestIgnoredSignalStaysIgnored(t *testing.T) {
	_, tty := openPTY(t)
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	err = term.Raw(t.Context(), func(ctx context.Context) error {
		if !signal.Ignored(syscall.SIGHUP) {
			t.Error("Raw listens to a signal that is ignored")
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		return ctx.Err()
	})
	if err != nil {
		t.Errorf("Raw() = %v", err)
	}
}

func TestResizes(t *testing.T) {
	_, tty := openPTY(t)
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	winch := func() {
		// The terminal is not the test's own: it has to tell itself.
		if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
			t.Fatal(err)
		}
	}
	want := []Size{{24, 80}, {30, 100}, {24, 80}, {0, 0}}
	var got []Size
	for s := range term.Resizes(t.Context()) {
		got = append(got, s)
		if len(got) == len(want) {
			break
		}
		winch() // nothing has changed yet: nothing is yielded for it
		resize(t, tty, want[len(got)])
		winch()
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("sizes = %v, want %v", got, want)
			break
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for range term.Resizes(ctx) {
		n++
		cancel()
	}
	for range term.Resizes(ctx) {
		n++
	}
	if n != 1 {
		t.Errorf("%d sizes, want one before the cancel and none after", n)
	}
}
