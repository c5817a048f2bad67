package docker

import (
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Identity implements [engine.Engine].
func (e *Engine) Identity() engine.Identity {
	return engine.Identity{
		Name:          Name,
		Version:       e.info.ServerVersion,
		APIVersion:    e.api.String(),
		Host:          e.host,
		Source:        e.source,
		OS:            e.info.OSType,
		Arch:          goArch(e.info.Architecture),
		CgroupVersion: e.cgroupVersion(),
		Rootless:      e.hasSecurity("rootless"),
		Local:         e.local,
	}
}

// Supports implements [engine.Engine].
func (e *Engine) Supports(f engine.Feature) bool {
	switch f {
	case engine.FeatureHTTP, engine.FeatureHealthTimer, engine.FeatureUpdateRestart, engine.FeatureLinks, engine.FeatureWebsocketAttach, engine.FeatureArchiveCompress:
		return true
	case engine.FeaturePlatform:
		return e.api >= apiPlatform
	case engine.FeatureAnnotations:
		return e.api >= apiAnnotations
	case engine.FeatureHealthStart:
		return e.api >= apiStartInterval
	case engine.FeatureMultiNetwork:
		return e.api >= apiMultiNetwork
	case engine.FeatureVolumeSubpath:
		return e.api >= apiSubpath
	case engine.FeatureImageMount:
		return e.api >= apiImageMount
	case engine.FeatureCDI:
		return len(e.info.CDISpecDirs) > 0
	case engine.FeatureMemorySwap:
		return e.info.SwapLimit
	case engine.FeatureOOMKillDisable:
		return e.info.OomKillDisable
	}
	return false
}

func (e *Engine) cgroupVersion() string {
	if e.info.CgroupVersion == "" && e.info.OSType == "linux" {
		return "1" // Docker 19.03 knows no other, and does not say so
	}
	return e.info.CgroupVersion
}

// hasSecurity tells whether the engine reports a security option, such as apparmor, selinux, userns, rootless. They have the form "name=seccomp,profile=builtin".
func (e *Engine) hasSecurity(name string) bool {
	return slices.ContainsFunc(e.info.SecurityOptions, func(s string) bool {
		return slices.Contains(strings.Split(s, ","), "name="+name)
	})
}

func (e *Engine) windows() bool { return e.info.OSType == "windows" }

// goArch turns the kernel's name of an architecture, which /info has, into Go's, which images have.
func goArch(kernel string) string {
	switch kernel {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i386", "i686":
		return "386"
	case "armv6l", "armv7l", "armhf":
		return "arm"
	}
	return kernel
}
