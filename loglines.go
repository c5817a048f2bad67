package berth

import (
	"bufio"
	"bytes"
	"io"
	"time"

	"github.com/berthdev/berth/internal/frame"
)

const (
	// maxLogLine is the longest Text of a LogLine, in bytes.
	maxLogLine = 1 << 20
	// maxLogTime is the longest time before a line, with the space after it.
	maxLogTime = len("2006-01-02T15:04:05.999999999+00:00 ")
	// dockerPiece is how much of a line without an end Docker's drivers take for one
	// entry, in bytes: its next piece has a time of its own before it.
	dockerPiece = 16 << 10
)

// logLines makes lines of a log with times and yields them.
type logLines struct {
	yield    func(LogLine, error) bool
	keepTime bool // in the text
	stopped  bool // the consumer has enough

	lines [2]lineBuffer // of stdout and stderr
}

// lineBuffer is a line whose end has not come yet.
type lineBuffer struct {
	stream OutputStream
	time   time.Time
	text   []byte
	begun  bool // it has a piece already
}

// readFrames reads a log in frames, each of which is one entry of the log driver:
// a time, and a line or a piece of one.
func (l *logLines) readFrames(r io.Reader) error {
	l.lines[0].stream, l.lines[1].stream = Stdout, Stderr
	frames := frame.NewReader(bufio.NewReaderSize(r, 64<<10))
	var entry []byte
	for {
		s, size, err := frames.Next()
		if err == io.EOF {
			l.flush()
			return nil
		}
		if err != nil {
			return err
		}
		b := &l.lines[0]
		if s == frame.Stderr {
			b = &l.lines[1]
		}
		for first := true; size > 0; first = false {
			n := int(min(size, maxLogLine))
			if cap(entry) < n {
				entry = make([]byte, n)
			}
			entry = entry[:n]
			if _, err := io.ReadFull(frames, entry); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
			size -= int64(n)
			if !l.add(b, entry, first) {
				return nil
			}
		}
	}
}

// add adds an entry, or a later part of one, to a line and yields what is
// complete. It returns false when the consumer has enough.
func (l *logLines) add(b *lineBuffer, p []byte, first bool) bool {
	if first {
		t, n := leadingTime(p)
		if !b.begun {
			b.time = t
		}
		if !l.keepTime || b.begun {
			p = p[n:]
		}
	}
	for {
		i := bytes.IndexByte(p, '\n')
		end := i
		if i < 0 {
			end = len(p)
		}
		for len(b.text)+end > maxLogLine {
			n := maxLogLine - len(b.text)
			b.text = append(b.text, p[:n]...)
			if !l.emit(b, true) {
				return false
			}
			p, end, i = p[n:], end-n, i-n
		}
		b.text = append(b.text, p[:end]...)
		b.begun = b.begun || end > 0 || i >= 0
		if end == len(p) {
			return true
		}
		b.text = bytes.TrimSuffix(b.text, []byte{'\r'})
		if !l.emit(b, false) {
			return false
		}
		if p = p[end+1:]; len(p) == 0 {
			return true
		}
	}
}

// emit yields a line, or part of one, and starts the next.
func (l *logLines) emit(b *lineBuffer, partial bool) bool {
	line := LogLine{Stream: b.stream, Time: b.time, Text: string(b.text), Partial: partial}
	b.text = b.text[:0]
	b.begun = partial
	if !l.yield(line, nil) {
		l.stopped = true
	}
	return !l.stopped
}

// flush yields the lines that have no end.
func (l *logLines) flush() {
	for i := range l.lines {
		if b := &l.lines[i]; len(b.text) > 0 && !l.stopped {
			l.emit(b, false)
		}
	}
}

// readRaw reads a log without frames, a terminal's: lines with a time before each,
// and before each piece of a long one.
func (l *logLines) readRaw(r io.Reader) error {
	b := &l.lines[0]
	b.stream = Stdout
	br := bufio.NewReaderSize(r, 64<<10)
	for room := 0; ; {
		if room == 0 { // at the start of an entry
			head, err := peekTime(br)
			if err != nil {
				l.flush()
				return endOfLog(err)
			}
			t, n := leadingTime(head)
			if !b.begun {
				b.time = t
			}
			if n > 0 && l.keepTime && !b.begun {
				b.text = append(b.text, head[:n]...)
			}
			b.begun = true
			_, _ = br.Discard(n) // it was peeked at
			room = dockerPiece
		}
		piece, err := readPiece(br, room)
		if len(piece) == 0 {
			l.flush()
			return endOfLog(err)
		}
		room -= len(piece)
		if piece[len(piece)-1] == '\n' {
			room = 0
		}
		if !l.add(b, piece, false) {
			return nil
		}
	}
}

// peekTime looks at the start of an entry, as far as a time may reach: up to the
// first space, and no further than there are bytes, which it waits for one by one.
// At the end of the log the error is io.EOF.
func peekTime(br *bufio.Reader) ([]byte, error) {
	for n := 1; ; n++ {
		head, err := br.Peek(n)
		if len(head) == 0 {
			return nil, err
		}
		n = min(br.Buffered(), maxLogTime)
		head, _ = br.Peek(n)
		if err != nil || n == maxLogTime || bytes.ContainsAny(head, " \n") {
			return head, nil
		}
	}
}

// readPiece reads what is there, up to the end of a line and up to n bytes. The
// bytes are valid until the next read.
func readPiece(br *bufio.Reader, n int) ([]byte, error) {
	if _, err := br.Peek(1); err != nil {
		return nil, err
	}
	p, _ := br.Peek(min(n, br.Buffered()))
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		p = p[:i+1]
	}
	_, _ = br.Discard(len(p)) // it was peeked at
	return p, nil
}

func endOfLog(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// leadingTime reads the RFC 3339 time and the space before an entry. n is the
// length of both, 0 when there is none.
func leadingTime(p []byte) (t time.Time, n int) {
	i := bytes.IndexByte(p[:min(len(p), maxLogTime)], ' ')
	if i < 0 {
		return time.Time{}, 0
	}
	t, err := time.Parse(time.RFC3339Nano, string(p[:i]))
	if err != nil {
		return time.Time{}, 0
	}
	return t, i + 1
}
