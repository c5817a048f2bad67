package berth

import (
	"bytes"
	"errors"
)

// ErrDetached says that the user has typed the detach keys: the call has left the
// container, which runs on.
var ErrDetached = errors.New("detached from the container")

// detached tells whether the input ends in the detach keys.
func (p *pump) detached(keys []byte) bool {
	return p != nil && len(keys) > 0 && bytes.HasSuffix(p.sent(), keys)
}
