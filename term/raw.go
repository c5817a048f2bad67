package term

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
)

// MakeRaw switches to raw mode: every key is passed on as it is typed, ^C and
// ^Z too, nothing is echoed, and output is not changed. Restore switches back
// to the mode of before. It can be called from anywhere and more than once;
// calls after the first return what that returned.
//
// The caller must call restore on every path out of the program, or use Raw,
// which does.
func (t *Terminal) MakeRaw() (restore func() error, err error) {
	var undo []func() error
	add := func(f *os.File, raw func(mode) mode) error {
		back, err := setRaw(f, raw)
		if err == nil {
			undo = append(undo, back)
		}
		return err
	}
	if t.in != nil {
		err = add(t.in, rawInput)
	}
	if err == nil && separateModes && IsTerminal(t.out) {
		err = add(t.out, rawOutput)
	}
	if err != nil {
		for _, back := range undo {
			err = errors.Join(err, back())
		}
		return nil, fmt.Errorf("make terminal raw: %w", err)
	}
	return sync.OnceValue(func() error {
		var errs []error
		for _, back := range undo {
			errs = append(errs, back())
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("restore terminal: %w", err)
		}
		return nil
	}), nil
}

// setRaw changes the mode of one file and returns how to set it back.
func setRaw(f *os.File, raw func(mode) mode) (back func() error, err error) {
	set := func(m mode) error {
		_, err := control(f, func(fd uintptr) (struct{}, error) { return struct{}{}, setMode(fd, m) })
		return err
	}
	before, err := control(f, getMode)
	if err != nil {
		return nil, err
	}
	if err := set(raw(before)); err != nil {
		return nil, err
	}
	return func() error { return set(before) }, nil
}

// SignalError is the cause of a context that a signal ended. A command exits
// with 128 + the signal's number after it.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "received signal: " + e.Signal.String() }

// Raw calls f in raw mode and restores the terminal on every path out: when f
// returns, panics or ends its goroutine, and when the program receives a signal
// that ends programs (interrupt, terminated, hangup, quit; on Windows
// interrupt). Then the terminal is restored at once and the context given to f
// ends with a *SignalError as its cause, which Raw returns; f must come back
// when its context ends. A second signal finds the terminal restored and has
// the effect it had before Raw.
//
// What no code can do anything about are a kill, os.Exit, and a panic in
// another goroutine.
func (t *Terminal) Raw(ctx context.Context, f func(context.Context) error) (err error) {
	restore, err := t.MakeRaw()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	for _, s := range endSignals() {
		if !signal.Ignored(s) { // as nohup has it
			signal.Notify(signals, s)
		}
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	var ended *SignalError
	watch.Go(func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			restore() // its error is that of the call below
			ended = &SignalError{s}
			cancel(ended)
		case <-done:
		}
	})
	defer func() {
		signal.Stop(signals)
		close(done)
		watch.Wait()
		cancel(nil)
		err = errors.Join(err, restore())
		if ended != nil {
			err = ended
		}
	}()
	return f(ctx)
}
