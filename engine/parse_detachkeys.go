package engine

import "strings"

const (
	defaultDetachKeys = "ctrl-p,ctrl-q" // of every engine
	// MaxDetachKeys is how many keys detach keys may have.
	MaxDetachKeys = 16
)

// ParseDetachKeys reads a sequence such as "ctrl-p,ctrl-q" or "a,b" into the
// bytes that a terminal sends for it. "" is the default, "ctrl-p,ctrl-q". Errors are InvalidErrors.
func ParseDetachKeys(s string) ([]byte, error) {
	if s == "" {
		s = defaultDetachKeys
	}
	bad := &InvalidError{Option: "DetachKeys", Value: s, Reason: "not a list of at most 16 characters or ctrl-x, separated by commas"}
	var seq []byte
	for key := range strings.SplitSeq(s, ",") {
		if len(key) == 1 {
			seq = append(seq, key[0])
			continue
		}
		c, ok := strings.CutPrefix(key, "ctrl-")
		if !ok || len(c) != 1 {
			return nil, bad
		}
		switch b := c[0]; {
		case 'a' <= b && b <= 'z':
			seq = append(seq, b-'a'+1)
		case 'A' <= b && b <= 'Z':
			seq = append(seq, b-'A'+1)
		case b == '@' || '[' <= b && b <= '_':
			seq = append(seq, b-'@')
		default:
			return nil, bad
		}
	}
	if len(seq) > MaxDetachKeys {
		return nil, bad
	}
	return seq, nil
}
