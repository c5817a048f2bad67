package oracle

import (
	"maps"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// podmanAttrs are the places of Container.attrs of podman-py: what libpod shows.
func podmanAttrs() places[*berth.Attrs] {
	type A = berth.Attrs
	p := dockerAttrs()
	maps.Copy(p, places[*A]{
		"Name":  func(a *A) any { return a.Name },
		"Image": func(a *A) any { return strings.TrimPrefix(a.ImageID, "sha256:") },
		"State.Running": func(a *A) any {
			return a.State.Status == berth.StatusRunning || a.State.Status == berth.StatusStopping // Docker's is true of a paused one too, and Berth's Running()
		},
		"ImageName": func(a *A) any { return a.Image },
		"Pod":       func(a *A) any { return a.Pod },
		"Mounts":    func(a *A) any { return podmanMounts(a.Mounts) },
		// "oci" always; the name is in OCIRuntime.
		"HostConfig.Runtime":       nil,
		"OCIRuntime":               func(a *A) any { return a.HostConfig.Runtime },
		"NetworkSettings.Networks": func(a *A) any { return podmanNetworks(a) },
		"NetworkSettings.Ports": func(a *A) any {
			if !a.State.Running() {
				return elsewhere // Berth has no ports of what does not run
			}
			return dockerPorts(a.Ports)
		},
		"Config.StopTimeout":                func(a *A) any { return int64(a.Config.StopTimeout.Seconds()) },
		"Config.Timezone":                   func(a *A) any { return a.Config.Timezone },
		"Config.Umask":                      func(a *A) any { return a.Config.Umask },
		"Config.Healthcheck":                func(a *A) any { return podmanHealthcheck(a.Config.Healthcheck) },
		"Config.HealthcheckOnFailureAction": func(a *A) any { return podmanOnFailure(a.Config.Healthcheck) },
		"Config.Annotations":                func(*A) any { return elsewhere }, // Berth leaves Podman's own out
		"HostConfig.Annotations":            nil,
		"HostConfig.CgroupMode":             func(a *A) any { return a.HostConfig.CgroupNS },
		"HostConfig.LogConfig.Type":         func(a *A) any { return a.HostConfig.LogConfig.Driver },
		"HostConfig.LogConfig.Path":         func(a *A) any { return a.LogPath },
		"HostConfig.LogConfig.Tag":          func(a *A) any { return a.HostConfig.LogConfig.Options["tag"] },
		"HostConfig.LogConfig.Size": func(a *A) any {
			if a.HostConfig.LogConfig.Options["max-size"] == "" {
				return elsewhere // 0B, -1B: none
			}
			return a.HostConfig.LogConfig.Options["max-size"]
		},
		"HostConfig.MemorySwappiness": func(a *A) any {
			if a.HostConfig.Resources.MemorySwappiness == nil {
				return elsewhere // -1, or 0 where nothing is set of the memory
			}
			return *a.HostConfig.Resources.MemorySwappiness
		},
		"HostConfig.Ulimits": func(a *A) any {
			var out l
			for _, u := range a.HostConfig.Ulimits {
				out = append(out, m{"Name": "RLIMIT_" + strings.ToUpper(u.Name), "Soft": u.Soft, "Hard": u.Hard})
			}
			return out
		},
	})
	for _, path := range []string{"HostConfig.LogConfig", "HostConfig.Sysctls", "HostConfig.StorageOpt", "HostConfig.CgroupnsMode", "Config.NetworkDisabled", "Config.MacAddress", "Platform", "LogPath"} {
		delete(p, path)
	}
	for _, raw := range []string{
		"BoundingCaps", "EffectiveCaps", "ConmonPidFile", "Dependencies", "ImageDigest", "IsInfra", "IsService", "KubeExitCodePropagation", "Namespace", "OCIConfigPath",
		"PidFile", "StaticDir", "UseImageHostname", "UseImageHosts", "lockNumber", "Rootfs", "State.CgroupPath", "State.CheckpointedAt", "State.ConmonPid",
		"State.OciVersion", "State.RestoredAt", "State.StoppedByUser", "Config.Passwd", "Config.Timeout", "Config.HealthLogDestination", "Config.HealthcheckMaxLogCount",
		"Config.HealthcheckMaxLogSize", "Config.Secrets", "Config.CreateCommand", "HostConfig.AutoRemoveImage", "HostConfig.CgroupConf", "HostConfig.CgroupManager", "HostConfig.Cgroups",
		"HostConfig.DiskQuota", "HostConfig.HostsFile", "HostConfig.LogConfig.Config", "HostConfig.IntelRdtClosID", "HostConfig.IDMappings", "HostConfig.KernelMemoryTCP",
	} {
		p[raw] = nil
	}
	return p
}

func podmanHealthcheck(h *berth.Healthcheck) any {
	if h == nil {
		return nil
	}
	return m{"Test": h.Test, "Interval": h.Interval, "Timeout": h.Timeout, "StartPeriod": h.StartPeriod, "Retries": h.Retries}
}

func podmanOnFailure(h *berth.Healthcheck) any {
	if h == nil || h.OnFailure == "" {
		return "none"
	}
	return h.OnFailure
}

// podmanMounts: libpod tells a tmpfs in HostConfig.Tmpfs alone.
func podmanMounts(list []berth.MountPoint) any {
	var out unordered
	for _, p := range list {
		if p.Type == berth.MountTmpfs {
			continue
		}
		out = append(out, m{
			"Type": p.Type, "Name": p.Name, "Source": p.Source, "Destination": p.Target, "Driver": p.Driver, "Mode": p.Mode, "Options": p.Options, "RW": p.ReadWrite, "Propagation": p.Propagation,
		})
	}
	return out
}

func podmanNetworks(a *berth.Attrs) any {
	raw, _ := lookUp(a.Raw, "NetworkSettings", "Networks").(map[string]any)
	out, _ := dockerNetworks(a).(m)
	for name, e := range out {
		r, _ := raw[name].(map[string]any)
		for _, key := range []string{"AdditionalMACAddresses", "SecondaryIPAddresses", "SecondaryIPv6Addresses"} {
			if v, ok := r[key]; ok {
				e.(m)[key] = v
			}
		}
	}
	return out
}

// podmanSummary are the places of an entry of libpod's list. What Summary lacks
// is in Attrs.
func podmanSummary() places[*berth.Summary] {
	type S = berth.Summary
	p := places[*S]{
		"Id": func(s *S) any { return s.ID }, "Names": func(s *S) any { return s.Names }, "Image": func(s *S) any { return s.Image },
		"ImageID": func(s *S) any { return strings.TrimPrefix(s.ImageID, "sha256:") }, "Created": func(s *S) any { return s.Created },
		"State": func(s *S) any {
			if s.Status == berth.StatusExited {
				return elsewhere // stopped at first, then exited
			}
			return s.Raw
		}, "Labels": func(s *S) any { return s.Labels }, "Networks": func(s *S) any { return s.Networks },
		"Pod": func(s *S) any { return s.Pod }, "Command": func(s *S) any { return elsewhere },
		"Exited": func(s *S) any { return s.ExitCode != nil }, "ExitCode": func(s *S) any {
			if s.ExitCode == nil {
				return 0
			}
			return *s.ExitCode
		},
		"Status": func(s *S) any {
			if s.Health == berth.HealthNone {
				return ""
			}
			return s.Health
		},
		"Mounts": func(s *S) any {
			var out l
			for _, m := range s.Mounts {
				out = append(out, m.Target)
			}
			return out
		},
		"Ports": func(s *S) any {
			if s.Status != berth.StatusRunning {
				return elsewhere // Berth has no ports of what does not run
			}
			var out l
			for _, p := range s.Ports {
				if p.HostPort == 0 {
					continue // exposed, which libpod has in ExposedPorts
				}
				port, proto, _ := strings.Cut(p.Container, "/")
				n, _ := strconv.Atoi(port)
				out = append(out, m{"container_port": n, "host_port": p.HostPort, "protocol": proto, "range": 1})
			}
			return out
		},
		"Size": func(s *S) any {
			if s.SizeRw == nil {
				return nil
			}
			return m{"rwSize": int64(*s.SizeRw), "rootFsSize": int64(*s.SizeRootFs)}
		},
	}
	for _, path := range []string{
		"AutoRemove", "CreatedAt", "CIDFile", "ExitedAt", "ExposedPorts", "IsInfra", "Namespaces", "Pid", "PodName", "Restarts", "StartedAt", "Volumes",
	} {
		p[path] = func(*S) any { return elsewhere }
	}
	return p
}

// podmanStats are the places of one of libpod's samples.
func podmanStats() places[*berth.Stats] {
	type S = berth.Stats
	p := places[*S]{
		"ContainerID": func(s *S) any { return s.ID }, "Name": func(s *S) any { return s.Name }, "SystemNano": func(s *S) any { return s.Read.UnixNano() },
		"CPUNano": func(s *S) any { return s.CPU.Total }, "CPUSystemNano": func(s *S) any { return *s.CPU.Kernel }, "PerCPU": func(s *S) any { return s.CPU.PerCPU },
		"MemUsage": func(s *S) any { return s.Memory.Usage }, "MemLimit": func(s *S) any { return s.Memory.Limit }, "MemPerc": func(s *S) any { return s.Memory.Percent },
		"PIDs": func(s *S) any { return s.Pids.Current }, "BlockInput": func(s *S) any { return s.Blkio.Read }, "BlockOutput": func(s *S) any { return s.Blkio.Write },
		"Network": func(s *S) any {
			out := m{}
			for name, n := range s.Networks {
				out[name] = m{
					"RxBytes": n.RxBytes, "RxPackets": n.RxPackets, "RxErrors": n.RxErrors, "RxDropped": n.RxDropped,
					"TxBytes": n.TxBytes, "TxPackets": n.TxPackets, "TxErrors": n.TxErrors, "TxDropped": n.TxDropped,
				}
			}
			return out
		},
		// 4.x; since then by interface.
		"NetInput": nil, "NetOutput": nil,
		// Since the container's start, where Berth's CPUPercent is since the sample before.
		"CPU": nil, "AvgCPU": nil, "UpTime": nil, "Duration": nil, "CPUPerc": nil,
	}
	return p
}

// podmanImageAttrs are the places of Image.attrs.
func podmanImageAttrs() places[*berth.ImageAttrs] {
	type I = berth.ImageAttrs
	p := dockerImageAttrs()
	maps.Copy(p, places[*I]{
		"Id":          func(i *I) any { return strings.TrimPrefix(i.ID, "sha256:") },
		"Parent":      func(i *I) any { return strings.TrimPrefix(i.Parent, "sha256:") },
		"Labels":      func(i *I) any { return i.Config.Labels },
		"User":        func(i *I) any { return i.Config.User },
		"Healthcheck": func(i *I) any { return podmanHealthcheck(i.Config.Healthcheck) },
		"Annotations": nil, "Digest": nil, "History": nil, "ManifestType": nil, "NamesHistory": nil, "Version": nil, "Config.Healthcheck": nil,
	})
	return p
}
