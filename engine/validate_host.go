package engine

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// host checks security, devices and secrets.
func (v *validator) host(s *Spec) {
	v.filled("Spec.CapAdd", s.CapAdd)
	v.filled("Spec.CapDrop", s.CapDrop)
	v.filled("Spec.SecurityOpt", s.SecurityOpt)
	v.keys("Spec.Sysctls", s.Sysctls)
	v.keys("Spec.StorageOpt", s.StorageOpt)
	if n := s.OOMScoreAdj; n != nil {
		v.when(*n < -1000 || *n > 1000, "Spec.OOMScoreAdj", *n, "want -1000 to 1000")
	}
	for i, d := range s.Devices {
		v.add(index("Spec.Devices", i), d.Host, d.fault())
	}
	for i, r := range s.DeviceCgroupRules {
		_, err := ParseDeviceCgroupRule(r)
		v.err(index("Spec.DeviceCgroupRules", i), r, err)
	}
	for i, r := range s.DeviceRequests {
		v.add(index("Spec.DeviceRequests", i), "", r.fault())
	}
	for i, d := range s.CDIDevices {
		v.when(!IsCDIDevice(d), index("Spec.CDIDevices", i), d, "want VENDOR/CLASS=DEVICE")
	}
	seen := map[string]bool{}
	for i, u := range s.Ulimits {
		v.add(index("Spec.Ulimits", i), fmt.Sprintf("%s=%d:%d", u.Name, u.Soft, u.Hard), u.fault())
		name := ulimitName(u.Name)
		v.when(seen[name], index("Spec.Ulimits", i), u.Name, "it is given twice")
		seen[name] = true
	}
	targets := map[string]bool{}
	for i, m := range s.Secrets {
		v.add(index("Spec.Secrets", i), m.Source, m.fault())
		target := m.Target
		if target == "" {
			target = m.Source
		}
		if !strings.HasPrefix(target, "/") {
			target = "/run/secrets/" + target
		}
		target = path.Clean(target)
		v.when(targets[target], index("Spec.Secrets", i), m.Source, "its target is given twice")
		targets[target] = true
	}
}

// files checks mounts.
func (v *validator) files(s *Spec) {
	targets := map[string]bool{}
	for i, m := range s.Mounts {
		option := index("Spec.Mounts", i)
		v.faults(option, m.check())
		target := strings.TrimRight(m.Target, "/")
		if strings.HasPrefix(m.Target, "/") {
			target = path.Clean(m.Target)
		}
		v.when(targets[target], option+".Target", m.Target, "another mount has the same target")
		targets[target] = true
	}
	for i, f := range s.VolumesFrom {
		name, options, has := strings.Cut(f, ":")
		bad := name == "" || has && options == ""
		if has {
			for o := range strings.SplitSeq(options, ",") {
				bad = bad || !slices.Contains([]string{"ro", "rw", "z", "Z"}, o)
			}
		}
		v.when(bad, index("Spec.VolumesFrom", i), f, "want NAME[:ro|rw[,z|Z]]")
	}
	v.when(s.ShmSize < 0, "Spec.ShmSize", s.ShmSize, "it is negative")
}

// extras checks what belongs to one engine.
func (v *validator) extras(s *Spec) {
	for _, k := range sortedKeys(s.Raw) {
		v.object(key("Spec.Raw", k), s.Raw[k])
	}
	if w := s.Windows; w != nil {
		v.when(w.CPUCount < 0, "Spec.Windows.CPUCount", w.CPUCount, "it is negative")
		v.when(w.CPUPercent < 0 || w.CPUPercent > 100, "Spec.Windows.CPUPercent", w.CPUPercent, "want 0 to 100")
	}
	p := s.Podman
	if p == nil {
		return
	}
	v.when(p.Rootfs != "" && !isAbsolute(p.Rootfs), "Spec.Podman.Rootfs", p.Rootfs, "it is not an absolute path")
	v.when(p.RootfsOverlay && p.Rootfs == "", "Spec.Podman.RootfsOverlay", "", "it needs Rootfs")
	v.when(p.ShmSizeSystemd < 0, "Spec.Podman.ShmSizeSystemd", p.ShmSizeSystemd, "it is negative")
	v.when(p.KernelMemoryTCP < 0, "Spec.Podman.KernelMemoryTCP", p.KernelMemoryTCP, "it is negative")
	v.keys("Spec.Podman.Unified", p.Unified)
	v.filled("Spec.Podman.HostUsers", p.HostUsers)
	v.filled("Spec.Podman.DependencyContainers", p.DependencyContainers)
	v.filled("Spec.Podman.DevicesFrom", p.DevicesFrom)
	for i, d := range p.HostDeviceList {
		v.add(index("Spec.Podman.HostDeviceList", i), d.Host, d.fault())
	}
	for i, d := range p.ChrootDirectories {
		v.when(!isAbsolute(d), index("Spec.Podman.ChrootDirectories", i), d, "it is not an absolute path")
	}
	for i, a := range p.ArtifactVolumes {
		v.when(a.Source == "", index("Spec.Podman.ArtifactVolumes", i)+".Source", "", "it is missing")
		v.when(!isAbsolute(a.Destination), index("Spec.Podman.ArtifactVolumes", i)+".Destination", a.Destination, "it is not an absolute path")
	}
	if len(p.IntelRdt) > 0 {
		v.object("Spec.Podman.IntelRdt", p.IntelRdt)
	}
	for _, k := range sortedKeys(p.Rdma) {
		v.object(key("Spec.Podman.Rdma", k), p.Rdma[k])
	}
	if p.IDMappings != nil {
		v.idMap("Spec.Podman.IDMappings.UIDMap", p.IDMappings.UIDMap)
		v.idMap("Spec.Podman.IDMappings.GIDMap", p.IDMappings.GIDMap)
	}
}

func (v *validator) idMap(option string, list []IDMap) {
	for i, m := range list {
		v.when(m.Size == 0, index(option, i)+".Size", m.Size, "it is zero")
		end := max(uint64(m.ContainerID), uint64(m.HostID)) + uint64(m.Size)
		v.when(end > 1<<32, index(option, i)+".Size", m.Size, "it goes beyond the last ID")
	}
}
