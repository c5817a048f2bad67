package engine

import (
	"encoding/json"
	"time"
)

// StatsOptions say how to sample.
type StatsOptions struct {
	Stream bool
	// OneShot takes a single reading: fast, without CPUPercent. It excludes Stream.
	OneShot bool
	// Interval between samples of a stream, whole seconds; 0 is one second. Docker always takes one second.
	Interval time.Duration
}

// Stats is one sample of a container's use of resources, in the structure of
// Docker's API. What an engine does not tell is nil, never 0.
type Stats struct {
	ID   string
	Name string
	Read time.Time // when it was taken
	// PreRead is when the sample before it was taken, which percentages refer to; zero on the first.
	PreRead time.Time

	// CPUPercent is CPU time over wall time since PreRead, times 100: 150 is one and a half CPUs. Nil without a sample before.
	CPUPercent *float64
	CPU        CPUStats
	PreCPU     CPUStats
	Memory     MemoryStats
	Pids       PidsStats
	// Networks by interface: eth0, eth1, …
	Networks map[string]NetworkStats
	Blkio    BlkioStats
	Storage  map[string]uint64 // Windows
	NumProcs uint32            // Windows

	// Raw is the engine's sample.
	Raw json.RawMessage
}

// CPUStats are CPU times in nanoseconds.
type CPUStats struct {
	Total       uint64
	Kernel      *uint64
	User        *uint64
	PerCPU      []uint64 // absent on cgroup v2
	System      *uint64  // the host's total
	OnlineCPUs  int
	Periods     *uint64
	Throttled   *uint64
	ThrottledNS *uint64
}

// MemoryStats are bytes.
type MemoryStats struct {
	// Usage as the cgroup counts it, page cache included, where the engine tells; else as Used.
	Usage uint64
	// Used is Usage without inactive page cache, as docker stats shows it.
	Used     uint64
	MaxUsage *uint64 // cgroup v1
	Limit    uint64
	Percent  float64 // of Used in Limit
	Failcnt  *uint64
	Stats    map[string]uint64 // the cgroup's memory.stat; nil where the engine does not tell
}

// PidsStats count processes.
type PidsStats struct {
	Current uint64
	Limit   *uint64 // nil: none, or not told
}

// NetworkStats count since the interface was made.
type NetworkStats struct {
	RxBytes, RxPackets, RxErrors, RxDropped uint64
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}

// BlkioStats are block I/O counters. On cgroup v2 only ServiceBytes is filled.
type BlkioStats struct {
	// Read and Write are total bytes.
	Read, Write  uint64
	ServiceBytes []BlkioEntry
	Serviced     []BlkioEntry
	Queued       []BlkioEntry
	ServiceTime  []BlkioEntry
	WaitTime     []BlkioEntry
	Merged       []BlkioEntry
	Time         []BlkioEntry
	Sectors      []BlkioEntry
}

// BlkioEntry is a counter of one device.
type BlkioEntry struct {
	Major, Minor uint64
	Op           string
	Value        uint64
}
