package berth

import (
	"context"
)

// Conn starts the command and returns the raw connection to it: what is written
// is the process's input, CloseWrite ends that, and Read gives the output: see
// [Stream]. It
// takes the place of Start; the fields Stdin, Stdout and Stderr must be nil.
//
// The caller closes the connection, and calls Wait, which waits for the
// process's end, however long, and returns its exit code. ctx governs both, as it does after Start.
func (c *Cmd) Conn(ctx context.Context) (Stream, error) {
	if err := c.start(ctx, true); err != nil {
		return nil, err
	}
	return execConn{c.run.stream, c.run}, nil
}

// execConn gives the errors of a connection that was closed because ctx ended
// as ctx's error.
type execConn struct {
	Stream
	r *running
}

func (c execConn) Read(p []byte) (int, error) {
	n, err := c.Stream.Read(p)
	return n, c.translate(err)
}

func (c execConn) Write(p []byte) (int, error) {
	n, err := c.Stream.Write(p)
	return n, c.translate(err)
}

func (c execConn) CloseWrite() error { return c.translate(c.Stream.CloseWrite()) }

func (c execConn) translate(err error) error {
	if err != nil && isClosed(c.r.interrupted) {
		return contextError(c.r.ctx)
	}
	return err
}
