//go:build linux

package state

import (
	"strings"
	"testing"
)

// TestStrayRun: the run directory of a container that is gone goes with the next Open, unless a
// monitor is there still; that of a container that is there stays.
func TestStrayRun(t *testing.T) {
	s := open(t)
	there := create(t, s, "there")
	stray, held := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for _, id := range []string{there, stray, held} {
		f, err := s.HoldMonitor(id)
		must(t, err)
		if id == held {
			defer f.Close()
		} else {
			f.Close()
		}
	}
	_, err := Open(s.Root(), strings.TrimSuffix(s.RunRoot(), s.RunRoot()[strings.LastIndex(s.RunRoot(), "/"):]))
	must(t, err)
	for id, want := range map[string]bool{there: true, stray: false, held: true} {
		if got := exists(s.RunDir(id)); got != want {
			t.Errorf("%.6s: it is there: %v", id, got)
		}
	}
}
