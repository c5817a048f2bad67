//go:build linux

package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

const (
	// fileName is the file that is written to; fileName.1 is the one before, and so on.
	fileName = "container-json.log"
	// batch is how many bytes of entries are written at once, about.
	batch = 128 << 10
)

// Path is the file in dir that is written to, as inspect shows it.
func Path(dir string) string { return filepath.Join(dir, fileName) }

// Writer writes a container's log. It is safe for concurrent use.
type Writer struct {
	dir   string
	max   int64 // size at which a file is full; 0 is never
	files int   // how many files there may be, at least 1
	none  bool  // nothing is kept

	mu     sync.Mutex
	f      *os.File // nil: closed
	size   int64    // of f
	buf    []byte   // entries that are not written yet
	lines  [2]line  // of stdout and stderr
	failed error    // for Err
}

// line is what there is of a line without its end.
type line struct {
	text  []byte
	begun bool      // it had a piece already
	time  time.Time // of the first piece
}

// NewWriter opens the log in the directory dir, which exists, and goes on after
// what is there. The driver none gives a Writer that keeps nothing; drivers other
// than it, json-file and local (which is json-file here) are an UnsupportedError.
func NewWriter(dir string, cfg state.Log) (*Writer, error) {
	w := &Writer{dir: dir, max: cfg.MaxSize, files: max(1, cfg.MaxFiles)}
	switch cfg.Driver {
	case "none":
		w.none = true
		return w, nil
	case "", "json-file", "local":
	default:
		return nil, &engine.UnsupportedError{Option: "Spec.LogDriver", Value: cfg.Driver, Engine: "embedded"}
	}
	if err := w.open(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return w, nil
}

func (w *Writer) open() error {
	f, err := os.OpenFile(Path(w.dir), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	w.f, w.size = f, st.Size()
	if w.size == 0 {
		return nil
	}
	// The machine may have gone down in the middle of an entry: what is left of it gets a line of its own, which readers skip.
	var last [1]byte
	if _, err := f.ReadAt(last[:], w.size-1); err != nil {
		w.close()
		return err
	}
	if last[0] != '\n' {
		w.buf = append(w.buf, '\n')
	}
	return nil
}

func (w *Writer) close() error {
	f := w.f
	w.f = nil
	if f == nil {
		return nil
	}
	return f.Close()
}

// Write takes output of a stream, Stdout or Stderr, as it comes. Lines that are
// complete are in the file when it returns. After an error the log may lack
// lines, and can be written on.
func (w *Writer) Write(s frame.Stream, p []byte) error {
	if w.none || len(p) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return os.ErrClosed
	}
	now := time.Now()
	l := w.line(s)
	var errs error
	for len(p) > 0 {
		room := maxPiece - len(l.text)
		end := bytes.IndexByte(p[:min(len(p), room)], '\n') + 1
		switch {
		case end > 0:
		case len(p) >= room:
			end = room
		default:
			l.text = append(l.text, p...)
			p = nil
			continue
		}
		text := p[:end]
		if len(l.text) > 0 {
			l.text = append(l.text, text...)
			text = l.text
		}
		p = p[end:]
		errs = errors.Join(errs, w.add(s, l, text, now))
	}
	return errors.Join(errs, w.write())
}

func (w *Writer) line(s frame.Stream) *line {
	if s == frame.Stderr {
		return &w.lines[1]
	}
	return &w.lines[0]
}

// add adds an entry: a line, the end of one, or a piece.
func (w *Writer) add(s frame.Stream, l *line, text []byte, now time.Time) (err error) {
	if !l.begun {
		l.time = now
	}
	if full := w.size + int64(len(w.buf)); w.max > 0 && full >= w.max {
		if err = w.write(); err == nil {
			err = w.rotate()
		}
	} else if len(w.buf) >= batch {
		err = w.write()
	}
	if s != frame.Stderr {
		s = frame.Stdout
	}
	w.buf = appendEntry(w.buf, entry{text, s, l.time})
	l.begun = text[len(text)-1] != '\n'
	l.text = l.text[:0]
	return err
}

// write writes the entries that there are. Those that there is no room for are lost, whole.
func (w *Writer) write() error {
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.f.Write(w.buf)
	if err != nil && n > 0 {
		n = bytes.LastIndexByte(w.buf[:n], '\n') + 1
		err = errors.Join(err, w.f.Truncate(w.size+int64(n)))
	}
	w.size += int64(n)
	w.buf = w.buf[:0]
	if cap(w.buf) > 2*batch {
		w.buf = nil
	}
	if err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Stream is Write of one stream, for io.Copy. It never fails: a log that cannot be
// written must not stop the container. The first error since the last Err is kept for it.
func (w *Writer) Stream(s frame.Stream) io.Writer { return streamWriter{w, s} }

type streamWriter struct {
	w *Writer
	s frame.Stream
}

func (s streamWriter) Write(p []byte) (int, error) {
	if err := s.w.Write(s.s, p); err != nil {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		if s.w.failed == nil {
			s.w.failed = err
		}
	}
	return len(p), nil
}

// Err returns and forgets the first error of the writers that Stream gave.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.failed
	w.failed = nil
	return err
}

// Flush writes what lines without an end there are: the process has ended.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *Writer) flush() (err error) {
	if w.f == nil {
		return nil
	}
	now := time.Now()
	for i, s := range []frame.Stream{frame.Stdout, frame.Stderr} {
		l := &w.lines[i]
		if len(l.text) > 0 {
			err = errors.Join(err, w.add(s, l, l.text, now))
		}
		l.begun = false
	}
	return errors.Join(err, w.write())
}

// Close flushes and closes the file, which tells those who follow it to look
// whether the container has ended: the caller has made that known before. It is idempotent.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.flush(), w.close())
}
