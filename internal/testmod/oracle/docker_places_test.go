package oracle

import (
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// m is a dict, l a list.
type (
	m = map[string]any
	l = []any
)

// dockerAttrs are the places of Container.attrs.
func dockerAttrs() places[*berth.Attrs] {
	p := places[*berth.Attrs]{
		"Id":           func(a *berth.Attrs) any { return a.ID },
		"Name":         func(a *berth.Attrs) any { return "/" + a.Name },
		"Created":      func(a *berth.Attrs) any { return a.Created },
		"Path":         func(a *berth.Attrs) any { return a.Path },
		"Args":         func(a *berth.Attrs) any { return a.Args },
		"Image":        func(a *berth.Attrs) any { return a.ImageID },
		"Driver":       func(a *berth.Attrs) any { return a.Driver },
		"Platform":     func(a *berth.Attrs) any { return a.Platform },
		"LogPath":      func(a *berth.Attrs) any { return a.LogPath },
		"ExecIDs":      func(a *berth.Attrs) any { return a.ExecIDs },
		"RestartCount": func(a *berth.Attrs) any { return a.RestartCount },
		"Mounts":       func(a *berth.Attrs) any { return dockerMounts(a.Mounts) },

		"State.Status":     func(a *berth.Attrs) any { return a.State.Raw },
		"State.Running":    func(a *berth.Attrs) any { return a.State.Running() || a.State.Status == berth.StatusRestarting },
		"State.Paused":     func(a *berth.Attrs) any { return a.State.Status == berth.StatusPaused },
		"State.Restarting": func(a *berth.Attrs) any { return a.State.Status == berth.StatusRestarting },
		"State.Dead":       func(a *berth.Attrs) any { return a.State.Status == berth.StatusDead },
		"State.OOMKilled":  func(a *berth.Attrs) any { return a.State.OOMKilled },
		"State.Pid":        func(a *berth.Attrs) any { return a.State.PID },
		"State.ExitCode":   func(a *berth.Attrs) any { return a.State.ExitCode },
		"State.Error":      func(a *berth.Attrs) any { return a.State.Error },
		"State.StartedAt":  func(a *berth.Attrs) any { return a.State.StartedAt },
		"State.FinishedAt": func(a *berth.Attrs) any { return a.State.FinishedAt },
		"State.Health":     func(a *berth.Attrs) any { return dockerHealth(a.State.Health) },

		"NetworkSettings.Networks": func(a *berth.Attrs) any { return dockerNetworks(a) },
		"NetworkSettings.Ports":    func(a *berth.Attrs) any { return dockerPorts(a.Ports) },

		"SizeRw":     func(a *berth.Attrs) any { return int64(*a.SizeRw) },
		"SizeRootFs": func(a *berth.Attrs) any { return int64(*a.SizeRootFs) },
	}
	for _, raw := range []string{
		"AppArmorProfile", "GraphDriver", "HostnamePath", "HostsPath", "MountLabel", "ProcessLabel", "ResolvConfPath",
		// What the default bridge has is in Networks.
		"NetworkSettings.Bridge", "NetworkSettings.EndpointID", "NetworkSettings.Gateway", "NetworkSettings.GlobalIPv6Address", "NetworkSettings.GlobalIPv6PrefixLen",
		"NetworkSettings.HairpinMode", "NetworkSettings.IPAddress", "NetworkSettings.IPPrefixLen", "NetworkSettings.IPv6Gateway",
		"NetworkSettings.LinkLocalIPv6Address", "NetworkSettings.LinkLocalIPv6PrefixLen", "NetworkSettings.MacAddress", "NetworkSettings.SandboxID",
		"NetworkSettings.SandboxKey", "NetworkSettings.SecondaryIPAddresses", "NetworkSettings.SecondaryIPv6Addresses",
	} {
		p[raw] = nil
	}
	for path, get := range dockerConfig() {
		p["Config."+path] = of(get, func(a *berth.Attrs) *berth.Config { return &a.Config })
	}
	p["Config.Image"] = func(a *berth.Attrs) any { return a.Image }
	for path, get := range dockerHostConfig() {
		p["HostConfig."+path] = of(get, func(a *berth.Attrs) *berth.HostConfig { return &a.HostConfig })
	}
	p["HostConfig.Annotations"] = func(a *berth.Attrs) any { return a.Config.Annotations }
	return p
}

// of is a place in a part of V.
func of[V, Part any](get func(Part) any, part func(V) Part) func(V) any {
	if get == nil {
		return nil
	}
	return func(v V) any { return get(part(v)) }
}

func dockerConfig() places[*berth.Config] {
	return places[*berth.Config]{
		"Hostname": func(c *berth.Config) any { return c.Hostname }, "Domainname": func(c *berth.Config) any { return c.Domainname },
		"User": func(c *berth.Config) any { return c.User }, "Env": func(c *berth.Config) any { return c.Env },
		"Cmd": func(c *berth.Config) any { return c.Cmd }, "Entrypoint": func(c *berth.Config) any { return c.Entrypoint },
		"WorkingDir": func(c *berth.Config) any { return c.WorkingDir }, "Labels": func(c *berth.Config) any { return c.Labels },
		"Tty": func(c *berth.Config) any { return c.TTY }, "OpenStdin": func(c *berth.Config) any { return c.OpenStdin },
		"StdinOnce": func(c *berth.Config) any { return c.StdinOnce }, "StopSignal": func(c *berth.Config) any { return c.StopSignal },
		"StopTimeout":  func(c *berth.Config) any { return int64(c.StopTimeout.Seconds()) },
		"Healthcheck":  func(c *berth.Config) any { return dockerHealthcheck(c.Healthcheck) },
		"Volumes":      func(c *berth.Config) any { return keys(c.Volumes) },
		"ExposedPorts": func(c *berth.Config) any { return keys(c.ExposedPorts) },
		"AttachStdin":  nil, "AttachStdout": nil, "AttachStderr": nil, "OnBuild": nil, "NetworkDisabled": nil, "MacAddress": nil,
	}
}

func dockerHostConfig() places[*berth.HostConfig] {
	type H = berth.HostConfig
	p := places[*H]{
		"AutoRemove": func(h *H) any { return h.AutoRemove }, "Privileged": func(h *H) any { return h.Privileged },
		"ReadonlyRootfs": func(h *H) any { return h.ReadonlyRootfs }, "Init": func(h *H) any { return h.Init },
		"NetworkMode": func(h *H) any { return h.NetworkMode }, "PidMode": func(h *H) any { return h.PIDMode },
		"IpcMode": func(h *H) any { return h.IPCMode }, "UTSMode": func(h *H) any { return h.UTSMode },
		"UsernsMode": func(h *H) any { return h.UsernsMode }, "CgroupnsMode": func(h *H) any { return h.CgroupNS },
		"CgroupParent": func(h *H) any { return h.CgroupParent }, "Runtime": func(h *H) any { return h.Runtime },
		"RestartPolicy": func(h *H) any {
			if h.RestartPolicy.Name == "no" {
				return elsewhere // Docker 20.10 shows none
			}
			return m{"Name": h.RestartPolicy.Name, "MaximumRetryCount": h.RestartPolicy.MaximumRetryCount}
		},
		"LogConfig": func(h *H) any { return m{"Type": h.LogConfig.Driver, "Config": h.LogConfig.Options} },
		"CapAdd":    func(h *H) any { return h.CapAdd }, "CapDrop": func(h *H) any { return h.CapDrop },
		"SecurityOpt": func(h *H) any { return h.SecurityOpt }, "GroupAdd": func(h *H) any { return h.GroupAdd },
		"Dns": func(h *H) any { return h.DNS }, "DnsOptions": func(h *H) any { return h.DNSOptions }, "DnsSearch": func(h *H) any { return h.DNSSearch },
		"ExtraHosts": func(h *H) any { return h.ExtraHosts }, "Links": func(h *H) any { return h.Links },
		"VolumesFrom": func(h *H) any { return h.VolumesFrom }, "Binds": func(h *H) any { return h.Binds }, "Tmpfs": func(h *H) any { return h.Tmpfs },
		"Sysctls": func(h *H) any { return h.Sysctls }, "StorageOpt": func(h *H) any { return h.StorageOpt },
		"ShmSize": func(h *H) any { return int64(h.ShmSize) }, "OomScoreAdj": func(h *H) any { return h.OOMScoreAdj },
		"Ulimits": func(h *H) any {
			var out l
			for _, u := range h.Ulimits {
				out = append(out, m{"Name": u.Name, "Soft": u.Soft, "Hard": u.Hard})
			}
			return out
		},
		"Devices": func(h *H) any {
			var out l
			for _, d := range h.Devices {
				out = append(out, m{"PathOnHost": d.Host, "PathInContainer": d.Container, "CgroupPermissions": d.Permissions})
			}
			return out
		},
	}
	for path, get := range dockerResources() {
		p[path] = of(get, func(h *H) *berth.Resources { return &h.Resources })
	}
	for _, raw := range []string{
		"Cgroup", "ConsoleSize", "ContainerIDFile", "CpuCount", "CpuPercent", "DeviceCgroupRules", "DeviceRequests", "IOMaximumBandwidth", "IOMaximumIOps",
		"Isolation", "MaskedPaths", "Mounts", "PortBindings", "PublishAllPorts", "ReadonlyPaths", "VolumeDriver",
	} {
		p[raw] = nil
	}
	return p
}

func dockerResources() places[*berth.Resources] {
	type R = berth.Resources
	rates := func(list []berth.ThrottleDevice) any {
		var out l
		for _, d := range list {
			out = append(out, m{"Path": d.Path, "Rate": d.Rate})
		}
		return out
	}
	return places[*R]{
		"Memory": func(r *R) any { return int64(r.Memory) }, "MemorySwap": func(r *R) any { return int64(r.MemorySwap) },
		"MemoryReservation": func(r *R) any { return int64(r.MemoryReservation) }, "MemorySwappiness": func(r *R) any { return r.MemorySwappiness },
		"KernelMemory": func(r *R) any { return int64(r.KernelMemory) }, "OomKillDisable": func(r *R) any { return r.OOMKillDisable },
		"NanoCpus": func(r *R) any { return int64(r.CPUs * 1e9) }, "CpuShares": func(r *R) any { return r.CPUShares },
		"CpuPeriod": func(r *R) any { return r.CPUPeriod }, "CpuQuota": func(r *R) any { return r.CPUQuota },
		"CpuRealtimePeriod": func(r *R) any { return r.CPURealtimePeriod }, "CpuRealtimeRuntime": func(r *R) any { return r.CPURealtimeRuntime },
		"CpusetCpus": func(r *R) any { return r.CpusetCPUs }, "CpusetMems": func(r *R) any { return r.CpusetMems },
		"PidsLimit": func(r *R) any { return r.PidsLimit }, "BlkioWeight": func(r *R) any { return r.BlkioWeight },
		"BlkioWeightDevice": func(r *R) any {
			var out l
			for _, d := range r.BlkioWeightDevice {
				out = append(out, m{"Path": d.Path, "Weight": d.Weight})
			}
			return out
		},
		"BlkioDeviceReadBps": func(r *R) any { return rates(r.BlkioDeviceReadBps) }, "BlkioDeviceWriteBps": func(r *R) any { return rates(r.BlkioDeviceWriteBps) },
		"BlkioDeviceReadIOps": func(r *R) any { return rates(r.BlkioDeviceReadIOps) }, "BlkioDeviceWriteIOps": func(r *R) any { return rates(r.BlkioDeviceWriteIOps) },
		"KernelMemoryTCP": nil,
	}
}

func dockerHealthcheck(h *berth.Healthcheck) any {
	if h == nil {
		return nil
	}
	return m{"Test": h.Test, "Interval": h.Interval, "Timeout": h.Timeout, "StartPeriod": h.StartPeriod, "StartInterval": h.StartInterval, "Retries": h.Retries}
}

func dockerHealth(h *berth.Health) any {
	if h == nil {
		return nil
	}
	var log l
	for _, r := range h.Log {
		log = append(log, m{"Start": r.Start, "End": r.End, "ExitCode": r.ExitCode, "Output": r.Output})
	}
	return m{"Status": h.Status, "FailingStreak": h.FailingStreak, "Log": log}
}

func dockerMounts(list []berth.MountPoint) any {
	var out unordered
	for _, p := range list {
		out = append(out, m{
			"Type": p.Type, "Name": p.Name, "Source": p.Source, "Destination": p.Target, "Driver": p.Driver, "Mode": p.Mode, "RW": p.ReadWrite, "Propagation": p.Propagation,
		})
	}
	return out
}

// dockerNetworks: what Berth leaves in Raw is taken from there.
func dockerNetworks(a *berth.Attrs) any {
	raw, _ := lookUp(a.Raw, "NetworkSettings", "Networks").(map[string]any)
	out := m{}
	for name, ep := range a.Networks {
		e := m{
			"NetworkID": ep.NetworkID, "EndpointID": ep.EndpointID, "Gateway": ep.Gateway, "IPv6Gateway": ep.IPv6Gateway,
			"MacAddress": ep.MACAddress, "Aliases": ep.Aliases, "DriverOpts": ep.DriverOptions,
		}
		if ep.IPv4.IsValid() {
			e["IPAddress"], e["IPPrefixLen"] = ep.IPv4.Addr(), ep.IPv4.Bits()
		}
		if ep.IPv6.IsValid() {
			e["GlobalIPv6Address"], e["GlobalIPv6PrefixLen"] = ep.IPv6.Addr(), ep.IPv6.Bits()
		}
		if r, ok := raw[name].(map[string]any); ok {
			for _, key := range []string{"IPAMConfig", "Links", "DNSNames", "GwPriority"} {
				e[key] = r[key]
			}
		}
		out[name] = e
	}
	return out
}

// dockerPorts is what Container.ports shows.
func dockerPorts(list []berth.PortBinding) any {
	out := m{}
	for _, p := range list {
		bindings, _ := out[p.Container].(l)
		if p.HostPort != 0 {
			bindings = append(bindings, m{"HostIp": p.HostIP, "HostPort": strconv.Itoa(int(p.HostPort))})
		}
		out[p.Container] = bindings
	}
	return out
}

// dockerSummary are the places of an entry of the list.
func dockerSummary() places[*berth.Summary] {
	type S = berth.Summary
	return places[*S]{
		"Id": func(s *S) any { return s.ID },
		"Names": func(s *S) any {
			var out l
			for _, n := range s.Names {
				out = append(out, "/"+n)
			}
			return out
		},
		"Image": func(s *S) any { return s.Image }, "ImageID": func(s *S) any { return s.ImageID }, "Command": func(s *S) any { return s.Command },
		"Created": func(s *S) any { return s.Created.Unix() }, "State": func(s *S) any { return s.Raw }, "Labels": func(s *S) any { return s.Labels },
		"Ports": func(s *S) any {
			var out l
			for _, p := range s.Ports {
				port, proto, _ := strings.Cut(p.Container, "/")
				n, _ := strconv.Atoi(port)
				e := m{"PrivatePort": n, "Type": proto}
				if p.HostPort != 0 {
					e["IP"], e["PublicPort"] = p.HostIP, p.HostPort
				}
				out = append(out, e)
			}
			return out
		},
		"Mounts": func(s *S) any { return dockerMounts(s.Mounts) },
		"Status": func(*S) any { return elsewhere }, "NetworkSettings": func(*S) any { return elsewhere }, "HostConfig": func(*S) any { return elsewhere },
		"SizeRw": func(s *S) any { return int64(*s.SizeRw) }, "SizeRootFs": func(s *S) any { return int64(*s.SizeRootFs) },
	}
}

// keys is a set as Docker has it.
func keys(list []string) any {
	out := m{}
	for _, k := range list {
		out[k] = true
	}
	return out
}
