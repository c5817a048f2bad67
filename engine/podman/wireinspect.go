package podman

import (
	"encoding/json"
	"time"
)

// wireContainer is the answer of GET /containers/{n}/json, of all versions.
type wireContainer struct {
	ID           string `json:"Id"`
	Name         string
	Created      time.Time
	Path         string
	Args         []string
	State        wireState
	Image        string // ID, without sha256:
	ImageName    string
	Rootfs       string
	OCIRuntime   string // HostConfig.Runtime is "oci" always
	Pod          string
	RestartCount int
	Driver       string
	ExecIDs      []string
	SizeRw       *int64
	SizeRootFs   *int64 // 4.x and 5.x write it in the same place
	Mounts       []wireMountPoint
	Config       wireConfig
	HostConfig   wireHostConfig

	NetworkSettings struct {
		Ports    map[string][]wireBinding
		Networks map[string]wireEndpoint
	}
}

type wireState struct {
	Status     string
	OOMKilled  bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  time.Time
	FinishedAt time.Time
	Health     *wireHealth
}

// wireHealth is a container's health, in inspect and as the answer of GET /containers/{n}/healthcheck.
type wireHealth struct {
	Status        string
	FailingStreak int
	Log           []wireHealthLog
}

type wireHealthLog struct {
	Start    string
	End      string
	ExitCode int
	Output   string
}

// wireHealthcheck is image-spec's and libpod's health check; durations are nanoseconds.
type wireHealthcheck struct {
	Test          []string      `json:"Test,omitzero"`
	Interval      time.Duration `json:"Interval"`
	Timeout       time.Duration `json:"Timeout"`
	StartPeriod   time.Duration `json:"StartPeriod"`
	StartInterval time.Duration `json:"StartInterval,omitzero"`
	Retries       int           `json:"Retries"`
	Successes     int           `json:"Successes,omitzero"` // of a startup check
}

type wireConfig struct {
	Hostname     string
	Domainname   string
	User         string
	Tty          bool
	OpenStdin    bool
	StdinOnce    bool
	Env          []string
	Cmd          []string
	Image        string
	Volumes      map[string]json.RawMessage
	WorkingDir   string
	Entrypoint   stringOrList // a string with spaces, a list since 5.0
	Labels       map[string]string
	Annotations  map[string]string
	StopSignal   intOrString // a number, a name since 5.0
	Healthcheck  *wireHealthcheck
	Umask        string
	Timezone     string
	StopTimeout  uint
	ExposedPorts map[string]json.RawMessage

	StartupHealthCheck         *wireHealthcheck
	HealthcheckOnFailureAction string
	HealthLogDestination       string
	HealthcheckMaxLogCount     *uint
	HealthcheckMaxLogSize      *uint
}

type wireHostConfig struct {
	Binds      []string
	CgroupMode string
	LogConfig  struct {
		Type   string
		Config map[string]string
		Path   string
		Tag    string
		Size   string
	}
	NetworkMode   string
	PortBindings  map[string][]wireBinding
	RestartPolicy struct {
		Name              string
		MaximumRetryCount int
	}
	AutoRemove     bool
	VolumesFrom    []string
	CapAdd         []string
	CapDrop        []string
	Dns            []string
	DnsOptions     []string
	DnsSearch      []string
	ExtraHosts     []string
	GroupAdd       []string
	IpcMode        string
	OomScoreAdj    int
	PidMode        string
	Privileged     bool
	ReadonlyRootfs bool
	SecurityOpt    []string
	Tmpfs          map[string]string
	UTSMode        string
	UsernsMode     string
	ShmSize        int64
	Runtime        string
	Init           bool
	CgroupParent   string

	CpuShares          int64
	Memory             int64
	NanoCpus           int64
	CpuPeriod          int64
	CpuQuota           int64
	CpuRealtimePeriod  int64
	CpuRealtimeRuntime int64
	CpusetCpus         string
	CpusetMems         string
	KernelMemory       int64
	MemoryReservation  int64
	MemorySwap         int64
	MemorySwappiness   *int64
	OomKillDisable     bool
	PidsLimit          *int64

	BlkioWeight          uint16
	BlkioWeightDevice    []wireWeightDevice
	BlkioDeviceReadBps   []wireThrottleDevice
	BlkioDeviceWriteBps  []wireThrottleDevice
	BlkioDeviceReadIOps  []wireThrottleDevice
	BlkioDeviceWriteIOps []wireThrottleDevice

	Ulimits []struct {
		Name string // RLIMIT_NOFILE
		Soft int64
		Hard int64
	}
	Devices []struct {
		PathOnHost        string
		PathInContainer   string
		CgroupPermissions string
	}
}

type wireWeightDevice struct {
	Path   string
	Weight uint16
}

type wireThrottleDevice struct {
	Path string
	Rate uint64
}

type wireBinding struct {
	HostIp   string
	HostPort string
}

type wireMountPoint struct {
	Type        string
	Name        string
	Source      string
	Destination string
	Driver      string
	Mode        string
	Options     []string
	RW          bool
	Propagation string
}

type wireEndpoint struct {
	EndpointID          string
	Gateway             string
	IPAddress           string
	IPPrefixLen         int
	IPv6Gateway         string
	GlobalIPv6Address   string
	GlobalIPv6PrefixLen int
	MacAddress          string
	NetworkID           string
	DriverOpts          map[string]string
	Aliases             []string
}

// stringOrList is a list, or one string.
type stringOrList struct {
	list []string
	text string
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *stringOrList) UnmarshalJSON(b []byte) error {
	*s = stringOrList{}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &s.text)
	}
	return json.Unmarshal(b, &s.list)
}

// intOrString is a number or a string, kept as its text.
type intOrString string

// UnmarshalJSON implements json.Unmarshaler.
func (s *intOrString) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(s))
	}
	var n json.Number
	err := json.Unmarshal(b, &n)
	*s = intOrString(n)
	return err
}
