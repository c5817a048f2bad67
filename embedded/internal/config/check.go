//go:build linux

package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// Check names everything in spec that is malformed or cannot be done on h, joined. It makes nothing and asks nobody.
// What only cgroup files tell (weights of block devices, realtime limits) is package cgroup's to check.
func Check(spec *engine.Spec, h Host) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	f := &faults{}
	checkProcess(f, spec, h)
	checkSecurity(f, spec, h)
	checkNamespaces(f, spec, h)
	checkNetwork(f, spec, h)
	for i, m := range spec.Mounts {
		checkMount(f, at("Spec.Mounts", i), m, h)
	}
	checkVolumes(f, spec)
	_, err := Resources(spec.Resources, h)
	f.add(err)
	checkLog(f, spec.LogConfig)
	checkPodman(f, spec.Podman, h)
	checkRuntime(f, spec)
	checkRaw(f, spec)
	return f.err()
}

// checkProcess is about what the container runs.
func checkProcess(f *faults, s *engine.Spec, h Host) {
	f.unsupported(s.InitPath != "", "Spec.InitPath", s.InitPath, "the embedded engine has an init of its own: Spec.Init")
	f.unsupported(len(s.LXCConf) > 0, "Spec.LXCConf", "", "")
	f.unsupported(s.Windows != nil, "Spec.Windows", "", "it runs Linux containers")
	f.unsupported(len(s.StorageOpt) > 0, "Spec.StorageOpt", "", "its layers are plain directories, without quotas")
	f.unsupported(s.CgroupsMode != "", "Spec.CgroupsMode", s.CgroupsMode, "")
	if p := s.Platform; p != "" {
		platform, err := engine.ParsePlatform(p)
		f.add(err)
		f.unsupported(err == nil && platform.OS != "" && platform.OS != "linux", "Spec.Platform", p, "it runs Linux containers")
	}
	f.invalid(!slices.Contains([]string{"", "no", "on-failure", "always", "unless-stopped"}, s.RestartPolicy.Name),
		"Spec.RestartPolicy.Name", s.RestartPolicy.Name, "want no, on-failure, always or unless-stopped")
	checkHealth(f, "Spec.Healthcheck", s.Healthcheck)
	for i, u := range s.Ulimits {
		_, ok := rlimitName(u.Name)
		f.invalid(!ok, at("Spec.Ulimits", i), u.Name, "there is no such limit")
	}
	f.needs(s.OOMScoreAdj != nil && h.Rootless && *s.OOMScoreAdj < 0, "Spec.OOMScoreAdj", fmt.Sprint(deref(s.OOMScoreAdj)), "root")
	f.unsupported(h.Rootless && len(s.GroupAdd) > 0 && groupsDenied(), "Spec.GroupAdd", "", "this user has no subordinate IDs")
	f.unsupported(h.Rootless && len(s.DeviceCgroupRules) > 0, "Spec.DeviceCgroupRules", "", "only root can set them")
	if c := s.CgroupParent; c != "" {
		f.invalid(slices.Contains(strings.Split(c, "/"), ".."), "Spec.CgroupParent", c, "it leads upwards")
		f.unsupported(strings.HasSuffix(c, ".slice"), "Spec.CgroupParent", c, "it makes cgroups itself, without systemd's slices")
		f.needs(h.Rootless && (!h.CgroupV2 || len(cgroup.Delegated()) == 0), "Spec.CgroupParent", c, "cgroup v2 with a group delegated to this user")
	}
}

func checkHealth(f *faults, option string, c *engine.Healthcheck) {
	if c == nil {
		return
	}
	f.unsupported(c.Startup != nil, option+".Startup", "", "")
	f.unsupported(c.LogDestination != "", option+".LogDestination", c.LogDestination, "")
	f.unsupported(c.LogMaxCount != nil, option+".LogMaxCount", "", "")
	f.unsupported(c.LogMaxSize != nil, option+".LogMaxSize", "", "")
}

// checkVolumes is about volumes as a whole.
func checkVolumes(f *faults, s *engine.Spec) {
	driven := false
	for _, m := range s.Mounts {
		driven = driven || m.Type == engine.MountVolume && m.Source != "" && m.Driver == ""
	}
	f.unsupported(s.VolumeDriver != "" && !driven, "Spec.VolumeDriver", s.VolumeDriver, "no named volume of Spec.Mounts takes it")
	f.unsupported(s.VolumeDriver != "" && s.VolumeDriver != "local", "Spec.VolumeDriver", s.VolumeDriver, "it has local volumes only")
	for i, v := range s.VolumesFrom {
		_, mode, _ := strings.Cut(v, ":")
		f.unsupported(false, at("Spec.VolumesFrom", i), mode, "")
	}
}

