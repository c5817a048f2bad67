package oracle

import (
	"github.com/berthdev/berth"
)

// dockerStats are the places of Container.stats.
func dockerStats() places[*berth.Stats] {
	type S = berth.Stats
	p := places[*S]{
		"id": func(s *S) any { return s.ID }, "name": func(s *S) any { return "/" + s.Name },
		"read": func(s *S) any { return s.Read }, "preread": func(s *S) any { return s.PreRead },
		"num_procs": func(s *S) any { return s.NumProcs }, "storage_stats": func(s *S) any { return s.Storage },
		"pids_stats.current": func(s *S) any { return s.Pids.Current }, "pids_stats.limit": func(s *S) any { return s.Pids.Limit },
		"memory_stats.usage": func(s *S) any { return s.Memory.Usage }, "memory_stats.max_usage": func(s *S) any { return s.Memory.MaxUsage },
		"memory_stats.limit": func(s *S) any { return s.Memory.Limit }, "memory_stats.failcnt": func(s *S) any { return s.Memory.Failcnt },
		"memory_stats.stats": func(s *S) any { return s.Memory.Stats },
		"networks": func(s *S) any {
			out := m{}
			for name, n := range s.Networks {
				out[name] = m{
					"rx_bytes": n.RxBytes, "rx_packets": n.RxPackets, "rx_errors": n.RxErrors, "rx_dropped": n.RxDropped,
					"tx_bytes": n.TxBytes, "tx_packets": n.TxPackets, "tx_errors": n.TxErrors, "tx_dropped": n.TxDropped,
				}
			}
			return out
		},
		// Newer engines add it for Windows.
		"os_type": nil,
	}
	for name, get := range map[string]func(*berth.BlkioStats) []berth.BlkioEntry{
		"io_service_bytes_recursive": func(b *berth.BlkioStats) []berth.BlkioEntry { return b.ServiceBytes },
		"io_serviced_recursive":      func(b *berth.BlkioStats) []berth.BlkioEntry { return b.Serviced },
		"io_queue_recursive":         func(b *berth.BlkioStats) []berth.BlkioEntry { return b.Queued },
		"io_service_time_recursive":  func(b *berth.BlkioStats) []berth.BlkioEntry { return b.ServiceTime },
		"io_wait_time_recursive":     func(b *berth.BlkioStats) []berth.BlkioEntry { return b.WaitTime },
		"io_merged_recursive":        func(b *berth.BlkioStats) []berth.BlkioEntry { return b.Merged },
		"io_time_recursive":          func(b *berth.BlkioStats) []berth.BlkioEntry { return b.Time },
		"sectors_recursive":          func(b *berth.BlkioStats) []berth.BlkioEntry { return b.Sectors },
	} {
		p["blkio_stats."+name] = func(s *S) any {
			var out l
			for _, e := range get(&s.Blkio) {
				out = append(out, m{"major": e.Major, "minor": e.Minor, "op": e.Op, "value": e.Value})
			}
			return out
		}
	}
	for prefix, part := range map[string]func(*S) *berth.CPUStats{
		"cpu_stats.":    func(s *S) *berth.CPUStats { return &s.CPU },
		"precpu_stats.": func(s *S) *berth.CPUStats { return &s.PreCPU },
	} {
		for name, get := range map[string]func(*berth.CPUStats) any{
			"cpu_usage.total_usage":             func(c *berth.CPUStats) any { return c.Total },
			"cpu_usage.usage_in_kernelmode":     func(c *berth.CPUStats) any { return c.Kernel },
			"cpu_usage.usage_in_usermode":       func(c *berth.CPUStats) any { return c.User },
			"cpu_usage.percpu_usage":            func(c *berth.CPUStats) any { return c.PerCPU },
			"system_cpu_usage":                  func(c *berth.CPUStats) any { return c.System },
			"online_cpus":                       func(c *berth.CPUStats) any { return c.OnlineCPUs },
			"throttling_data.periods":           func(c *berth.CPUStats) any { return c.Periods },
			"throttling_data.throttled_periods": func(c *berth.CPUStats) any { return c.Throttled },
			"throttling_data.throttled_time":    func(c *berth.CPUStats) any { return c.ThrottledNS },
		} {
			p[prefix+name] = of(get, part)
		}
	}
	return p
}

// dockerStatsTest: no two samples are the same, so that the places are held against
// the sample that Berth itself was given, in which all that docker-py's has must be.
func dockerStatsTest(w *world) {
	spec := sleeper()
	spec.NetworkMode, spec.Command = "bridge", berth.Shell("dd if=/dev/zero of=/file bs=1k count=100; sync; sleep 3600")
	spec.Resources.PidsLimit = new(int64(50))
	c := w.start(spec)
	s := must(c.StatsOnce(w.ctx))
	found := map[string]bool{}
	dockerStats().check(w.t, wire(w.t, s.Raw).(map[string]any), s, s.Raw, found)
	if s.CPUPercent == nil {
		w.t.Error("there is no CPU percentage")
	}
	for name, expr := range map[string]string{"one": "c.stats(stream=False)", "stream": "next(c.stats(decode=True))"} {
		py := map[string]string{}
		leaves("", w.py.dict(c.ID(), expr), py)
		own := map[string]string{}
		leaves("", wire(w.t, s.Raw), own)
		for path := range py {
			if _, ok := own[path]; !ok && !inList(path) {
				w.t.Errorf("%s of docker-py's %s is not in the sample that Berth was given", path, name)
			}
		}
	}
	ended := w.ended("true")
	s = must(ended.StatsOnce(w.ctx))
	dockerStats().check(w.t, w.py.dict(ended.ID(), "c.stats(stream=False)"), s, s.Raw, found)
}

// inList tells that a leaf belongs to a list, which is as long as there are devices.
func inList(path string) bool { return listPath.MatchString(path) }
