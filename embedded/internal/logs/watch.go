//go:build linux

package logs

import (
	"context"
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watch tells what happens to the files of a directory.
type watch struct {
	f    *os.File // inotify's
	buf  []byte
	stop func() bool // of the context
}

// news is what a watch has told.
type news struct {
	written bool // a file was written to; nothing else has happened
	closed  bool // somebody who wrote to a file has closed it
	gone    bool // the directory is gone
}

func newWatch(ctx context.Context, dir string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init", err)
	}
	const mask = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_CLOSE_WRITE | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, mask); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "watch", Path: dir, Err: err}
	}
	w := &watch{f: os.NewFile(uintptr(fd), "inotify"), buf: make([]byte, 8<<10)}
	w.stop = context.AfterFunc(ctx, func() { w.f.SetReadDeadline(time.Unix(1, 0)) })
	return w, nil
}

// wait waits until something happens, at most for d.
func (w *watch) wait(ctx context.Context, d time.Duration) (news, error) {
	if err := w.f.SetReadDeadline(time.Now().Add(d)); err != nil {
		return news{}, err
	}
	if err := ctx.Err(); err != nil { // its end may have come before the deadline was set
		return news{}, err
	}
	n, err := w.f.Read(w.buf)
	if ctx.Err() != nil {
		return news{}, ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return news{}, nil
	}
	if err != nil {
		return news{}, err
	}
	var out news
	first := true
	for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		ev := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		out.closed = out.closed || ev.Mask&unix.IN_CLOSE_WRITE != 0
		out.gone = out.gone || ev.Mask&(unix.IN_DELETE_SELF|unix.IN_IGNORED|unix.IN_UNMOUNT) != 0
		out.written = ev.Mask&unix.IN_MODIFY != 0 && (out.written || first)
		first = false
		b = b[min(len(b), unix.SizeofInotifyEvent+int(ev.Len)):]
	}
	return out, nil
}

func (w *watch) close() {
	w.stop()
	w.f.Close()
}
