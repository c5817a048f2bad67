package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// Attach connects to the container's streams, as [engine.Containers] says. With opts.Logs
// what was logged comes first, and then what is written from that moment on, nothing twice and nothing left out; of a
// container that has ended that is all. For a container that has not been started yet it starts a monitor.
func (c *Client) Attach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	const op = "attach to container"
	if opts.Created == nil {
		snap, err := c.Store.State(id)
		if err != nil {
			return nil, err
		}
		if snap.Lost {
			if err := c.Recover(ctx, id); err != nil {
				return nil, err
			}
			if snap, err = c.Store.State(id); err != nil {
				return nil, err
			}
		}
		if snap.Exit != nil && !snap.Alive && !opts.Logs {
			return nil, notRunning(op, id)
		}
	}
	opts.Created = nil
	conn, a, err := c.open(ctx, id, op, &proto.Request{Op: proto.OpAttach, Attach: &opts}, true)
	if err != nil {
		return nil, err
	}
	return newStream(ctx, conn, a.TTY), nil
}

// ExecCreate prepares a command in the running container and returns the exec's ID,
// which begins with the container's first 32 digits.
func (c *Client) ExecCreate(ctx context.Context, id string, spec engine.ExecSpec) (string, error) {
	const op = "create exec in container"
	a, err := c.call(ctx, id, op, &proto.Request{Op: proto.OpExecCreate, Spec: &spec}, false)
	if errors.Is(err, errNoMonitor) {
		return "", notRunning(op, id)
	}
	if err != nil {
		return "", err
	}
	c.execs.created(a.ID, id, &spec)
	return a.ID, nil
}

// ExecRun is both, in one call. The ID is that of the exec if there is one, or may be one: where ctx has ended.
func (c *Client) ExecRun(ctx context.Context, id string, spec engine.ExecSpec, opts engine.ExecStartOptions) (string, engine.Stream, error) {
	const op = "create exec in container"
	exec := proto.NewExecID(id)
	conn, _, err := c.open(ctx, id, op, &proto.Request{Op: proto.OpExecStart, Exec: exec, Spec: &spec, Start: &opts}, false)
	switch {
	case errors.Is(err, errNoMonitor):
		return "", nil, notRunning(op, id)
	case err != nil && ctx.Err() != nil:
		return exec, nil, err
	case errors.Is(err, engine.ErrNotFound): // a monitor of an older program
		if exec, err = c.ExecCreate(ctx, id, spec); err != nil {
			return "", nil, err
		}
		s, err := c.ExecStart(ctx, exec, opts)
		return exec, s, err
	case err != nil:
		return "", nil, err
	}
	c.execs.created(exec, id, &spec)
	a, err := c.second(ctx, conn, "start exec", id)
	if err != nil {
		conn.Close()
		return exec, nil, err
	}
	return exec, c.execStream(ctx, conn, id, exec, a.TTY, opts), nil
}

// second reads the other answer to a call with two.
func (c *Client) second(ctx context.Context, conn net.Conn, op, object string) (*proto.Response, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()
	var a proto.Response
	if err := proto.Read(conn, &a); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("talk to the monitor: %w", err)
	}
	return &a, a.Error.Decode(op, object)
}

// execStream is the stream of an exec that runs; nil if it is detached.
func (c *Client) execStream(ctx context.Context, conn net.Conn, id, exec string, tty bool, opts engine.ExecStartOptions) engine.Stream {
	if opts.Detach {
		conn.Close()
		return nil
	}
	s := newStream(ctx, conn, tty)
	s.over = func(code, pid int) { c.execs.over(exec, id, tty, code, pid) }
	return s
}

