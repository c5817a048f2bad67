//go:build unix

package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// The protocol between an ssh and its master, OpenSSH's PROTOCOL.mux, version 4 (since OpenSSH 5.4): packets over the master's unix socket, with numbers in network byte order and strings after their length.
const (
	muxVersion   = 4
	maxMuxPacket = 256 << 10 // ssh takes no larger one

	muxHello          = 0x00000001
	muxNewSession     = 0x10000002
	muxTerminate      = 0x10000005
	muxOpenForward    = 0x10000006
	muxOK             = 0x80000001
	muxDenied         = 0x80000002
	muxFailure        = 0x80000003
	muxExit           = 0x80000004
	muxSessionOpened  = 0x80000006
	muxTTYAllocFailed = 0x80000008

	muxForwardLocal = 1
	muxPortIsPath   = 0xfffffffe // in the place of a port: the host is the path of a unix socket
	muxNoEscape     = 0xffffffff
	muxRequest      = 1 // the ID of the one request of a connection
)

// session runs command on the host with these files as its stdin, stdout and stderr, of which ssh takes copies. ctx governs the opening only.
func (m *sshMaster) session(ctx context.Context, command string, files [3]*os.File) (sshEnd, error) {
	c, err := openMux(ctx, m.control, func(c muxConn) error { return c.session(command, files) })
	if err != nil {
		return nil, err
	}
	return &muxEnd{conn: c, once: sync.OnceValue(c.exit)}, nil
}

// listen makes ssh listen at the unix socket local, for connections to the unix socket remote on the host.
func (m *sshMaster) listen(ctx context.Context, local, remote string) error {
	c, err := openMux(ctx, m.control, func(c muxConn) error { return c.forward(local, remote) })
	if err != nil {
		return err
	}
	return c.Close()
}

// greet exchanges nothing but greetings.
func (m *sshMaster) greet(ctx context.Context) error {
	c, err := openMux(ctx, m.control, func(muxConn) error { return nil })
	if err != nil {
		return err
	}
	return c.Close()
}

// exit ends the master and its sessions.
func (m *sshMaster) exit(ctx context.Context) error {
	c, err := openMux(ctx, m.control, muxConn.terminate)
	if err != nil {
		return err
	}
	return c.Close()
}

// muxEnd is the end of a session.
type muxEnd struct {
	conn muxConn
	once func() error
}

func (e *muxEnd) wait() error { return e.once() }
func (e *muxEnd) stop()       { e.conn.Close() } // the master closes the session

// muxConn is a connection to a master for one request. It is not safe for concurrent use, but for Close.
type muxConn struct{ *net.UnixConn }

// openMux connects to the master whose socket is at path and makes a request. ctx governs both, but not the connection.
func openMux(ctx context.Context, path string, request func(muxConn) error) (muxConn, error) {
	conn, err := DialUnix(path)(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return muxConn{}, contextError(ctx)
		}
		return muxConn{}, fmt.Errorf("%w: %w", errMuxLost, err)
	}
	c := muxConn{conn.(*net.UnixConn)}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	if err = c.hello(); err == nil {
		err = request(c)
	}
	if !stop() {
		err = contextError(ctx)
	}
	if err != nil {
		c.Close()
	}
	return c, err
}

func (c muxConn) hello() error {
	if err := c.send(muxU32(nil, muxHello, muxVersion)); err != nil {
		return err
	}
	kind, body, err := c.receive()
	if err != nil {
		return err
	}
	version, _, ok := cutU32(body)
	if kind != muxHello || !ok || version != muxVersion {
		return fmt.Errorf("ssh's master speaks version %d of its protocol, not %d", version, muxVersion)
	}
	return nil
}

