package podman

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// wireStats is a container's row of GET /containers/stats.
type wireStats struct {
	ContainerID   string
	Name          string
	PerCPU        []uint64
	CPUNano       uint64
	CPUSystemNano uint64 // of CPUNano, in the kernel
	SystemNano    int64  // the time of the sample; 0 where the container does not run
	MemUsage      uint64
	MemLimit      uint64
	MemPerc       float64
	NetInput      uint64 // 4.x: all interfaces together
	NetOutput     uint64
	Network       map[string]engine.NetworkStats // since 5.0
	BlockInput    uint64
	BlockOutput   uint64
	PIDs          uint64
}

// decodeStats is a row in neutral terms; it keeps text.
func (e *Engine) decodeStats(text json.RawMessage) (engine.Stats, error) {
	var w wireStats
	if err := json.Unmarshal(text, &w); err != nil {
		return engine.Stats{}, fmt.Errorf("decode sample: %w", err)
	}
	s := engine.Stats{ID: w.ContainerID, Name: w.Name, Raw: text}
	if w.SystemNano == 0 {
		return s, nil
	}
	s.Read = time.Unix(0, w.SystemNano)
	s.CPU = engine.CPUStats{
		Total:      w.CPUNano,
		Kernel:     new(min(w.CPUSystemNano, w.CPUNano)), // they come from counters of different precision
		User:       new(w.CPUNano - min(w.CPUSystemNano, w.CPUNano)),
		PerCPU:     w.PerCPU,
		OnlineCPUs: e.info.Host.CPUs,
	}
	s.Memory = engine.MemoryStats{Usage: w.MemUsage, Used: w.MemUsage, Limit: w.MemLimit}
	if w.MemLimit > 0 {
		s.Memory.Percent = 100 * float64(w.MemUsage) / float64(w.MemLimit)
	}
	s.Pids.Current = w.PIDs
	s.Networks = w.Network
	if len(s.Networks) == 0 && w.NetInput+w.NetOutput > 0 {
		s.Networks = map[string]engine.NetworkStats{"eth0": {RxBytes: w.NetInput, TxBytes: w.NetOutput}}
	}
	s.Blkio.Read, s.Blkio.Write = w.BlockInput, w.BlockOutput
	return s, nil
}

// since completes a sample with the one before it.
func since(prev, s engine.Stats) engine.Stats {
	s.PreRead, s.PreCPU = prev.Read, prev.CPU
	if !prev.Read.IsZero() {
		s.CPUPercent = normal.CPUPercentWall(prev.CPU, s.CPU, s.Read.Sub(prev.Read))
	}
	return s
}
