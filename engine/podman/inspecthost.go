package podman

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// hostConfigOf is the half of a container's configuration that belongs to its host.
func hostConfigOf(w *wireHostConfig) engine.HostConfig {
	h := engine.HostConfig{
		AutoRemove:     w.AutoRemove,
		Privileged:     w.Privileged,
		ReadonlyRootfs: w.ReadonlyRootfs,
		Init:           &w.Init,
		NetworkMode:    w.NetworkMode,
		PIDMode:        w.PidMode,
		IPCMode:        w.IpcMode,
		UTSMode:        w.UTSMode,
		UsernsMode:     w.UsernsMode,
		CgroupNS:       w.CgroupMode,
		CgroupParent:   w.CgroupParent,
		Runtime:        w.Runtime,
		RestartPolicy:  engine.RestartPolicy{Name: cmp.Or(w.RestartPolicy.Name, "no"), MaximumRetryCount: w.RestartPolicy.MaximumRetryCount},
		LogConfig:      logConfigOf(w),
		CapAdd:         w.CapAdd,
		CapDrop:        w.CapDrop,
		SecurityOpt:    w.SecurityOpt,
		GroupAdd:       w.GroupAdd,
		DNS:            w.Dns,
		DNSOptions:     w.DnsOptions,
		DNSSearch:      w.DnsSearch,
		ExtraHosts:     w.ExtraHosts,
		VolumesFrom:    w.VolumesFrom,
		Binds:          w.Binds,
		Tmpfs:          w.Tmpfs,
		ShmSize:        engine.Bytes(w.ShmSize),
		OOMScoreAdj:    w.OomScoreAdj,
		Resources:      resourcesOf(w),
	}
	for _, u := range w.Ulimits {
		h.Ulimits = append(h.Ulimits, engine.Ulimit{Name: strings.ToLower(strings.TrimPrefix(u.Name, "RLIMIT_")), Soft: u.Soft, Hard: u.Hard})
	}
	for _, d := range w.Devices {
		h.Devices = append(h.Devices, engine.Device{Host: d.PathOnHost, Container: d.PathInContainer, Permissions: d.CgroupPermissions})
	}
	return h
}

func logConfigOf(w *wireHostConfig) engine.LogConfig {
	l := engine.LogConfig{Driver: w.LogConfig.Type, Options: maps.Clone(w.LogConfig.Config)}
	set := func(key, value string) {
		if value == "" {
			return
		}
		if l.Options == nil {
			l.Options = map[string]string{}
		}
		l.Options[key] = value
	}
	set("tag", w.LogConfig.Tag)
	if size := w.LogConfig.Size; size != "0B" && size != "-1B" {
		set("max-size", size)
	}
	return l
}

func resourcesOf(w *wireHostConfig) engine.Resources {
	r := engine.Resources{
		Memory:             engine.Bytes(w.Memory),
		MemorySwap:         engine.Bytes(w.MemorySwap),
		MemoryReservation:  engine.Bytes(w.MemoryReservation),
		MemorySwappiness:   w.MemorySwappiness,
		KernelMemory:       engine.Bytes(w.KernelMemory),
		OOMKillDisable:     &w.OomKillDisable,
		CPUs:               float64(w.NanoCpus) / 1e9,
		CPUShares:          w.CpuShares,
		CPUPeriod:          w.CpuPeriod,
		CPUQuota:           w.CpuQuota,
		CPURealtimePeriod:  w.CpuRealtimePeriod,
		CPURealtimeRuntime: w.CpuRealtimeRuntime,
		CpusetCPUs:         w.CpusetCpus,
		CpusetMems:         w.CpusetMems,
		PidsLimit:          w.PidsLimit,
		BlkioWeight:        w.BlkioWeight,
	}
	// -1 is not set, and so is 0 where nothing is set of the memory at all.
	if s := r.MemorySwappiness; s != nil && (*s < 0 || *s == 0 && r.Memory == 0 && r.MemorySwap == 0 && r.MemoryReservation == 0) {
		r.MemorySwappiness = nil
	}
	for _, d := range w.BlkioWeightDevice {
		r.BlkioWeightDevice = append(r.BlkioWeightDevice, engine.WeightDevice(d))
	}
	for to, from := range map[*[]engine.ThrottleDevice][]wireThrottleDevice{
		&r.BlkioDeviceReadBps: w.BlkioDeviceReadBps, &r.BlkioDeviceWriteBps: w.BlkioDeviceWriteBps,
		&r.BlkioDeviceReadIOps: w.BlkioDeviceReadIOps, &r.BlkioDeviceWriteIOps: w.BlkioDeviceWriteIOps,
	} {
		for _, d := range from {
			*to = append(*to, engine.ThrottleDevice(d))
		}
	}
	return r
}

