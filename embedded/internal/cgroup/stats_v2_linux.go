package cgroup

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// statCPUv2: cpu.stat is there without the controller, too, but for the part about quotas.
func statCPUv2(dir string, c *engine.CPUStats) error {
	m, err := table(dir + "/cpu.stat")
	if err != nil {
		return err
	}
	c.Total = m["usage_usec"] * 1000
	c.User, c.Kernel = new(m["user_usec"]*1000), new(m["system_usec"]*1000)
	if periods, ok := m["nr_periods"]; ok {
		c.Periods, c.Throttled, c.ThrottledNS = &periods, new(m["nr_throttled"]), new(m["throttled_usec"]*1000)
	}
	return nil
}

func statMemoryV2(dir string, m *engine.MemoryStats) error {
	var err error
	if m.Usage, err = number(dir + "/memory.current"); err != nil {
		return err
	}
	if m.Stats, err = table(dir + "/memory.stat"); err != nil {
		return err
	}
	m.Limit, err = number(dir + "/memory.max")
	return err
}

func statIO(dir string, b *engine.BlkioStats) error {
	text, err := read(dir + "/io.stat")
	if err != nil {
		return err
	}
	if b.ServiceBytes, err = parseIO(text); err != nil {
		return fmt.Errorf("%s/io.stat: %w", dir, err)
	}
	for _, e := range b.ServiceBytes {
		if e.Op == "read" {
			b.Read += e.Value
		} else {
			b.Write += e.Value
		}
	}
	return nil
}

// parseIO reads lines "8:0 rbytes=1 wbytes=2 rios=3 …" as Docker shows them: bytes read and written.
func parseIO(text string) ([]engine.BlkioEntry, error) {
	var list []engine.BlkioEntry
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue // a device that only was there
		}
		major, minor, err := parseDevice(f[0])
		if err != nil {
			return nil, err
		}
		for _, pair := range f[1:] {
			name, value, _ := strings.Cut(pair, "=")
			op, ok := map[string]string{"rbytes": "read", "wbytes": "write"}[name]
			if !ok {
				continue
			}
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return nil, err
			}
			list = append(list, engine.BlkioEntry{Major: major, Minor: minor, Op: op, Value: n})
		}
	}
	return list, nil
}
