package docker

import (
	"errors"
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestUpdate(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Resources: engine.Resources{Memory: 64 * engine.MiB, MemorySwap: 128 * engine.MiB, PidsLimit: new(int64(50)), CPUQuota: 20000}})
		cat := func(file string) string { return execOut(t, e, id, "cat", "/sys/fs/cgroup/"+file) }
		tests := []struct {
			name       string
			u          engine.Update
			file, want string
		}{
			{"memory", engine.Update{Memory: new(32 * engine.MiB)}, "memory/memory.limit_in_bytes", "33554432"},
			{"memory and swap", engine.Update{Memory: new(200 * engine.MiB), MemorySwap: new(300 * engine.MiB)}, "memory/memory.memsw.limit_in_bytes", "314572800"},
			{"reservation", engine.Update{MemoryReservation: new(16 * engine.MiB)}, "memory/memory.soft_limit_in_bytes", "16777216"},
			{"shares", engine.Update{CPUShares: new(int64(300))}, "cpu/cpu.shares", "300"},
			{"period", engine.Update{CPUPeriod: new(int64(60000))}, "cpu/cpu.cfs_period_us", "60000"},
			{"quota", engine.Update{CPUQuota: new(int64(30000))}, "cpu/cpu.cfs_quota_us", "30000"},
			{"no quota", engine.Update{CPUQuota: new(int64(-1))}, "cpu/cpu.cfs_quota_us", "-1"},
			{"cpuset", engine.Update{CpusetCPUs: new("1")}, "cpuset/cpuset.cpus", "1"},
			{"pids", engine.Update{PidsLimit: new(int64(60))}, "pids/pids.max", "60"},
			{"no pids", engine.Update{PidsLimit: new(int64(-1))}, "pids/pids.max", "max"},
			{"restart", engine.Update{RestartPolicy: &engine.RestartPolicy{Name: "on-failure", MaximumRetryCount: 2}}, "pids/pids.max", "max"},
		}
		for _, tt := range tests {
			if _, err := e.ContainerUpdate(t.Context(), id, tt.u); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if got := cat(tt.file); got != tt.want {
				t.Errorf("%s: %s is %s, want %s", tt.name, tt.file, got, tt.want)
			}
		}
		if a, err := e.ContainerInspect(t.Context(), id, engine.InspectOptions{}); err != nil || a.HostConfig.RestartPolicy.MaximumRetryCount != 2 {
			t.Errorf("restart policy: %+v, %v", a.HostConfig.RestartPolicy, err)
		}
		cpus := started(t, e, engine.Spec{Resources: engine.Resources{CPUs: 0.5}})
		if _, err := e.ContainerUpdate(t.Context(), cpus, engine.Update{CPUs: new(0.7)}); err != nil {
			t.Error(err)
		}
		if got := execOut(t, e, cpus, "cat", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); got != "70000" {
			t.Errorf("cpus: %s", got)
		}
		if _, err := e.ContainerUpdate(t.Context(), id, engine.Update{BlkioWeight: new(uint16(200))}); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("blkio weight: %v", err)
		}
		if _, err := e.ContainerUpdate(t.Context(), id, engine.Update{MemorySwap: new(engine.Bytes(-1))}); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("unlimited swap: %v", err)
		}
		if _, err := e.ContainerUpdate(t.Context(), id, engine.Update{Memory: new(engine.GiB)}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("memory above swap: %v", err)
		}
		stopped := made(t, e, engine.Spec{Resources: engine.Resources{Memory: 64 * engine.MiB, MemorySwap: 64 * engine.MiB}})
		if _, err := e.ContainerUpdate(t.Context(), stopped, engine.Update{MemorySwap: new(engine.Bytes(-1))}); err != nil {
			t.Errorf("unlimited swap of a stopped container: %v", err)
		}
	})
}

// TestUpdateRefused holds every field of Update that Docker ignores, and every zero, to an UnsupportedError that names it. It needs no engine.
func TestUpdateRefused(t *testing.T) {
	e := &Engine{api: maxAPI}
	device := []engine.ThrottleDevice{{Path: "/dev/vda", Rate: 1}}
	for option, u := range map[string]engine.Update{
		"Update.Memory":               {Memory: new(engine.Bytes(0))},
		"Update.MemorySwap":           {MemorySwap: new(engine.Bytes(0))},
		"Update.MemoryReservation":    {MemoryReservation: new(engine.Bytes(0))},
		"Update.CPUs":                 {CPUs: new(0.0)},
		"Update.CPUShares":            {CPUShares: new(int64(0))},
		"Update.CPUPeriod":            {CPUPeriod: new(int64(0))},
		"Update.CPUQuota":             {CPUQuota: new(int64(0))},
		"Update.CpusetCPUs":           {CpusetCPUs: new("")},
		"Update.CpusetMems":           {CpusetMems: new("")},
		"Update.BlkioWeight":          {BlkioWeight: new(uint16(0))},
		"Update.RestartPolicy":        {RestartPolicy: &engine.RestartPolicy{}},
		"Update.MemorySwappiness":     {MemorySwappiness: new(int64(20))},
		"Update.KernelMemory":         {KernelMemory: new(engine.GiB)},
		"Update.OOMKillDisable":       {OOMKillDisable: new(false)},
		"Update.CPURealtimePeriod":    {CPURealtimePeriod: new(int64(1))},
		"Update.CPURealtimeRuntime":   {CPURealtimeRuntime: new(int64(1))},
		"Update.BlkioWeightDevice":    {BlkioWeightDevice: []engine.WeightDevice{{Path: "/dev/vda", Weight: 100}}},
		"Update.BlkioDeviceReadBps":   {BlkioDeviceReadBps: device},
		"Update.BlkioDeviceWriteBps":  {BlkioDeviceWriteBps: device},
		"Update.BlkioDeviceReadIOps":  {BlkioDeviceReadIOps: device},
		"Update.BlkioDeviceWriteIOps": {BlkioDeviceWriteIOps: device},
		"Update.Ulimits":              {Ulimits: []engine.Ulimit{{Name: "nofile", Soft: 1, Hard: 1}}},
		"Update.Healthcheck":          {Healthcheck: &engine.Healthcheck{}},
		"Update.Env":                  {Env: map[string]string{"A": "1"}},
		"Update.UnsetEnv":             {UnsetEnv: []string{"A"}},
		"Update.Unified":              {Unified: map[string]string{"a": "b"}},
	} {
		_, err := e.ContainerUpdate(t.Context(), "x", u)
		if r, ok := errors.AsType[*engine.UnsupportedError](err); !ok || r.Option != option {
			t.Errorf("%s: got %v", option, err)
		}
	}
}
