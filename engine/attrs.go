package engine

import (
	"encoding/json"
	"io/fs"
	"net/netip"
	"time"
)

// Status is a container's state, the same words on every engine.
type Status string

// The states. Podman's configured is created, stopped is exited; what an engine says is in State.Raw.
const (
	StatusCreated     Status = "created"
	StatusInitialized Status = "initialized"
	StatusRunning     Status = "running"
	StatusPaused      Status = "paused"
	StatusRestarting  Status = "restarting"
	StatusStopping    Status = "stopping"
	StatusRemoving    Status = "removing"
	StatusExited      Status = "exited"
	StatusDead        Status = "dead"
	StatusUnknown     Status = "unknown"
)

// HealthStatus is a container's health.
type HealthStatus string

// The health states.
const (
	HealthNone      HealthStatus = "none" // it has no health check
	HealthStarting  HealthStatus = "starting"
	HealthHealthy   HealthStatus = "healthy"
	HealthUnhealthy HealthStatus = "unhealthy"
)

// Attrs is a snapshot of a container as inspect shows it. It is immutable:
// callers must not write to it.
type Attrs struct {
	ID       string
	Name     string // without the leading slash
	Created  time.Time
	Image    string // the reference it was created with
	ImageID  string // sha256:…
	Platform string
	Path     string   // what runs
	Args     []string // its arguments
	Driver   string   // storage driver
	LogPath  string

	State        State
	RestartCount int
	Config       Config
	HostConfig   HostConfig
	Mounts       []MountPoint
	Networks     map[string]EndpointState // by the network's name
	Ports        []PortBinding            // published and exposed, sorted
	ExecIDs      []string

	SizeRw     *Bytes // with InspectOptions.Size
	SizeRootFs *Bytes

	Pod string // Podman

	// Raw is the engine's answer, for what Berth does not type.
	Raw json.RawMessage
	// At is when the snapshot was taken.
	At time.Time
}

// State is the state of a container.
type State struct {
	Status Status
	Raw    string // the engine's own word
	// OOMKilled is nil where the engine does not tell.
	OOMKilled  *bool
	PID        int // of its first process, in the engine's pid namespace
	ExitCode   int // of the last run
	Error      string
	StartedAt  time.Time
	FinishedAt time.Time
	Health     *Health // nil without a health check
}

// Running tells that the container has a live process, paused or not.
func (s State) Running() bool {
	switch s.Status {
	case StatusRunning, StatusPaused, StatusStopping:
		return true
	}
	return false
}

// Ended tells that the container has run and is over (and is not about to restart).
func (s State) Ended() bool {
	switch s.Status {
	case StatusExited, StatusDead, StatusRemoving:
		return true
	}
	return false
}

// Health is the state of a health check.
type Health struct {
	Status        HealthStatus
	FailingStreak int
	Log           []HealthResult // oldest first
}

// HealthResult is one run of a health check.
type HealthResult struct {
	Start    time.Time
	End      time.Time
	ExitCode int
	Output   string
	// Healthy is the run's verdict.
	Healthy bool
}

// Config is a container's portable configuration as inspect shows it.
type Config struct {
	Hostname     string
	Domainname   string
	User         string
	Env          []string
	Cmd          []string
	Entrypoint   []string
	WorkingDir   string
	Labels       map[string]string
	Annotations  map[string]string
	TTY          bool
	OpenStdin    bool
	StdinOnce    bool
	StopSignal   string // SIGTERM
	StopTimeout  *time.Duration
	Healthcheck  *Healthcheck
	Volumes      []string
	ExposedPorts []string
	Timezone     string
	Umask        string
}

// HostConfig is what of a container's configuration belongs to its host.
type HostConfig struct {
	AutoRemove     bool
	Privileged     bool
	ReadonlyRootfs bool
	Init           *bool
	NetworkMode    string
	PIDMode        string
	IPCMode        string
	UTSMode        string
	UsernsMode     string
	CgroupNS       string
	CgroupParent   string
	Runtime        string
	RestartPolicy  RestartPolicy
	LogConfig      LogConfig
	CapAdd         []string
	CapDrop        []string
	SecurityOpt    []string
	GroupAdd       []string
	DNS            []string
	DNSOptions     []string
	DNSSearch      []string
	ExtraHosts     []string
	Links          []string
	VolumesFrom    []string
	Binds          []string
	Tmpfs          map[string]string
	Sysctls        map[string]string
	StorageOpt     map[string]string
	ShmSize        Bytes
	OOMScoreAdj    int
	Ulimits        []Ulimit
	Devices        []Device
	Resources      Resources
}

// MountPoint is a mount of a container as inspect shows it.
type MountPoint struct {
	Type        MountType
	Name        string // of a volume
	Source      string // on the engine's host
	Target      string
	Driver      string
	Mode        string
	Options     []string
	ReadWrite   bool
	Propagation string
}

// EndpointState is a container's place in a network as inspect shows it.
type EndpointState struct {
	NetworkID     string
	EndpointID    string
	IPv4          netip.Prefix // zero when not connected
	IPv6          netip.Prefix
	Gateway       netip.Addr
	IPv6Gateway   netip.Addr
	MACAddress    string
	Aliases       []string
	DriverOptions map[string]string
}

// Summary is a container as the list shows it: one request for all of them.
type Summary struct {
	ID         string
	Names      []string // without leading slashes
	Image      string
	ImageID    string
	Command    string
	Created    time.Time
	Status     Status
	Raw        string       // the engine's own word for Status
	StatusText string       // "Up 2 hours (healthy)"; made by Berth where the engine gives none
	ExitCode   *int         // nil where the list does not tell
	Health     HealthStatus // "" where the list does not tell
	Ports      []PortBinding
	Labels     map[string]string
	Mounts     []MountPoint // names or targets only, as far as the list tells
	Networks   []string
	SizeRw     *Bytes
	SizeRootFs *Bytes
	Pod        string
}

// Change is a difference between a container's files and its image's.
type Change struct {
	Path string
	Kind ChangeKind
}

// ChangeKind is what happened to a path. The numbers are Docker's.
type ChangeKind int

// The kinds of changes.
const (
	ChangeModified ChangeKind = iota
	ChangeAdded
	ChangeDeleted
)

func (k ChangeKind) String() string {
	switch k {
	case ChangeModified:
		return "modified"
	case ChangeAdded:
		return "added"
	case ChangeDeleted:
		return "deleted"
	}
	return "unknown"
}

// PathStat tells about a path in a container.
type PathStat struct {
	Name       string
	Size       int64
	Mode       fs.FileMode
	ModTime    time.Time
	LinkTarget string // of a symbolic link
}

// Top is the list of a container's processes.
type Top struct {
	Titles []string
	Rows   [][]string
	// Processes are typed; filled when TopOptions.Args is empty.
	Processes []Process
}

// Process is a process of a container.
type Process struct {
	User    string
	PID     int // in the engine's pid namespace on Docker, in the container's on Podman
	PPID    int
	CPU     float64       // percent
	Elapsed time.Duration // since its start
	TTY     string
	Time    time.Duration // CPU time
	Command string
}
