package podman

import (
	"fmt"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// resources sets the limits, and refuses those that the version of the host's cgroups does not have.
func (e *Engine) resources(r *refusals, b *wireCreate, s *engine.Spec) {
	res := &s.Resources
	e.refuseResources(r, res)
	var w wireResources
	memory := wireMemory{
		Limit: nonZero(int64(res.Memory)), Reservation: nonZero(int64(res.MemoryReservation)), Swap: nonZero(int64(res.MemorySwap)), DisableOOMKiller: res.OOMKillDisable,
	}
	if n := res.MemorySwappiness; n != nil && *n >= 0 {
		memory.Swappiness = new(uint64(*n))
	}
	if o := res.OOMKillDisable; o != nil && !*o && !e.cgroup1() {
		memory.DisableOOMKiller = nil // it is not disabled anyway
	}
	if p := s.Podman; p != nil {
		memory.UseHierarchy = p.MemUseHierarchy
		w.Rdma = p.Rdma
	}
	if memory != (wireMemory{}) {
		w.Memory = &memory
	}
	cpu := wireCPU{
		Shares: nonZero(uint64(res.CPUShares)), Period: nonZero(uint64(res.CPUPeriod)),
		RealtimePeriod: nonZero(uint64(res.CPURealtimePeriod)), RealtimeRuntime: nonZero(res.CPURealtimeRuntime),
		Cpus: res.CpusetCPUs, Mems: res.CpusetMems,
	}
	if res.CPUQuota > 0 { // -1, no limit, is what there is without one; Podman rejects it
		cpu.Quota = &res.CPUQuota
	}
	if res.CPUs != 0 {
		period, quota, err := normal.PeriodQuota(res.CPUs)
		r.add(err)
		cpu.Period, cpu.Quota = new(uint64(period)), &quota
	}
	if cpu != (wireCPU{}) {
		w.CPU = &cpu
	}
	if res.PidsLimit != nil {
		w.Pids = &wirePids{*res.PidsLimit}
	}
	if res.BlkioWeight != 0 {
		w.BlockIO = &wireBlockIO{res.BlkioWeight}
	}
	if w.Memory != nil || w.CPU != nil || w.Pids != nil || w.BlockIO != nil || w.Rdma != nil {
		b.ResourceLimits = &w
	}
	for _, d := range res.BlkioWeightDevice {
		setKey(&b.WeightDevice, d.Path, wireWeight{d.Weight})
	}
	for _, l := range []struct {
		list []engine.ThrottleDevice
		to   *map[string]wireThrottle
	}{
		{res.BlkioDeviceReadBps, &b.ThrottleReadBps}, {res.BlkioDeviceWriteBps, &b.ThrottleWriteBps},
		{res.BlkioDeviceReadIOps, &b.ThrottleReadIOPS}, {res.BlkioDeviceWriteIOps, &b.ThrottleWriteIOPS},
	} {
		for _, d := range l.list {
			setKey(l.to, d.Path, wireThrottle{d.Rate})
		}
	}
}

func (e *Engine) refuseResources(r *refusals, res *engine.Resources) {
	const at = "Spec.Resources."
	r.when(res.KernelMemory != 0, at+"KernelMemory", fmt.Sprint(int64(res.KernelMemory)), "Podman accepts it, without effect")
	if e.cgroup1() {
		r.when(res.MemorySwap == -1, at+"MemorySwap", "-1", "on cgroup v1 Podman has no unlimited swap beside a limit of memory")
		return
	}
	const v2 = "the host has cgroup v2, which has no such limit"
	r.when(res.MemorySwappiness != nil && *res.MemorySwappiness >= 0, at+"MemorySwappiness", "", v2)
	r.when(res.OOMKillDisable != nil && *res.OOMKillDisable, at+"OOMKillDisable", "", v2)
	r.when(res.CPURealtimePeriod != 0, at+"CPURealtimePeriod", "", v2)
	r.when(res.CPURealtimeRuntime != 0, at+"CPURealtimeRuntime", "", v2)
}

// nonZero is nil for the zero that means no limit.
func nonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
