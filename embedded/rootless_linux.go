package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/monitor"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// rootless is the engine of an ordinary user. Files of containers and images belong to
// subordinate IDs, which only a process in the user namespace can reach: calls that touch them are made
// by a worker there, a process of one call, which runs the very same engine as root of the namespace.
type rootless struct {
	*Engine
	opts options
}

var _ engine.Engine = (*rootless)(nil)

var past = time.Unix(1, 0)

// transfer is what a call reads, writes and tells.
type transfer struct {
	in       io.Reader                 // copied to the worker
	progress func(engine.PullProgress) // may be nil
	stream   *io.ReadCloser            // takes what the worker sends; the call returns when that begins
	beside   string                    // the container whose monitor's namespace the worker must be in, if it runs
}

// inside makes a call in the user namespace.
func inside[R any](ctx context.Context, e *rootless, call string, args any, t transfer) (R, error) {
	var result R
	raw, err := json.Marshal(args)
	if err != nil {
		return result, fmt.Errorf("encode %s: %w", call, err)
	}
	w, err := e.spawn(ctx, t)
	if err != nil {
		return result, because(ctx, "start a worker", call, err)
	}
	req := workerRequest{
		Root: e.store.Root(), Run: filepath.Dir(e.store.RunRoot()), Runtime: e.runtime, NoForwardCheck: e.opts.noForwardCheck,
		User: ordinary{UID: e.host.UID, GID: e.host.GID, Single: e.single}, Call: call, Args: raw,
	}
	if err = proto.Write(w.conn, req); err == nil {
		if t.in != nil {
			go w.feed(t.in)
		}
		err = w.result(&result, t)
	} else if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		err = w.gone(err)
	}
	if ctx.Err() != nil {
		err = because(ctx, call, "", ctx.Err())
	} else if broken := w.fed.Load(); err != nil && broken != nil {
		err = *broken
	}
	if err != nil || t.stream == nil {
		w.close()
		return result, err
	}
	*t.stream = w
	return result, nil
}

// workerClient is the caller's side of a worker.
type workerClient struct {
	ctx     context.Context
	control *os.File
	conn    *os.File
	data    *os.File        // our end of the pipe; nil is none
	helper  *monitor.Helper // the process; nil is another's
	stop    func() bool
	fed     atomic.Pointer[error] // why what the call reads could not be read
	done    bool
	err     error // of the stream
}

// spawn starts a worker. After it, cancelling ctx ends the call: the worker undoes what it has begun on its own.
func (e *rootless) spawn(ctx context.Context, t transfer) (_ *workerClient, err error) {
	var files []*os.File // the worker's
	w := &workerClient{ctx: ctx}
	defer func() {
		for _, f := range files {
			f.Close()
		}
		if err != nil {
			w.close()
		}
	}()
	pair := func(kind int) (*os.File, error) {
		p, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, os.NewSyscallError("socketpair", err)
		}
		files = append(files, os.NewFile(uintptr(p[1]), "worker"))
		unix.SetNonblock(p[0], true)
		return os.NewFile(uintptr(p[0]), "worker"), nil
	}
	if w.control, err = pair(unix.SOCK_SEQPACKET); err != nil {
		return nil, err
	}
	if w.conn, err = pair(unix.SOCK_STREAM); err != nil {
		return nil, err
	}
	r, p, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if t.in != nil {
		w.data, files = p, append(files, r)
	} else {
		w.data, files = r, append(files, p)
	}
	started := false
	if t.beside != "" {
		err = e.monitors.RoleIn(ctx, t.beside, workerRole, files...)
		if started = err == nil; err != nil && !errors.Is(err, engine.ErrNotRunning) {
			return nil, err
		}
	}
	if !started {
		if w.helper, err = e.monitors.Role(workerRole, files...); err != nil {
			return nil, err
		}
	}
	if _, err = w.control.Write([]byte{0}); err != nil {
		return nil, w.gone(err)
	}
	w.stop = context.AfterFunc(ctx, func() {
		w.conn.SetDeadline(past)
		w.data.SetDeadline(past)
	})
	return w, nil
}

// close ends the worker, if it has not ended.
func (w *workerClient) close() {
	if w.stop != nil {
		w.stop()
	}
	if w.helper != nil {
		w.helper.Close()
	}
	for _, f := range []*os.File{w.control, w.conn, w.data} {
		if f != nil {
			f.Close()
		}
	}
}

// feed copies what the call reads. Who has given r may not want it read when the call is over: one Read may be left then.
func (w *workerClient) feed(r io.Reader) {
	_, err := io.Copy(w.data, r)
	if err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, unix.EPIPE) {
		w.fed.Store(&err)
		w.control.Close() // the worker must not take a broken stream for a whole one
	}
	w.data.Close()
}

// result reads answers up to the one with the call's result.
func (w *workerClient) result(result any, t transfer) error {
	for {
		a, err := w.next()
		switch {
		case err != nil:
			return err
		case a.Progress != nil:
			if t.progress != nil {
				t.progress(*a.Progress)
			}
			continue
		case a.Result != nil:
			if err := json.Unmarshal(a.Result, result); err != nil {
				return fmt.Errorf("decode the worker's answer: %w", err)
			}
		}
		return a.Error.decode()
	}
}

func (w *workerClient) next() (*workerAnswer, error) {
	var a workerAnswer
	if err := proto.Read(w.conn, &a); err != nil {
		return nil, w.gone(err)
	}
	return &a, nil
}

// gone tells why the worker has ended, where err is of a message that it has not taken or not sent.
func (w *workerClient) gone(err error) error {
	if w.helper != nil && w.ctx.Err() == nil {
		if why := w.helper.Why(); why != "" {
			return fmt.Errorf("the worker in the user namespace has ended: %s", why)
		}
	}
	return fmt.Errorf("the worker in the user namespace has ended without a word: %w", err)
}

// Read implements [io.Reader] for a stream: its end is the worker's word that it was whole.
func (w *workerClient) Read(p []byte) (int, error) {
	if w.done {
		return 0, w.err
	}
	n, err := w.data.Read(p)
	if n > 0 && w.ctx.Err() == nil {
		return n, nil
	}
	switch {
	case w.ctx.Err() != nil:
		err = contextError(w.ctx)
	case err == io.EOF:
		var a *workerAnswer
		if a, err = w.next(); err == nil {
			if err = a.Error.decode(); err == nil {
				err = io.EOF
			}
		}
	}
	w.done, w.err = true, err
	return n, err
}

// Close implements [io.Closer].
func (w *workerClient) Close() error {
	w.close()
	return nil
}