// session opens a session.
func (c muxConn) session(command string, files [3]*os.File) error {
	p := muxU32(nil, muxNewSession, muxRequest)
	p = muxString(p, "")
	p = muxU32(p, 0, 0, 0, 0, muxNoEscape) // no terminal, X11, agent; not a subsystem
	p = muxString(p, "")
	p = muxString(p, command)
	for _, env := range os.Environ() { // the master sends those that the configuration's SendEnv names
		if len(p)+4+len(env) > maxMuxPacket/2 {
			break
		}
		p = muxString(p, env)
	}
	if err := c.send(p); err != nil {
		return err
	}
	for _, f := range files { // one at a time, each with a byte
		if _, _, err := c.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(f.Fd())), nil); err != nil {
			return fmt.Errorf("%w: %w", errMuxLost, err)
		}
	}
	return c.reply(muxSessionOpened)
}

// exit waits for the end of the session, after which its files have all that they get, and returns nil, a [remoteExit], or errMuxLost.
func (c muxConn) exit() error {
	ended := false
	var code uint32
	for {
		kind, body, err := c.receive()
		switch {
		case err != nil && ended && code == 0:
			return nil
		case err != nil && ended:
			return remoteExit(code)
		case err != nil:
			return err
		case kind == muxExit:
			_, rest, _ := cutU32(body) // the session
			if code, _, ended = cutU32(rest); !ended {
				return errors.New("malformed message of ssh's master")
			}
		}
	}
}

// forward forwards connections from one path to the other.
func (c muxConn) forward(local, remote string) error {
	p := muxU32(nil, muxOpenForward, muxRequest, muxForwardLocal)
	p = muxU32(muxString(p, local), muxPortIsPath)
	p = muxU32(muxString(p, remote), muxPortIsPath)
	if err := c.send(p); err != nil {
		return err
	}
	return c.reply(muxOK)
}

// terminate ends the master and its sessions.
func (c muxConn) terminate() error {
	if err := c.send(muxU32(nil, muxTerminate, muxRequest)); err != nil {
		return err
	}
	return c.reply(muxOK)
}

// reply reads the answer to the request, which is want or a failure.
func (c muxConn) reply(want uint32) error {
	for {
		kind, body, err := c.receive()
		if err != nil {
			return err
		}
		_, rest, _ := cutU32(body) // the request's ID
		switch reason, _ := cutString(rest); kind {
		case want:
			return nil
		case muxFailure:
			if want == muxSessionOpened {
				return fmt.Errorf("%w: %s", errMuxRefused, reason)
			}
			return fmt.Errorf("refused by ssh's master: %s", reason)
		case muxDenied:
			return fmt.Errorf("not permitted by ssh's master: %s", reason)
		case muxOK, muxTTYAllocFailed:
		default:
			return fmt.Errorf("unexpected message %#x of ssh's master", kind)
		}
	}
}

func (c muxConn) send(packet []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(packet)), uint32(len(packet)))
	if _, err := c.Write(append(b, packet...)); err != nil {
		return fmt.Errorf("%w: %w", errMuxLost, err)
	}
	return nil
}

func (c muxConn) receive() (kind uint32, body []byte, err error) { return readMuxPacket(c) }

// readMuxPacket reads one packet.
func readMuxPacket(r io.Reader) (kind uint32, body []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("%w: %v", errMuxLost, err) // an io.EOF is not for the caller: it is no end of data
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > maxMuxPacket {
		return 0, nil, fmt.Errorf("packet of %d bytes from ssh's master", size)
	}
	body = make([]byte, size-4)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, fmt.Errorf("%w: %v", errMuxLost, err)
	}
	return binary.BigEndian.Uint32(head[4:]), body, nil
}

func muxU32(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func muxString(b []byte, s string) []byte { return append(muxU32(b, uint32(len(s))), s...) }

func cutU32(b []byte) (v uint32, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b), b[4:], true
}

func cutString(b []byte) (s string, ok bool) {
	n, rest, ok := cutU32(b)
	if !ok || uint64(n) > uint64(len(rest)) {
		return "", false
	}
	return string(rest[:n]), true
}