// checkPodman refuses the options of Podman alone, but for those that cost nothing here.
func checkPodman(f *faults, p *engine.PodmanSpec, h Host) {
	if p == nil {
		return
	}
	rest := *p
	rest.UnsetEnvAll, rest.EnvHost, rest.EnvMerge = false, false, nil
	rest.ImageVolumeMode, rest.Volatile, rest.Personality = "", false, ""
	rest.IDMappings, rest.Unified, rest.RootfsPropagation = nil, nil, ""
	if rest.SeccompPolicy == "default" {
		rest.SeccompPolicy = ""
	}
	for _, name := range setFields(rest) {
		f.unsupported(true, "Spec.Podman."+name, "", "it is Podman's alone")
	}
	f.invalid(!slices.Contains([]string{"", "anonymous", "ignore", "tmpfs"}, p.ImageVolumeMode), "Spec.Podman.ImageVolumeMode", p.ImageVolumeMode, "want anonymous, ignore or tmpfs")
	f.unsupported(!slices.Contains([]string{"", "LINUX", "LINUX32"}, strings.ToUpper(p.Personality)), "Spec.Podman.Personality", p.Personality, "want LINUX or LINUX32")
	f.unsupported(len(p.Unified) > 0 && !h.CgroupV2, "Spec.Podman.Unified", "", "this machine has cgroup v1")
	_, known := propagations[p.RootfsPropagation]
	f.invalid(p.RootfsPropagation != "" && !known, "Spec.Podman.RootfsPropagation", p.RootfsPropagation, "there is no such propagation")
	for i, e := range p.EnvMerge {
		f.invalid(strings.IndexByte(e, '=') < 1, at("Spec.Podman.EnvMerge", i), e, "want NAME=VALUE")
	}
}

// checkRaw refuses a Spec whose Raw is for other engines only.
func checkRaw(f *faults, s *engine.Spec) {
	if len(s.Raw) == 0 {
		return
	}
	_, ok := s.Raw[engineName]
	f.unsupported(!ok, "Spec.Raw", "", "it has entries for other engines only")
}

// checkLog knows two log drivers and that there is none.
func checkLog(f *faults, l engine.LogConfig) {
	_, err := logConfig(l)
	f.add(err)
}

// checkSecurity is about what the process may do.
func checkSecurity(f *faults, s *engine.Spec, h Host) {
	sec, err := normal.SecurityOpts(s.SecurityOpt)
	f.add(err)
	if err != nil {
		return
	}
	const opt = "Spec.SecurityOpt"
	f.unsupported(sec.LabelNested, opt, "label=nested", "it sets no SELinux labels")
	for _, l := range sec.Labels {
		f.unsupported(l != "disable", opt, "label="+l, "it sets no SELinux labels")
	}
	if p := sec.AppArmor; p != "" && p != "unconfined" {
		f.unsupported(!h.AppArmor, opt, "apparmor="+p, "this kernel has no AppArmor, or has it switched off")
		f.invalid(h.AppArmor && !launch.ProfileLoaded(p), opt, "apparmor="+p, "no profile of that name is loaded")
	}
	if p := sec.Seccomp; p != "" && p != "unconfined" && p != "builtin" {
		_, err := seccompProfile(p)
		f.add(err)
	}
	for i, c := range s.CapAdd {
		checkCapability(f, at("Spec.CapAdd", i), c)
		f.needs(!h.canGive(capability(c)) && !isAll(c) && knownCapability(c), at("Spec.CapAdd", i), c, "a process that has the capability itself")
	}
	for i, c := range s.CapDrop {
		checkCapability(f, at("Spec.CapDrop", i), c)
	}
	f.unsupported(len(sec.ProcOpts) > 0 && h.Rootless && s.PIDMode == "host", opt, "proc-opts", "PIDMode host of a container in a user namespace shows the host's procfs, which has its own options")
	checkSysctls(f, s)
	for i, d := range s.Devices {
		f.invalid(!filepath.IsAbs(d.Host), at("Spec.Devices", i), d.Host, "the device is no absolute path")
	}
	for i, r := range s.DeviceRequests {
		checkRequest(f, at("Spec.DeviceRequests", i), r)
	}
}

func checkCapability(f *faults, option, name string) {
	f.invalid(!isAll(name) && !knownCapability(name), option, name, "there is no such capability")
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
