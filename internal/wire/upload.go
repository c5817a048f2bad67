package wire

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// uploadBuffer is the size in bytes of the one buffer between a caller's body and the connection.
const uploadBuffer = 32 << 10

var errStopped = errors.New("request is over")

// upload is a caller's body that can be given up while its Read blocks, which net/http cannot do: without it, a cancelled request would return only when, say, the terminal
// behind the body has its next line. A goroutine reads the body into the upload's own buffer; it ends with the body, or once the upload is stopped and the Read in progress returns.
type upload struct {
	ctx  context.Context
	src  io.Reader
	want chan struct{} // asks for the next piece
	got  chan piece    // and brings it
	stop func()        // idempotent; no Read of src begins afterwards
	done chan struct{} // closed by stop

	started bool
	rest    piece                 // what Read has not handed out
	srcErr  atomic.Pointer[error] // what src failed with
}

// piece is the result of one Read of the source.
type piece struct {
	data []byte
	err  error
}

func newUpload(ctx context.Context, src io.Reader) *upload {
	u := &upload{ctx: ctx, src: src, want: make(chan struct{}), got: make(chan piece), done: make(chan struct{})}
	u.stop = sync.OnceFunc(func() { close(u.done) })
	return u
}

// Read implements io.Reader for net/http.
func (u *upload) Read(p []byte) (int, error) {
	if len(u.rest.data) == 0 && u.rest.err == nil {
		if err := u.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.rest.data)
	if u.rest.data = u.rest.data[n:]; len(u.rest.data) > 0 {
		return n, nil
	}
	if err := u.rest.err; err != nil && err != io.EOF {
		u.srcErr.Store(&err)
	}
	return n, u.rest.err
}

// next fills u.rest.
func (u *upload) next() error {
	select {
	case <-u.done:
		return errStopped
	default:
	}
	if !u.started {
		u.started = true
		go u.pump()
	}
	select {
	case u.want <- struct{}{}:
	case <-u.ctx.Done():
		return u.cancelled()
	case <-u.done:
		return errStopped
	}
	select {
	case u.rest = <-u.got:
		return nil
	case <-u.ctx.Done():
		return u.cancelled()
	case <-u.done:
		return errStopped
	}
}

func (u *upload) cancelled() error {
	u.stop()
	return contextError(u.ctx)
}

func (u *upload) pump() {
	buf := make([]byte, uploadBuffer)
	for {
		select {
		case <-u.want:
		case <-u.done:
			return
		}
		n, err := u.src.Read(buf)
		select {
		case u.got <- piece{buf[:n], err}:
		case <-u.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// Close implements io.Closer for net/http. It does not close the caller's body.
func (u *upload) Close() error {
	u.stop()
	return nil
}

// close is Close, also of no upload at all.
func (u *upload) close() {
	if u != nil {
		u.stop()
	}
}

// failed returns the error of the caller's body, if it had one. A nil upload has none.
func (u *upload) failed() error {
	if u == nil {
		return nil
	}
	if err := u.srcErr.Load(); err != nil {
		return *err
	}
	return nil
}
