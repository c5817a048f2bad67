package cgroup

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Network reads the counters of the interfaces in the network namespace of pid, by name, without lo; nil if there is no other.
func Network(pid int) (map[string]engine.NetworkStats, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/net/dev")
	if err != nil {
		return nil, err
	}
	return parseNetwork(string(b))
}

// parseNetwork reads a /proc/PID/net/dev: two lines of titles, then "eth0: " and 16 numbers, 8 of each direction.
func parseNetwork(text string) (map[string]engine.NetworkStats, error) {
	var m map[string]engine.NetworkStats
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "lo" {
			continue
		}
		f := strings.Fields(rest)
		if len(f) < 16 {
			return nil, fmt.Errorf("net/dev: %d fields of %s", len(f), name)
		}
		var n [16]uint64
		for i := range n {
			var err error
			if n[i], err = strconv.ParseUint(f[i], 10, 64); err != nil {
				return nil, fmt.Errorf("net/dev: %s: %w", name, err)
			}
		}
		if m == nil {
			m = map[string]engine.NetworkStats{}
		}
		m[name] = engine.NetworkStats{
			RxBytes: n[0], RxPackets: n[1], RxErrors: n[2], RxDropped: n[3],
			TxBytes: n[8], TxPackets: n[9], TxErrors: n[10], TxDropped: n[11],
		}
	}
	return m, nil
}
