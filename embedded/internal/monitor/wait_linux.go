package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Wait registers a wait with the monitor, or, for WaitRemoved, with the file system.
// For a condition that does not hold yet it starts a monitor where there is none.
// Exit.Code is -1 where the condition is not an end.
func (c *Client) Wait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	if cond == engine.WaitRemoved {
		return c.waitRemoved(ctx, id)
	}
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
	if r := snap.Run; snap.Alive && r != nil && r.Status == engine.StatusExited && snap.Exit != nil && snap.Exit.StartedAt.Equal(r.StartedAt) && (cond == engine.WaitNotRunning || cond == "") {
		return answered(exitOf(snap.Exit)), nil // its monitor is leaving
	}
	if !snap.Alive {
		switch over := snap.Exit != nil; {
		case cond == engine.WaitNotRunning, cond == "",
			over && (cond == engine.WaitExited || cond == engine.WaitStopped):
			return answered(exitOf(snap.Exit)), nil
		case !over && cond == engine.WaitCreated:
			return answered(engine.Exit{Code: -1}), nil
		}
	}
	return c.register(ctx, id, cond)
}

// register is a wait with the monitor.
func (c *Client) register(ctx context.Context, id string, cond engine.WaitCondition) (*waiter, error) {
	conn, _, err := c.open(ctx, id, "wait for container", &proto.Request{Op: proto.OpWait, Cond: cond}, true)
	if err != nil {
		return nil, err
	}
	w := &waiter{c: c, ctx: ctx, id: id, cond: cond, conn: conn}
	w.open, w.close = context.WithCancel(ctx)
	context.AfterFunc(w.open, func() { conn.Close() })
	return w, nil
}

// exitOf is a recorded end.
func exitOf(e *state.Exit) engine.Exit {
	if e == nil {
		return engine.Exit{}
	}
	return engine.Exit{Code: e.Code, Error: e.Error}
}

// waiter is a wait that a monitor has been told of.
type waiter struct {
	c     *Client
	ctx   context.Context
	id    string
	cond  engine.WaitCondition
	conn  net.Conn
	open  context.Context // until Close
	close context.CancelFunc

	once sync.Once
	exit engine.Exit
	err  error
}

// Wait implements [engine.Waiter].
func (w *waiter) Wait() (engine.Exit, error) {
	w.once.Do(func() {
		var a proto.Response
		err := proto.Read(w.conn, &a)
		switch {
		case err == nil && a.Exit != nil:
			w.exit = *a.Exit
		case err == nil:
			w.err = a.Error.Decode("wait for container", w.id)
		case w.ctx.Err() != nil:
			w.err = w.ctx.Err()
		case errors.Is(err, net.ErrClosed):
			w.err = os.ErrClosed
		default:
			w.exit, w.err = w.c.afterMonitor(w.open, w.id, w.cond)
			if w.open.Err() != nil && w.ctx.Err() == nil {
				w.err = os.ErrClosed
			}
		}
		w.Close()
	})
	return w.exit, w.err
}

// afterMonitor is the answer when the monitor has been killed: the container's end is that of its monitor.
func (c *Client) afterMonitor(ctx context.Context, id string, cond engine.WaitCondition) (engine.Exit, error) {
	// The next call finds no monitor, or the next one, when what this one has left has been recovered.
	_, err := c.call(ctx, id, "wait for container", &proto.Request{Op: proto.OpExecs}, false)
	if errors.Is(err, errNoMonitor) {
		err = nil
	}
	if err == nil {
		var snap *state.Snapshot
		if snap, err = c.Store.State(id); err == nil && snap.Exit != nil {
			switch cond {
			case engine.WaitNotRunning, "", engine.WaitNextExit, engine.WaitExited, engine.WaitStopped, engine.WaitRemoved:
				return exitOf(snap.Exit), nil
			}
		}
	}
	if err == nil {
		err = &engine.APIError{Engine: "embedded", Op: "wait for container", Object: id, Message: "the container's monitor has died", Kind: engine.ErrUnavailable}
	}
	return engine.Exit{Code: -1}, err
}

// Close implements [engine.Waiter].
func (w *waiter) Close() error {
	w.close()
	w.conn.Close()
	return nil
}

// known is a wait that is over.
type known struct{ exit engine.Exit }

func answered(e engine.Exit) engine.Waiter { return known{e} }
func (k known) Wait() (engine.Exit, error) { return k.exit, nil }
func (known) Close() error                 { return nil }

// waitRemoved watches the container's directory, which removal renames. The exit code comes from the monitor, if it has one.
func (c *Client) waitRemoved(ctx context.Context, id string) (engine.Waiter, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	_, err = unix.InotifyAddWatch(fd, c.Store.Dir(id), unix.IN_MOVE_SELF|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
	if err != nil {
		f.Close()
		if errors.Is(err, unix.ENOENT) {
			return nil, notFound("wait for container", id)
		}
		return nil, fmt.Errorf("wait for the removal of container %s: %w", id, err)
	}
	w := &removal{ctx: ctx, file: f}
	snap, err := c.Store.State(id)
	if err != nil {
		f.Close()
		return nil, err
	}
	if snap.Lost {
		c.Recover(ctx, id)
		if snap, err = c.Store.State(id); err != nil {
			f.Close()
			return nil, err
		}
	}
	w.exit = exitOf(snap.Exit)
	if snap.Alive && snap.Run != nil {
		// Its end is the one that counts: the last before the removal.
		if w.end, err = c.register(ctx, id, engine.WaitRemoved); err != nil && ctx.Err() != nil {
			f.Close()
			return nil, err
		}
	}
	w.unhook = context.AfterFunc(ctx, func() { f.Close() })
	return w, nil
}

func notFound(op, id string) error {
	return &engine.APIError{Engine: "embedded", Op: op, Object: id, Message: "No such container: " + id, Kind: engine.ErrNotFound}
}

// removal waits for the removal of a container.
type removal struct {
	ctx    context.Context
	file   *os.File // inotify
	end    *waiter  // of the run before it; nil: exit is known
	unhook func() bool

	once sync.Once
	exit engine.Exit
	err  error
}

// Wait implements [engine.Waiter].
func (w *removal) Wait() (engine.Exit, error) {
	w.once.Do(func() {
		if w.end != nil {
			exit, err := w.end.Wait()
			switch {
			case err == nil:
				w.exit = exit
			case errors.Is(err, engine.ErrNotFound):
				w.exit = engine.Exit{Code: lostCode} // its monitor was killed, and it was removed since
			}
		}
		buf := make([]byte, 4096)
		if _, err := w.file.Read(buf); err != nil {
			w.err = os.ErrClosed
			if w.ctx.Err() != nil {
				w.err = w.ctx.Err()
			}
		}
		w.Close()
	})
	return w.exit, w.err
}

// Close implements [engine.Waiter].
func (w *removal) Close() error {
	w.unhook()
	w.file.Close()
	if w.end != nil {
		w.end.Close()
	}
	return nil
}
