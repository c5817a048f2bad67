package cgroup

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

func statCPUv1(dir string, c *engine.CPUStats) error {
	var err error
	if c.Total, err = number(dir + "/cpuacct.usage"); err != nil {
		return err
	}
	for _, w := range words(dir + "/cpuacct.usage_percpu") {
		n, err := strconv.ParseUint(w, 10, 64)
		if err != nil {
			return fmt.Errorf("%s/cpuacct.usage_percpu: %w", dir, err)
		}
		c.PerCPU = append(c.PerCPU, n)
	}
	m, err := table(dir + "/cpuacct.stat")
	if err != nil {
		return err
	}
	c.User, c.Kernel = new(m["user"]*tick), new(m["system"]*tick)
	return nil
}

func statThrottlingV1(dir string, c *engine.CPUStats) error {
	m, err := table(dir + "/cpu.stat")
	if err != nil {
		return err
	}
	c.Periods, c.Throttled, c.ThrottledNS = new(m["nr_periods"]), new(m["nr_throttled"]), new(m["throttled_time"])
	return nil
}

func statMemoryV1(dir string, m *engine.MemoryStats) error {
	var err error
	if m.Usage, err = number(dir + "/memory.usage_in_bytes"); err != nil {
		return err
	}
	most, err := number(dir + "/memory.max_usage_in_bytes")
	if err != nil {
		return err
	}
	failures, err := number(dir + "/memory.failcnt")
	if err != nil {
		return err
	}
	m.MaxUsage, m.Failcnt = &most, &failures
	if m.Stats, err = table(dir + "/memory.stat"); err != nil {
		return err
	}
	m.Limit, err = number(dir + "/memory.limit_in_bytes")
	if h := m.Stats["hierarchical_memory_limit"]; err == nil && h > 0 && h < m.Limit {
		m.Limit = h // of a group above
	}
	return err
}

// statBlkioV1 reads the counters of bfq, or those of throttling, which count every device, where bfq has none.
func statBlkioV1(dir string, b *engine.BlkioStats) error {
	for _, c := range []struct {
		to    *[]engine.BlkioEntry
		files []string
	}{
		{&b.ServiceBytes, []string{"bfq.io_service_bytes_recursive", "throttle.io_service_bytes_recursive", "throttle.io_service_bytes"}},
		{&b.Serviced, []string{"bfq.io_serviced_recursive", "throttle.io_serviced_recursive", "throttle.io_serviced"}},
		{&b.Queued, []string{"bfq.io_queued_recursive"}},
		{&b.ServiceTime, []string{"bfq.io_service_time_recursive"}},
		{&b.WaitTime, []string{"bfq.io_wait_time_recursive"}},
		{&b.Merged, []string{"bfq.io_merged_recursive"}},
		{&b.Time, []string{"bfq.time_recursive"}},
		{&b.Sectors, []string{"bfq.sectors_recursive"}},
	} {
		for _, file := range c.files {
			text, err := read(dir + "/blkio." + file)
			if missing(err) != nil {
				return err
			}
			entries, err := parseBlkio(text)
			if err != nil {
				return fmt.Errorf("%s/blkio.%s: %w", dir, file, err)
			}
			if len(entries) > 0 {
				*c.to = entries
				break
			}
		}
	}
	for _, e := range b.ServiceBytes {
		switch e.Op {
		case "Read":
			b.Read += e.Value
		case "Write":
			b.Write += e.Value
		}
	}
	return nil
}

// parseBlkio reads lines "8:0 Read 4096" or "8:0 4096"; the line "Total 4096" is left out.
func parseBlkio(text string) ([]engine.BlkioEntry, error) {
	var list []engine.BlkioEntry
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "Total" {
			continue
		}
		e := engine.BlkioEntry{}
		if len(f) > 2 {
			e.Op = f[1]
		}
		var err error
		if e.Major, e.Minor, err = parseDevice(f[0]); err != nil {
			return nil, err
		}
		if e.Value, err = strconv.ParseUint(f[len(f)-1], 10, 64); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// parseDevice reads "8:0".
func parseDevice(s string) (major, minor uint64, err error) {
	a, b, ok := strings.Cut(s, ":")
	if !ok {
		return 0, 0, fmt.Errorf("%q is not MAJOR:MINOR", s)
	}
	if major, err = strconv.ParseUint(a, 10, 32); err == nil {
		minor, err = strconv.ParseUint(b, 10, 32)
	}
	return major, minor, err
}
