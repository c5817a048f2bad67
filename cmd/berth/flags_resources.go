package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// resourceFlags are about limits.
func resourceFlags() []specFlag {
	devices := func(at func(r *berth.Resources) *[]berth.ThrottleDevice, parse func(string) (uint64, error)) func(*draft, string) error {
		return func(d *draft, s string) error {
			path, rate, ok := cutLast(s)
			if !ok {
				return errors.New("want PATH:RATE")
			}
			n, err := parse(rate)
			if err != nil {
				return err
			}
			p := at(&d.spec.Resources)
			*p = append(*p, berth.ThrottleDevice{Path: path, Rate: n})
			return nil
		}
	}
	return []specFlag{
		{"memory", "m", "SIZE", "memory limit", "Resources.Memory", size(func(d *draft) *berth.Bytes { return &d.spec.Resources.Memory })},
		{"memory-swap", "", "SIZE", "limit of memory and swap together; -1 for unlimited swap", "Resources.MemorySwap", size(func(d *draft) *berth.Bytes { return &d.spec.Resources.MemorySwap })},
		{"memory-reservation", "", "SIZE", "soft memory limit", "Resources.MemoryReservation", size(func(d *draft) *berth.Bytes { return &d.spec.Resources.MemoryReservation })},
		{"memory-swappiness", "", "N", "swappiness, 0 to 100 (cgroup v1)", "Resources.MemorySwappiness", optionalNumber(func(d *draft) **int64 { return &d.spec.Resources.MemorySwappiness })},
		{"kernel-memory", "", "SIZE", "limit of kernel memory (cgroup v1)", "Resources.KernelMemory", size(func(d *draft) *berth.Bytes { return &d.spec.Resources.KernelMemory })},
		{"oom-kill-disable", "", "", "keep the kernel from killing processes at the memory limit (cgroup v1)", "Resources.OOMKillDisable", optional(func(d *draft) **bool { return &d.spec.Resources.OOMKillDisable })},
		{"oom-score-adj", "", "N", "preference of the kernel when memory runs out, -1000 to 1000", "OOMScoreAdj", func(d *draft, s string) error {
			n, err := parseInt(s)
			d.spec.OOMScoreAdj = new(int(n))
			return err
		}},
		{"cpus", "", "N", "number of CPUs, such as 1.5", "Resources.CPUs", func(d *draft, s string) error {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return errors.New("want a number")
			}
			d.spec.Resources.CPUs = n
			return nil
		}},
		{"cpu-shares", "c", "N", "relative weight of CPU time", "Resources.CPUShares", number(func(d *draft) *int64 { return &d.spec.Resources.CPUShares })},
		{"cpu-period", "", "MICROSECONDS", "CFS period", "Resources.CPUPeriod", number(func(d *draft) *int64 { return &d.spec.Resources.CPUPeriod })},
		{"cpu-quota", "", "MICROSECONDS", "CFS quota", "Resources.CPUQuota", number(func(d *draft) *int64 { return &d.spec.Resources.CPUQuota })},
		{"cpu-rt-period", "", "MICROSECONDS", "realtime period (cgroup v1)", "Resources.CPURealtimePeriod", number(func(d *draft) *int64 { return &d.spec.Resources.CPURealtimePeriod })},
		{"cpu-rt-runtime", "", "MICROSECONDS", "realtime runtime (cgroup v1)", "Resources.CPURealtimeRuntime", number(func(d *draft) *int64 { return &d.spec.Resources.CPURealtimeRuntime })},
		{"cpuset-cpus", "", "LIST", "CPUs to use, such as 0-2,4", "Resources.CpusetCPUs", text(func(d *draft) *string { return &d.spec.Resources.CpusetCPUs })},
		{"cpuset-mems", "", "LIST", "memory nodes to use", "Resources.CpusetMems", text(func(d *draft) *string { return &d.spec.Resources.CpusetMems })},
		{"pids-limit", "", "N", "highest number of processes; -1 for unlimited", "Resources.PidsLimit", optionalNumber(func(d *draft) **int64 { return &d.spec.Resources.PidsLimit })},
		{"blkio-weight", "", "N", "weight of block I/O, 10 to 1000", "Resources.BlkioWeight", func(d *draft, s string) (err error) {
			d.spec.Resources.BlkioWeight, err = parseWeight(s)
			return err
		}},
		{"blkio-weight-device", "", "PATH:N", "weight of block I/O of a device", "Resources.BlkioWeightDevice", func(d *draft, s string) error {
			path, weight, ok := cutLast(s)
			if !ok {
				return errors.New("want PATH:N")
			}
			n, err := parseWeight(weight)
			d.spec.Resources.BlkioWeightDevice = append(d.spec.Resources.BlkioWeightDevice, berth.WeightDevice{Path: path, Weight: n})
			return err
		}},
		{"device-read-bps", "", "PATH:SIZE", "bytes a second that may be read of a device", "Resources.BlkioDeviceReadBps",
			devices(func(r *berth.Resources) *[]berth.ThrottleDevice { return &r.BlkioDeviceReadBps }, parseRate)},
		{"device-write-bps", "", "PATH:SIZE", "bytes a second that may be written to a device", "Resources.BlkioDeviceWriteBps",
			devices(func(r *berth.Resources) *[]berth.ThrottleDevice { return &r.BlkioDeviceWriteBps }, parseRate)},
		{"device-read-iops", "", "PATH:N", "reads a second of a device", "Resources.BlkioDeviceReadIOps",
			devices(func(r *berth.Resources) *[]berth.ThrottleDevice { return &r.BlkioDeviceReadIOps }, parseOps)},
		{"device-write-iops", "", "PATH:N", "writes a second to a device", "Resources.BlkioDeviceWriteIOps",
			devices(func(r *berth.Resources) *[]berth.ThrottleDevice { return &r.BlkioDeviceWriteIOps }, parseOps)},
		{"ulimit", "", "NAME=SOFT[:HARD]", "limit of the process, such as nofile=1024", "Ulimits", parsedList(berth.ParseUlimit, func(d *draft) *[]berth.Ulimit { return &d.spec.Ulimits })},
		{"cgroup-parent", "", "CGROUP", "cgroup to make the container's under", "CgroupParent", text(func(d *draft) *string { return &d.spec.CgroupParent })},
		{"cgroups", "", "MODE", "enabled, disabled, no-conmon, split (Podman)", "CgroupsMode", text(func(d *draft) *string { return &d.spec.CgroupsMode })},
	}
}

// cutLast cuts at the last colon: device paths may have others.
func cutLast(s string) (path, value string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

func parseWeight(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, errors.New("want a whole number")
	}
	return uint16(n), nil
}

func parseRate(s string) (uint64, error) {
	n, err := berth.ParseBytes(s)
	if err == nil && n < 0 {
		err = fmt.Errorf("the rate %s is negative", s)
	}
	return uint64(n), err
}

func parseOps(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, errors.New("want a whole number")
	}
	return n, nil
}
