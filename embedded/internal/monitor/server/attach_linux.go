package server

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/berthdev/berth/embedded/internal/logs"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// attach connects a client to the container's streams: those of the run that is in progress, or of the next one.
func (m *monitor) attach(conn *net.UnixConn, q *proto.Request) {
	o := *q.Attach
	if !o.Stdin && !o.Stdout && !o.Stderr {
		o.Stdout, o.Stderr = true, true
	}
	cfg := m.container()
	keys, err := engine.ParseDetachKeys(m.keysOr(o.DetachKeys))
	if err != nil {
		proto.Write(conn, proto.Response{Error: proto.Encode(err)})
		return
	}
	m.mu.Lock()
	switch {
	case m.retired:
		err = notFound(m.id)
	case m.status == engine.StatusExited && !o.Logs:
		err = notRunning(m.id)
	}
	over := m.status == engine.StatusExited
	if err != nil {
		m.mu.Unlock()
		proto.Write(conn, proto.Response{Error: proto.Encode(err)})
		return
	}
	s := newSink(conn, o.Stdout, o.Stderr && !cfg.Spec.TTY)
	s.held = true
	var until time.Time
	m.out.add(s, func(log *logs.Writer) {
		if o.Logs && log != nil {
			log.Flush()
			until = time.Now()
		}
	})
	m.mu.Unlock()
	defer m.out.remove(s)
	if err := proto.Write(conn, proto.Response{TTY: cfg.Spec.TTY}); err != nil {
		return
	}
	if o.Logs {
		m.replay(s, o, until)
	}
	if over || o.NoStream {
		s.finish()
	}
	s.release()
	m.emit("attach", nil)
	go m.readInput(s, conn, o.Stdin && cfg.Spec.OpenStdin, cfg.Spec.TTY, keys, &m.in, func() {
		if cfg.Spec.StdinOnce && !cfg.Spec.TTY {
			m.in.end()
		}
	})
	s.serve()
}

// replay sends what the log has kept until now.
func (m *monitor) replay(s *sink, o engine.AttachOptions, until time.Time) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cfg := m.container()
	r, err := logs.Open(ctx, logs.Source{Dir: m.store.Dir(m.id) + "/log", Log: cfg.Log, TTY: cfg.Spec.TTY},
		engine.LogOptions{NoStdout: !o.Stdout, NoStderr: !o.Stderr, Until: until})
	if err != nil {
		return // a driver that keeps nothing has nothing to replay
	}
	defer r.Close()
	if r.Multiplexed() {
		io.Copy(s.conn, r) // the same frames; nothing else is written while the queue is held
		return
	}
	buf := make([]byte, lastBuffer)
	for {
		n, err := r.Read(buf[proto.HeaderSize:])
		if n > 0 {
			proto.AppendHeader(buf[:0], proto.Stdout, n)
			if _, err := s.conn.Write(buf[:proto.HeaderSize+n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// keysOr gives the detach keys: the call's, the start's, or Docker's default.
func (m *monitor) keysOr(keys string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if keys == "" {
		keys = m.keys
	}
	return keys
}

// readInput takes frames from a client until it goes away, which drops it. wanted says
// that its data is the process's; end is called at the end of its input.
func (m *monitor) readInput(s *sink, conn net.Conn, wanted, tty bool, keys []byte, in *input, end func()) {
	defer s.drop()
	ended := false
	finish := func() {
		if wanted && !ended {
			ended = true
			end()
		}
	}
	det := detacher{keys: keys}
	f := frameReader{r: conn}
	var buf []byte
	for {
		st, n, err := f.next()
		if err != nil {
			finish()
			return
		}
		if st == proto.End {
			if wanted && !m.awaitInput(s, in) {
				return
			}
			finish()
			continue
		}
		for n > 0 {
			if buf == nil {
				buf = make([]byte, min(max(n, firstBuffer), lastBuffer))
			} else if n > len(buf) && len(buf) < lastBuffer {
				buf = make([]byte, lastBuffer)
			}
			p := buf[:min(n, len(buf))]
			if _, err := io.ReadFull(conn, p); err != nil {
				finish()
				return
			}
			n -= len(p)
			if !wanted || ended {
				continue
			}
			detached := false
			if tty {
				p, detached = det.filter(p)
			}
			if len(p) > 0 {
				if !m.awaitInput(s, in) {
					return
				}
				if in.write(p) != nil {
					wanted = false // it takes no more
					s.tell(proto.InputClosed)
				}
			}
			if detached {
				s.finish()
				<-s.closed
				return
			}
		}
	}
}

// awaitInput waits for a run that takes input; it is false when the client is gone before. A client's
// end is seen when something is written to it, or when it was read.
func (m *monitor) awaitInput(s *sink, in *input) bool {
	select {
	case <-in.wait():
		return true
	case <-s.closed:
		return false
	}
}

// frameReader reads the headers of frames.
type frameReader struct {
	r    io.Reader
	head [proto.HeaderSize]byte
}

func (f *frameReader) next() (proto.Stream, int, error) {
	if _, err := io.ReadFull(f.r, f.head[:]); err != nil {
		return 0, 0, err
	}
	s, n := proto.ParseHeader(f.head[:])
	return s, n, nil
}

// resize sets the size of the container's terminal; of one that is not started, the size that it will have.
func (m *monitor) resize(size engine.Size) error {
	if !m.container().Spec.TTY {
		return conflict("the container has no terminal")
	}
	r := m.current()
	if r == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.status == engine.StatusExited {
			return notRunning(m.id)
		}
		m.size = size
		return nil
	}
	if err := setSize(r.proc.console, size); err != nil {
		return notRunning(m.id)
	}
	m.emit("resize", map[string]string{"height": itoa(int(size.Rows)), "width": itoa(int(size.Cols))})
	return nil
}
