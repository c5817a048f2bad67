//go:build linux

package config

import (
	"os"
	"slices"
	"strconv"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Resources are r as the cgroup limits of an OCI configuration, without device rules. What this host cannot limit is an UnsupportedError for each.
func Resources(r engine.Resources, h Host) (*specs.LinuxResources, error) {
	f := &faults{}
	checkResources(f, r, h)
	if err := f.err(); err != nil {
		return nil, err
	}
	out := &specs.LinuxResources{Memory: memory(r, h)}
	var err error
	if out.CPU, err = cpu(r); err != nil {
		return nil, err
	}
	if n := r.PidsLimit; n != nil {
		limit := *n
		if limit <= 0 {
			limit = -1
		}
		out.Pids = &specs.LinuxPids{Limit: &limit}
	}
	if out.BlockIO, err = blockIO(r); err != nil {
		return nil, err
	}
	return out, nil
}

// checkResources refuses what this machine's cgroups do not have.
func checkResources(f *faults, r engine.Resources, h Host) {
	const o = "Spec.Resources."
	v2 := func(set bool, field string) { f.needs(set && h.CgroupV2, o+field, "", "cgroup v1") }
	v2(r.MemorySwappiness != nil, "MemorySwappiness")
	v2(deref(r.OOMKillDisable), "OOMKillDisable")
	v2(r.CPURealtimePeriod != 0, "CPURealtimePeriod")
	v2(r.CPURealtimeRuntime != 0, "CPURealtimeRuntime")
	f.unsupported(r.KernelMemory != 0, o+"KernelMemory", r.KernelMemory.String(), "kernels since 5.4 do not limit kernel memory by itself")
	f.needs(r.MemorySwap > 0 && r.MemorySwap != r.Memory && h.NoSwapLimit, o+"MemorySwap", r.MemorySwap.String(), "a kernel that accounts swap")
	for _, c := range []struct {
		field, controller string
		set               bool
	}{
		{"Memory", "memory", r.Memory != 0},
		{"MemoryReservation", "memory", r.MemoryReservation != 0},
		{"MemorySwappiness", "memory", r.MemorySwappiness != nil},
		{"OOMKillDisable", "memory", deref(r.OOMKillDisable)},
		{"CPUs", "cpu", r.CPUs != 0},
		{"CPUShares", "cpu", r.CPUShares != 0},
		{"CPUPeriod", "cpu", r.CPUPeriod != 0},
		{"CPUQuota", "cpu", r.CPUQuota != 0},
		{"CPURealtimePeriod", "cpu", r.CPURealtimePeriod != 0},
		{"CPURealtimeRuntime", "cpu", r.CPURealtimeRuntime != 0},
		{"CpusetCPUs", "cpuset", r.CpusetCPUs != ""},
		{"CpusetMems", "cpuset", r.CpusetMems != ""},
		{"PidsLimit", "pids", r.PidsLimit != nil && *r.PidsLimit > 0},
		{"BlkioWeight", "blkio", r.BlkioWeight != 0},
		{"BlkioWeightDevice", "blkio", len(r.BlkioWeightDevice) > 0},
		{"BlkioDeviceReadBps", "blkio", len(r.BlkioDeviceReadBps) > 0},
		{"BlkioDeviceWriteBps", "blkio", len(r.BlkioDeviceWriteBps) > 0},
		{"BlkioDeviceReadIOps", "blkio", len(r.BlkioDeviceReadIOps) > 0},
		{"BlkioDeviceWriteIOps", "blkio", len(r.BlkioDeviceWriteIOps) > 0},
	} {
		switch {
		case !c.set:
		case !slices.Contains(h.Controllers, c.controller):
			f.needs(true, o+c.field, "", "the cgroup controller "+c.controller)
		case h.Rootless && (!h.CgroupV2 || !slices.Contains(cgroup.Delegated(), c.controller)):
			f.needs(true, o+c.field, "", "cgroup v2 with the controller "+c.controller+" delegated to this user")
		}
	}
	f.invalid(r.BlkioWeight != 0 && (r.BlkioWeight < 10 || r.BlkioWeight > 1000), o+"BlkioWeight", strconv.Itoa(int(r.BlkioWeight)), "want 10 to 1000")
	f.invalid(r.Memory != 0 && r.Memory < minMemory, o+"Memory", r.Memory.String(), "the least is 6 MiB")
	f.invalid(r.MemoryReservation != 0 && r.MemoryReservation < minMemory, o+"MemoryReservation", r.MemoryReservation.String(), "the least is 6 MiB")
	f.invalid(r.MemoryReservation > r.Memory && r.Memory > 0, o+"MemoryReservation", r.MemoryReservation.String(), "it is above Memory")
	f.invalid(r.CPUShares == 1, o+"CPUShares", "1", "want 2 to 262144")
	f.invalid(r.CPUPeriod != 0 && (r.CPUPeriod < 1000 || r.CPUPeriod > 1_000_000), o+"CPUPeriod", strconv.FormatInt(r.CPUPeriod, 10), "want 1 ms to 1 s, in microseconds")
	f.invalid(r.CPUQuota > 0 && r.CPUQuota < 1000, o+"CPUQuota", strconv.FormatInt(r.CPUQuota, 10), "the least is 1 ms, in microseconds")
}

// minMemory is the least that Docker takes (moby, daemon/daemon_unix.go, linuxMinMemory).
const minMemory = 6 * engine.MiB

// memory are the limits of memory. Without MemorySwap, memory and swap together are twice Memory, as with Docker.
func memory(r engine.Resources, h Host) *specs.LinuxMemory {
	m := specs.LinuxMemory{}
	if r.Memory != 0 {
		m.Limit = new(int64(r.Memory))
		switch {
		case r.MemorySwap != 0:
			m.Swap = new(int64(r.MemorySwap))
		case !h.NoSwapLimit:
			m.Swap = new(2 * int64(r.Memory))
		}
		if h.NoSwapLimit {
			m.Swap = nil
		}
	}
	if r.MemoryReservation != 0 {
		m.Reservation = new(int64(r.MemoryReservation))
	}
	if r.MemorySwappiness != nil {
		m.Swappiness = new(uint64(*r.MemorySwappiness))
	}
	if r.OOMKillDisable != nil && !h.CgroupV2 {
		m.DisableOOMKiller = new(*r.OOMKillDisable)
	}
	if m == (specs.LinuxMemory{}) {
		return nil
	}
	return &m
}

// cpu are the limits of CPU time.
func cpu(r engine.Resources) (*specs.LinuxCPU, error) {
	c := specs.LinuxCPU{Cpus: r.CpusetCPUs, Mems: r.CpusetMems}
	period, quota := r.CPUPeriod, r.CPUQuota
	if r.CPUs != 0 {
		var err error
		if period, quota, err = normal.PeriodQuota(r.CPUs); err != nil {
			return nil, err
		}
	}
	if r.CPUShares != 0 {
		c.Shares = new(uint64(r.CPUShares))
	}
	if period != 0 {
		c.Period = new(uint64(period))
	}
	if quota != 0 {
		c.Quota = &quota
	}
	if r.CPURealtimePeriod != 0 {
		c.RealtimePeriod = new(uint64(r.CPURealtimePeriod))
	}
	if r.CPURealtimeRuntime != 0 {
		c.RealtimeRuntime = new(r.CPURealtimeRuntime)
	}
	if c == (specs.LinuxCPU{}) {
		return nil, nil
	}
	return &c, nil
}

// blockIO are the limits of block devices.
func blockIO(r engine.Resources) (*specs.LinuxBlockIO, error) {
	b := specs.LinuxBlockIO{}
	set := r.BlkioWeight != 0
	if set {
		b.Weight = &r.BlkioWeight
	}
	const o = "Spec.Resources."
	for i, d := range r.BlkioWeightDevice {
		n, err := blockDevice(at(o+"BlkioWeightDevice", i), d.Path)
		if err != nil {
			return nil, err
		}
		w := specs.LinuxWeightDevice{Weight: &d.Weight}
		w.Major, w.Minor = n[0], n[1]
		b.WeightDevice, set = append(b.WeightDevice, w), true
	}
	for _, t := range []struct {
		field string
		list  []engine.ThrottleDevice
		to    *[]specs.LinuxThrottleDevice
	}{
		{"BlkioDeviceReadBps", r.BlkioDeviceReadBps, &b.ThrottleReadBpsDevice},
		{"BlkioDeviceWriteBps", r.BlkioDeviceWriteBps, &b.ThrottleWriteBpsDevice},
		{"BlkioDeviceReadIOps", r.BlkioDeviceReadIOps, &b.ThrottleReadIOPSDevice},
		{"BlkioDeviceWriteIOps", r.BlkioDeviceWriteIOps, &b.ThrottleWriteIOPSDevice},
	} {
		for i, d := range t.list {
			n, err := blockDevice(at(o+t.field, i), d.Path)
			if err != nil {
				return nil, err
			}
			l := specs.LinuxThrottleDevice{Rate: d.Rate}
			l.Major, l.Minor = n[0], n[1]
			*t.to, set = append(*t.to, l), true
		}
	}
	if !set {
		return nil, nil
	}
	return &b, nil
}

// blockDevice is a block device's numbers.
func blockDevice(option, path string) ([2]int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return [2]int64{}, &engine.InvalidError{Option: option, Value: path, Reason: "find the device", Err: err}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Mode&syscall.S_IFMT != syscall.S_IFBLK {
		return [2]int64{}, invalid(option, path, "it is not a block device")
	}
	return [2]int64{int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev))}, nil
}
