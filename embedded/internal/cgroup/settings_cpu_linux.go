package cgroup

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The kernel's values of a new group.
const (
	initialShares = 1024
	initialWeight = 100
	initialPeriod = 100_000 // microseconds
)

// cpu: zeros are the kernel's defaults, a quota of 0 or -1 is none.
func (t *translator) cpu(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	if v := c.Shares; v != nil {
		t.set("CPUShares", ctlCPU, names{"cpu.shares", "cpu.weight"},
			texts{strconv.FormatUint(*v, 10), strconv.FormatUint(weightOfShares(*v), 10)},
			texts{strconv.Itoa(initialShares), strconv.Itoa(initialWeight)}, *v == 0)
	}
	if d := t.find(ctlCPU); d != nil && d.v2 {
		t.cpuMax(d, c)
	} else {
		if v := c.Period; v != nil {
			t.set("CPUPeriod", ctlCPU, names{v1: "cpu.cfs_period_us"}, either(strconv.FormatUint(*v, 10)), either(strconv.Itoa(initialPeriod)), *v == 0)
		}
		if v := c.Quota; v != nil {
			t.set("CPUQuota", ctlCPU, names{v1: "cpu.cfs_quota_us"}, either(strconv.FormatInt(*v, 10)), either("-1"), *v <= 0)
		}
	}
	if v := c.Burst; v != nil {
		t.set("CPUBurst", ctlCPU, names{"cpu.cfs_burst_us", "cpu.max.burst"}, either(strconv.FormatUint(*v, 10)), either("0"), *v == 0)
	}
	if v := c.RealtimePeriod; v != nil {
		t.set("CPURealtimePeriod", ctlCPU, names{"cpu.rt_period_us", ""}, either(strconv.FormatUint(*v, 10)), either("1000000"), *v == 0)
	}
	if v := c.RealtimeRuntime; v != nil {
		t.set("CPURealtimeRuntime", ctlCPU, names{"cpu.rt_runtime_us", ""}, either(strconv.FormatInt(*v, 10)), either("0"), *v == 0)
	}
	if v := c.Idle; v != nil {
		t.set("CPUIdle", ctlCPU, names{"cpu.idle", "cpu.idle"}, either(strconv.FormatInt(*v, 10)), either("0"), *v == 0)
	}
}

// cpuMax is quota and period of v2, which are one file: what is not named stays.
func (t *translator) cpuMax(d *dir, c *specs.LinuxCPU) {
	if c.Quota == nil && c.Period == nil {
		return
	}
	option, quota, period := "CPUQuota", "max", strconv.Itoa(initialPeriod)
	if !t.parent {
		if f := words(d.path + "/cpu.max"); len(f) == 2 {
			quota, period = f[0], f[1]
		}
	}
	if v := c.Quota; v != nil {
		if quota = "max"; *v > 0 {
			quota = strconv.FormatInt(*v, 10)
		}
	} else {
		option = "CPUPeriod"
	}
	if v := c.Period; v != nil {
		if period = strconv.Itoa(initialPeriod); *v != 0 {
			period = strconv.FormatUint(*v, 10)
		}
	}
	t.set(option, ctlCPU, names{v2: "cpu.max"}, either(quota+" "+period), either("max "+strconv.Itoa(initialPeriod)), false)
}

// weightOfShares is the weight of v2, 1 to 10000, for the shares of v1, 2 to 262144.
//
// It is the curve through both ends and both defaults that runc and crun use since
// 2025, 10^((l²+125l)/612 - 7/34) with l = log2(shares): the straight line of before gave the default
// of 1024 shares a weight of 39, less than that of a process outside of any container.
func weightOfShares(shares uint64) uint64 {
	switch {
	case shares <= 2:
		return 1
	case shares >= 262144:
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// cpuset: "" is not named.
func (t *translator) cpuset(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	for _, o := range []struct{ option, file, value string }{
		{"CpusetCPUs", "cpuset.cpus", c.Cpus},
		{"CpusetMems", "cpuset.mems", c.Mems},
	} {
		if o.value == "" {
			continue
		}
		initial := texts{v2: "\n"} // of v2 an empty list is the parent's
		if d := t.find(ctlCpuset); d != nil && !d.v2 {
			initial.v1, _ = read(parentOf(d) + "/" + o.file)
		}
		t.set(o.option, ctlCpuset, names{o.file, o.file}, either(strings.TrimSpace(o.value)), initial, false)
	}
}

func parentOf(d *dir) string { return filepath.Dir(d.path) }
