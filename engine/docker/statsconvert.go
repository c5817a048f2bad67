package docker

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// decodeStats is a sample of the engine in neutral terms; it keeps raw.
func decodeStats(raw json.RawMessage) (engine.Stats, error) {
	var w wireStats
	if err := json.Unmarshal(raw, &w); err != nil {
		return engine.Stats{}, fmt.Errorf("decode sample: %w", err)
	}
	s := engine.Stats{
		ID:       w.ID,
		Name:     strings.TrimPrefix(w.Name, "/"),
		Read:     w.Read.Time,
		PreRead:  w.PreRead.Time,
		CPU:      cpuStats(&w.CPUStats),
		PreCPU:   cpuStats(&w.PreCPUStats),
		Memory:   memoryStats(&w.MemoryStats),
		Pids:     engine.PidsStats{Current: w.PidsStats.Current, Limit: pidsLimit(w.PidsStats.Limit)},
		Blkio:    blkioStats(&w.BlkioStats),
		NumProcs: w.NumProcs,
		Storage:  w.StorageStats,
		Raw:      raw,
	}
	if len(w.Networks) > 0 {
		s.Networks = make(map[string]engine.NetworkStats, len(w.Networks))
		for name, n := range w.Networks {
			s.Networks[name] = engine.NetworkStats(n)
		}
	}
	if !s.PreRead.IsZero() {
		s.CPUPercent = normal.CPUPercent(s.PreCPU, s.CPU)
	}
	return s, nil
}

// pidsLimit is nil for none: cgroup version 1 has a number that no machine reaches, the engine 0.
func pidsLimit(limit *uint64) *uint64 {
	if limit == nil || *limit == 0 || *limit >= 1<<62 {
		return nil
	}
	return limit
}

func cpuStats(w *wireCPUStats) engine.CPUStats {
	s := engine.CPUStats{
		Total:      w.CPUUsage.Total,
		Kernel:     w.CPUUsage.Kernel,
		User:       w.CPUUsage.User,
		PerCPU:     w.CPUUsage.PerCPU,
		System:     w.System,
		OnlineCPUs: w.OnlineCPUs,
	}
	if t := w.Throttling; t != nil {
		s.Periods, s.Throttled, s.ThrottledNS = &t.Periods, &t.Throttled, &t.ThrottledTime
	}
	return s
}

func memoryStats(w *wireMemoryStats) engine.MemoryStats {
	s := engine.MemoryStats{
		Usage:    w.Usage,
		Used:     normal.MemoryUsed(w.Usage, w.Stats),
		MaxUsage: w.MaxUsage,
		Limit:    w.Limit,
		Failcnt:  w.Failcnt,
		Stats:    w.Stats,
	}
	if s.Limit > 0 {
		s.Percent = 100 * float64(s.Used) / float64(s.Limit)
	}
	return s
}

func blkioStats(w *wireBlkioStats) engine.BlkioStats {
	s := engine.BlkioStats{
		ServiceBytes: blkioEntries(w.ServiceBytes),
		Serviced:     blkioEntries(w.Serviced),
		Queued:       blkioEntries(w.Queued),
		ServiceTime:  blkioEntries(w.ServiceTime),
		WaitTime:     blkioEntries(w.WaitTime),
		Merged:       blkioEntries(w.Merged),
		Time:         blkioEntries(w.Time),
		Sectors:      blkioEntries(w.Sectors),
	}
	for _, e := range s.ServiceBytes {
		switch {
		case strings.EqualFold(e.Op, "read"): // "Read" on cgroup version 1, "read" on 2
			s.Read += e.Value
		case strings.EqualFold(e.Op, "write"):
			s.Write += e.Value
		}
	}
	return s
}

func blkioEntries(list []wireBlkioEntry) []engine.BlkioEntry {
	var out []engine.BlkioEntry
	for _, e := range list {
		out = append(out, engine.BlkioEntry(e))
	}
	return out
}
