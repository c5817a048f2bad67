package docker

import (
	"cmp"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// namespaces sets the namespace modes. For PID and UTS, a namespace of the container's own is the engine's default, which has no word of its own in every version.
func namespaces(h *wireHostConfig, s *engine.Spec) {
	h.PidMode = notPrivate(s.PIDMode)
	h.UTSMode = notPrivate(s.UTSMode)
	h.IpcMode = s.IPCMode
	h.UsernsMode = s.UsernsMode
	h.CgroupnsMode = s.CgroupNS
}

func notPrivate(mode string) string {
	if mode == "private" {
		return ""
	}
	return mode
}

func devices(h *wireHostConfig, s *engine.Spec) {
	for _, d := range s.Devices {
		h.Devices = append(h.Devices, wireDevice{
			PathOnHost:        d.Host,
			PathInContainer:   cmp.Or(d.Container, d.Host),
			CgroupPermissions: cmp.Or(d.Permissions, "rwm"),
		})
	}
	for _, d := range s.DeviceRequests {
		h.DeviceRequests = append(h.DeviceRequests, wireDeviceRequest(d))
	}
	if len(s.CDIDevices) > 0 {
		h.DeviceRequests = append(h.DeviceRequests, wireDeviceRequest{Driver: "cdi", DeviceIDs: s.CDIDevices})
	}
	for _, u := range s.Ulimits {
		h.Ulimits = append(h.Ulimits, wireUlimit{Name: normal.Rlimit(u.Name), Soft: u.Soft, Hard: u.Hard})
	}
}

func resources(r *refusals, w *wireResources, s *engine.Resources) {
	*w = wireResources{
		CPUShares:          s.CPUShares,
		Memory:             int64(s.Memory),
		BlkioWeight:        s.BlkioWeight,
		CPUPeriod:          s.CPUPeriod,
		CPUQuota:           s.CPUQuota,
		CPURealtimePeriod:  s.CPURealtimePeriod,
		CPURealtimeRuntime: s.CPURealtimeRuntime,
		CpusetCpus:         s.CpusetCPUs,
		CpusetMems:         s.CpusetMems,
		MemoryReservation:  int64(s.MemoryReservation),
		MemorySwap:         int64(s.MemorySwap),
		MemorySwappiness:   s.MemorySwappiness,
		OomKillDisable:     s.OOMKillDisable,
		PidsLimit:          s.PidsLimit,

		BlkioDeviceReadBps:   throttles(s.BlkioDeviceReadBps),
		BlkioDeviceWriteBps:  throttles(s.BlkioDeviceWriteBps),
		BlkioDeviceReadIOps:  throttles(s.BlkioDeviceReadIOps),
		BlkioDeviceWriteIOps: throttles(s.BlkioDeviceWriteIOps),
	}
	for _, d := range s.BlkioWeightDevice {
		w.BlkioWeightDevice = append(w.BlkioWeightDevice, wireWeightDevice(d))
	}
	if s.CPUs != 0 {
		var err error
		w.NanoCPUs, err = normal.NanoCPUs(s.CPUs)
		r.add(err)
	}
}

func throttles(list []engine.ThrottleDevice) []wireThrottleDevice {
	var out []wireThrottleDevice
	for _, d := range list {
		out = append(out, wireThrottleDevice(d))
	}
	return out
}

func windows(h *wireHostConfig, w *engine.WindowsSpec) {
	if w == nil {
		return
	}
	h.Isolation = w.Isolation
	h.CPUCount = w.CPUCount
	h.CPUPercent = w.CPUPercent
	h.IOMaximumIOps = w.IOMaximumIOps
	h.IOMaximumBandwidth = w.IOMaximumBandwidth
	if w.CredentialSpec != "" {
		h.SecurityOpt = append(h.SecurityOpt, "credentialspec="+w.CredentialSpec)
	}
}
