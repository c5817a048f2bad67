package docker

import (
	"errors"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestStats(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		busy := started(t, e, engine.Spec{Command: []string{"sh", "-c", "while :; do :; done"}, Resources: engine.Resources{Memory: 64 * engine.MiB, CPUs: 0.2, PidsLimit: new(int64(44))}})
		idle := started(t, e, engine.Spec{})
		stopped := made(t, e, engine.Spec{})

		seen := map[string]engine.Stats{}
		for s, err := range e.ContainerStats(ctx, []string{busy, idle, stopped}, engine.StatsOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[s.ID] = s
		}
		if len(seen) != 3 {
			t.Fatalf("%d samples", len(seen))
		}
		b := seen[busy]
		if b.CPUPercent == nil || *b.CPUPercent < 5 || *b.CPUPercent > 60 {
			t.Errorf("cpu of a loop on 0.2 CPUs: %v", value(b.CPUPercent))
		}
		if i := seen[idle]; i.CPUPercent == nil || *i.CPUPercent > 5 {
			t.Errorf("cpu of sleep: %v", value(i.CPUPercent))
		}
		if b.Memory.Limit != 64<<20 || b.Memory.Used == 0 || b.Memory.Used > b.Memory.Usage || b.Memory.Percent <= 0 || len(b.Memory.Stats) == 0 {
			t.Errorf("memory %+v", b.Memory)
		}
		if b.Networks["eth0"].RxBytes == 0 && b.Networks["eth0"].TxBytes == 0 {
			t.Errorf("networks %+v", b.Networks)
		}
		if b.Pids.Current != 1 || b.Pids.Limit == nil && e.api > 41 || b.Read.IsZero() || b.Name == "" || b.Name[0] == '/' || len(b.Raw) == 0 || b.CPU.System == nil {
			t.Errorf("sample %+v", b)
		}
		if s := seen[stopped]; !s.Read.IsZero() || s.CPUPercent != nil || s.Memory.Usage != 0 {
			t.Errorf("stopped %+v", s)
		}

		for s, err := range e.ContainerStats(ctx, []string{busy}, engine.StatsOptions{OneShot: true}) {
			if !tooOld(err) && (err != nil || s.CPUPercent != nil || s.CPU.Total == 0) {
				t.Errorf("one shot: %+v, %v", s.CPU, err)
			}
		}

		// A stream ends when its container does.
		n := 0
		for s, err := range e.ContainerStats(ctx, []string{busy, idle}, engine.StatsOptions{Stream: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 3 {
				go func() {
					e.ContainerKill(ctx, busy, "")
					e.ContainerKill(ctx, idle, "")
				}()
			}
			if s.Read.IsZero() {
				t.Errorf("an empty sample: %s", s.Raw)
			}
		}
		if n < 3 {
			t.Errorf("%d samples", n)
		}
		for _, err := range e.ContainerStats(ctx, []string{"no-such-container"}, engine.StatsOptions{}) {
			if !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("got %v", err)
			}
		}
		for _, err := range e.ContainerStats(ctx, []string{"x"}, engine.StatsOptions{Stream: true, OneShot: true}) {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		}
		for _, err := range e.ContainerStats(ctx, []string{"x"}, engine.StatsOptions{Interval: 5 * time.Second}) {
			if !errors.Is(err, engine.ErrUnsupported) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestStatsOfAll breaks off a stream of all containers.
func TestStatsOfAll(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{})
		for s, err := range e.ContainerStats(t.Context(), nil, engine.StatsOptions{Stream: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if s.ID == id {
				break
			}
		}
	})
}
