package normal

import (
	"time"

	"github.com/berthdev/berth/engine"
)

// CPUPercent is the use of CPU between two samples, as docker stats computes it
// (docker/cli, cli/command/container/stats_helpers.go, calculateCPUPercentUnix): the
// share of the container's CPU time in the host's, times the number of CPUs, times 100. It is
// nil where it cannot be known: a sample lacks the host's time or both lack the number of
// CPUs, no time has passed, or a counter went back.
func CPUPercent(prev, cur engine.CPUStats) *float64 {
	if prev.System == nil || cur.System == nil || *prev.System == 0 || *cur.System <= *prev.System || cur.Total < prev.Total {
		return nil
	}
	// Docker before 1.13 and some of its kin do not tell the number of CPUs, but the time of each.
	cpus := first(cur.OnlineCPUs, len(cur.PerCPU), prev.OnlineCPUs, len(prev.PerCPU))
	if cpus <= 0 {
		return nil
	}
	own, system := float64(cur.Total-prev.Total), float64(*cur.System-*prev.System)
	return new(own / system * float64(cpus) * 100)
}

// CPUPercentWall is the same for engines that do not tell the host's CPU time: the container's CPU time over the time
// between the samples, times 100. It is nil when no time has passed or the counter went back.
func CPUPercentWall(prev, cur engine.CPUStats, elapsed time.Duration) *float64 {
	if elapsed <= 0 || cur.Total < prev.Total {
		return nil
	}
	return new(float64(cur.Total-prev.Total) / float64(elapsed) * 100)
}

// MemoryUsed is usage without inactive page cache, as docker stats shows it
// (docker/cli, cli/command/container/stats_helpers.go, calculateMemUsageUnixNoCache):
// total_inactive_file of cgroup v1, else inactive_file of v2. stats may be nil.
func MemoryUsed(usage uint64, stats map[string]uint64) uint64 {
	cache, ok := stats["total_inactive_file"]
	if !ok {
		cache = stats["inactive_file"]
	}
	if cache < usage {
		return usage - cache
	}
	return usage
}

// MemoryPercent is used in limit, times 100; 0 without a limit.
func MemoryPercent(used, limit uint64) float64 {
	if limit == 0 {
		return 0
	}
	return float64(used) / float64(limit) * 100
}
