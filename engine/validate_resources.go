package engine

import (
	"math"
	"strconv"
	"strings"
)

// resources checks limits.
func (v *validator) resources(s *Spec) {
	const o = "Spec.Resources."
	r := &s.Resources
	notNegative := func(field string, n int64) { v.when(n < 0, o+field, n, "it is negative") }
	v.when(r.Memory < 0, o+"Memory", r.Memory, "it is negative")
	v.when(r.MemoryReservation < 0, o+"MemoryReservation", r.MemoryReservation, "it is negative")
	v.when(r.KernelMemory < 0, o+"KernelMemory", r.KernelMemory, "it is negative")
	switch {
	case r.MemorySwap < -1:
		v.add(o+"MemorySwap", r.MemorySwap, "it is below -1")
	case r.MemorySwap != 0 && r.Memory == 0:
		v.add(o+"MemorySwap", r.MemorySwap, "it needs Memory")
	case r.MemorySwap > 0 && r.MemorySwap < r.Memory:
		v.add(o+"MemorySwap", r.MemorySwap, "it is memory plus swap, so at least Memory")
	}
	if n := r.MemorySwappiness; n != nil {
		v.when(*n < 0 || *n > 100, o+"MemorySwappiness", *n, "want 0 to 100")
	}
	switch {
	case math.IsNaN(r.CPUs) || r.CPUs < 0 || r.CPUs > math.MaxInt64/1e9:
		v.add(o+"CPUs", r.CPUs, "it is no number of CPUs")
	case r.CPUs > 0 && math.Round(r.CPUs*1e9) == 0:
		v.add(o+"CPUs", r.CPUs, "it is less than a billionth")
	case r.CPUs != 0:
		v.when(r.CPUPeriod != 0, o+"CPUPeriod", r.CPUPeriod, "CPUs excludes it")
		v.when(r.CPUQuota != 0, o+"CPUQuota", r.CPUQuota, "CPUs excludes it")
	}
	notNegative("CPUShares", r.CPUShares)
	notNegative("CPUPeriod", r.CPUPeriod)
	v.when(r.CPUQuota < -1, o+"CPUQuota", r.CPUQuota, "it is below -1")
	notNegative("CPURealtimePeriod", r.CPURealtimePeriod)
	notNegative("CPURealtimeRuntime", r.CPURealtimeRuntime)
	v.add(o+"CpusetCPUs", r.CpusetCPUs, cpusetFault(r.CpusetCPUs))
	v.add(o+"CpusetMems", r.CpusetMems, cpusetFault(r.CpusetMems))
	if n := r.PidsLimit; n != nil {
		v.when(*n < -1, o+"PidsLimit", *n, "it is below -1")
	}
	for i, d := range r.BlkioWeightDevice {
		v.when(!strings.HasPrefix(d.Path, "/"), index(o+"BlkioWeightDevice", i)+".Path", d.Path, "it is not an absolute path")
	}
	v.throttle(o+"BlkioDeviceReadBps", r.BlkioDeviceReadBps)
	v.throttle(o+"BlkioDeviceWriteBps", r.BlkioDeviceWriteBps)
	v.throttle(o+"BlkioDeviceReadIOps", r.BlkioDeviceReadIOps)
	v.throttle(o+"BlkioDeviceWriteIOps", r.BlkioDeviceWriteIOps)
}

func (v *validator) throttle(option string, list []ThrottleDevice) {
	for i, d := range list {
		v.when(!strings.HasPrefix(d.Path, "/"), index(option, i)+".Path", d.Path, "it is not an absolute path")
	}
}

// cpusetFault is why s is no list of numbers and ranges; "" if it is one or empty.
func cpusetFault(s string) string {
	const want = `want numbers and ranges: "0-2,4"`
	if s == "" {
		return ""
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			return want
		}
		if b, err := strconv.ParseUint(last, 10, 16); isRange && (err != nil || b < a) {
			return want
		}
	}
	return ""
}
