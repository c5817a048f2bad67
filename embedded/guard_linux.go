package embedded

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"sync"

	"github.com/berthdev/berth/engine"
)

// guard is the engine that [Open] returns. It knows of the calls in progress, and of the streams,
// waits and iterators that they have returned, and ends them at Close, as the end of their contexts would:
// the engine below has to heed those alone.
type guard struct {
	e engine.Engine // *Engine or *rootless

	mu     sync.Mutex
	closed bool
	calls  map[*call]struct{}
}

var _ engine.Engine = (*guard)(nil)

// errClosed is the error of calls that Close has ended, and of those made after it.
var errClosed error = &engine.APIError{Engine: name, Op: "use engine", Message: "the engine is closed", Kind: engine.ErrUnavailable}

// errOver is the cause of the end of a call that has returned, or whose stream was closed.
var errOver = fs.ErrClosed

func newGuard(e engine.Engine) *guard { return &guard{e: e, calls: map[*call]struct{}{}} }

// Identity implements [engine.Engine].
func (g *guard) Identity() engine.Identity { return g.e.Identity() }

// Supports implements [engine.Engine].
func (g *guard) Supports(f engine.Feature) bool { return g.e.Supports(f) }

// Close implements [engine.Engine]. It ends the calls in progress and does not wait for them: one of
// them may be what calls it. Containers, and commands in them, go on running.
func (g *guard) Close() error {
	g.mu.Lock()
	g.closed = true
	calls := make([]*call, 0, len(g.calls))
	for c := range g.calls {
		calls = append(calls, c)
	}
	g.mu.Unlock()
	for _, c := range calls {
		c.cancel(errClosed)
	}
	return g.e.Close()
}

// begin makes the context of a call, for end to release.
func (g *guard) begin(ctx context.Context) (*call, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errClosed
	}
	c := &call{parent: ctx, g: g}
	c.Context, c.cancel = context.WithCancelCause(ctx)
	g.calls[c] = struct{}{}
	return c, nil
}

// call is the context of a call. Its error tells the end that Close has made from one that the caller has.
type call struct {
	context.Context
	parent context.Context
	cancel context.CancelCauseFunc
	g      *guard
}

// Err implements [context.Context].
func (c *call) Err() error {
	if c.Context.Err() == nil {
		return nil
	}
	switch cause := context.Cause(c.Context); {
	case errors.Is(cause, errClosed), cause == errOver && c.parent.Err() == nil:
		return cause
	}
	return c.Context.Err()
}

// end is that of a call whose result needs its context no more. It is idempotent.
func (c *call) end() {
	c.cancel(errOver)
	c.g.mu.Lock()
	delete(c.g.calls, c)
	last := c.g.closed && len(c.g.calls) == 0
	c.g.mu.Unlock()
	if last {
		c.g.e.Close() // of what calls have opened since Close
	}
}

// do makes a call of which nothing is left when it returns.
func (g *guard) do(ctx context.Context, f func(ctx context.Context) error) error {
	c, err := g.begin(ctx)
	if err != nil {
		return err
	}
	defer c.end()
	return f(c)
}

// result is do for a call that has one.
func result[R any](g *guard, ctx context.Context, f func(ctx context.Context) (R, error)) (r R, err error) {
	err = g.do(ctx, func(ctx context.Context) (err error) {
		r, err = f(ctx)
		return err
	})
	return r, err
}

// sequence is a call for as long as it is iterated over.
func sequence[V any](g *guard, ctx context.Context, f func(ctx context.Context) iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		c, err := g.begin(ctx)
		if err != nil {
			var none V
			yield(none, err)
			return
		}
		defer c.end()
		f(c)(yield)
	}
}