// ExecStart runs it. The Stream is nil with opts.Detach.
func (c *Client) ExecStart(ctx context.Context, exec string, opts engine.ExecStartOptions) (engine.Stream, error) {
	const op = "start exec"
	id, err := c.containerOf(op, exec)
	if err != nil {
		return nil, err
	}
	conn, a, err := c.open(ctx, id, op, &proto.Request{Op: proto.OpExecStart, Exec: exec, Start: &opts}, false)
	if errors.Is(err, errNoMonitor) {
		return nil, c.execGone(op, id, exec)
	}
	if err != nil {
		return nil, err
	}
	return c.execStream(ctx, conn, id, exec, a.TTY, opts), nil
}

// ExecInspect tells about an exec, as long as the container runs and, until the next start or removal, after.
func (c *Client) ExecInspect(ctx context.Context, exec string) (*engine.ExecState, error) {
	const op = "inspect exec"
	if err := ctx.Err(); err != nil { // what is remembered is for one who can take it
		return nil, err
	}
	if st := c.execs.take(exec); st != nil {
		return st, nil
	}
	id, err := c.containerOf(op, exec)
	if err != nil {
		return nil, err
	}
	a, err := c.call(ctx, id, op, &proto.Request{Op: proto.OpExec, Exec: exec}, false)
	if errors.Is(err, errNoMonitor) || errors.Is(err, engine.ErrNotFound) {
		if st := proto.ReadExec(c.Store.Dir(id), exec); st != nil {
			return st, nil
		}
		return nil, noExec(op, exec)
	}
	if err != nil {
		return nil, err
	}
	return a.Exec, nil
}

// ExecResize sets the size of an exec's terminal.
func (c *Client) ExecResize(ctx context.Context, exec string, size engine.Size) error {
	const op = "resize exec"
	id, err := c.containerOf(op, exec)
	if err != nil {
		return err
	}
	_, err = c.call(ctx, id, op, &proto.Request{Op: proto.OpExecResize, Exec: exec, Size: size}, false)
	if errors.Is(err, errNoMonitor) {
		return c.execGone(op, id, exec)
	}
	return err
}

// ExecKill sends an exec's process a signal, "" is SIGKILL. One that is over is a success.
func (c *Client) ExecKill(ctx context.Context, exec, signal string) error {
	const op = "kill exec"
	id, err := c.containerOf(op, exec)
	if err != nil {
		return err
	}
	_, err = c.call(ctx, id, op, &proto.Request{Op: proto.OpExecKill, Exec: exec, Signal: signal}, false)
	if errors.Is(err, errNoMonitor) || errors.Is(err, engine.ErrNotFound) {
		if proto.ReadExec(c.Store.Dir(id), exec) != nil {
			return nil
		}
		return noExec(op, exec)
	}
	return err
}

// ExecIDs are the IDs of the container's execs that are not over, in the order of their creation.
func (c *Client) ExecIDs(ctx context.Context, id string) ([]string, error) {
	a, err := c.call(ctx, id, "list execs of container", &proto.Request{Op: proto.OpExecs}, false)
	if errors.Is(err, errNoMonitor) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a.IDs, nil
}

// containerOf finds the container of an exec.
func (c *Client) containerOf(op, exec string) (string, error) {
	if len(exec) != 64 {
		return "", noExec(op, exec)
	}
	if id := c.execs.container(exec); id != "" {
		if _, err := os.Lstat(c.Store.Dir(id)); err == nil {
			return id, nil
		}
	}
	id, err := c.Store.Find(exec[:proto.ExecPrefix]) // reads the whole directory of containers
	if err != nil {
		return "", noExec(op, exec)
	}
	return id, nil
}

func noExec(op, exec string) error {
	return &engine.APIError{Engine: "embedded", Op: op, Object: exec, Message: "No such exec instance: " + exec, Kind: engine.ErrNotFound}
}

// execGone is the error of an exec whose container has ended.
func (c *Client) execGone(op, id, exec string) error {
	if proto.ReadExec(c.Store.Dir(id), exec) != nil {
		return notRunning(op, id)
	}
	return noExec(op, exec)
}
