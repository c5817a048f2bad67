//go:build linux

package config

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// ApplyUpdate changes cfg and oci, or neither when it fails. A zero takes a limit away. What concerns a running
// container is in oci.Linux.Resources (all limits, and the kernel's word for none where one was taken away), for cgroup.Set;
// Env and Ulimits take effect at the next start.
func ApplyUpdate(cfg *state.Config, oci *specs.Spec, u engine.Update, h Host) error {
	if len(u.Unified) > 0 && !h.CgroupV2 {
		return &engine.UnsupportedError{Option: "Update.Unified", Engine: engineName, Need: "cgroup v2"}
	}
	s := cfg.Spec.Clone()
	updateResources(&s.Resources, u)
	updateProcess(&s, u)
	health, err := updateHealth(cfg, &s, u)
	if err != nil {
		return err
	}
	// All is checked again as a whole, but for what an earlier version let through.
	if err := s.Validate(); err != nil {
		return err
	}
	f := &faults{}
	checkProcess(f, &s, h)
	if err := f.err(); err != nil {
		return err
	}
	res, err := Resources(s.Resources, h)
	if err != nil {
		return err
	}
	cleared(res, u, h)
	if old := oci.Linux.Resources; old != nil {
		res.Devices, res.HugepageLimits, res.Network, res.Rdma, res.Unified = old.Devices, old.HugepageLimits, old.Network, old.Rdma, old.Unified
	}
	if len(u.Unified) > 0 {
		res.Unified = maps.Clone(res.Unified)
		if res.Unified == nil {
			res.Unified = map[string]string{}
		}
		maps.Copy(res.Unified, u.Unified)
	}
	cfg.Spec, cfg.Healthcheck = s, health
	oci.Linux.Resources = res
	updateOCI(oci, cfg, u)
	return nil
}

// set changes a field of the Spec where the update has one.
func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// updateResources changes the limits. CPUs, and period and quota, replace each other.
func updateResources(r *engine.Resources, u engine.Update) {
	if u.Memory != nil && *u.Memory == 0 && u.MemorySwap == nil {
		r.MemorySwap = 0 // without Memory it means nothing
	}
	set(&r.Memory, u.Memory)
	set(&r.MemorySwap, u.MemorySwap)
	set(&r.MemoryReservation, u.MemoryReservation)
	set(&r.KernelMemory, u.KernelMemory)
	if u.MemorySwappiness != nil {
		r.MemorySwappiness = new(*u.MemorySwappiness)
	}
	if u.OOMKillDisable != nil {
		r.OOMKillDisable = new(*u.OOMKillDisable)
	}
	if u.CPUs != nil {
		r.CPUs, r.CPUPeriod, r.CPUQuota = *u.CPUs, 0, 0
	}
	if u.CPUPeriod != nil || u.CPUQuota != nil {
		if u.CPUs == nil && r.CPUs != 0 { // what is not changed of the two stays
			r.CPUPeriod, r.CPUQuota, _ = normal.PeriodQuota(r.CPUs)
			r.CPUs = 0
		}
		set(&r.CPUPeriod, u.CPUPeriod)
		set(&r.CPUQuota, u.CPUQuota)
	}
	set(&r.CPUShares, u.CPUShares)
	set(&r.CPURealtimePeriod, u.CPURealtimePeriod)
	set(&r.CPURealtimeRuntime, u.CPURealtimeRuntime)
	set(&r.CpusetCPUs, u.CpusetCPUs)
	set(&r.CpusetMems, u.CpusetMems)
	if u.PidsLimit != nil {
		r.PidsLimit = new(*u.PidsLimit)
	}
	set(&r.BlkioWeight, u.BlkioWeight)
	for _, l := range []struct{ to, from *[]engine.ThrottleDevice }{
		{&r.BlkioDeviceReadBps, &u.BlkioDeviceReadBps}, {&r.BlkioDeviceWriteBps, &u.BlkioDeviceWriteBps},
		{&r.BlkioDeviceReadIOps, &u.BlkioDeviceReadIOps}, {&r.BlkioDeviceWriteIOps, &u.BlkioDeviceWriteIOps},
	} {
		for _, d := range *l.from {
			*l.to = append(slices.DeleteFunc(*l.to, func(o engine.ThrottleDevice) bool { return o.Path == d.Path }), d)
		}
	}
	for _, d := range u.BlkioWeightDevice {
		r.BlkioWeightDevice = append(slices.DeleteFunc(r.BlkioWeightDevice, func(o engine.WeightDevice) bool { return o.Path == d.Path }), d)
	}
}

