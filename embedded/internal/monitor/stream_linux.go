package monitor

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
)

// stream is a connection that carries a process's streams. It takes the monitor's
// frames apart only to see their ends: the caller gets them as they are, but those of a terminal, whose bytes are raw.
type stream struct {
	ctx    context.Context
	conn   net.Conn
	tty    bool
	unhook func() bool
	over   func(code, pid int) // of an exec: is told how it ended, before Read returns io.EOF; nil is nobody
	once   sync.Once
	closed atomic.Bool

	reading sync.Mutex
	head    [proto.HeaderSize]byte
	have    int // bytes of head that have come
	given   int // bytes of head that the caller has got
	left    int // bytes of payload still to come
	err     error

	writing sync.Mutex
	noInput atomic.Bool // the process takes no more
}

func newStream(ctx context.Context, conn net.Conn, tty bool) *stream {
	s := &stream{ctx: ctx, conn: conn, tty: tty}
	s.unhook = context.AfterFunc(ctx, func() { s.shut() })
	return s
}

// Multiplexed implements [engine.Stream].
func (s *stream) Multiplexed() bool { return !s.tty }

// Read implements [engine.Stream]. A connection that ends without the monitor's word is io.ErrUnexpectedEOF.
func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	for {
		if s.err != nil {
			return 0, s.failure(s.err)
		}
		if s.left == 0 && s.have < proto.HeaderSize {
			s.next()
			continue
		}
		n := 0
		if !s.tty && s.given < proto.HeaderSize {
			n = copy(p, s.head[s.given:])
			s.given += n
		}
		if s.left == 0 { // an empty frame
			s.have = 0
			if n > 0 {
				return n, nil
			}
			continue
		}
		if n == len(p) {
			return n, nil
		}
		m, err := s.conn.Read(p[n:min(len(p), n+s.left)])
		s.left -= m
		if s.left == 0 {
			s.have = 0
		}
		if err != nil {
			s.err = cutOff(err)
		}
		if n+m > 0 {
			return n + m, nil
		}
	}
}

// next reads a header, and what belongs to the monitor and not to the caller.
func (s *stream) next() {
	n, err := io.ReadFull(s.conn, s.head[s.have:])
	s.have += n
	if err != nil {
		s.err = cutOff(err)
		return
	}
	st, left := proto.ParseHeader(s.head[:])
	switch st {
	case proto.End:
		s.err = io.EOF
		if left == proto.OutcomeSize && s.over != nil {
			s.outcome()
		}
	case proto.InputClosed:
		s.noInput.Store(true)
		s.have = 0
	default:
		s.left, s.given = left, 0
		if left == 0 {
			s.have = 0
		}
	}
}

// outcome reads how the process ended.
func (s *stream) outcome() {
	var p [proto.OutcomeSize]byte
	if _, err := io.ReadFull(s.conn, p[:]); err != nil {
		s.err = cutOff(err)
		return
	}
	s.over(proto.ParseOutcome(p[:]))
}

// cutOff is the error of a connection that has ended.
func cutOff(err error) error {
	if closed(err) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// failure is err as the caller gets it: ctx's own, when ctx is why.
func (s *stream) failure(err error) error {
	switch {
	case err == io.EOF:
		return err
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case s.closed.Load():
		return os.ErrClosed
	}
	return err
}

// Write implements [engine.Stream]. When the process has ended, or closed its input, it is EPIPE.
func (s *stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	written := 0
	for len(p) > 0 {
		if s.noInput.Load() {
			return written, s.failure(&net.OpError{Op: "write", Net: "unix", Err: syscall.EPIPE})
		}
		part := p[:min(len(p), maxFrame)]
		var head [proto.HeaderSize]byte
		binary.BigEndian.PutUint32(head[4:], uint32(len(part)))
		bufs := net.Buffers{head[:], part}
		if _, err := bufs.WriteTo(s.conn); err != nil {
			return written, s.failure(err)
		}
		written += len(part)
		p = p[len(part):]
	}
	return written, nil
}

// maxFrame bounds how long the monitor's word that the input is closed may be behind.
const maxFrame = 64 << 10

// CloseWrite implements [engine.Stream].
func (s *stream) CloseWrite() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.conn.Write(proto.AppendHeader(nil, proto.End, 0))
	if closed(err) && s.ctx.Err() == nil && !s.closed.Load() {
		return nil // the process has ended
	}
	if err != nil {
		return s.failure(err)
	}
	return nil
}

// Close implements [engine.Stream].
func (s *stream) Close() error {
	s.closed.Store(true)
	s.unhook()
	return s.shut()
}

func (s *stream) shut() (err error) {
	s.once.Do(func() { err = s.conn.Close() })
	return err
}
