package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Events yields what happens from now on, or from opts.Since on, as
// [engine.System.Events] says. What is older than the file has is not told. A
// reader may take its time: the file that it has open stays whole. One that falls behind by more than
// the next one has ends with an error: there is never a gap.
func (l *Log) Events(ctx context.Context, opts engine.EventOptions) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		if err := l.follow(ctx, opts, func(ev engine.Event) bool { return yield(ev, nil) }); err != nil {
			yield(engine.Event{}, err)
		}
	}
}

// errStop: the caller wants no more.
var errStop = errors.New("stop")

func (l *Log) follow(ctx context.Context, opts engine.EventOptions, yield func(engine.Event) bool) error {
	if err := checkFilters(opts.Filters); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r := &reader{log: l, want: func(ev *engine.Event) bool {
		return !ev.Time.Before(opts.Since) && (opts.Until.IsZero() || !ev.Time.After(opts.Until)) && match(opts.Filters, ev)
	}, yield: yield}
	defer r.close()
	err := l.read(ctx, r, opts)
	switch {
	case errors.Is(err, errStop):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("read events: %w", err)
	}
	return nil
}

// read reads until opts.Until, ctx's end or an error.
func (l *Log) read(ctx context.Context, r *reader, opts engine.EventOptions) error {
	past := !opts.Until.IsZero() && !opts.Until.After(time.Now())
	if past && opts.Since.IsZero() {
		return nil
	}
	if past {
		if err := r.open(); err != nil {
			return err
		}
		return r.drain(ctx)
	}
	// Where to begin, then the watch, then what has come until then: nothing is missed.
	if err := r.open(); err != nil {
		return err
	}
	if opts.Since.IsZero() {
		if err := r.skip(); err != nil {
			return err
		}
	}
	watch, err := l.watch()
	if err != nil {
		return err
	}
	defer watch.Close()
	if !opts.Until.IsZero() {
		if err := watch.SetReadDeadline(opts.Until); err != nil {
			return err
		}
	}
	defer context.AfterFunc(ctx, func() { watch.SetReadDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, 4096) // what has happened is not read: that something has is enough
	for {
		if err := r.catchUp(ctx); err != nil {
			return err
		}
		_, err := watch.Read(buf)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return r.catchUp(ctx)
		default:
			return err
		}
	}
}

// watch tells when the file is written to or replaced.
func (l *Log) watch() (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, l.root, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ONLYDIR); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "inotify_add_watch", Path: l.root, Err: err}
	}
	return f, nil
}

// reader reads the file line by line, through its replacements.
type reader struct {
	log   *Log
	f     *os.File // nil while there is none
	base  int64    // see header
	head  int64    // length of f's header
	pos   int64    // how many bytes of events have been read, base included
	begun bool     // pos is where it has come to; before, it may begin anywhere
	want  func(*engine.Event) bool
	yield func(engine.Event) bool
}

func (r *reader) close() {
	if r.f != nil {
		r.f.Close()
	}
}

// open opens the file, if there is one, and goes on in it where the one before it was left.
func (r *reader) open() error {
	begun := r.begun
	r.begun = true
	f, err := os.OpenFile(r.log.path(file), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r.close()
	r.f = f
	if r.base, r.head, err = readHeader(f); err != nil {
		return err
	}
	end, err := r.end()
	if err != nil {
		return err
	}
	switch {
	case r.pos > end: // this is not a cut of the file that was there
		r.pos = r.base
	case r.pos < r.base && begun:
		return fmt.Errorf("%d bytes of events were lost: they have come faster than they were read", r.base-r.pos)
	case r.pos < r.base:
		r.pos = r.base
	}
	return nil
}

// end is where the file ends now, in the terms of pos.
func (r *reader) end() (int64, error) {
	info, err := r.f.Stat()
	if err != nil {
		return 0, err
	}
	return r.base + max(info.Size()-r.head, 0), nil
}

// skip passes over what is there.
func (r *reader) skip() (err error) {
	if r.f != nil {
		r.pos, err = r.end()
	}
	return err
}

// catchUp reads to the end of the file that is there now.
func (r *reader) catchUp(ctx context.Context) error {
	for {
		replaced := r.replaced() // first: nobody writes to a file any more that has been replaced
		if err := r.drain(ctx); err != nil || !replaced {
			return err
		}
		if err := r.open(); err != nil {
			return err
		}
	}
}

// replaced tells that another file has taken the place of the open one.
func (r *reader) replaced() bool {
	now, err := os.Lstat(r.log.path(file))
	if err != nil {
		return false
	}
	if r.f == nil {
		return true
	}
	have, err := r.f.Stat()
	return err != nil || !os.SameFile(have, now)
}

// drain reads what is in the open file and was not read. A line without an end stays.
func (r *reader) drain(ctx context.Context) error {
	if r.f == nil {
		return nil
	}
	buf := make([]byte, 0, 64<<10)
	at := r.pos - r.base + r.head // of the end of buf
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, cap(buf))...)[:len(buf)]
		}
		n, err := r.f.ReadAt(buf[len(buf):cap(buf)], at)
		if err != nil && err != io.EOF {
			return err
		}
		at += int64(n)
		buf = buf[:len(buf)+n]
		rest := buf
		for {
			line, after, ok := bytes.Cut(rest, []byte{'\n'})
			if !ok {
				break
			}
			r.pos += int64(len(line)) + 1
			rest = after
			// The event keeps its line.
			if ev, ok := decode(bytes.Clone(line)); ok && r.want(&ev) && !r.yield(ev) {
				return errStop
			}
		}
		buf = buf[:copy(buf, rest)]
		if err == io.EOF {
			return nil
		}
	}
}
