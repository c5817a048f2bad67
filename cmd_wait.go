package berth

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Wait waits for the process's end and for the copying of its output, releases
// everything that Start made, and returns how it went:
//
//   - nil: the process ended with code 0 and its output is complete;
//   - [*ExitError]: it ended with another code, with the ends of its outputs;
//   - ctx's error, where the ctx of Start ended before the process, which has been killed;
//     [*ExecAliveError], which is also ctx's error, where it could not be;
//   - [ErrDetached]: the detach keys were typed;
//   - [io.ErrUnexpectedEOF]: the connection ended before the process did, or within a frame;
//   - the error of a Stdin, Stdout or Stderr of the caller's, [os/exec.ErrWaitDelay], or the engine's error.
//
// As with os/exec, read what StdoutPipe and StderrPipe give to its end before
// calling Wait: it closes them once the process is over and nobody reads.
func (c *Cmd) Wait() error {
	r := c.run
	switch {
	case r == nil:
		return notStarted("Cmd.Wait")
	case c.waited:
		return &InvalidError{Option: "Cmd.Wait", Reason: "was called already"}
	}
	c.waited = true
	if r.stream == nil {
		st, err := r.watch(r.ctx)
		if err != nil {
			return fmt.Errorf("wait for exec of %s: %w", c.Path, err)
		}
		return r.result(st)
	}
	st, complete, err := r.await()
	if !r.unwatch() {
		<-r.interrupted
	}
	r.closeStream()
	r.stream.Close()
	var inErr error
	if r.input != nil {
		r.input.stop()
		inErr = r.input.failure()
	}
	if r.ctx.Err() != nil && !r.wasOver && (err != nil || st == nil) {
		return r.canceled(r.aliveErr)
	}
	if st == nil && (err == nil || errors.Is(err, exec.ErrWaitDelay)) { // over when ctx was done: its code is still of interest
		ctx, cancel := r.cleanupContext()
		defer cancel()
		var serr error
		if st, serr = r.settle(ctx); serr != nil {
			err = serr
		}
	}
	if st != nil && isOver(st) {
		c.exitCode = *st.ExitCode
	}
	switch {
	case err == ErrDetached:
		return err
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return fmt.Errorf("exec of %s: %w", c.Path, err)
	}
	if exit := r.result(st); exit != nil {
		return exit
	}
	switch {
	case !complete:
		return err
	case inErr != nil && c.in == nil:
		return fmt.Errorf("exec of %s: %w", c.Path, inErr)
	case r.stdout != nil && r.stdout.err != nil && !isPipe(c.Stdout):
		return fmt.Errorf("exec of %s: write Stdout: %w", c.Path, r.stdout.err)
	case r.stderr != nil && r.stderr.err != nil && !isPipe(c.Stderr):
		return fmt.Errorf("exec of %s: write Stderr: %w", c.Path, r.stderr.err)
	}
	return err
}

// await waits until the output has been copied and the process is over, or ctx
// has ended it. complete is false when the copying was given up: what it
// uses must not be touched then.
func (r *running) await() (st *engine.ExecState, complete bool, err error) {
	if r.stdout == nil { // the caller has the connection
		st, err = r.watch(r.ctx)
		return st, true, err
	}
	if st, err = r.awaitCopy(); err != nil {
		return st, false, err
	}
	switch {
	case r.outErr != nil && r.ctx.Err() != nil:
		return nil, true, contextError(r.ctx) // not the words of a connection that was closed for it
	case r.outErr != nil:
		return nil, true, r.outErr
	case r.state != nil:
		return r.state, true, nil
	}
	st, err = r.settle(r.ctx)
	if err != nil && r.ctx.Err() != nil {
		err = nil // Wait asks once more, or says what has become of the process
		st = nil
	}
	return st, true, err
}

// awaitCopy waits for the end of the output. It asks for the process's end only where that matters before:
// with a WaitDelay, and with pipes, whose readers may have gone home.
func (r *running) awaitCopy() (over *engine.ExecState, err error) {
	c := r.cmd
	var tick <-chan time.Time
	var overAt time.Time
	var read int64
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, lastPause) {
		if c.WaitDelay > 0 || len(c.out) > 0 {
			tick = time.After(pause)
		}
		select {
		case <-r.copied:
			return nil, nil
		case <-r.interrupted:
			return nil, r.awaitCanceled()
		case <-tick:
		}
		if over == nil {
			st, err := r.e.ExecInspect(r.ctx, r.id)
			if err == nil && isOver(st) {
				over, overAt, read = st, time.Now(), c.pipesRead()
			}
			continue
		}
		if n := c.pipesRead(); n == read {
			c.closePipes(fs.ErrClosed)
		} else {
			read = n
		}
		if c.WaitDelay > 0 && time.Since(overAt) >= c.WaitDelay {
			return over, r.giveUp()
		}
	}
}

// awaitCanceled waits, after ctx's end and what followed from it, for the copying.
func (r *running) awaitCanceled() error {
	delay := r.cmd.WaitDelay
	if delay == 0 {
		delay = r.cmd.c.cli.cleanupTimeout
	}
	select {
	case <-r.copied:
		return nil
	case <-time.After(delay):
		return r.giveUp()
	}
}

// writePatience is how long giveUp waits for a Write of the caller's that is in progress.
const writePatience = 20 * time.Millisecond

// giveUp closes the connection. The copying ends with that, unless it is inside
// a Write of the caller's that blocks: then its goroutine ends when that does.
func (r *running) giveUp() error {
	r.closeStream()
	r.stream.Close()
	r.cmd.closePipes(fs.ErrClosed)
	r.stdout.stop()
	r.stderr.stop()
	var patience <-chan time.Time
	if !r.cmd.collects {
		patience = time.After(writePatience)
	}
	select {
	case <-r.copied:
	case <-patience:
	}
	return exec.ErrWaitDelay
}

// result is how the process ended, as an error.
func (r *running) result(st *engine.ExecState) error {
	c := r.cmd
	if st == nil || st.ExitCode == nil {
		return fmt.Errorf("exec of %s: the engine does not know its exit code any more", c.Path)
	}
	c.exitCode = *st.ExitCode
	if c.exitCode == 0 {
		return nil
	}
	exit := &ExitError{Container: c.c}
	if r.stdout != nil && isClosed(r.copied) {
		exit.Message = r.head.text
		exit.Stdout, exit.Stderr = r.stdout.tail.bytes(), r.stderr.tail.bytes()
	}
	if field, value := c.badOption(exit.Message); field != "" {
		c.exitCode = -1
		return &InvalidError{Option: field, Value: value, Reason: exit.Message}
	}
	switch normal.ExitKind(c.exitCode, exit.Message) {
	case engine.ErrCommandNotFound:
		c.exitCode = 127
	case engine.ErrCommandNotExecutable:
		c.exitCode = 126
	}
	exit.Code = c.exitCode
	return exit
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
