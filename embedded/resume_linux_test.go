package embedded

import (
	"testing"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

func TestInterrupted(t *testing.T) {
	of := func(policy string, change func(s *state.Snapshot)) *state.Snapshot {
		s := &state.Snapshot{Config: &state.Config{}, Exit: &state.Exit{Code: 137, MonitorLost: true}}
		s.Config.Spec.RestartPolicy = engine.RestartPolicy{Name: policy}
		if change != nil {
			change(s)
		}
		return s
	}
	for _, c := range []struct {
		name string
		s    *state.Snapshot
		want bool
	}{
		{"always", of("always", nil), true},
		{"unless-stopped", of("unless-stopped", nil), true},
		{"on-failure", of("on-failure", nil), true},
		{"no", of("no", nil), false},
		{"none given", of("", nil), false},
		{"stopped by the user", of("always", func(s *state.Snapshot) { s.Config.StoppedByUser = true }), false},
		{"ended by itself", of("always", func(s *state.Snapshot) { s.Exit.MonitorLost = false }), false},
		{"never ran", of("always", func(s *state.Snapshot) { s.Exit = nil }), false},
		{"has a monitor again", of("always", func(s *state.Snapshot) { s.Alive = true }), false},
	} {
		if got := interrupted(c.s); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
