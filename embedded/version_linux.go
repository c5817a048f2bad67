package embedded

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// apiVersion is that of the format on disk, which is all that programs of
// different versions have in common.
const apiVersion = "1"

// modulePath is this module's.
const modulePath = "github.com/berthdev/berth/embedded"

// version is that of this module in the program; of a program built in the module
// itself, or without modules, it is devel.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path != modulePath {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "" && m.Version != "(devel)" {
			return strings.TrimPrefix(m.Version, "v")
		}
	}
	return "devel"
})

// Identity implements [engine.Engine].
func (e *Engine) Identity() engine.Identity {
	id := engine.Identity{
		Name: name, Version: version(), APIVersion: apiVersion, Host: name, Source: e.source,
		OS: "linux", Arch: runtime.GOARCH, CgroupVersion: "1", Rootless: e.host.Rootless, Local: true,
	}
	if e.host.CgroupV2 {
		id.CgroupVersion = "2"
	}
	return id
}

// Supports implements [engine.Engine].
func (e *Engine) Supports(f engine.Feature) bool {
	switch f {
	case engine.FeatureInit, engine.FeatureSecrets, engine.FeatureExecKill, engine.FeatureHealthStart, engine.FeatureHealthTimer,
		engine.FeatureImageMount, engine.FeatureVolumeSubpath, engine.FeatureAnnotations, engine.FeatureCDI, engine.FeatureMultiNetwork,
		engine.FeatureUpdateRestart, engine.FeatureUpdateHealth, engine.FeatureUpdateZero, engine.FeaturePlatform,
		engine.FeatureTimeout, engine.FeatureTimezone, engine.FeatureUmask, engine.FeatureArchiveCompress:
		return true
	case engine.FeatureMemorySwap:
		return !e.host.NoSwapLimit
	case engine.FeatureOOMKillDisable:
		return !e.host.CgroupV2
	}
	return false
}

// Ping implements [engine.System].
func (e *Engine) Ping(ctx context.Context) error {
	return because(ctx, "ping", "", ctx.Err())
}

// Version implements [engine.System].
func (e *Engine) Version(ctx context.Context) (*engine.Version, error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "get version", "", err)
	}
	v := &engine.Version{
		Engine: name, Version: version(), APIVersion: apiVersion, MinAPIVersion: apiVersion,
		GoVersion: runtime.Version(), OS: "linux", Arch: runtime.GOARCH, KernelVersion: kernelVersion(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.GitCommit = s.Value
			case "vcs.time":
				v.BuildTime = s.Value
			}
		}
	}
	var err error
	v.Raw, err = json.Marshal(map[string]string{
		"Version": v.Version, "ApiVersion": v.APIVersion, "GitCommit": v.GitCommit, "GoVersion": v.GoVersion,
		"Os": v.OS, "Arch": v.Arch, "KernelVersion": v.KernelVersion, "BuildTime": v.BuildTime,
	})
	return v, err
}

// Do implements [engine.System]: the engine has no HTTP API.
func (e *Engine) Do(context.Context, string, string, io.Reader, http.Header) (*http.Response, error) {
	return nil, unsupported("Client.Do", "", "the engine has no HTTP API")
}

func kernelVersion() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
