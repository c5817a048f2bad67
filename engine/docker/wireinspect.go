package docker

import (
	"encoding/json"
	"time"
)

// wireContainer is the answer of GET /containers/{id}/json, as far as it is typed.
type wireContainer struct {
	ID              string `json:"Id"`
	Created         wireTime
	Path            string
	Args            []string
	State           wireState
	Image           string
	LogPath         string
	Name            string
	RestartCount    int
	Driver          string
	Platform        string
	ExecIDs         []string
	HostConfig      wireInspectHost
	SizeRw          *int64
	SizeRootFs      *int64
	Mounts          []wireMountPoint
	Config          wireConfig
	NetworkSettings struct {
		Ports    map[string][]wirePortBinding
		Networks map[string]*wireEndpointState
	}
}

type wireState struct {
	Status     string
	OOMKilled  bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  wireTime
	FinishedAt wireTime
	Health     *wireHealth
}

type wireHealth struct {
	Status        string
	FailingStreak int
	Log           []wireHealthResult
}

type wireHealthResult struct {
	Start    wireTime
	End      wireTime
	ExitCode int
	Output   string
}

type wireConfig struct {
	Hostname     string
	Domainname   string
	User         string
	ExposedPorts map[string]struct{}
	Tty          bool
	OpenStdin    bool
	StdinOnce    bool
	Env          []string
	Cmd          []string
	Healthcheck  *wireHealthcheck
	Image        string
	Volumes      map[string]struct{}
	WorkingDir   string
	Entrypoint   []string
	Labels       map[string]string
	StopSignal   string
	StopTimeout  *int64
}

// wireInspectHost is a HostConfig as the engine shows it: as it was asked for, with the engine's defaults filled in.
type wireInspectHost struct {
	wireHostConfig
	OomScoreAdj  int
	KernelMemory int64
}

type wireMountPoint struct {
	Type        string
	Name        string
	Source      string
	Destination string
	Driver      string
	Mode        string
	RW          bool
	Propagation string
}

type wireEndpointState struct {
	wireEndpoint
	NetworkID           string
	EndpointID          string
	Gateway             string
	IPAddress           string
	IPPrefixLen         int
	IPv6Gateway         string
	GlobalIPv6Address   string
	GlobalIPv6PrefixLen int
}

// wireTime is a time in RFC 3339, or "" for none. The engine's own zero, year 1, is Go's.
type wireTime struct{ time.Time }

func (t *wireTime) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == "" {
		t.Time = time.Time{}
		return nil
	}
	var err error
	t.Time, err = time.Parse(time.RFC3339Nano, s)
	return err
}
