package engine

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// byAddr lets go-cmp compare netip.Addr.
var byAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// wantInvalid checks that err is an InvalidError that says something.
func wantInvalid(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*InvalidError](err)
	if !ok || !errors.Is(err, ErrInvalid) || e.Option == "" || e.Reason == "" && e.Err == nil {
		t.Errorf("error is %#v, want an InvalidError with an option and a reason", err)
	}
}

// parserTest runs a parser over inputs with their results, and over malformed ones.
func parserTest[T any](t *testing.T, parse func(string) (T, error), good map[string]T, malformed ...string) {
	t.Helper()
	for in, want := range good {
		got, err := parse(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
		} else if diff := cmp.Diff(want, got, byAddr); diff != "" {
			t.Errorf("%q: -want +got\n%s", in, diff)
		}
	}
	for _, in := range malformed {
		got, err := parse(in)
		if err == nil {
			t.Errorf("%q: no error but %+v", in, got)
			continue
		}
		wantInvalid(t, err)
	}
}
