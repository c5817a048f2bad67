package inspect

import (
	"path/filepath"
	"strconv"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// The types below are the answer of Docker's GET /containers/{id}/json (API 1.51), as far as it is about what this engine has.

type wireContainer struct {
	ID              string `json:"Id"`
	Created         time.Time
	Path            string
	Args            []string
	State           wireState
	Image           string
	ResolvConfPath  string
	HostnamePath    string
	HostsPath       string
	LogPath         string
	Name            string
	RestartCount    int
	Driver          string
	Platform        string
	MountLabel      string
	ProcessLabel    string
	AppArmorProfile string
	ExecIDs         []string
	HostConfig      wireHostConfig
	GraphDriver     wireGraphDriver
	SizeRw          *int64 `json:",omitempty"`
	SizeRootFs      *int64 `json:",omitempty"`
	Mounts          []wireMountPoint
	Config          wireConfig
	NetworkSettings wireNetworkSettings
}

type wireState struct {
	Status     string
	Running    bool
	Paused     bool
	Restarting bool
	OOMKilled  bool
	Dead       bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  time.Time
	FinishedAt time.Time
	Health     *wireHealth `json:",omitempty"`
}

type wireHealth struct {
	Status        string
	FailingStreak int
	Log           []wireHealthResult
}

type wireHealthResult struct {
	Start    time.Time
	End      time.Time
	ExitCode int
	Output   string
}

type wireGraphDriver struct {
	Data map[string]string
	Name string
}

type wireMountPoint struct {
	Type        string
	Name        string `json:",omitempty"`
	Source      string
	Destination string
	Driver      string `json:",omitempty"`
	Mode        string
	RW          bool
	Propagation string
}

func raw(a *engine.Attrs, cfg *state.Config, x Extra) *wireContainer {
	file := func(name string) string {
		if x.Dir == "" {
			return ""
		}
		return filepath.Join(x.Dir, "files", name)
	}
	w := &wireContainer{
		ID: a.ID, Created: a.Created, Path: a.Path, Args: notNil(a.Args), State: rawState(&a.State), Image: a.ImageID,
		ResolvConfPath: file("resolv.conf"), HostnamePath: file("hostname"), HostsPath: file("hosts"), LogPath: a.LogPath,
		Name: "/" + a.Name, RestartCount: a.RestartCount, Driver: a.Driver, Platform: "linux", ExecIDs: a.ExecIDs,
		AppArmorProfile: appArmorProfile(cfg.Spec.SecurityOpt), GraphDriver: wireGraphDriver{Name: a.Driver}, SizeRw: (*int64)(a.SizeRw), SizeRootFs: (*int64)(a.SizeRootFs),
		HostConfig: rawHostConfig(&a.HostConfig, cfg), Config: rawConfig(&a.Config, cfg), NetworkSettings: rawNetworks(a),
		Mounts: []wireMountPoint{},
	}
	if x.Dir != "" {
		w.GraphDriver.Data = map[string]string{"UpperDir": filepath.Join(x.Dir, "upper"), "WorkDir": filepath.Join(x.Dir, "work")}
	}
	for _, m := range a.Mounts {
		w.Mounts = append(w.Mounts, wireMountPoint{
			Type: string(m.Type), Name: m.Name, Source: m.Source, Destination: m.Target, Driver: m.Driver, Mode: m.Mode, RW: m.ReadWrite, Propagation: m.Propagation,
		})
	}
	return w
}

// appArmorProfile is the one that the options name.
func appArmorProfile(options []string) string {
	sec, _ := normal.SecurityOpts(options) // checked at creation
	return sec.AppArmor
}

func rawState(s *engine.State) wireState {
	w := wireState{
		Status: string(s.Status), Running: s.Running() || s.Status == engine.StatusRestarting, Paused: s.Status == engine.StatusPaused,
		Restarting: s.Status == engine.StatusRestarting, OOMKilled: s.OOMKilled != nil && *s.OOMKilled, Dead: s.Status == engine.StatusDead,
		Pid: s.PID, ExitCode: s.ExitCode, Error: s.Error, StartedAt: s.StartedAt.UTC(), FinishedAt: s.FinishedAt.UTC(),
	}
	if h := s.Health; h != nil {
		w.Health = &wireHealth{Status: string(h.Status), FailingStreak: h.FailingStreak, Log: []wireHealthResult{}}
		for _, r := range h.Log {
			w.Health.Log = append(w.Health.Log, wireHealthResult{Start: r.Start, End: r.End, ExitCode: r.ExitCode, Output: r.Output})
		}
	}
	return w
}

type wireNetworkSettings struct {
	SandboxKey string
	Ports      map[string][]wirePortBinding
	Networks   map[string]wireEndpoint
}

type wirePortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

type wireEndpoint struct {
	Aliases             []string
	MacAddress          string
	DriverOpts          map[string]string
	NetworkID           string
	EndpointID          string
	Gateway             string
	IPAddress           string
	IPPrefixLen         int
	IPv6Gateway         string
	GlobalIPv6Address   string
	GlobalIPv6PrefixLen int
}

func rawNetworks(a *engine.Attrs) wireNetworkSettings {
	w := wireNetworkSettings{Ports: map[string][]wirePortBinding{}, Networks: map[string]wireEndpoint{}}
	if a.State.PID != 0 {
		w.SandboxKey = "/proc/" + strconv.Itoa(a.State.PID) + "/ns/net"
	}
	if a.State.Running() { // Docker shows none of another
		for _, p := range a.Ports {
			if p.HostPort == 0 {
				if _, ok := w.Ports[p.Container]; !ok {
					w.Ports[p.Container] = nil
				}
				continue
			}
			w.Ports[p.Container] = append(w.Ports[p.Container], wirePortBinding{text(p.HostIP), strconv.Itoa(int(p.HostPort))})
		}
	}
	for name, e := range a.Networks {
		n := wireEndpoint{
			Aliases: e.Aliases, MacAddress: e.MACAddress, DriverOpts: e.DriverOptions, NetworkID: e.NetworkID, EndpointID: e.EndpointID,
			Gateway: text(e.Gateway), IPv6Gateway: text(e.IPv6Gateway),
		}
		if e.IPv4.IsValid() {
			n.IPAddress, n.IPPrefixLen = e.IPv4.Addr().String(), e.IPv4.Bits()
		}
		if e.IPv6.IsValid() {
			n.GlobalIPv6Address, n.GlobalIPv6PrefixLen = e.IPv6.Addr().String(), e.IPv6.Bits()
		}
		w.Networks[name] = n
	}
	return w
}

// text is "" for the zero address.
func text(a interface {
	IsValid() bool
	String() string
}) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
