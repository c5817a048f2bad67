//go:build linux

package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// Source is the log to be read.
type Source struct {
	Dir string // of the log
	Log state.Log
	// TTY: the process has a terminal. Its log is raw bytes, not frames.
	TTY bool
	// Ended tells whether the container has ended, so that nothing follows any more
	// (a container that is to be restarted has not). It is asked, for opts.Follow
	// alone, when all there is has been read and the writer has closed the file,
	// also by dying, and every second. Nil is a container that has ended.
	Ended func() bool
}

// timeFormat is RFC 3339 with nine digits, as Docker writes it before an entry.
const timeFormat = "2006-01-02T15:04:05.000000000Z07:00"

// Open opens a log for reading. ctx governs the reader too. A driver that keeps
// nothing is an UnsupportedError.
//
// opts.Tail counts entries of both streams before any are left out, as Docker
// does. Without opts.Follow what is read is what is there now. A log that nothing was written to is empty. Lines that are no entries are skipped: what a crash of the machine has cut short.
func Open(ctx context.Context, src Source, opts engine.LogOptions) (engine.LogReader, error) {
	switch {
	case opts.NoStdout && opts.NoStderr:
		return nil, &engine.InvalidError{Option: "LogOptions", Value: "NoStdout, NoStderr", Reason: "nothing would be left"}
	case opts.Tail != nil && *opts.Tail < 0:
		return nil, &engine.InvalidError{Option: "LogOptions.Tail", Value: fmt.Sprint(*opts.Tail), Reason: "negative"}
	case src.Log.Driver == "none":
		return nil, &engine.UnsupportedError{Option: "Container.Logs", Engine: "embedded", Reason: "the log driver none keeps nothing"}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, src: src, opts: opts}
	if err := r.open(); err != nil {
		r.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	return r, nil
}

// reader implements engine.LogReader.
type reader struct {
	ctx    context.Context
	src    Source
	opts   engine.LogOptions
	watch  *watch      // with Follow
	closed atomic.Bool // Close was called

	mu    sync.Mutex
	chain []*os.File    // what is to be read, the first one now
	left  int64         // bytes to read of the last file, without Follow
	known bool          // the container had not ended when it was asked for last, and nothing tells otherwise
	ended bool          // the container has ended; what there is is read once more
	pause time.Duration // until it is asked for again; 0 is maxPause

	in   []byte // read, of the first file; from the start of a line on
	seen int    // bytes of in without the end of a line
	skip bool   // a line that is too long for an entry is passed over
	out  []byte // to be given out
	gave int    // of out
	err  error  // final

	frames [2]*frame.Writer // to out
}

// Multiplexed implements engine.LogReader.
func (r *reader) Multiplexed() bool { return !r.src.TTY }

func (r *reader) open() (err error) {
	if r.opts.Follow {
		if r.watch, err = newWatch(r.ctx, r.src.Dir); err != nil {
			return err
		}
	}
	if r.chain, err = openChain(r.src.Dir); err != nil {
		return err
	}
	if len(r.chain) > 0 && !r.opts.Follow {
		st, err := r.chain[len(r.chain)-1].Stat()
		if err != nil {
			return err
		}
		r.left = st.Size()
	}
	if r.opts.Tail == nil {
		return nil
	}
	if r.chain, err = seekTail(r.chain, *r.opts.Tail); err != nil || len(r.chain) == 0 || r.opts.Follow {
		return err
	}
	at, err := r.chain[len(r.chain)-1].Seek(0, io.SeekCurrent)
	r.left -= at
	return err
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for r.gave == len(r.out) {
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		if r.closed.Load() {
			return 0, os.ErrClosed
		}
		if r.err != nil {
			return 0, r.err
		}
		r.out, r.gave = r.out[:0], 0
		r.err = r.next()
	}
	n := copy(p, r.out[r.gave:])
	r.gave += n
	return n, nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	if r.watch != nil {
		r.watch.close() // ends a Read in progress
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	closeAll(r.chain)
	r.chain = nil
	return nil
}

// next puts out the entries that are in memory, else reads more.
func (r *reader) next() error {
	for len(r.out) < 32<<10 {
		i := bytes.IndexByte(r.in[r.seen:], '\n')
		if i < 0 {
			r.seen = len(r.in)
			if len(r.out) > 0 {
				return nil
			}
			return r.fill()
		}
		line := r.in[:r.seen+i]
		r.in, r.seen = r.in[r.seen+i+1:], 0
		if r.skip {
			r.skip = false
			continue
		}
		e, err := parseEntry(line)
		if err != nil {
			continue
		}
		if !r.opts.Until.IsZero() && e.time.After(r.opts.Until) {
			return io.EOF
		}
		r.put(e)
	}
	return nil
}

// put puts an entry out that is asked for.
func (r *reader) put(e entry) {
	switch {
	case r.opts.NoStdout && e.stream == frame.Stdout, r.opts.NoStderr && e.stream == frame.Stderr,
		!r.opts.Since.IsZero() && e.time.Before(r.opts.Since):
		return
	}
	text := e.text
	if r.opts.Timestamps {
		text = append(e.time.UTC().AppendFormat(make([]byte, 0, len(timeFormat)+1+len(text)), timeFormat), ' ')
		text = append(text, e.text...)
	}
	if r.src.TTY {
		r.out = append(r.out, text...)
		return
	}
	w := &r.frames[0]
	if e.stream == frame.Stderr {
		w = &r.frames[1]
	}
	if *w == nil {
		*w = frame.NewWriter((*sink)(&r.out), e.stream)
	}
	(*w).Write(text) // a sink takes all
}

type sink []byte

func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// fill reads more of the files, and waits for it when they are followed.
func (r *reader) fill() error {
	if len(r.in) > maxEntry {
		r.in, r.seen, r.skip = r.in[:0], 0, true
	}
	if len(r.chain) == 0 {
		if !r.opts.Follow {
			return io.EOF
		}
		return r.await()
	}
	const block = 32 << 10
	if free := cap(r.in) - len(r.in); free < block {
		r.in = append(make([]byte, 0, max(2*block, len(r.in)+block)), r.in...)
	}
	into := r.in[len(r.in) : len(r.in)+block]
	if !r.opts.Follow && len(r.chain) == 1 {
		into = into[:min(r.left, block)]
	}
	n, err := r.chain[0].Read(into)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read log: %w", err)
	}
	if n > 0 {
		r.in = r.in[:len(r.in)+n]
		if len(r.chain) == 1 {
			r.left -= int64(n)
		}
		return nil
	}
	switch {
	case len(r.chain) > 1:
		r.advance()
		return nil
	case !r.opts.Follow:
		return io.EOF
	}
	return r.await()
}

// advance goes to the next file. What there is of a line in the one before will have no end.
func (r *reader) advance() {
	r.chain[0].Close()
	r.chain = r.chain[1:]
	r.in, r.seen, r.skip = r.in[:0], 0, false
}

// maxPause is how long, at most, a container is believed to go on when nothing is heard of it.
const maxPause = time.Second

// await waits for something to be read after the end of the newest file.
func (r *reader) await() error {
	last := r.ended
	if more, err := r.rotated(); more || err != nil {
		return err
	}
	switch {
	case last:
		return io.EOF
	case r.ended:
		return nil
	}
	pause := maxPause
	if !r.opts.Until.IsZero() {
		pause = min(pause, time.Until(r.opts.Until))
	}
	if pause <= 0 || !r.known && (r.src.Ended == nil || r.src.Ended()) {
		r.ended = true // what was written just before is read yet
		return nil
	}
	if r.pause > 0 {
		pause = min(pause, r.pause)
		r.pause = min(2*r.pause, maxPause)
	}
	got, err := r.watch.wait(r.ctx, pause)
	if got.closed { // the writer's end: its container is seen to have ended soon
		r.pause = time.Millisecond
	}
	r.known = got.written
	r.ended = r.ended || got.gone
	return err
}

// rotated looks for files that are newer than the one that was read, and appends them to those to be read.
func (r *reader) rotated() (bool, error) {
	if len(r.chain) > 0 {
		st, err := os.Stat(Path(r.src.Dir))
		cur, cerr := r.chain[0].Stat()
		if err == nil && cerr == nil && os.SameFile(st, cur) {
			return false, nil
		}
	}
	chain, err := openChain(r.src.Dir)
	if os.IsNotExist(err) { // the container was removed
		r.ended = true
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	newer := chain
	if len(r.chain) > 0 {
		cur, err := r.chain[0].Stat()
		if err != nil {
			closeAll(chain)
			return false, err
		}
		for i, f := range chain {
			if st, err := f.Stat(); err == nil && os.SameFile(st, cur) {
				newer = chain[i+1:]
				closeAll(chain[:i+1])
				break
			}
		}
	}
	r.chain = append(r.chain, newer...)
	return len(newer) > 0, nil
}
