package embedded

import (
	"context"
	"io"

	"github.com/berthdev/berth/engine"
)

// kept makes a call that lasts until what it returns is closed.
func kept[S io.Closer](g *guard, ctx context.Context, wrap func(S, *call) S, f func(ctx context.Context) (S, error)) (s S, err error) {
	c, err := g.begin(ctx)
	if err != nil {
		return s, err
	}
	if s, err = f(c); err != nil || any(s) == nil { // a detached exec has no stream
		c.end()
		return s, err
	}
	return wrap(s, c), nil
}

// closing closes what the call has returned, which ends the call.
func (c *call) closing(r io.Closer) error {
	defer c.end()
	return r.Close()
}

type guardedStream struct {
	engine.Stream
	call *call
}

func guardStream(s engine.Stream, c *call) engine.Stream { return &guardedStream{s, c} }

func (s *guardedStream) Close() error { return s.call.closing(s.Stream) }

type guardedLog struct {
	engine.LogReader
	call *call
}

func guardLog(r engine.LogReader, c *call) engine.LogReader { return &guardedLog{r, c} }

func (r *guardedLog) Close() error { return r.call.closing(r.LogReader) }

type guardedWaiter struct {
	engine.Waiter
	call *call
}

func guardWaiter(w engine.Waiter, c *call) engine.Waiter { return &guardedWaiter{w, c} }

func (w *guardedWaiter) Close() error { return w.call.closing(w.Waiter) }

type guardedReader struct {
	io.ReadCloser
	call *call
}

func guardReader(r io.ReadCloser, c *call) io.ReadCloser { return &guardedReader{r, c} }

func (r *guardedReader) Close() error { return r.call.closing(r.ReadCloser) }
