package engine

import (
	"errors"
	"strings"
	"testing"
)

func TestParseDetachKeys(t *testing.T) {
	for in, want := range map[string]string{
		"": "\x10\x11", "ctrl-p,ctrl-q": "\x10\x11", "a,b": "ab", "ctrl-@": "\x00", "ctrl-[": "\x1b", "ctrl-_": "\x1f", "ctrl-A,x": "\x01x",
	} {
		if got, err := ParseDetachKeys(in); string(got) != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"ctrl-", "ctrl-1", "ab", "a,,b", ",", "ctrl-ab", strings.Repeat("a,", 16) + "a"} {
		if got, err := ParseDetachKeys(in); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func FuzzParseDetachKeys(f *testing.F) {
	f.Add("ctrl-p,ctrl-q")
	f.Fuzz(func(t *testing.T, s string) {
		if keys, err := ParseDetachKeys(s); err == nil && (len(keys) == 0 || len(keys) > MaxDetachKeys) {
			t.Errorf("%q: %q", s, keys)
		}
	})
}
