package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
)

// dialForward connects to the socket that m forwards.
func (s *SSH) dialForward(ctx context.Context, m *sshMaster) (net.Conn, error) {
	conn, err := DialUnix(m.forward)(ctx)
	if err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errMuxLost, err)
		}
		return nil, err
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("ssh: not a unix socket")
	}
	m.settled()
	return &forwardConn{UnixConn: unix, name: s.cfg.SocketPath + " on " + s.cfg.Host}, nil
}

// forwardConn is a connection to the forwarded socket. ssh accepts it before the other end is connected, so that nobody there is an end without a byte.
type forwardConn struct {
	*net.UnixConn
	name string
	got  atomic.Bool
}

// Read implements net.Conn.
func (c *forwardConn) Read(p []byte) (int, error) {
	n, err := c.UnixConn.Read(p)
	switch {
	case n > 0:
		c.got.Store(true)
	case err != nil && !c.got.Load() && connectionLost(err) && !errors.Is(err, net.ErrClosed):
		err = fmt.Errorf("no engine answers at %s: %w", c.name, io.ErrUnexpectedEOF)
	}
	return n, err
}
