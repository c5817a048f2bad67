package term

import (
	"context"
	"iter"
)

// Resizes yields the terminal's size now and then every change of it, until ctx
// is done or the caller breaks off. Changes that follow each other quickly may
// be yielded as one; the last is never lost. Moments at which the terminal does
// not tell its size are passed over. It can be ranged over many times, and
// keeps ctx while it is.
func (t *Terminal) Resizes(ctx context.Context) iter.Seq[Size] {
	return func(yield func(Size) bool) {
		// Listening starts before the first look, so that no change falls
		// between the two.
		changed, stop := notifyResize()
		defer stop()
		var last Size
		first := true
		for ctx.Err() == nil {
			if s, err := t.Size(); err == nil && (first || s != last) {
				if !yield(s) {
					return
				}
				first, last = false, s
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}
}
