package berth

import (
	"io"
	"sync/atomic"
)

// cmdSink passes one output of a command on to the caller's writer and keeps the end of it. It
// never fails: after the writer has, it discards, so that the process is not
// blocked by a pipe that nobody reads. It is used by one goroutine, but for stop.
type cmdSink struct {
	w       io.Writer // nil discards
	err     error     // the writer's
	tail    tail
	stopped atomic.Bool
}

func (s *cmdSink) Write(p []byte) (int, error) {
	s.tail.write(p)
	if s.w != nil && s.err == nil && !s.stopped.Load() {
		n, err := s.w.Write(p)
		if err == nil && n < len(p) {
			err = io.ErrShortWrite
		}
		s.err = err
	}
	return len(p), nil
}

// stop keeps further output from the caller's writer. A Write in progress goes on.
func (s *cmdSink) stop() { s.stopped.Store(true) }
