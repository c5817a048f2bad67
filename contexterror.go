package berth

import (
	"context"
	"errors"
	"fmt"
)

// contextError is why ctx, which is done, ended: ctx.Err(), so that it matches
// context.Canceled or DeadlineExceeded, with its cause where that is another.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
