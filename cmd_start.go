package berth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Start starts the command and returns once the engine has. Unless Detach is
// set, ctx governs the process until Wait returns: when ctx is done before, its
// input is closed (a terminal gets ^C) and the process is killed; where it cannot be,
// Wait returns an [*ExecAliveError]. Of a detached command ctx governs Start and Wait alone.
//
// After a Start that succeeded, call Wait: it releases the connection and the
// goroutines that copy Stdin, Stdout and Stderr.
//
// A container that does not run is an [ErrNotRunning]. A command that does not exist is as a rule
// known after the start only, and an error of Wait.
func (c *Cmd) Start(ctx context.Context) error {
	if err := c.start(ctx, false); err != nil {
		c.closePipes(err)
		return err
	}
	return nil
}

// start creates and starts the exec and begins to copy, or leaves that to the
// caller of Conn.
func (c *Cmd) start(ctx context.Context, conn bool) error {
	if c.used {
		return &InvalidError{Option: "Cmd.Start", Reason: "the command has been started already"}
	}
	c.used = true
	spec, marker, err := c.spec(conn)
	if err != nil {
		return err
	}
	var keys []byte
	if c.TTY {
		if keys, err = c.c.cli.detachKeys(c.DetachKeys); err != nil {
			return err
		}
	}
	e := c.c.cli.e
	both, _ := e.(engine.ExecRunner)
	if both == nil {
		if c.id, err = e.ExecCreate(ctx, c.c.id, spec); err != nil {
			return c.nameOption(err)
		}
	}
	r := &running{cmd: c, e: e, ctx: ctx, id: c.id, marker: marker, keys: keys, interrupted: make(chan struct{})}

	// The stream has a context of its own, since an ending ctx has things to do on it before it is closed.
	streamCtx, endStream := context.WithCancelCause(context.WithoutCancel(ctx))
	r.closeStream = func() { endStream(context.Cause(ctx)) }
	unwatch := context.AfterFunc(ctx, r.closeStream)
	opts := engine.ExecStartOptions{Detach: c.Detach, TTY: c.TTY, Size: c.Size}
	if both == nil {
		r.stream, err = e.ExecStart(streamCtx, c.id, opts)
	} else if r.id, r.stream, err = both.ExecRun(streamCtx, c.c.id, spec, opts); r.id == "" { // none was made
		unwatch()
		r.closeStream()
		if ctx.Err() != nil {
			return fmt.Errorf("start exec of %s: %w", c.Path, contextError(ctx))
		}
		return c.nameOption(err)
	}
	c.id = r.id
	if !unwatch() && !c.Detach { // ctx is done: what has been started, if anything, must not live on
		r.closeStream()
		if r.stream != nil {
			r.stream.Close()
		}
		close(r.interrupted)
		cleanup, cancel := r.cleanupContext()
		defer cancel()
		return r.canceled(r.end(cleanup))
	}
	if err != nil {
		r.closeStream()
		if errors.Is(err, engine.ErrCommandNotFound) || errors.Is(err, engine.ErrCommandNotExecutable) {
			return c.notExecuted(err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("start exec of %s: %w", c.Path, contextError(ctx))
		}
		return c.nameOption(err)
	}
	c.run = r
	if c.Detach {
		r.closeStream()
		return nil
	}
	r.begin(conn)
	return nil
}

// badOption is the field that an engine complains about, in the answer to a request or in the output of an exec; "" is none.
func (c *Cmd) badOption(text string) (field, value string) {
	switch {
	case c.User != "" && (strings.Contains(text, "unable to find user") || strings.Contains(text, "unable to find group") || strings.Contains(text, "no matching entries in")):
		return "Cmd.User", c.User
	case c.Dir != "" && strings.Contains(text, "chdir to cwd"):
		return "Cmd.Dir", c.Dir
	}
	return "", ""
}

// nameOption names the field that is the cause of an engine's error, if one is.
func (c *Cmd) nameOption(err error) error {
	if field, value := c.badOption(err.Error()); field != "" {
		return &InvalidError{Option: field, Value: value, Err: err}
	}
	return err
}

// notExecuted is the ExitError of an engine that says already at the start that
// there is no such command.
func (c *Cmd) notExecuted(err error) error {
	c.exitCode = 127
	kind := engine.ErrCommandNotFound
	if errors.Is(err, engine.ErrCommandNotExecutable) {
		c.exitCode, kind = 126, engine.ErrCommandNotExecutable
	}
	message := err.Error()
	if api, ok := errors.AsType[*APIError](err); ok && api.Message != "" {
		message = api.Message
	}
	return &ExitError{Code: c.exitCode, Container: c.c, Message: message, kind: kind}
}
