package server

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/logs"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/internal/frame"
)

// output is where a process's output goes: to its log and to the clients that are
// attached. A client that is slow blocks the process, as a pipe would; one that is gone is dropped.
type output struct {
	mu      sync.Mutex
	log     *logs.Writer // nil is none
	clients []*sink      // never changed in place

	failed bool        // the log could not take everything since it was set
	lost   func(error) // is told of the first such failure; nil is nobody
}

// write passes a piece of output on.
func (o *output) write(s proto.Stream, p []byte) {
	o.mu.Lock()
	var err error
	if o.log != nil {
		err = o.log.Write(frame.Stream(s), p) // a log that cannot be written must not stop the container
	}
	clients := o.clients
	tell := o.first(err)
	o.mu.Unlock()
	tell()
	for _, c := range clients {
		c.write(s, p)
	}
}

// add gives the output to a client from now on; now runs at that point, between two pieces.
func (o *output) add(c *sink, now func(log *logs.Writer)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clients = append(slices.Clip(o.clients), c)
	if now != nil {
		now(o.log)
	}
}

// remove takes a client away.
func (o *output) remove(c *sink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.Index(o.clients, c)
	if i >= 0 {
		o.clients = slices.Concat(o.clients[:i], o.clients[i+1:])
	}
}

// first is what is to be done, without the lock, about an error of the log.
func (o *output) first(err error) func() {
	if err == nil || o.failed || o.lost == nil {
		return func() {}
	}
	o.failed = true
	return func() { o.lost(err) }
}

// flush writes what there is of a last line to the log: the process has ended.
func (o *output) flush() {
	o.mu.Lock()
	var err error
	if o.log != nil {
		err = o.log.Flush()
	}
	tell := o.first(err)
	o.mu.Unlock()
	tell()
}

// setLog changes the log and returns the old one.
func (o *output) setLog(w *logs.Writer) *logs.Writer {
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.log
	o.log = w
	if w != nil {
		o.failed = false
	}
	return old
}

// hurry lets the clients' queues grow: what the process has left in its pipes is
// not much, and its end does not wait for clients.
func (o *output) hurry() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.clients {
		c.hurry()
	}
}

// finish is the end of the output: clients get it and are dropped.
func (o *output) finish() { o.finishWith(proto.AppendHeader(nil, proto.End, 0)) }

// finishWith is finish with a last frame that tells more.
func (o *output) finishWith(end []byte) {
	o.mu.Lock()
	clients := o.clients
	o.clients = nil
	o.mu.Unlock()
	for _, c := range clients {
		c.finishWith(end)
	}
}

// queueLimit is how many bytes wait for a client before the process does.
const queueLimit = 64 << 10

// sink is a client that gets output. Its own goroutine writes to the connection.
type sink struct {
	conn           net.Conn
	stdout, stderr bool

	mu     sync.Mutex
	cond   sync.Cond
	queue  []byte // frames
	spare  []byte
	held   bool // a replay goes before the queue
	nolim  bool
	ended  bool // nothing comes behind the queue
	dead   bool // nobody reads
	closed chan struct{}
}

func newSink(conn net.Conn, stdout, stderr bool) *sink {
	s := &sink{conn: conn, stdout: stdout, stderr: stderr, closed: make(chan struct{})}
	s.cond.L = &s.mu
	return s
}

// write queues a frame, waiting for room.
func (s *sink) write(st proto.Stream, p []byte) {
	if st == proto.Stdout && !s.stdout || st == proto.Stderr && !s.stderr {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) >= queueLimit && !s.nolim && !s.dead && !s.ended {
		s.cond.Wait()
	}
	if s.dead || s.ended {
		return
	}
	s.queue = append(proto.AppendHeader(s.queue, st, len(p)), p...)
	s.cond.Broadcast()
}

// tell queues an empty frame out of turn.
func (s *sink) tell(st proto.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dead && !s.ended {
		s.queue = proto.AppendHeader(s.queue, st, 0)
		s.cond.Broadcast()
	}
}

func (s *sink) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nolim = true
	s.cond.Broadcast()
}

// finish queues the end.
func (s *sink) finish() { s.finishWith(proto.AppendHeader(nil, proto.End, 0)) }

// finishWith queues the last frame.
func (s *sink) finishWith(end []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.dead {
		return
	}
	s.queue = append(s.queue, end...)
	s.ended = true
	s.cond.Broadcast()
}

// drop gives the client up.
func (s *sink) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	s.queue, s.spare = nil, nil
	s.cond.Broadcast()
}

// release lets a held queue go.
func (s *sink) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	s.cond.Broadcast()
}

// serve writes the queue to the connection until the end, or until nobody reads.
func (s *sink) serve() {
	defer close(s.closed)
	for {
		s.mu.Lock()
		for (len(s.queue) == 0 || s.held) && !s.dead && !(s.ended && !s.held) {
			s.cond.Wait()
		}
		if s.dead || len(s.queue) == 0 {
			s.mu.Unlock()
			return
		}
		data := s.queue
		s.queue, s.spare = s.spare[:0], nil
		last := s.ended
		s.cond.Broadcast()
		s.mu.Unlock()
		_, err := s.conn.Write(data)
		s.mu.Lock()
		if s.spare == nil && cap(data) <= 2*queueLimit {
			s.spare = data
		}
		if err != nil {
			s.dead = true
			s.queue = nil
			s.cond.Broadcast()
		}
		s.mu.Unlock()
		if err != nil || last {
			return
		}
	}
}

// The buffer of a pump grows while reads fill it: most containers say little.
const (
	firstBuffer = 4 << 10
	lastBuffer  = 32 << 10
)

// pump reads a process's output to its end, or, once the process is dead, to what was there then.
type pump struct {
	file   *os.File
	stream proto.Stream
	done   chan struct{}
}

// startPump reads file, which it closes, and writes to o.
func startPump(file *os.File, st proto.Stream, o *output) *pump {
	p := &pump{file: file, stream: st, done: make(chan struct{})}
	go p.run(o)
	return p
}

func (p *pump) run(o *output) {
	defer close(p.done)
	defer p.file.Close()
	buf := make([]byte, firstBuffer)
	for {
		n, err := p.file.Read(buf)
		if n > 0 {
			o.write(p.stream, buf[:n])
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				p.rest(o, buf)
			}
			return
		}
		if n == len(buf) && n < lastBuffer {
			buf = make([]byte, 2*n)
		}
	}
}

// rest reads what is there without waiting: the process is dead, and somebody else holds its output.
func (p *pump) rest(o *output, buf []byte) {
	conn, err := p.file.SyscallConn()
	if err != nil {
		return
	}
	p.file.SetReadDeadline(time.Time{})
	for {
		var n int
		var rerr error
		conn.Read(func(fd uintptr) bool {
			for {
				if n, rerr = syscall.Read(int(fd), buf); rerr != unix.EINTR {
					return true
				}
			}
		})
		if rerr != nil || n <= 0 {
			return
		}
		o.write(p.stream, buf[:n])
	}
}

// drain ends the pump: what is in the pipe is read, what others write later is not.
func (p *pump) drain() {
	p.file.SetReadDeadline(time.Unix(1, 0))
	<-p.done
}
