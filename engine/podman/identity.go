package podman

import (
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Identity implements [engine.Engine].
func (e *Engine) Identity() engine.Identity {
	return engine.Identity{
		Name:          Name,
		Version:       e.info.Version.Version,
		APIVersion:    e.api,
		Host:          e.host,
		Source:        e.source,
		OS:            e.info.Host.OS,
		Arch:          e.info.Host.Arch,
		CgroupVersion: strings.TrimPrefix(e.info.Host.CgroupVersion, "v"),
		Rootless:      e.info.Host.Security.Rootless,
		Local:         e.local,
	}
}

// Supports implements [engine.Engine].
func (e *Engine) Supports(f engine.Feature) bool {
	switch f {
	case engine.FeatureHTTP, engine.FeatureInit, engine.FeatureSecrets, engine.FeaturePods, engine.FeatureImageMount, engine.FeatureAnnotations,
		engine.FeatureCDI, engine.FeatureMultiNetwork, engine.FeatureTimeout, engine.FeatureTimezone, engine.FeatureUmask:
		return true
	case engine.FeatureExecKill:
		return e.version >= vExecRemove
	case engine.FeatureHealthStartup:
		return e.version >= vStartupHealth
	case engine.FeatureHealthTimer:
		// The timers are systemd's. That it runs is not told, but Podman then leaves the cgroups to it.
		return e.info.Host.CgroupManager == "systemd"
	case engine.FeatureVolumeSubpath:
		return e.version >= vVolumeSubpath
	case engine.FeaturePlatform:
		return e.version >= vImagePlatform
	case engine.FeatureUpdateRestart:
		return e.version >= vUpdateRestart
	case engine.FeatureUpdateHealth:
		return e.version >= vUpdateHealth
	case engine.FeatureMemorySwap:
		return e.hasController("memory")
	case engine.FeatureOOMKillDisable:
		return e.cgroup1()
	}
	return false
}

// cgroup1 reports whether the host's cgroups are of version 1.
func (e *Engine) cgroup1() bool { return e.info.Host.CgroupVersion == "v1" }

func (e *Engine) rootless() bool { return e.info.Host.Security.Rootless }

// hasController reports whether containers can be limited by a cgroup controller, as far as the engine tells.
func (e *Engine) hasController(name string) bool {
	if len(e.info.Host.CgroupControllers) == 0 {
		return !e.rootless()
	}
	return slices.Contains(e.info.Host.CgroupControllers, name)
}
