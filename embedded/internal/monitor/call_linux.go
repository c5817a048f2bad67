package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

var past = time.Unix(1, 0)

// errNoMonitor says that a call which starts no monitor has found none.
var errNoMonitor = errors.New("the container has no monitor")

// errAgain says that the monitor was leaving: the call belongs to the next one.
var errAgain = errors.New("the monitor is leaving")

// call makes a call of one answer.
func (c *Client) call(ctx context.Context, id, op string, q *proto.Request, spawn bool) (*proto.Response, error) {
	conn, a, err := c.open(ctx, id, op, q, spawn)
	if err != nil {
		return nil, err
	}
	conn.Close()
	return a, nil
}

// open makes a call and returns its connection with its first answer. spawn starts a monitor
// where there is none; otherwise the error is errNoMonitor.
func (c *Client) open(ctx context.Context, id, op string, q *proto.Request, spawn bool) (net.Conn, *proto.Response, error) {
	c.mu.Lock()
	c.reap()
	c.mu.Unlock()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		conn, a, err := c.try(ctx, id, op, q, spawn)
		switch {
		case ctx.Err() != nil:
			if conn != nil {
				conn.Close()
			}
			return nil, nil, ctx.Err()
		case err == nil:
			return conn, a, nil
		case errors.Is(err, errAgain):
		default:
			return nil, nil, err
		}
		// Rare: the one monitor is leaving, or another caller's is coming.
		if err := rest(ctx, pause); err != nil {
			return nil, nil, err
		}
	}
}

// try is one attempt of open.
func (c *Client) try(ctx context.Context, id, op string, q *proto.Request, spawn bool) (net.Conn, *proto.Response, error) {
	var spawned *child
	conn, err := c.Store.DialMonitor(ctx, id)
	if errors.Is(err, engine.ErrNotRunning) {
		if err := c.Recover(ctx, id); err != nil {
			return nil, nil, err
		}
		if err := c.absent(id); !spawn || err != errNoMonitor {
			return nil, nil, err
		}
		m, err := c.spawn(ctx, id)
		if errors.Is(err, engine.ErrConflict) {
			return nil, nil, errAgain
		}
		if err != nil {
			return nil, nil, err
		}
		defer c.letGo(m)
		if conn, err = c.Store.DialMonitor(ctx, id); err != nil {
			return nil, nil, fmt.Errorf("connect to the monitor: %w", err)
		}
		spawned = m
	} else if err != nil {
		return nil, nil, fmt.Errorf("connect to the monitor: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()
	var a proto.Response
	if err = proto.Write(conn, q); err == nil {
		if spawned != nil && q.Op == proto.OpStart {
			c.prepareSpare(spawned) // it has time: the monitor works
		}
		err = proto.Read(conn, &a)
	}
	switch {
	case err == nil && a.Again, errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		err = c.cut(ctx, id, op, err, spawned)
	case err != nil:
		err = fmt.Errorf("talk to the monitor: %w", err)
	default:
		if err = a.Error.Decode(op, id); err == nil {
			return conn, &a, nil
		}
	}
	conn.Close()
	return nil, nil, err
}

// absent tells why there is no monitor to talk to. While there is a run directory there is one that does not
// listen yet or no more, or one that has died, and nobody has recovered what it has left.
func (c *Client) absent(id string) error {
	_, err := os.Lstat(c.Store.RunDir(id))
	switch {
	case err == nil:
		return errAgain
	case errors.Is(err, os.ErrNotExist):
		return errNoMonitor
	}
	return err
}

// cut judges a connection that has ended without an answer: a monitor that was leaving has not taken
// the call; one that was killed may have. spawned is one that was started for it.
func (c *Client) cut(ctx context.Context, id, op string, err error, spawned *child) error {
	if err == nil {
		return errAgain
	}
	c.buried(ctx, id)
	snap, serr := c.Store.State(id)
	if serr != nil {
		return serr
	}
	if !snap.Lost {
		return errAgain
	}
	if err := c.Recover(ctx, id); err != nil {
		return err
	}
	text := "the container's monitor has died during the call"
	if spawned != nil {
		if why := c.why(spawned.pid, spawned.said); why != "" {
			text += ": " + why
		}
	}
	return &engine.APIError{Engine: "embedded", Op: op, Object: id, Message: text, Kind: engine.ErrUnavailable}
}

// buried waits until a monitor that has closed a connection has released its lock as
// well: the kernel closes a dead process's descriptors one after the other. It gives up when another monitor has come.
func (c *Client) buried(ctx context.Context, id string) {
	pause := 100 * time.Microsecond
	for range 12 {
		if alive, err := c.Store.MonitorAlive(id); err != nil || !alive {
			return
		}
		if rest(ctx, pause) != nil {
			return
		}
		pause *= 2
	}
}

// rest waits for a time, or for ctx's end, whose error it returns.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// closed says that err is of a connection that the monitor's end has closed.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed)
}
