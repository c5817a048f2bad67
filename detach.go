package berth

import (
	"bytes"
	"errors"
	"strings"

	"github.com/berthdev/berth/engine"
)

// ErrDetached says that the user has typed the detach keys: the call has left the
// container, which runs on.
var ErrDetached = errors.New("detached from the container")

const (
	// defaultDetachKeys are those of every engine.
	defaultDetachKeys = "ctrl-p,ctrl-q"
	// maxDetachKeys is how many keys a sequence may have.
	maxDetachKeys = 16
)

// parseDetachKeys reads a sequence such as "ctrl-p,ctrl-q" or "a,b" into the
// bytes that a terminal sends for it. "" is the default.
func parseDetachKeys(s string) ([]byte, error) {
	if s == "" {
		s = defaultDetachKeys
	}
	var seq []byte
	for key := range strings.SplitSeq(s, ",") {
		if len(key) == 1 {
			seq = append(seq, key[0])
			continue
		}
		c, ok := strings.CutPrefix(key, "ctrl-")
		if !ok || len(c) != 1 {
			return nil, badDetachKeys(s)
		}
		switch b := c[0]; {
		case 'a' <= b && b <= 'z':
			seq = append(seq, b-'a'+1)
		case 'A' <= b && b <= 'Z':
			seq = append(seq, b-'A'+1)
		case b == '@' || '[' <= b && b <= '_':
			seq = append(seq, b-'@')
		default:
			return nil, badDetachKeys(s)
		}
	}
	if len(seq) > maxDetachKeys {
		return nil, badDetachKeys(s)
	}
	return seq, nil
}

func badDetachKeys(s string) error {
	return &engine.InvalidError{Option: "DetachKeys", Value: s, Reason: "not a list of at most 16 characters or ctrl-x, separated by commas"}
}

// detached tells whether the input ends in the detach keys.
func (p *pump) detached(keys []byte) bool {
	return p != nil && len(keys) > 0 && bytes.HasSuffix(p.sent(), keys)
}
