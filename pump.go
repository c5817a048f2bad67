package berth

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// inputBuffer is the size in bytes of what is read of a caller's input at a time.
const inputBuffer = 32 << 10

// pump copies a caller's reader to a process, and can be given up while a Read
// blocks, which a terminal's may for ever.
type pump struct {
	src  io.Reader
	dst  engine.Stream
	tty  bool
	keys []byte // detach keys; nil without a terminal
	done chan struct{}

	mu       sync.Mutex
	reading  bool
	stopped  bool
	err      error  // what src failed with
	lastSent []byte // for the detach keys
}

// startPump begins to copy. At the end of src it half-closes dst: the process
// reads end of file.
func startPump(src io.Reader, dst engine.Stream, tty bool, keys []byte) *pump {
	p := &pump{src: src, dst: dst, tty: tty, keys: keys, done: make(chan struct{})}
	go p.run()
	return p
}

func (p *pump) run() {
	defer close(p.done)
	buf := make([]byte, inputBuffer)
	for {
		if !p.begin() {
			return
		}
		n, err := p.src.Read(buf)
		if !p.end(buf[:n], err) {
			return
		}
		if n > 0 {
			// The process may have ended, or closed its input: not an error of ours.
			if werr := p.write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			p.finish()
			return
		}
	}
}

// keyPause is between the detach keys of one Read: long enough that the engine reads them one by one.
const keyPause = 50 * time.Millisecond

// write passes data on. Detach keys that came in one piece are typed one after
// another, since Podman knows them only so.
func (p *pump) write(data []byte) error {
	if i := bytes.Index(data, p.keys); len(p.keys) > 1 && i >= 0 {
		for _, part := range append([][]byte{data[:i]}, bytes.SplitAfter(data[i:i+len(p.keys)], nil)...) {
			if len(part) == 0 {
				continue
			}
			if _, err := p.dst.Write(part); err != nil {
				return err
			}
			time.Sleep(keyPause)
		}
		data = data[i+len(p.keys):]
		if len(data) == 0 {
			return nil
		}
	}
	_, err := p.dst.Write(data)
	return err
}

// finish lets the process read end of file. A terminal has no half-close: there a
// ^D at the start of a line means it, and elsewhere hands over what was typed.
// Errors are none of ours, as above.
func (p *pump) finish() {
	if !p.tty {
		_ = p.dst.CloseWrite()
		return
	}
	eof := []byte{4}
	if last := p.sent(); len(last) > 0 && last[len(last)-1] != '\n' && last[len(last)-1] != '\r' {
		eof = []byte{4, 4}
	}
	_, _ = p.dst.Write(eof)
}

// begin takes note that a Read begins, unless the input has been given up.
func (p *pump) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading = !p.stopped
	return p.reading
}

// end takes note of the end of a Read, and tells whether its data are still wanted.
func (p *pump) end(data []byte, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading = false
	if p.stopped {
		return false
	}
	if err != nil && err != io.EOF {
		p.err = fmt.Errorf("read stdin: %w", err)
	}
	p.lastSent = append(p.lastSent, data[max(0, len(data)-engine.MaxDetachKeys):]...)
	p.lastSent = p.lastSent[max(0, len(p.lastSent)-engine.MaxDetachKeys):]
	return true
}

// stop gives the input up, after dst was closed. No Read of the caller's reader
// begins afterwards. One that blocks is ended where the reader has a deadline
// (files of pipes and terminals that are pollable, network connections);
// otherwise its goroutine ends when it returns.
func (p *pump) stop() {
	p.mu.Lock()
	p.stopped = true
	reading := p.reading
	p.mu.Unlock()
	if !reading || inMemory(p.src) {
		<-p.done
		return
	}
	if d, ok := p.src.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Unix(1, 0)) == nil {
		<-p.done
		_ = d.SetReadDeadline(time.Time{}) // it could be set, so it can be cleared
	}
}

// failure is what the caller's reader failed with.
func (p *pump) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// sent is the last bytes of the input, for the detach keys.
func (p *pump) sent() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastSent
}

// inMemory tells whether reading r never blocks.
func inMemory(r io.Reader) bool {
	switch r.(type) {
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return true
	}
	return false
}
