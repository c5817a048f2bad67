package podman

import (
	"context"
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
