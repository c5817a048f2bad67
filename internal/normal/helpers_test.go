package normal

import (
	"errors"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// wantInvalid checks that err is an InvalidError that says something.
func wantInvalid(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*engine.InvalidError](err)
	if !ok || e.Option == "" || e.Reason == "" && e.Err == nil {
		t.Errorf("error is %#v, want an InvalidError with an option and a reason", err)
	}
}
