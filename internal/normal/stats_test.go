package normal

import (
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestCPUPercent(t *testing.T) {
	sample := func(total, system uint64, cpus int) engine.CPUStats {
		return engine.CPUStats{Total: total, System: new(system), OnlineCPUs: cpus}
	}
	perCPU := sample(200, 2000, 0)
	perCPU.PerCPU = make([]uint64, 4)
	for name, c := range map[string]struct {
		prev, cur engine.CPUStats
		want      float64 // -1: nil
	}{
		"half of one of two":        {sample(100, 1000, 2), sample(350, 2000, 2), 50},
		"both of two":               {sample(0, 1000, 2), sample(1000, 2000, 2), 200},
		"idle":                      {sample(100, 1000, 2), sample(100, 2000, 2), 0},
		"CPUs by their times":       {sample(100, 1000, 0), perCPU, 40},
		"CPUs of the sample before": {sample(100, 1000, 2), sample(350, 2000, 0), 50},
		"no CPUs":                   {sample(100, 1000, 0), sample(350, 2000, 0), -1},
		"no sample before":          {sample(0, 0, 2), sample(350, 2000, 2), -1},
		"no host time before":       {engine.CPUStats{}, sample(350, 2000, 2), -1},
		"no host time":              {sample(100, 1000, 2), engine.CPUStats{Total: 200, OnlineCPUs: 2}, -1},
		"no time has passed":        {sample(100, 1000, 2), sample(350, 1000, 2), -1},
		"host went back":            {sample(100, 1000, 2), sample(350, 999, 2), -1},
		"container restarted":       {sample(100, 1000, 2), sample(50, 2000, 2), -1},
	} {
		check(t, name, CPUPercent(c.prev, c.cur), c.want)
	}
}

func TestCPUPercentWall(t *testing.T) {
	at := func(d time.Duration) engine.CPUStats { return engine.CPUStats{Total: uint64(d)} }
	check(t, "one and a half", CPUPercentWall(at(time.Second), at(4*time.Second), 2*time.Second), 150)
	check(t, "idle", CPUPercentWall(at(time.Second), at(time.Second), time.Second), 0)
	check(t, "no time", CPUPercentWall(at(0), at(time.Second), 0), -1)
	check(t, "clock went back", CPUPercentWall(at(0), at(time.Second), -1), -1)
	check(t, "restarted", CPUPercentWall(at(time.Second), at(0), time.Second), -1)
}

func check(t *testing.T, name string, got *float64, want float64) {
	t.Helper()
	switch {
	case want < 0 && got != nil:
		t.Errorf("%s: %v, want nil", name, *got)
	case want >= 0 && (got == nil || *got != want):
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}

func TestMemory(t *testing.T) {
	for name, c := range map[string]struct {
		usage uint64
		stats map[string]uint64
		want  uint64
	}{
		"nothing known":      {100, nil, 100},
		"v1":                 {100, map[string]uint64{"total_inactive_file": 30, "inactive_file": 20}, 70},
		"v2":                 {100, map[string]uint64{"inactive_file": 20}, 80},
		"cache beyond usage": {100, map[string]uint64{"inactive_file": 200}, 100},
		"cache is all":       {100, map[string]uint64{"inactive_file": 100}, 100},
		"v1 without cache":   {100, map[string]uint64{"total_inactive_file": 0, "inactive_file": 20}, 100},
	} {
		if got := MemoryUsed(c.usage, c.stats); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := MemoryPercent(50, 200); got != 25 {
		t.Error(got)
	}
	if got := MemoryPercent(50, 0); got != 0 {
		t.Error(got)
	}
}
