package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// reading makes a call that reads r. A Read cannot be ended by its context, so one that may block is made
// elsewhere: the call returns when its context ends, whatever r does, and no Read of r begins after it has returned. One
// in progress is ended where r has a deadline: files of pipes and terminals that can be polled, network
// connections. Elsewhere its goroutine lasts until it returns, which is r's owner's to see to.
func reading(ctx context.Context, r io.Reader, f func(r io.Reader) error) error {
	if !mayBlock(r) {
		return f(r)
	}
	pr, pw := io.Pipe()
	in := &input{src: r, done: make(chan struct{})}
	unhook := context.AfterFunc(ctx, func() { pw.CloseWithError(contextError(ctx)) })
	go func() {
		defer close(in.done)
		_, err := io.Copy(pw, in)
		pw.CloseWithError(err)
	}()
	err := f(pr)
	unhook()
	pr.CloseWithError(io.ErrClosedPipe)
	in.stop()
	if own := in.failure(); err != nil && own != nil && ctx.Err() == nil && !errors.Is(err, own) {
		return fmt.Errorf("%w: %w", err, own) // the engine's words for it are not what the reader has said
	}
	return err
}

// mayBlock says no of what is in memory, or on disk.
func mayBlock(r io.Reader) bool {
	switch r := r.(type) {
	case nil, *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return false
	case *os.File:
		info, err := r.Stat()
		return err == nil && !info.Mode().IsRegular()
	}
	return true
}

// input is a caller's reader that can be given up.
type input struct {
	src  io.Reader
	done chan struct{} // closed when nobody reads any more

	mu      sync.Mutex
	reading bool
	stopped bool
	err     error // of src
}

// Read implements [io.Reader].
func (in *input) Read(p []byte) (int, error) {
	if !in.begin() {
		return 0, io.ErrClosedPipe
	}
	n, err := in.src.Read(p)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reading = false
	if err != nil && err != io.EOF && !in.stopped {
		in.err = err
	}
	return n, err
}

// failure is what the reader failed with while it was wanted.
func (in *input) failure() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// begin takes note that a Read begins, unless the reader has been given up.
func (in *input) begin() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reading = !in.stopped
	return in.reading
}

// stop gives the reader up, after what reads from it was closed.
func (in *input) stop() {
	in.mu.Lock()
	in.stopped = true
	reading := in.reading
	in.mu.Unlock()
	if !reading {
		<-in.done
		return
	}
	if d, ok := in.src.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(past) == nil {
		<-in.done
		d.SetReadDeadline(time.Time{}) // it could be set, so it can be cleared
	}
}