// updateProcess changes what the next start sees, and the restart policy.
func updateProcess(s *engine.Spec, u engine.Update) {
	set(&s.RestartPolicy, u.RestartPolicy)
	for _, l := range u.Ulimits {
		name, _ := rlimitName(l.Name)
		same := func(o engine.Ulimit) bool { n, _ := rlimitName(o.Name); return n == name }
		s.Ulimits = append(slices.DeleteFunc(s.Ulimits, same), l)
	}
	for k, v := range u.Env {
		if s.Env == nil {
			s.Env = map[string]string{}
		}
		s.Env[k] = v
		s.UnsetEnv = slices.DeleteFunc(s.UnsetEnv, func(n string) bool { return n == k })
	}
	for _, k := range u.UnsetEnv {
		delete(s.Env, k)
		if !slices.Contains(s.UnsetEnv, k) {
			s.UnsetEnv = append(s.UnsetEnv, k)
		}
	}
}

// updateHealth replaces the health check.
func updateHealth(cfg *state.Config, s *engine.Spec, u engine.Update) (*engine.Healthcheck, error) {
	if u.Healthcheck == nil {
		return cfg.Healthcheck, nil
	}
	f := &faults{}
	checkHealth(f, "Update.Healthcheck", u.Healthcheck)
	if err := f.err(); err != nil {
		return nil, err
	}
	own := *u.Healthcheck
	s.Healthcheck = &own
	h := normal.MergeHealth(cfg.ImageHealthcheck, &own)
	if h == nil {
		return nil, invalid("Update.Healthcheck.Test", "", "neither it nor the image has a test")
	}
	return h, nil
}

// updateOCI changes the process of the configuration.
func updateOCI(oci *specs.Spec, cfg *state.Config, u engine.Update) {
	if len(u.Ulimits) > 0 {
		oci.Process.Rlimits = rlimits(cfg.Spec.Ulimits)
	}
	if len(u.Env)+len(u.UnsetEnv) > 0 {
		env := slices.Clone(oci.Process.Env)
		for _, k := range sortedKeys(u.Env) {
			env = setEnv(env, k+"="+u.Env[k])
		}
		oci.Process.Env = unsetEnv(env, u.UnsetEnv)
	}
}

// cleared puts the kernel's word for "no limit" where the update takes one away: a limit that is left out would stay.
func cleared(res *specs.LinuxResources, u engine.Update, h Host) {
	zero := func(p *engine.Bytes) bool { return p != nil && *p == 0 }
	mem, c := deref(res.Memory), deref(res.CPU)
	if zero(u.Memory) {
		mem.Limit = new(int64(-1))
		if !h.NoSwapLimit {
			mem.Swap = new(int64(-1))
		}
	}
	if zero(u.MemorySwap) && mem.Swap == nil && !h.NoSwapLimit {
		mem.Swap = new(int64(-1))
	}
	if zero(u.MemoryReservation) {
		none := int64(-1)
		if h.CgroupV2 {
			none = 0
		}
		mem.Reservation = &none
	}
	if u.CPUShares != nil && *u.CPUShares == 0 {
		c.Shares = new(uint64(1024))
	}
	if c.Quota == nil && (u.CPUs != nil || u.CPUQuota != nil) {
		c.Quota = new(int64(-1))
	}
	if c.Period == nil && (u.CPUs != nil || u.CPUPeriod != nil) {
		c.Period = new(uint64(100_000))
	}
	if u.CpusetCPUs != nil && *u.CpusetCPUs == "" {
		c.Cpus = allOf("cpus", h)
	}
	if u.CpusetMems != nil && *u.CpusetMems == "" {
		c.Mems = allOf("mems", h)
	}
	if mem != (specs.LinuxMemory{}) {
		res.Memory = &mem
	}
	if c != (specs.LinuxCPU{}) {
		res.CPU = &c
	}
	if u.BlkioWeight != nil && *u.BlkioWeight == 0 {
		io := deref(res.BlockIO)
		io.Weight = new(uint16(500)) // of cgroup v1; v2 makes its own of it
		res.BlockIO = &io
	}
}

// allOf are all CPUs, or nodes of memory, of this machine.
func allOf(what string, h Host) string {
	file := "/sys/fs/cgroup/cpuset/cpuset." + what
	if h.CgroupV2 {
		file = "/sys/fs/cgroup/cpuset." + what + ".effective"
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
