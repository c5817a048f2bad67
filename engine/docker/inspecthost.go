package docker

import (
	"cmp"

	"github.com/berthdev/berth/engine"
)

// hostConfig is what inspect shows of the host's side of a container.
func hostConfig(w *wireInspectHost) engine.HostConfig {
	h := engine.HostConfig{
		AutoRemove:     w.AutoRemove,
		Privileged:     w.Privileged,
		ReadonlyRootfs: w.ReadonlyRootfs,
		Init:           w.Init,
		NetworkMode:    w.NetworkMode,
		PIDMode:        w.PidMode,
		IPCMode:        w.IpcMode,
		UTSMode:        w.UTSMode,
		UsernsMode:     w.UsernsMode,
		CgroupNS:       w.CgroupnsMode,
		CgroupParent:   w.CgroupParent,
		Runtime:        w.Runtime,
		CapAdd:         w.CapAdd,
		CapDrop:        w.CapDrop,
		SecurityOpt:    w.SecurityOpt,
		GroupAdd:       w.GroupAdd,
		DNS:            w.DNS,
		DNSOptions:     w.DNSOptions,
		DNSSearch:      w.DNSSearch,
		ExtraHosts:     w.ExtraHosts,
		Links:          w.Links,
		VolumesFrom:    w.VolumesFrom,
		Binds:          w.Binds,
		Tmpfs:          w.Tmpfs,
		Sysctls:        w.Sysctls,
		StorageOpt:     w.StorageOpt,
		ShmSize:        engine.Bytes(w.ShmSize),
		OOMScoreAdj:    w.OomScoreAdj,
		Resources:      neutralResources(&w.wireResources),
	}
	h.Resources.KernelMemory = engine.Bytes(w.KernelMemory)
	if p := w.RestartPolicy; p != nil {
		h.RestartPolicy = engine.RestartPolicy{Name: cmp.Or(p.Name, "no"), MaximumRetryCount: p.MaximumRetryCount}
	}
	if l := w.LogConfig; l != nil {
		h.LogConfig = engine.LogConfig{Driver: l.Type, Options: l.Config}
	}
	for _, u := range w.Ulimits {
		h.Ulimits = append(h.Ulimits, engine.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	for _, d := range w.Devices {
		h.Devices = append(h.Devices, engine.Device{Host: d.PathOnHost, Container: d.PathInContainer, Permissions: d.CgroupPermissions})
	}
	return h
}

func neutralResources(w *wireResources) engine.Resources {
	r := engine.Resources{
		Memory:             engine.Bytes(w.Memory),
		MemorySwap:         engine.Bytes(w.MemorySwap),
		MemoryReservation:  engine.Bytes(w.MemoryReservation),
		MemorySwappiness:   w.MemorySwappiness,
		OOMKillDisable:     w.OomKillDisable,
		CPUs:               float64(w.NanoCPUs) / 1e9,
		CPUShares:          w.CPUShares,
		CPUPeriod:          w.CPUPeriod,
		CPUQuota:           w.CPUQuota,
		CPURealtimePeriod:  w.CPURealtimePeriod,
		CPURealtimeRuntime: w.CPURealtimeRuntime,
		CpusetCPUs:         w.CpusetCpus,
		CpusetMems:         w.CpusetMems,
		PidsLimit:          w.PidsLimit,
		BlkioWeight:        w.BlkioWeight,

		BlkioDeviceReadBps:   neutralThrottles(w.BlkioDeviceReadBps),
		BlkioDeviceWriteBps:  neutralThrottles(w.BlkioDeviceWriteBps),
		BlkioDeviceReadIOps:  neutralThrottles(w.BlkioDeviceReadIOps),
		BlkioDeviceWriteIOps: neutralThrottles(w.BlkioDeviceWriteIOps),
	}
	for _, d := range w.BlkioWeightDevice {
		r.BlkioWeightDevice = append(r.BlkioWeightDevice, engine.WeightDevice(d))
	}
	return r
}

func neutralThrottles(list []wireThrottleDevice) []engine.ThrottleDevice {
	var out []engine.ThrottleDevice
	for _, d := range list {
		out = append(out, engine.ThrottleDevice(d))
	}
	return out
}
