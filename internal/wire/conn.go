package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// Conn is a hijacked connection: a raw stream in both directions. Its methods may be called at once from several goroutines. The caller closes it.
type Conn struct {
	ctx   context.Context
	conn  net.Conn
	resp  *http.Response
	read  sync.Mutex // one Read at a time; not held by Close
	r     io.Reader  // conn, behind what came with the head
	close func() error
}

// newConn returns a Conn that ctx governs from now on.
func newConn(ctx context.Context, conn net.Conn) *Conn {
	c := &Conn{ctx: ctx, conn: conn}
	unwatch := context.AfterFunc(ctx, func() { closeNow(conn) })
	c.close = sync.OnceValue(func() error {
		if !unwatch() {
			return nil // ctx was done and has closed it
		}
		return conn.Close()
	})
	return c
}

// Read reads from the engine. io.EOF is an end that the engine made; a lost connection is io.ErrUnexpectedEOF, the end of the context its error, a Conn closed by Close net.ErrClosed.
func (c *Conn) Read(p []byte) (int, error) {
	c.read.Lock()
	defer c.read.Unlock()
	if c.ctx.Err() != nil {
		return 0, contextError(c.ctx)
	}
	n, err := c.r.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, c.failed(err)
}

// Write writes to the engine. Errors are as those of Read.
func (c *Conn) Write(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, contextError(c.ctx)
	}
	n, err := c.conn.Write(p)
	if err != nil {
		err = c.failed(err)
	}
	return n, err
}

// failed returns err, of reading or writing, in this package's terms.
func (c *Conn) failed(err error) error {
	switch {
	case c.ctx.Err() != nil:
		return contextError(c.ctx)
	case errors.Is(err, net.ErrClosed):
		return err
	}
	return cutShort(err)
}

// CloseWrite ends what is written, as the process's stdin sees it; reading goes on. It works over unix sockets, TCP, TLS (close_notify), ssh and message pipes; elsewhere its error is errors.ErrUnsupported.
// It is no error that the engine has already gone.
func (c *Conn) CloseWrite() error {
	if c.ctx.Err() != nil {
		return contextError(c.ctx)
	}
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("close write side of %T: %w", c.conn, errors.ErrUnsupported)
	}
	err := half.CloseWrite()
	switch {
	case err == nil || errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET):
		return nil
	case c.ctx.Err() != nil:
		return contextError(c.ctx)
	}
	return fmt.Errorf("close write side: %w", err)
}

// Close closes the connection and lets go of the context. It is idempotent and makes a Read or Write in progress return.
func (c *Conn) Close() error { return c.close() }

// Header returns the header of the response that the stream began with.
func (c *Conn) Header() http.Header { return c.resp.Header }

// Status returns its status: 101 or 200.
func (c *Conn) Status() int { return c.resp.StatusCode }
