package berth

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// defaultMaxOutput is how much of each stream is collected unless the caller says otherwise.
const defaultMaxOutput = 64 * engine.MiB

// errOutputStopped is what an output returns after its stop; it never leaves this package.
var errOutputStopped = errors.New("output is not wanted any more")

// output takes one stream of a process's output: to the caller's writer as it
// comes, or into memory up to a limit. It remembers the last tailSize bytes. It
// is safe for concurrent use.
type output struct {
	name string    // of the stream, for errors
	w    io.Writer // the caller's; nil collects
	max  int64     // of buf; negative is no limit

	mu        sync.Mutex
	buf       []byte
	truncated bool
	tail      tail
	busy      bool // a Write to w is in progress
	stopped   bool
	err       error // what w failed with
}

// newOutput makes an output. limit 0 is the default, a negative one none.
func newOutput(name string, w io.Writer, limit Bytes) *output {
	if limit == 0 {
		limit = defaultMaxOutput
	}
	return &output{name: name, w: w, max: int64(limit)}
}

// Write implements io.Writer. After stop it fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	if o.stopped {
		o.mu.Unlock()
		return 0, errOutputStopped
	}
	if o.w == nil {
		o.collect(p)
		o.mu.Unlock()
		return len(p), nil
	}
	o.tail.write(p)
	o.busy = true
	o.mu.Unlock()
	n, err := o.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = false
	if err != nil {
		o.err = fmt.Errorf("write %s: %w", o.name, err)
		return n, o.err
	}
	return n, nil
}

// collect keeps p, or as much of it as fits.
func (o *output) collect(p []byte) {
	keep := p
	if o.max >= 0 {
		keep = p[:min(int64(len(p)), max(0, o.max-int64(len(o.buf))))]
	}
	o.buf = append(o.buf, keep...)
	switch {
	case o.truncated:
		o.tail.write(p)
	case len(keep) < len(p):
		o.truncated = true
		o.tail.write(o.buf[max(0, len(o.buf)-tailSize):])
		o.tail.write(p[len(keep):])
	}
}

// stop makes further Writes fail. It tells whether the caller's writer is still
// in a Write, which nobody can interrupt.
func (o *output) stop() (busy bool) {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
	return o.busy
}

// collected is what was kept, nil when the caller has a writer.
func (o *output) collected() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf
}

// isTruncated tells that there was more than was kept.
func (o *output) isTruncated() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.truncated
}

// failure is what the caller's writer failed with. A nil output has none.
func (o *output) failure() error {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// last is a copy of the stream's last bytes.
func (o *output) last() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil && !o.truncated {
		return slices.Clone(o.buf[max(0, len(o.buf)-tailSize):])
	}
	return o.tail.bytes()
}

// copyOutput passes a stream on until its end: demultiplexed, or all of it to
// stdout. A nil writer discards. A stream that is cut short inside a frame is
// io.ErrUnexpectedEOF.
func copyOutput(stdout, stderr io.Writer, r io.Reader, multiplexed bool) error {
	if multiplexed {
		_, err := frame.Copy(stdout, stderr, r)
		return err
	}
	if stdout == nil {
		stdout = io.Discard
	}
	_, err := io.Copy(stdout, r)
	return err
}

// passTo is an output to a writer, nil for a nil one.
func passTo(name string, w io.Writer) *output {
	if w == nil {
		return nil
	}
	return newOutput(name, w, 0)
}

// orNil is o as a writer: the nil interface for a nil output.
func orNil(o *output) io.Writer {
	if o == nil {
		return nil
	}
	return o
}
