package berth

import (
	"fmt"

	"github.com/berthdev/berth/engine"
)

// atMostOne is the one optional XxxOptions value of a call, the zero value when
// none is given. name is the call, for the error that more than one is.
func atMostOne[T any](name string, opts []T) (T, error) {
	switch len(opts) {
	case 0:
		var zero T
		return zero, nil
	case 1:
		return opts[0], nil
	}
	return opts[0], &engine.InvalidError{Option: name, Reason: fmt.Sprintf("%d values of %T where at most one is allowed", len(opts), opts[0])}
}
