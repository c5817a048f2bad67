package inspect

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Summary is the container as the list shows it.
func Summary(s *state.Snapshot, now time.Time) engine.Summary {
	cfg := s.Config
	status := s.Status()
	sum := engine.Summary{
		ID:       cfg.ID,
		Names:    []string{cfg.Name},
		Image:    cfg.Image,
		ImageID:  cfg.ImageID,
		Command:  command(cfg),
		Created:  cfg.Created,
		Status:   status,
		Raw:      string(status),
		Labels:   cfg.Labels(),
		Networks: slices.Sorted(maps.Keys(endpoints(s, Extra{}))),
	}
	st := stateOf(s)
	if up(status) {
		sum.Health = engine.HealthNone
		if st.Health != nil {
			sum.Health = st.Health.Status
		}
		sum.Ports = ports(s)
	} else if status == engine.StatusExited || status == engine.StatusRestarting {
		sum.ExitCode = new(st.ExitCode)
	}
	for _, m := range cfg.Mounts {
		sum.Mounts = append(sum.Mounts, m.MountPoint)
	}
	sum.StatusText = normal.StatusText(normal.StatusInfo{
		Status: status, ExitCode: sum.ExitCode, Started: st.StartedAt, Finished: st.FinishedAt, Health: sum.Health,
	}, now)
	return sum
}

// command is what runs, in one line as Docker words it.
func command(cfg *state.Config) string {
	var b strings.Builder
	b.WriteString(cfg.Path)
	for _, a := range cfg.Args {
		if strings.Contains(a, " ") {
			a = "'" + a + "'"
		}
		b.WriteString(" " + a)
	}
	return b.String()
}
