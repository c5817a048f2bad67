package docker

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// refuse is the table of what this engine does not have, or accepts and ignores, and of what in spec would make it ignore something else. Every row was tried on Docker 20.10 and 28.5.
// Mounts, networks and security options are refused where they are translated.
func (e *Engine) refuse(r *refusals, s *engine.Spec) {
	e.refuseForeign(r, s)
	e.refuseVersions(r, s)
	e.refuseNamespaces(r, s)
	e.refuseNetwork(r, s)
	e.refuseResources(r, &s.Resources)
	e.refuseWindows(r, s.Windows)

	r.unless(!s.Privileged || len(s.CapDrop) == 0, "Spec.CapDrop", strings.Join(s.CapDrop, ","), "with Spec.Privileged, Docker ignores it")
	for i, d := range s.Devices {
		r.unless(!s.Privileged || d.Permissions == "" || d.Permissions == "rwm", fmt.Sprintf("Spec.Devices[%d].Permissions", i), d.Permissions, "with Spec.Privileged, Docker ignores it")
	}
	if s.StdinOnce && !s.OpenStdin {
		r.invalid("Spec.StdinOnce", "true", "it needs Spec.OpenStdin")
	}
}

// refuseForeign refuses what other engines have.
func (e *Engine) refuseForeign(r *refusals, s *engine.Spec) {
	r.unless(s.Umask == "", "Spec.Umask", s.Umask, "")
	r.unless(s.Timezone == "", "Spec.Timezone", s.Timezone, "")
	r.unless(s.Timeout == 0, "Spec.Timeout", s.Timeout.String(), "")
	r.unless(s.InitPath == "", "Spec.InitPath", s.InitPath, "the init binary is the daemon's choice")
	r.unless(s.ReadWriteTmpfs == nil || !*s.ReadWriteTmpfs, "Spec.ReadWriteTmpfs", "true", "mount a tmpfs where the container writes")
	r.unless(s.CgroupsMode == "", "Spec.CgroupsMode", s.CgroupsMode, "")
	r.unless(len(s.Secrets) == 0, "Spec.Secrets", "", "Docker has secrets for Swarm services only")
	r.unless(len(s.SecretEnv) == 0, "Spec.SecretEnv", "", "Docker has secrets for Swarm services only")
	r.unless(len(s.LXCConf) == 0, "Spec.LXCConf", "", "the lxc driver is gone since Docker 1.10")
	if field, ok := firstField(s.Podman); ok {
		r.unsupported("Spec.Podman."+field, "", "")
	}
	if h := s.Healthcheck; h != nil {
		r.unless(h.OnFailure == "" || h.OnFailure == "none", "Spec.Healthcheck.OnFailure", h.OnFailure, "")
		r.unless(h.Startup == nil, "Spec.Healthcheck.Startup", "", "")
		r.unless(h.LogDestination == "", "Spec.Healthcheck.LogDestination", h.LogDestination, "")
		r.unless(h.LogMaxCount == nil, "Spec.Healthcheck.LogMaxCount", "", "Docker keeps 5")
		r.unless(h.LogMaxSize == nil, "Spec.Healthcheck.LogMaxSize", "", "Docker keeps 4096 bytes")
	}
	if _, ok := s.Raw[Name]; !ok && len(s.Raw) > 0 {
		r.unsupported("Spec.Raw", "", `it has no entry "docker"`)
	}
}

// firstField is the name of the first field of the struct that p points to which is not zero.
func firstField(p any) (name string, ok bool) {
	v := reflect.ValueOf(p)
	if v.IsNil() {
		return "", false
	}
	for f, value := range v.Elem().Fields() {
		if !value.IsZero() {
			return f.Name, true
		}
	}
	return "", false
}

// refuseVersions refuses what came with a newer API than the one in use: the engine would drop it without a word, or a warning.
func (e *Engine) refuseVersions(r *refusals, s *engine.Spec) {
	r.needs(s.Platform != "", apiPlatform, "Spec.Platform", s.Platform)
	r.needs(s.CgroupNS != "", apiCgroupNS, "Spec.CgroupNS", s.CgroupNS)
	r.needs(len(s.Annotations) > 0, apiAnnotations, "Spec.Annotations", "")
	if s.Healthcheck != nil {
		r.needs(s.Healthcheck.StartInterval != 0, apiStartInterval, "Spec.Healthcheck.StartInterval", s.Healthcheck.StartInterval.String())
	}
	if len(s.CDIDevices) > 0 {
		r.unless(len(e.info.CDISpecDirs) > 0, "Spec.CDIDevices", strings.Join(s.CDIDevices, ","), "it needs Docker 25 or newer with the feature cdi on")
	}
}