// mountsOf lists a container's mounts by target. Podman tells tmpfs mounts elsewhere.
func mountsOf(w *wireContainer) []engine.MountPoint {
	var out []engine.MountPoint
	for _, m := range w.Mounts {
		out = append(out, engine.MountPoint{
			Type: engine.MountType(m.Type), Name: m.Name, Source: m.Source, Target: m.Destination, Driver: m.Driver,
			Mode: m.Mode, Options: m.Options, ReadWrite: m.RW, Propagation: m.Propagation,
		})
	}
	for target, options := range w.HostConfig.Tmpfs {
		if slices.ContainsFunc(out, func(m engine.MountPoint) bool { return m.Target == target }) {
			continue
		}
		list := strings.Split(options, ",")
		out = append(out, engine.MountPoint{
			Type: engine.MountTmpfs, Target: target, Mode: options, Options: list, ReadWrite: !slices.Contains(list, "ro"),
		})
	}
	normal.SortBy(out, func(a, b engine.MountPoint) int { return cmp.Compare(a.Target, b.Target) })
	return out
}

func endpointState(w wireEndpoint) engine.EndpointState {
	return engine.EndpointState{
		NetworkID:     w.NetworkID,
		EndpointID:    w.EndpointID,
		IPv4:          prefix(w.IPAddress, w.IPPrefixLen),
		IPv6:          prefix(w.GlobalIPv6Address, w.GlobalIPv6PrefixLen),
		Gateway:       parseAddr(w.Gateway),
		IPv6Gateway:   parseAddr(w.IPv6Gateway),
		MACAddress:    w.MacAddress,
		Aliases:       w.Aliases,
		DriverOptions: w.DriverOpts,
	}
}

func parseAddr(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

func prefix(addr string, bits int) netip.Prefix {
	a := parseAddr(addr)
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, bits)
}

// portsOf lists ports, published and only exposed, sorted.
func portsOf(ports map[string][]wireBinding) []engine.PortBinding {
	var out []engine.PortBinding
	for container, bindings := range ports {
		if len(bindings) == 0 {
			out = append(out, engine.PortBinding{Container: container})
		}
		for _, b := range bindings {
			n, _ := strconv.ParseUint(b.HostPort, 10, 16)
			out = append(out, engine.PortBinding{Container: container, HostIP: listenAddr(b.HostIp), HostPort: uint16(n)})
		}
	}
	sortPorts(out)
	return out
}

// listenAddr is the address of a published port; 4.x tells all addresses as "".
func listenAddr(s string) netip.Addr {
	if a := parseAddr(s); a.IsValid() {
		return a
	}
	return netip.IPv4Unspecified()
}

func sortPorts(list []engine.PortBinding) {
	number := func(b engine.PortBinding) (int, string) {
		port, protocol, _ := strings.Cut(b.Container, "/")
		n, _ := strconv.Atoi(port)
		return n, protocol
	}
	normal.SortBy(list, func(a, b engine.PortBinding) int {
		an, ap := number(a)
		bn, bp := number(b)
		return cmp.Or(cmp.Compare(an, bn), cmp.Compare(ap, bp), a.HostIP.Compare(b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
	})
}

// exposedOf lists exposed ports, which 4.x tells only among the bindings.
func exposedOf(w *wireContainer) []string {
	all := map[string]bool{}
	for p := range w.Config.ExposedPorts {
		all[p] = true
	}
	for p := range w.HostConfig.PortBindings {
		all[p] = true
	}
	for p := range w.NetworkSettings.Ports {
		all[p] = true
	}
	return sortedKeys(all)
}

// sortedKeys lists m's keys; nil where it has none.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
