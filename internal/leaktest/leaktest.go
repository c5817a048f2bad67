package leaktest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is how long what is ending may take to end. It is not a limit on the speed of anything: a leak never ends.
const patience = 10 * time.Second

// Main runs the tests of m and exits with their code, or with 1 and a list on stderr when they leave goroutines or file descriptors behind. Use:
//
//	func TestMain(m *testing.M) { leaktest.Main(m) }
func Main(m *testing.M) { os.Exit(run(m.Run, os.Stderr.WriteString)) }

// run is Main without its exit.
func run(tests func() int, report func(string) (int, error)) int {
	before := take()
	code := tests()
	if code != 0 {
		return code // a failed test may well leave something
	}
	if left := before.left(patience); left != "" {
		_, _ = report("the tests left behind:\n" + left)
		return 1
	}
	return 0
}

// Check fails t if, after it and its later cleanups, there are goroutines or descriptors that were not there at the call. It is of no use in parallel tests.
func Check(t testing.TB) {
	t.Helper()
	before := take()
	t.Cleanup(func() {
		if left := before.left(patience); left != "" {
			t.Errorf("%s left behind:\n%s", t.Name(), left)
		}
	})
}

// snapshot is what there is at one moment: goroutines by their number with their stack, descriptors by theirs with what they refer to.
type snapshot struct {
	goroutines  map[string]string
	descriptors map[string]string
}

func take() snapshot { return snapshot{goroutines(), descriptors()} }

// left returns what there is that was not there in s, as text; it waits as long as patience for that to be nothing.
func (s snapshot) left(patience time.Duration) string {
	for deadline, pause := time.Now().Add(patience), time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		text := s.diff(take())
		if text == "" || time.Now().After(deadline) {
			return text
		}
		time.Sleep(pause)
	}
}

func (s snapshot) diff(now snapshot) string {
	var b strings.Builder
	for id, stack := range now.goroutines {
		if _, ok := s.goroutines[id]; !ok {
			fmt.Fprintf(&b, "%s\n\n", stack)
		}
	}
	for fd, target := range now.descriptors {
		if s.descriptors[fd] != target {
			fmt.Fprintf(&b, "descriptor %s: %s\n", fd, target)
		}
	}
	return b.String()
}
