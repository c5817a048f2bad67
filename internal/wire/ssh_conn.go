package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// sshFailed is the exit code with which ssh itself fails; others are the remote command's.
const sshFailed = 255

var (
	// errMuxLost is a master that has ended, or whose other end is lost.
	errMuxLost = errors.New("the ssh connection is lost")
	// errMuxRefused is a session that the server does not open: it has as many as it allows.
	errMuxRefused = errors.New("the server opens no further session")
)

// sshEnd is what runs a remote command: a session of a master, or an ssh of its own.
type sshEnd interface {
	// wait returns nil, an error with an ExitCode, or another error when nobody knows how the command ended. It returns after stop.
	wait() error
	// stop ends it. It is idempotent.
	stop()
}

// remoteExit is the exit code of a remote command that is not 0.
type remoteExit uint32

func (e remoteExit) Error() string { return fmt.Sprintf("exit status %d", uint32(e)) }
func (e remoteExit) ExitCode() int { return int(e) }

// sshConn is the stdin and stdout of a remote command.
type sshConn struct {
	ssh     *SSH
	end     sshEnd
	in, out *os.File
	stderr  *os.File // a file, so that nobody has to read it while the connection lives
	close   func() error
	got     atomic.Bool // a byte was read
	closed  atomic.Bool
}

// session starts the remote command as a session of m, whose place it has and gives back at its Close, or, if this fails, at once.
func (s *SSH) session(ctx context.Context, m *sshMaster) (net.Conn, error) {
	c := &sshConn{ssh: s}
	childIn, childOut, err := c.pipes()
	if err == nil {
		if m != nil {
			c.end, err = m.session(ctx, s.remote, [3]*os.File{childIn, childOut, c.stderr})
		} else {
			c.end, err = s.process(childIn, childOut, c.stderr)
		}
		childIn.Close()
		childOut.Close()
		if err != nil {
			err = s.failure(err, c.stderr)
			c.closeFiles()
		}
	}
	if err != nil {
		m.release()
		return nil, err
	}
	m.settled()
	c.close = sync.OnceValue(func() error {
		c.closed.Store(true)
		c.end.stop()
		c.closeFiles()
		m.release()
		return nil
	})
	return c, nil
}

// sshProcess is an ssh of its own.
type sshProcess struct {
	cmd  *exec.Cmd
	once func() error
}

func (s *SSH) process(in, out, stderr *os.File) (sshEnd, error) {
	// The context of the dial does not govern the process: Close does.
	cmd := s.command(context.Background(), nil, false, sessionArgs(), s.remote)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &sshProcess{cmd: cmd, once: sync.OnceValue(cmd.Wait)}, nil
}

func (p *sshProcess) wait() error { return p.once() }

func (p *sshProcess) stop() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.wait()
}

// pipes makes c's files and returns the child's ends.
func (c *sshConn) pipes() (childIn, childOut *os.File, err error) {
	if c.stderr, err = c.ssh.scratch(); err != nil {
		return nil, nil, err
	}
	if childIn, c.in, err = os.Pipe(); err == nil {
		if c.out, childOut, err = os.Pipe(); err == nil {
			return childIn, childOut, nil
		}
		childIn.Close()
		c.in.Close()
	}
	c.stderr.Close()
	return nil, nil, fmt.Errorf("ssh: %w", err)
}

func (c *sshConn) closeFiles() {
	c.in.Close()
	c.out.Close()
	c.stderr.Close()
}

// Read implements net.Conn. An end before the first byte is the remote command's failure; an end with ssh's own exit code is a lost connection.
func (c *sshConn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if n > 0 {
		c.got.Store(true)
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		return n, c.ended()
	}
	return n, closedError(err)
}

// ended returns what the end of ssh's output means.
func (c *sshConn) ended() error {
	err := c.end.wait() // it ends now, or by Close
	if c.closed.Load() {
		return net.ErrClosed
	}
	exit, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err)
	if err == nil || ok && c.got.Load() && exit.ExitCode() != sshFailed {
		return io.EOF
	}
	return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, c.ssh.failure(err, c.stderr))
}

// Write implements net.Conn.
func (c *sshConn) Write(p []byte) (int, error) {
	n, err := c.in.Write(p)
	return n, closedError(err)
}

// closedError returns err in the terms of package net.
func closedError(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return net.ErrClosed
	}
	return err
}

// CloseWrite closes the stdin of the remote command.
func (c *sshConn) CloseWrite() error {
	if err := c.in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Close implements net.Conn.
func (c *sshConn) Close() error { return c.close() }

// The deadlines are those of the pipes.

func (c *sshConn) SetReadDeadline(t time.Time) error  { return c.out.SetReadDeadline(t) }
func (c *sshConn) SetWriteDeadline(t time.Time) error { return c.in.SetWriteDeadline(t) }
func (c *sshConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// sshAddr is the host at the other end.
type sshAddr string

func (a sshAddr) Network() string { return "ssh" }
func (a sshAddr) String() string  { return string(a) }

func (c *sshConn) LocalAddr() net.Addr  { return sshAddr("local") }
func (c *sshConn) RemoteAddr() net.Addr { return sshAddr(c.ssh.cfg.Host) }