// refuseNamespaces refuses modes that older versions take for the default: any word of userns_mode runs in the host's user namespace, any word of Docker 20.10's uts_mode in a namespace of the container's own.
func (e *Engine) refuseNamespaces(r *refusals, s *engine.Spec) {
	mode := func(option, value string, words ...string) {
		if value == "" {
			return
		}
		for _, w := range words {
			if value == w || w == "container:" && strings.HasPrefix(value, w) && len(value) > len(w) {
				return
			}
		}
		r.unsupported(option, value, "")
	}
	mode("Spec.PIDMode", s.PIDMode, "host", "private", "container:")
	mode("Spec.IPCMode", s.IPCMode, "host", "private", "shareable", "none", "container:")
	mode("Spec.UTSMode", s.UTSMode, "host", "private")
	mode("Spec.UsernsMode", s.UsernsMode, "host")
	mode("Spec.CgroupNS", s.CgroupNS, "host", "private")
}

// refuseNetwork refuses network modes that Docker does not have, which it takes for names of networks, and links of a container that has no network to find others in.
func (e *Engine) refuseNetwork(r *refusals, s *engine.Spec) {
	mode, err := normal.NetworkMode(s.NetworkMode)
	if err != nil {
		return // reported where it is translated
	}
	switch mode.Mode {
	case "ns", "pasta", "slirp4netns", "private", "pod":
		r.unsupported("Spec.NetworkMode", s.NetworkMode, "")
	case "none":
		r.unless(len(s.Links) == 0, "Spec.Links", "", "with Spec.NetworkMode=none, Docker ignores them")
	}
	r.unless(!s.NetworkDisabled || len(s.Links) == 0, "Spec.Links", "", "with Spec.NetworkDisabled, Docker ignores them")
}

// refuseResources refuses limits that the engine's host does not have, as far as the engine tells. Of the others it warns: see discarded.
func (e *Engine) refuseResources(r *refusals, s *engine.Resources) {
	r.unless(s.KernelMemory == 0, "Spec.Resources.KernelMemory", "", "kernels since 5.4 and Docker since 23 ignore it")
	r.unless(s.MemorySwap == 0 || s.MemorySwap == -1 || e.info.SwapLimit, "Spec.Resources.MemorySwap", "", "the engine's host does not account swap")
	r.unless(s.OOMKillDisable == nil || !*s.OOMKillDisable || e.info.OomKillDisable, "Spec.Resources.OOMKillDisable", "true", "the engine's host cannot")
	if e.cgroupVersion() == "2" {
		const reason = "cgroup version 2 has no controller for it"
		r.unless(s.MemorySwappiness == nil, "Spec.Resources.MemorySwappiness", "", reason)
		r.unless(s.CPURealtimePeriod == 0, "Spec.Resources.CPURealtimePeriod", "", reason)
		r.unless(s.CPURealtimeRuntime == 0, "Spec.Resources.CPURealtimeRuntime", "", reason)
	}
}

// refuseWindows refuses what only an engine on Windows has.
func (e *Engine) refuseWindows(r *refusals, w *engine.WindowsSpec) {
	if w == nil || e.windows() {
		return
	}
	const reason = "only Windows has it"
	r.unless(w.Isolation == "" || w.Isolation == "default", "Spec.Windows.Isolation", w.Isolation, reason)
	r.unless(w.CPUCount == 0, "Spec.Windows.CPUCount", "", reason)
	r.unless(w.CPUPercent == 0, "Spec.Windows.CPUPercent", "", reason)
	r.unless(w.IOMaximumIOps == 0, "Spec.Windows.IOMaximumIOps", "", reason)
	r.unless(w.IOMaximumBandwidth == 0, "Spec.Windows.IOMaximumBandwidth", "", reason)
	r.unless(w.CredentialSpec == "", "Spec.Windows.CredentialSpec", "", reason)
}
