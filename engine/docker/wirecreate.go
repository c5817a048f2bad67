package docker

import "encoding/json"

// wireCreate is the body of POST /containers/create. Nothing is sent that was not asked for, so that the engine's defaults hold.
type wireCreate struct {
	Hostname        string              `json:",omitempty"`
	Domainname      string              `json:",omitempty"`
	User            string              `json:",omitempty"`
	AttachStdin     bool                `json:",omitempty"`
	AttachStdout    bool                `json:",omitempty"`
	AttachStderr    bool                `json:",omitempty"`
	ExposedPorts    map[string]struct{} `json:",omitempty"`
	Tty             bool                `json:",omitempty"`
	OpenStdin       bool                `json:",omitempty"`
	StdinOnce       bool                `json:",omitempty"`
	Env             []string            `json:",omitempty"`
	Cmd             []string            `json:",omitzero"`
	Healthcheck     *wireHealthcheck    `json:",omitempty"`
	Image           string
	Volumes         map[string]struct{} `json:",omitempty"`
	WorkingDir      string              `json:",omitempty"`
	Entrypoint      []string            `json:",omitzero"`
	NetworkDisabled bool                `json:",omitempty"`
	MacAddress      string              `json:",omitempty"`
	Labels          map[string]string   `json:",omitempty"`
	StopSignal      string              `json:",omitempty"`
	StopTimeout     *int64              `json:",omitempty"`

	HostConfig       wireHostConfig
	NetworkingConfig *wireNetworkingConfig `json:",omitempty"`
}

// wireHealthcheck has durations in nanoseconds.
type wireHealthcheck struct {
	Test          []string `json:",omitempty"`
	Interval      int64    `json:",omitempty"`
	Timeout       int64    `json:",omitempty"`
	StartPeriod   int64    `json:",omitempty"`
	StartInterval int64    `json:",omitempty"`
	Retries       int      `json:",omitempty"`
}

type wireHostConfig struct {
	Binds           []string                     `json:",omitempty"`
	LogConfig       *wireLogConfig               `json:",omitempty"`
	NetworkMode     string                       `json:",omitempty"`
	PortBindings    map[string][]wirePortBinding `json:",omitempty"`
	RestartPolicy   *wireRestartPolicy           `json:",omitempty"`
	AutoRemove      bool                         `json:",omitempty"`
	VolumesFrom     []string                     `json:",omitempty"`
	Annotations     map[string]string            `json:",omitempty"`
	CapAdd          []string                     `json:",omitempty"`
	CapDrop         []string                     `json:",omitempty"`
	CgroupnsMode    string                       `json:",omitempty"`
	DNS             []string                     `json:"Dns,omitempty"`
	DNSOptions      []string                     `json:"DnsOptions,omitempty"`
	DNSSearch       []string                     `json:"DnsSearch,omitempty"`
	ExtraHosts      []string                     `json:",omitempty"`
	GroupAdd        []string                     `json:",omitempty"`
	IpcMode         string                       `json:",omitempty"`
	Links           []string                     `json:",omitempty"`
	OomScoreAdj     *int                         `json:",omitempty"`
	PidMode         string                       `json:",omitempty"`
	Privileged      bool                         `json:",omitempty"`
	PublishAllPorts bool                         `json:",omitempty"`
	ReadonlyRootfs  bool                         `json:",omitempty"`
	SecurityOpt     []string                     `json:",omitempty"`
	StorageOpt      map[string]string            `json:",omitempty"`
	Tmpfs           map[string]string            `json:",omitempty"`
	UTSMode         string                       `json:",omitempty"`
	UsernsMode      string                       `json:",omitempty"`
	ShmSize         int64                        `json:",omitempty"`
	ConsoleSize     *[2]uint16                   `json:",omitempty"` // rows and columns; API 1.42
	Sysctls         map[string]string            `json:",omitempty"`
	Runtime         string                       `json:",omitempty"`
	Isolation       string                       `json:",omitempty"`
	Mounts          []wireMount                  `json:",omitempty"`
	MaskedPaths     []string                     `json:",omitzero"` // nil: the engine's own
	ReadonlyPaths   []string                     `json:",omitzero"`
	Init            *bool                        `json:",omitempty"`

	CgroupParent      string              `json:",omitempty"`
	Devices           []wireDevice        `json:",omitempty"`
	DeviceCgroupRules []string            `json:",omitempty"`
	DeviceRequests    []wireDeviceRequest `json:",omitempty"`
	Ulimits           []wireUlimit        `json:",omitempty"`
	wireResources

	CPUCount           int64  `json:"CpuCount,omitempty"`
	CPUPercent         int64  `json:"CpuPercent,omitempty"`
	IOMaximumIOps      uint64 `json:",omitempty"`
	IOMaximumBandwidth uint64 `json:",omitempty"`
}

