package podman

import (
	"encoding/json"
	"fmt"

	"github.com/berthdev/berth/engine"
)

// podmanOptions sets the options that Podman alone has.
func (e *Engine) podmanOptions(r *refusals, b *wireCreate, p *engine.PodmanSpec) {
	if p == nil {
		return
	}
	const at = "Spec.Podman."
	b.Pod = p.Pod
	b.Rootfs, b.RootfsOverlay, b.RootfsMapping, b.RootfsPropagation = p.Rootfs, p.RootfsOverlay, p.RootfsMapping, p.RootfsPropagation
	if p.Rootfs != "" {
		b.RawImageName = ""
	}
	r.needs(p.RootfsMapping != "", vRootfsMapping, at+"RootfsMapping")
	b.EnvHost, b.EnvMerge, b.UnsetEnvAll, b.HTTPProxy = p.EnvHost, p.EnvMerge, p.UnsetEnvAll, p.HTTPProxy
	r.needs(len(p.EnvMerge) > 0, vEnvMerge, at+"EnvMerge")
	b.Systemd, b.SdNotifyMode, b.ConmonPidFile, b.ContainerCreate = p.Systemd, p.SdNotifyMode, p.ConmonPidFile, p.CreateCommand
	r.needs(p.SdNotifyMode == "healthy", vSdNotifyHealthy, at+"SdNotifyMode")
	b.ImageVolumeMode, b.HostUsers = p.ImageVolumeMode, p.HostUsers
	b.RemoveImage, b.DependencyContainers, b.InitContainerType = p.RemoveImage, p.DependencyContainers, p.InitContainerType
	r.needs(p.RemoveImage, vRemoveImage, at+"RemoveImage")
	if p.RemoveImage && !b.Remove {
		r.invalid(at+"RemoveImage", "true", "it needs AutoRemove")
	}
	if p.InitContainerType != "" && p.Pod == "" {
		r.invalid(at+"InitContainerType", p.InitContainerType, "it needs Pod")
	}
	if p.Personality != "" {
		b.Personality = &wirePersonality{p.Personality}
		if v, ok := e.runcVersion(); ok && v < vRuncPersonality {
			r.unsupported(at+"Personality", p.Personality, "runc "+v.String()+" ignores it (1.2 has it)")
		}
	}
	b.ManagePassword, b.PasswdEntry, b.GroupEntry = p.ManagePassword, p.PasswdEntry, p.GroupEntry
	r.needs(p.PasswdEntry != "", vSquash, at+"PasswdEntry")
	r.needs(p.GroupEntry != "", vGroupEntry, at+"GroupEntry")
	b.DevicesFrom = p.DevicesFrom
	for i, d := range p.HostDeviceList {
		b.HostDeviceList = append(b.HostDeviceList, devicePath(r, fmt.Sprintf("%sHostDeviceList[%d]", at, i), d))
	}
	b.ShmSizeSystemd, b.Volatile, b.ChrootDirs = int64(p.ShmSizeSystemd), p.Volatile, p.ChrootDirectories
	r.needs(p.ShmSizeSystemd != 0, vShmSystemd, at+"ShmSizeSystemd")
	r.needs(len(p.ChrootDirectories) > 0, vSquash, at+"ChrootDirectories")
	b.LabelNested = b.LabelNested || p.LabelNested
	r.needs(p.LabelNested, vLabelNested, at+"LabelNested")
	b.SeccompPolicy = p.SeccompPolicy
	b.UseImageHostname, b.UseImageHosts, b.UseImageResolvConf, b.BaseHostsFile = p.UseImageHostname, p.UseImageHosts, p.UseImageResolvConf, p.BaseHostsFile
	r.needs(p.UseImageHostname != nil, vImageHostname, at+"UseImageHostname")
	r.needs(p.BaseHostsFile != "", vBaseHosts, at+"BaseHostsFile")
	if p.UseImageHosts && len(b.HostAdd) > 0 {
		r.invalid(at+"UseImageHosts", "true", "it excludes ExtraHosts")
	}
	for k, v := range p.NetworkOptions {
		setKey(&b.NetworkOptions, k, v)
	}
	b.IntelRdt = json.RawMessage(p.IntelRdt)
	r.needs(len(p.IntelRdt) > 0, vIntelRdt, at+"IntelRdt")
	for _, a := range p.ArtifactVolumes {
		b.ArtifactVolumes = append(b.ArtifactVolumes, wireArtifactVolume(a))
	}
	r.needs(len(p.ArtifactVolumes) > 0, vArtifactVolumes, at+"ArtifactVolumes")
	b.Unified = p.Unified
	r.when(len(p.Unified) > 0 && e.cgroup1(), at+"Unified", "", "the host has cgroup v1")
	r.when(p.KernelMemoryTCP != 0, at+"KernelMemoryTCP", "", "Podman takes it, and the OCI runtimes of today do nothing with it")
	r.when(p.MemUseHierarchy != nil && !e.cgroup1(), at+"MemUseHierarchy", "", "the host has cgroup v2")
	r.when(p.MemUseHierarchy != nil && !*p.MemUseHierarchy, at+"MemUseHierarchy", "false", "the kernel has had nothing but true since 5.11")
}
