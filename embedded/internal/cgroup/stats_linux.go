package cgroup

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Stats reads the counters. ID, Name, Networks, PreCPU, PreRead and CPUPercent are
// the caller's (see [Network]). What this machine does not count is nil, or zero where the type has no nil.
// The error of a group that is gone is an fs.ErrNotExist.
func (g *Group) Stats() (engine.Stats, error) {
	var s engine.Stats
	if !g.Exists() {
		return s, fmt.Errorf("read the counters of the cgroup %s: %w", g.path, os.ErrNotExist)
	}
	system, cpus, err := System()
	if err != nil {
		return s, err
	}
	s.CPU.System, s.CPU.OnlineCPUs = new(system), cpus
	s.Read = time.Now() // beside the CPU time, which is compared with it
	if d := g.with("cpuacct"); d != nil {
		err = statCPUv1(d.path, &s.CPU)
		if c := g.with("cpu"); err == nil && c != nil {
			err = statThrottlingV1(c.path, &s.CPU)
		}
	} else if d := g.v2(); d != nil {
		err = statCPUv2(d.path, &s.CPU)
	}
	if d := g.with("memory"); d != nil && missing(err) == nil {
		if d.v2 {
			err = statMemoryV2(d.path, &s.Memory)
		} else {
			err = statMemoryV1(d.path, &s.Memory)
		}
	}
	if d := g.with("pids"); d != nil && missing(err) == nil {
		err = statPids(d.path, &s.Pids)
	}
	if d := g.with("blkio"); d != nil && missing(err) == nil {
		err = statBlkioV1(d.path, &s.Blkio)
	} else if d := g.with("io"); d != nil && missing(err) == nil {
		err = statIO(d.path, &s.Blkio)
	}
	if err = missing(err); err != nil {
		return s, fmt.Errorf("read the counters of the cgroup %s: %w", g.path, err)
	}
	finishMemory(&s.Memory)
	return s, nil
}

// missing forgives a file that is not there: the group is without that controller, or is being removed.
func missing(err error) error { return gone(err) }

// tick is the length of a clock tick in nanoseconds: USER_HZ is 100 on every architecture that Go runs on.
const tick = 1e7

// System reads the host's total CPU time in nanoseconds, idle time included, and the number of CPUs that are
// online, from /proc/stat: as Docker does, user to softirq.
func System() (ns uint64, cpus int, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	return parseStat(b)
}

func parseStat(b []byte) (ns uint64, cpus int, err error) {
	for line := range bytes.Lines(b) {
		if !bytes.HasPrefix(line, []byte("cpu")) {
			break // they are the first lines
		}
		f := bytes.Fields(line)
		if string(f[0]) != "cpu" {
			cpus++
			continue
		}
		if len(f) < 8 {
			return 0, 0, fmt.Errorf("/proc/stat: %d fields", len(f))
		}
		for _, v := range f[1:8] {
			n, err := strconv.ParseUint(string(v), 10, 64)
			if err != nil {
				return 0, 0, fmt.Errorf("/proc/stat: %w", err)
			}
			ns += n * tick
		}
	}
	if cpus == 0 {
		return 0, 0, fmt.Errorf("/proc/stat: no CPU")
	}
	return ns, cpus, nil
}

// finishMemory computes what the kernel does not tell: a limit above the machine's memory is the machine's memory.
func finishMemory(m *engine.MemoryStats) {
	if m.Usage == 0 && m.Stats == nil {
		return
	}
	if total := memTotal(); m.Limit == 0 || m.Limit > total {
		m.Limit = total
	}
	m.Used = normal.MemoryUsed(m.Usage, m.Stats)
	if m.Limit > 0 {
		m.Percent = float64(m.Used) / float64(m.Limit) * 100
	}
}

// memTotal is the machine's memory in bytes; 0 is not known.
func memTotal() uint64 {
	b, _ := os.ReadFile("/proc/meminfo")
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == "MemTotal:" {
			n, _ := strconv.ParseUint(string(f[1]), 10, 64)
			return n << 10
		}
	}
	return 0
}

// statPids reads the counters of processes, which have the same names in v1 and v2.
func statPids(dir string, p *engine.PidsStats) error {
	n, err := number(dir + "/pids.current")
	if err != nil {
		return err
	}
	limit, err := number(dir + "/pids.max")
	if err != nil {
		return err
	}
	p.Current = n
	if limit != 1<<64-1 {
		p.Limit = &limit
	}
	return nil
}
