package wire

import (
	"context"
	"errors"
	"net"
	"sync"
)

// ErrClosed is the error of a Tracker's Dial after Close.
var ErrClosed = errors.New("engine is closed")

// Tracker dials connections that it can close all at once, in use or not: what closing an engine with calls in progress takes. It is safe for concurrent use.
type Tracker struct {
	dial DialFunc

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// Track returns a Tracker of what dial opens.
func Track(dial DialFunc) *Tracker {
	return &Tracker{dial: dial, conns: map[net.Conn]struct{}{}}
}

// Dial opens a connection that Close closes too. Its methods CloseWrite and NetConn are those of what it wraps, as far as that has them.
func (t *Tracker) Dial(ctx context.Context) (net.Conn, error) {
	if t.isClosed() {
		return nil, ErrClosed
	}
	raw, err := t.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &trackedConn{Conn: raw, t: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		closeNow(raw)
		return nil, ErrClosed
	}
	t.conns[raw] = struct{}{}
	if half, ok := raw.(halfCloser); ok {
		return &trackedHalfConn{c, half}, nil
	}
	return c, nil
}

// Close closes every connection that is open and makes Dial fail. It is idempotent.
func (t *Tracker) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for c := range t.conns {
		closeNow(c)
	}
	clear(t.conns)
}

func (t *Tracker) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

func (t *Tracker) forget(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

type halfCloser interface{ CloseWrite() error }

type trackedConn struct {
	net.Conn
	t *Tracker
}

func (c *trackedConn) Close() error {
	c.t.forget(c.Conn)
	return c.Conn.Close()
}

// NetConn is what carries the connection: see closeNow.
func (c *trackedConn) NetConn() net.Conn {
	if w, ok := c.Conn.(interface{ NetConn() net.Conn }); ok {
		return w.NetConn()
	}
	return c.Conn
}

type trackedHalfConn struct {
	*trackedConn
	half halfCloser
}

func (c *trackedHalfConn) CloseWrite() error { return c.half.CloseWrite() }
