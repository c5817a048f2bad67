package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// withGrace returns a context with the values of ctx that ends grace after ctx does, with the same cause, and when cancel is called.
func withGrace(ctx context.Context, grace time.Duration) (own context.Context, cancel func()) {
	own, end := context.WithCancelCause(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	unwatch := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer = time.AfterFunc(grace, func() { end(context.Cause(ctx)) })
		}
	})
	return own, func() {
		unwatch()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if timer != nil {
			timer.Stop()
		}
		end(context.Canceled)
	}
}

// contextError is the error of ctx, which is done, with its cause where that is another.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
