package docker

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireVersion is the answer of GET /version.
type wireVersion struct {
	Version       string
	APIVersion    string `json:"ApiVersion"`
	MinAPIVersion string
	GitCommit     string
	GoVersion     string
	Os            string
	Arch          string
	KernelVersion string
	BuildTime     string
	Components    []struct{ Name, Version string }
}

// wireInfo is the answer of GET /info.
type wireInfo struct {
	ID                string
	Containers        int
	ContainersRunning int
	ContainersPaused  int
	ContainersStopped int
	Images            int
	Driver            string
	Plugins           struct {
		Volume  []string
		Network []string
		Log     []string
	}
	SwapLimit       bool
	OomKillDisable  bool
	LoggingDriver   string
	CgroupDriver    string
	CgroupVersion   string
	KernelVersion   string
	OperatingSystem string
	OSType          string
	Architecture    string
	NCPU            int
	MemTotal        int64
	DockerRootDir   string
	Name            string
	ServerVersion   string
	Runtimes        map[string]json.RawMessage
	DefaultRuntime  string
	RuncCommit      struct{ ID string } // of the runtime named runc: a version, or a commit's hash
	SecurityOptions []string
	CDISpecDirs     []string
	Warnings        []string
}

// Ping implements [engine.System].
func (e *Engine) Ping(ctx context.Context) error {
	r := get("/_ping")
	r.NoPrefix = true
	return e.call(ctx, op{"ping engine", e.host}, r, nil)
}

// Version implements [engine.System].
func (e *Engine) Version(ctx context.Context) (*engine.Version, error) {
	var answer wire.Raw[wireVersion]
	o := op{"get version of engine", e.host}
	if err := e.call(ctx, o, get("/version"), &answer); err != nil {
		return nil, err
	}
	w := &answer.Value
	v := &engine.Version{
		Engine:        Name,
		Version:       w.Version,
		APIVersion:    w.APIVersion,
		MinAPIVersion: w.MinAPIVersion,
		GitCommit:     w.GitCommit,
		GoVersion:     w.GoVersion,
		OS:            w.Os,
		Arch:          w.Arch,
		KernelVersion: w.KernelVersion,
		BuildTime:     w.BuildTime,
		Components:    map[string]string{},
		Raw:           answer.Text,
	}
	for _, c := range w.Components {
		v.Components[c.Name] = c.Version
	}
	return v, nil
}

// Info implements [engine.System].
func (e *Engine) Info(ctx context.Context) (*engine.Info, error) {
	var answer wire.Raw[wireInfo]
	o := op{"get info of engine", e.host}
	if err := e.call(ctx, o, get("/info"), &answer); err != nil {
		return nil, err
	}
	w := &answer.Value
	return &engine.Info{
		ID:                w.ID,
		Name:              w.Name,
		ServerVersion:     w.ServerVersion,
		Containers:        w.Containers,
		ContainersRunning: w.ContainersRunning,
		ContainersPaused:  w.ContainersPaused,
		ContainersStopped: w.ContainersStopped,
		Images:            w.Images,
		StorageDriver:     w.Driver,
		LoggingDriver:     w.LoggingDriver,
		CgroupDriver:      w.CgroupDriver,
		CgroupVersion:     e.cgroupVersion(),
		KernelVersion:     w.KernelVersion,
		OperatingSystem:   w.OperatingSystem,
		OSType:            w.OSType,
		Arch:              goArch(w.Architecture),
		NCPU:              w.NCPU,
		MemTotal:          engine.Bytes(w.MemTotal),
		RootDir:           w.DockerRootDir,
		DefaultRuntime:    w.DefaultRuntime,
		Runtimes:          slices.Sorted(maps.Keys(w.Runtimes)),
		LogDrivers:        w.Plugins.Log,
		VolumeDrivers:     w.Plugins.Volume,
		NetworkDrivers:    w.Plugins.Network,
		SecurityOptions:   w.SecurityOptions,
		Rootless:          e.hasSecurity("rootless"),
		SwapLimit:         &w.SwapLimit,
		OOMKillDisable:    &w.OomKillDisable,
		Warnings:          w.Warnings,
		Raw:               answer.Text,
	}, nil
}

// major is the engine's major version, 20 for "20.10.24+dfsg1"; 0 where it is not a number.
func (e *Engine) major() int {
	head, _, _ := strings.Cut(e.info.ServerVersion, ".")
	n, err := strconv.Atoi(head)
	if err != nil {
		return 0
	}
	return n
}

// versioned tells that a path chooses its version of the API itself: /v1.41/…
func versioned(path string) bool {
	number, _, found := strings.Cut(strings.TrimPrefix(path, "/v"), "/")
	return found && strings.HasPrefix(path, "/v") && number != "" && strings.Trim(number, "0123456789.") == ""
}

// Do implements [engine.System].
func (e *Engine) Do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	o := op{method, path}
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") {
		return nil, &engine.InvalidError{Option: "path", Value: path, Reason: "not an absolute path", Err: err}
	}
	r := wire.Request{Method: method, Path: u.EscapedPath(), Query: u.Query(), Header: header, Body: body, NoPrefix: versioned(path)}
	ctx, cancel := context.WithCancel(ctx)
	resp, err := e.wire.Do(ctx, r)
	if err != nil {
		cancel()
		return nil, e.fail(o, err)
	}
	resp.Body = &cancelBody{resp.Body, cancel}
	return resp, nil
}