// wireResources is what create and update have in common.
type wireResources struct {
	CPUShares            int64                `json:"CpuShares,omitempty"`
	Memory               int64                `json:",omitempty"`
	NanoCPUs             int64                `json:"NanoCpus,omitempty"`
	BlkioWeight          uint16               `json:",omitempty"`
	BlkioWeightDevice    []wireWeightDevice   `json:",omitempty"`
	BlkioDeviceReadBps   []wireThrottleDevice `json:",omitempty"`
	BlkioDeviceWriteBps  []wireThrottleDevice `json:",omitempty"`
	BlkioDeviceReadIOps  []wireThrottleDevice `json:",omitempty"`
	BlkioDeviceWriteIOps []wireThrottleDevice `json:",omitempty"`
	CPUPeriod            int64                `json:"CpuPeriod,omitempty"`
	CPUQuota             int64                `json:"CpuQuota,omitempty"`
	CPURealtimePeriod    int64                `json:"CpuRealtimePeriod,omitempty"`
	CPURealtimeRuntime   int64                `json:"CpuRealtimeRuntime,omitempty"`
	CpusetCpus           string               `json:",omitempty"`
	CpusetMems           string               `json:",omitempty"`
	MemoryReservation    int64                `json:",omitempty"`
	MemorySwap           int64                `json:",omitempty"`
	MemorySwappiness     *int64               `json:",omitempty"`
	OomKillDisable       *bool                `json:",omitempty"`
	PidsLimit            *int64               `json:",omitempty"`
}

type wireLogConfig struct {
	Type   string            `json:",omitempty"`
	Config map[string]string `json:",omitempty"`
}

type wirePortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

type wireRestartPolicy struct {
	Name              string
	MaximumRetryCount int `json:",omitempty"`
}

type wireWeightDevice struct {
	Path   string
	Weight uint16
}

type wireThrottleDevice struct {
	Path string
	Rate uint64
}

type wireDevice struct {
	PathOnHost        string
	PathInContainer   string
	CgroupPermissions string
}

type wireDeviceRequest struct {
	Driver       string            `json:",omitempty"`
	Count        int               `json:",omitempty"`
	DeviceIDs    []string          `json:",omitempty"`
	Capabilities [][]string        `json:",omitempty"`
	Options      map[string]string `json:",omitempty"`
}

type wireUlimit struct {
	Name string
	Soft int64
	Hard int64
}

type wireMount struct {
	Type          string
	Source        string `json:",omitempty"`
	Target        string
	ReadOnly      bool               `json:",omitempty"`
	Consistency   string             `json:",omitempty"`
	BindOptions   *wireBindOptions   `json:",omitempty"`
	VolumeOptions *wireVolumeOptions `json:",omitempty"`
	ImageOptions  *wireImageOptions  `json:",omitempty"`
	TmpfsOptions  *wireTmpfsOptions  `json:",omitempty"`
}

type wireBindOptions struct {
	Propagation      string `json:",omitempty"`
	NonRecursive     bool   `json:",omitempty"`
	CreateMountpoint bool   `json:",omitempty"`
}

type wireVolumeOptions struct {
	NoCopy       bool              `json:",omitempty"`
	Labels       map[string]string `json:",omitempty"`
	Subpath      string            `json:",omitempty"`
	DriverConfig *wireDriver       `json:",omitempty"`
}

type wireImageOptions struct {
	Subpath string `json:",omitempty"`
}

type wireTmpfsOptions struct {
	SizeBytes int64  `json:",omitempty"`
	Mode      uint32 `json:",omitempty"` // as in chmod(2)
}

type wireDriver struct {
	Name    string            `json:",omitempty"`
	Options map[string]string `json:",omitempty"`
}

type wireNetworkingConfig struct {
	EndpointsConfig map[string]*wireEndpoint
}

type wireEndpoint struct {
	IPAMConfig *wireEndpointIPAM `json:",omitempty"`
	Links      []string          `json:",omitempty"`
	Aliases    []string          `json:",omitempty"`
	MacAddress string            `json:",omitempty"`
	DriverOpts map[string]string `json:",omitempty"`
	GwPriority int               `json:",omitempty"`
}

type wireEndpointIPAM struct {
	IPv4Address  string   `json:",omitempty"`
	IPv6Address  string   `json:",omitempty"`
	LinkLocalIPs []string `json:",omitempty"`
}

// wireCreated is the answer. Older engines have null warnings.
type wireCreated struct {
	ID       string `json:"Id"`
	Warnings []string
}

// createRequest is everything that creating a container takes.
type createRequest struct {
	name, platform string
	body           json.RawMessage
	connect        []connection // after creation, in this order
}

// connection is a network to join after creation.
type connection struct {
	network  string
	endpoint *wireEndpoint
}
