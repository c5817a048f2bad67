package faults

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

func TestMain(m *testing.M) {
	rig.Main(nil)
	leaktest.Main(m)
}

// patience is how long a call may take that has nothing to wait for any more. It
// is no limit on the speed of anything: a call that hangs never ends.
const patience = 2 * time.Minute

// within returns what call returns, and fails the test when it does not return.
func within(t *testing.T, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		buf := make([]byte, 1<<20)
		t.Fatalf("the call hangs:\n%s", buf[:runtime.Stack(buf, true)])
		return nil
	}
}

// isLost tells whether err says that the engine, or the connection to it, was
// lost.
func isLost(err error) bool {
	return errors.Is(err, berth.ErrUnavailable) || errors.Is(err, io.ErrUnexpectedEOF)
}

// wantLost fails the test unless err says so.
func wantLost(t *testing.T, what string, err error) {
	t.Helper()
	if !isLost(err) {
		t.Errorf("%s = %v, want ErrUnavailable or io.ErrUnexpectedEOF", what, err)
	}
}

// errGuard is the cause of a context that has waited for long enough for what
// should not wait at all.
var errGuard = errors.New("the test's guard")

const guard = 30 * time.Second
