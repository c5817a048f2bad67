package engine

import (
	"encoding/json"
	"net/netip"
	"time"
)

// Spec says what a container is. It is inert data: it can be printed
// ([Spec.String]), compared ([Spec.Equal]), copied ([Spec.Clone]), checked
// ([Spec.Validate]) and stored (it round-trips through JSON). Only Image is
// required; the zero value of every other field leaves the choice to the image
// and the engine.
//
// A Spec is not modified by any call, and may be used by several at once as
// long as nobody writes to it.
type Spec struct {
	// Image is a name ("alpine", "registry:5000/a/b:tag", "a@sha256:…") or an image ID.
	Image string `json:"image,omitzero"`
	// Platform is os[/arch[/variant]], e.g. "linux/arm64/v8". It selects the image to pull and to run.
	Platform string `json:"platform,omitzero"`
	// Name of the container; "" lets the engine choose.
	Name string `json:"name,omitzero"`

	// Command replaces the image's CMD. Nil keeps it, an empty non-nil slice clears it.
	// See Shell and SplitCommand for one string.
	Command []string `json:"command,omitzero"`
	// Entrypoint replaces the image's ENTRYPOINT. Nil keeps it, an empty non-nil slice clears it.
	Entrypoint []string `json:"entrypoint,omitzero"`
	// Env is added to the image's environment.
	Env map[string]string `json:"env,omitzero"`
	// UnsetEnv removes variables of the image.
	UnsetEnv []string `json:"unsetEnv,omitzero"`
	// UseConfigProxy puts the proxy variables of the client's config.json into the environment
	// (values of Env win). Nil means true.
	UseConfigProxy *bool `json:"useConfigProxy,omitzero"`
	// WorkingDir is the directory the command starts in. It is created if the image lacks it.
	WorkingDir string `json:"workingDir,omitzero"`
	// User is user[:group], by name or number.
	User string `json:"user,omitzero"`
	// GroupAdd lists further groups of the process, by name or number.
	GroupAdd []string `json:"groupAdd,omitzero"`
	// Umask of the process in octal, e.g. "0022". Podman and embedded.
	Umask string `json:"umask,omitzero"`
	// Timezone is an IANA zone ("Europe/Berlin") or "local". Podman and embedded.
	Timezone string `json:"timezone,omitzero"`
	// TTY gives the process a terminal: its output is one raw stream.
	TTY bool `json:"tty,omitzero"`
	// OpenStdin keeps the container's standard input open, so that it can be attached.
	OpenStdin bool `json:"openStdin,omitzero"`
	// StdinOnce closes it for good when the first attached client is gone.
	StdinOnce bool `json:"stdinOnce,omitzero"`
	// StopSignal is sent by Stop: a name with or without SIG ("SIGINT", "int", "RTMIN+3") or a number. Default SIGTERM.
	StopSignal string `json:"stopSignal,omitzero"`
	// StopTimeout is how long Stop and Restart wait before they kill, whole seconds. Nil: the engine's default (10 s); 0 kills at once.
	StopTimeout *time.Duration `json:"stopTimeout,omitzero"`
	// Timeout is the longest time the container may run before it is killed, whole seconds; 0 is no limit. Podman and embedded.
	Timeout time.Duration `json:"timeout,omitzero"`
	// Init runs a small init as PID 1 that reaps children and forwards signals.
	Init *bool `json:"init,omitzero"`
	// InitPath is the init binary on the engine's host. Podman only.
	InitPath string `json:"initPath,omitzero"`

	// Hostname of the container (kernel.hostname).
	Hostname string `json:"hostname,omitzero"`
	// Domainname is the NIS domain (kernel.domainname), not a DNS search domain: see DNSSearch.
	Domainname string `json:"domainname,omitzero"`
	// Labels are the container's labels.
	Labels map[string]string `json:"labels,omitzero"`
	// Annotations are passed to the OCI runtime.
	Annotations map[string]string `json:"annotations,omitzero"`

	// Healthcheck replaces or completes the image's health check.
	Healthcheck *Healthcheck `json:"healthcheck,omitzero"`
	// RestartPolicy says when the engine restarts the container. It excludes AutoRemove.
	RestartPolicy RestartPolicy `json:"restartPolicy,omitzero"`
	// AutoRemove makes the engine remove the container and its anonymous volumes when it exits.
	AutoRemove bool `json:"autoRemove,omitzero"`
	// LogConfig chooses the log driver; the zero value is the engine's default.
	LogConfig LogConfig `json:"logConfig,omitzero"`
	// Runtime is the OCI runtime's name or path.
	Runtime string `json:"runtime,omitzero"`

	// Privileged gives the container the host's devices and all capabilities.
	Privileged bool `json:"privileged,omitzero"`
	// CapAdd and CapDrop name capabilities with or without CAP_, or ALL.
	CapAdd  []string `json:"capAdd,omitzero"`
	CapDrop []string `json:"capDrop,omitzero"`
	// SecurityOpt: no-new-privileges[=bool], seccomp=unconfined|PATH|JSON, apparmor=PROFILE, label=…, mask=…, unmask=…,
	// systempaths=unconfined, proc-opts=…, writable-cgroups[=bool]. A seccomp PATH is read on the client.
	SecurityOpt []string `json:"securityOpt,omitzero"`
	// ReadOnly makes the root file system read-only.
	ReadOnly bool `json:"readOnly,omitzero"`
	// ReadWriteTmpfs puts writable tmpfs on /run, /tmp, /var/tmp (and /dev, /dev/shm) of a read-only container. Podman and embedded.
	ReadWriteTmpfs *bool `json:"readWriteTmpfs,omitzero"`

	// Mounts put files of the host, volumes, images or memory into the container.
	Mounts []Mount `json:"mounts,omitzero"`
	// VolumesFrom takes over the volumes of other containers: NAME[:ro|rw[,z|Z]].
	VolumesFrom []string `json:"volumesFrom,omitzero"`
	// VolumeDriver is the driver of the named volumes in Mounts that are created with the container and name no driver of their own.
	VolumeDriver string `json:"volumeDriver,omitzero"`
	// StorageOpt are options of the storage driver, e.g. size.
	StorageOpt map[string]string `json:"storageOpt,omitzero"`
	// ShmSize is the size of /dev/shm.
	ShmSize Bytes `json:"shmSize,omitzero"`

	// Devices are devices of the engine's host.
	Devices []Device `json:"devices,omitzero"`
	// DeviceCgroupRules are rules of the form "c 13:* rwm".
	DeviceCgroupRules []string `json:"deviceCgroupRules,omitzero"`
	// DeviceRequests ask a driver for devices (GPUs). See GPUs.
	DeviceRequests []DeviceRequest `json:"deviceRequests,omitzero"`
	// CDIDevices are Container Device Interface names: vendor.com/class=name.
	CDIDevices []string `json:"cdiDevices,omitzero"`

	// Resources are the limits of the container.
	Resources Resources `json:"resources,omitzero"`
	// Ulimits are resource limits of the process (setrlimit).
	Ulimits []Ulimit `json:"ulimits,omitzero"`
	// Sysctls are kernel parameters of the container's namespaces: "net.core.somaxconn".
	Sysctls map[string]string `json:"sysctls,omitzero"`
	// OOMScoreAdj is -1000 to 1000.
	OOMScoreAdj *int `json:"oomScoreAdj,omitzero"`
	// CgroupParent is the cgroup under which the container's is made.
	CgroupParent string `json:"cgroupParent,omitzero"`
	// CgroupsMode is enabled, disabled, no-conmon or split. Podman only.
	CgroupsMode string `json:"cgroupsMode,omitzero"`

	// PIDMode, IPCMode, UTSMode, UsernsMode and CgroupNS are the namespaces: host, private, container:NAME, ns:PATH, and what the engine adds (IPC: shareable, none; user: auto[:opts], keep-id[:opts], nomap; pod).
	PIDMode    string `json:"pidMode,omitzero"`
	IPCMode    string `json:"ipcMode,omitzero"`
	UTSMode    string `json:"utsMode,omitzero"`
	UsernsMode string `json:"usernsMode,omitzero"`
	CgroupNS   string `json:"cgroupNS,omitzero"`
	// NetworkMode is bridge, host, none, private, container:NAME, ns:PATH, pasta[:opts], slirp4netns[:opts] or a network's name.
	// It excludes Networks but for endpoints of that same network.
	NetworkMode string `json:"networkMode,omitzero"`

	// Networks joins the container to these networks, the first as its primary one.
	Networks []Endpoint `json:"networks,omitzero"`
	// NetworkDisabled leaves the container with loopback only.
	NetworkDisabled bool `json:"networkDisabled,omitzero"`
	// MACAddress of the first network.
	MACAddress string `json:"macAddress,omitzero"`
	// Ports are published on the engine's host.
	Ports []Port `json:"ports,omitzero"`
	// Expose declares ports without publishing them: "80", "53/udp", "8000-8010".
	Expose []string `json:"expose,omitzero"`
	// PublishAllPorts publishes every exposed port on a random host port.
	PublishAllPorts bool `json:"publishAllPorts,omitzero"`
	// DNS are the name servers of resolv.conf.
	DNS []netip.Addr `json:"dns,omitzero"`
	// DNSOptions are options of resolv.conf: "ndots:2".
	DNSOptions []string `json:"dnsOptions,omitzero"`
	// DNSSearch are the search domains of resolv.conf; "." is none.
	DNSSearch []string `json:"dnsSearch,omitzero"`
	// ExtraHosts are lines of /etc/hosts as "name:address"; the address may be host-gateway.
	ExtraHosts []string `json:"extraHosts,omitzero"`
	// Links are Docker's legacy links, NAME[:ALIAS]. On other engines use Endpoint.Aliases.
	Links []string `json:"links,omitzero"`

	// Secrets of the engine, mounted as files. Podman and embedded.
	Secrets []SecretMount `json:"secrets,omitzero"`
	// SecretEnv maps environment variables to secrets' names. Podman and embedded.
	SecretEnv map[string]string `json:"secretEnv,omitzero"`

	// LXCConf is refused by every engine (it went with Docker's lxc driver); it is here so that old configurations get an error instead of silence.
	LXCConf map[string]string `json:"lxcConf,omitzero"`

	// Podman holds options that Podman has made. Docker has none of them; the embedded engine has those that say so. What an engine has not is an UnsupportedError.
	Podman *PodmanSpec `json:"podman,omitzero"`
	// Windows holds options of Windows containers.
	Windows *WindowsSpec `json:"windows,omitzero"`
	// Raw is merged (RFC 7386) last into the engine's own create request, by engine name: "docker", "podman", or "embedded" (an OCI
	// config.json). It is the one place that Berth does not check. Entries of other engines are ignored, but a
	// Spec with entries and none for the engine in use is an UnsupportedError.
	Raw map[string]json.RawMessage `json:"raw,omitzero"`
}

// RestartPolicy says when the engine restarts the container.
type RestartPolicy struct {
	Name              string `json:"name,omitzero"`              // no, on-failure, always, unless-stopped
	MaximumRetryCount int    `json:"maximumRetryCount,omitzero"` // how often on-failure restarts at most; 0 is without end
}

// LogConfig chooses the log driver.
type LogConfig struct {
	Driver  string            `json:"driver,omitzero"`  // json-file, local, none, journald, k8s-file, passthrough, …
	Options map[string]string `json:"options,omitzero"` // of the driver: max-size, tag, …
}

// Healthcheck says how the engine tests the container. Zero durations and
// Retries take the image's value or the engine's default (30s, 30s, 3).
type Healthcheck struct {
	// Test is {"CMD", arg…}, {"CMD-SHELL", line} or {"NONE"}; see Cmd and CmdShell. Empty inherits the image's test.
	Test          []string      `json:"test,omitzero"`
	Interval      time.Duration `json:"interval,omitzero"`      // between two runs
	Timeout       time.Duration `json:"timeout,omitzero"`       // of one run
	StartPeriod   time.Duration `json:"startPeriod,omitzero"`   // during which failures do not count
	StartInterval time.Duration `json:"startInterval,omitzero"` // between two runs during StartPeriod. Docker API >= 1.44 and embedded
	Retries       int           `json:"retries,omitzero"`       // failures in a row that make it unhealthy

	// OnFailure is what happens to an unhealthy container: none, kill, restart or stop. Podman and embedded.
	OnFailure string `json:"onFailure,omitzero"`
	// Startup runs until it succeeds, before the regular test begins. Podman only.
	Startup *StartupHealthcheck `json:"startup,omitzero"`
	// LogDestination is local, events_logger or a directory. Podman only.
	LogDestination string `json:"logDestination,omitzero"`
	// LogMaxCount is how many results are kept; LogMaxSize how many characters of each. 0 is no limit. Podman only.
	LogMaxCount *uint `json:"logMaxCount,omitzero"`
	LogMaxSize  *uint `json:"logMaxSize,omitzero"`
}

// StartupHealthcheck is Podman's startup health check.
type StartupHealthcheck struct {
	Test      []string      `json:"test,omitzero"`      // as Healthcheck.Test, but NONE
	Interval  time.Duration `json:"interval,omitzero"`  // between two runs
	Timeout   time.Duration `json:"timeout,omitzero"`   // of one run
	Retries   int           `json:"retries,omitzero"`   // failures after which the container is restarted; 0 is without end
	Successes int           `json:"successes,omitzero"` // how often it must succeed; 0 is once
}

// Ulimit is a resource limit of the process (setrlimit). -1 is unlimited.
type Ulimit struct {
	Name string `json:"name"` // nofile, nproc, …; case and a RLIMIT_ prefix do not matter
	Soft int64  `json:"soft"` // what the process starts with
	Hard int64  `json:"hard"` // what it may raise Soft to
}

// Device is a device of the engine's host.
type Device struct {
	Host        string `json:"host"`                 // path on the engine's host
	Container   string `json:"container,omitzero"`   // path in the container; "" is the same
	Permissions string `json:"permissions,omitzero"` // of r, w, m; "" is rwm
}

// DeviceRequest asks a device driver for devices.
type DeviceRequest struct {
	Driver       string            `json:"driver,omitzero"`       // nvidia, cdi, …; "" lets the engine choose
	Count        int               `json:"count,omitzero"`        // -1 is all; excludes DeviceIDs
	DeviceIDs    []string          `json:"deviceIDs,omitzero"`    // by the driver's names
	Capabilities [][]string        `json:"capabilities,omitzero"` // OR of ANDs
	Options      map[string]string `json:"options,omitzero"`      // of the driver
}

// SecretMount puts a secret of the engine into the container as a file.
type SecretMount struct {
	Source string `json:"source"`          // the secret's name or ID
	Target string `json:"target,omitzero"` // file name under /run/secrets, or an absolute path; "" is Source
	UID    uint32 `json:"uid,omitzero"`    // owner of the file
	GID    uint32 `json:"gid,omitzero"`    // group of the file
	// Mode holds permission bits; nil is 0444.
	Mode *uint32 `json:"mode,omitzero"`
}

// Endpoint is the container's place in one network.
type Endpoint struct {
	Network       string            `json:"network"`                // name or ID
	Aliases       []string          `json:"aliases,omitzero"`       // further names of the container in the network
	IPv4          netip.Addr        `json:"ipv4,omitzero"`          // zero lets the engine choose
	IPv6          netip.Addr        `json:"ipv6,omitzero"`          // zero lets the engine choose
	LinkLocalIPs  []netip.Addr      `json:"linkLocalIPs,omitzero"`  // further link-local addresses (Docker)
	MACAddress    string            `json:"macAddress,omitzero"`    // "" lets the engine choose
	InterfaceName string            `json:"interfaceName,omitzero"` // Podman, and Docker through DriverOptions
	Links         []string          `json:"links,omitzero"`         // Docker's legacy links, NAME[:ALIAS]
	DriverOptions map[string]string `json:"driverOptions,omitzero"` // of the network's driver
	// GatewayPriority decides which network is the default route; the highest wins. Docker API >= 1.48.
	GatewayPriority int `json:"gatewayPriority,omitzero"`
}

// PodmanSpec holds the options that Podman has made; where nothing else is said, it alone has them. Durations are whole seconds.
type PodmanSpec struct {
	Pod                  string                     `json:"pod,omitzero"`                  // name or ID of the pod that it joins
	Rootfs               string                     `json:"rootfs,omitzero"`               // a directory instead of an image
	RootfsOverlay        bool                       `json:"rootfsOverlay,omitzero"`        // keeps Rootfs unchanged
	RootfsMapping        string                     `json:"rootfsMapping,omitzero"`        // UID and GID mapping of the mount of Rootfs
	RootfsPropagation    string                     `json:"rootfsPropagation,omitzero"`    // propagation of the root mount: private, slave, shared, …. Podman and embedded
	EnvHost              bool                       `json:"envHost,omitzero"`              // the engine's own environment. Podman and embedded
	EnvMerge             []string                   `json:"envMerge,omitzero"`             // NAME=VALUE in which ${NAME} stands for the image's variables. Podman and embedded
	UnsetEnvAll          bool                       `json:"unsetEnvAll,omitzero"`          // removes all variables of the image. Podman and embedded
	HTTPProxy            bool                       `json:"httpProxy,omitzero"`            // copies the proxy variables of the Podman service
	Systemd              string                     `json:"systemd,omitzero"`              // true, false, always
	SdNotifyMode         string                     `json:"sdNotifyMode,omitzero"`         // container, conmon, healthy, ignore
	ConmonPidFile        string                     `json:"conmonPidFile,omitzero"`        // file on the host that receives the PID of conmon
	CreateCommand        []string                   `json:"createCommand,omitzero"`        // shown by inspect as the command that made the container
	ImageVolumeMode      string                     `json:"imageVolumeMode,omitzero"`      // ignore, tmpfs, anonymous. Podman and embedded
	HostUsers            []string                   `json:"hostUsers,omitzero"`            // users of the host that are added to /etc/passwd
	RemoveImage          bool                       `json:"removeImage,omitzero"`          // removes the image with the container; with AutoRemove
	DependencyContainers []string                   `json:"dependencyContainers,omitzero"` // containers that are started first
	InitContainerType    string                     `json:"initContainerType,omitzero"`    // of a pod's init container: always, once
	Personality          string                     `json:"personality,omitzero"`          // domain, e.g. LINUX32. Podman and embedded
	ManagePassword       *bool                      `json:"managePassword,omitzero"`       // nil is true: /etc/passwd and /etc/group get entries for the user
	PasswdEntry          string                     `json:"passwdEntry,omitzero"`          // template of that entry of /etc/passwd
	GroupEntry           string                     `json:"groupEntry,omitzero"`           // template of that entry of /etc/group
	DevicesFrom          []string                   `json:"devicesFrom,omitzero"`          // containers whose devices are taken over
	HostDeviceList       []Device                   `json:"hostDeviceList,omitzero"`       // devices as they were given, shown by inspect
	ShmSizeSystemd       Bytes                      `json:"shmSizeSystemd,omitzero"`       // size of the tmpfs mounts of systemd mode
	Volatile             bool                       `json:"volatile,omitzero"`             // the container's storage need not survive a crash. Podman and embedded
	ChrootDirectories    []string                   `json:"chrootDirectories,omitzero"`    // directories that are unpacked with the user's mappings
	LabelNested          bool                       `json:"labelNested,omitzero"`          // SELinux labels for nested containers
	SeccompPolicy        string                     `json:"seccompPolicy,omitzero"`        // empty, default, image. Podman, and embedded but for image
	UseImageHostname     *bool                      `json:"useImageHostname,omitzero"`     // keeps the image's /etc/hostname
	UseImageHosts        bool                       `json:"useImageHosts,omitzero"`        // keeps the image's /etc/hosts
	UseImageResolvConf   bool                       `json:"useImageResolvConf,omitzero"`   // keeps the image's /etc/resolv.conf
	BaseHostsFile        string                     `json:"baseHostsFile,omitzero"`        // what /etc/hosts starts from: a path, image, none
	NetworkOptions       map[string][]string        `json:"networkOptions,omitzero"`       // options of the network mode, by mode
	IntelRdt             json.RawMessage            `json:"intelRdt,omitzero"`             // of the OCI runtime specification
	IDMappings           *IDMappings                `json:"idMappings,omitzero"`           // of the user namespace. Podman and embedded
	ArtifactVolumes      []ArtifactVolume           `json:"artifactVolumes,omitzero"`      // OCI artifacts as files. Podman >= 5.5
	KernelMemoryTCP      Bytes                      `json:"kernelMemoryTCP,omitzero"`      // limit of TCP buffers. cgroup v1 only
	MemUseHierarchy      *bool                      `json:"memUseHierarchy,omitzero"`      // cgroup v1 only
	Unified              map[string]string          `json:"unified,omitzero"`              // cgroup v2 files. Podman and embedded
	Rdma                 map[string]json.RawMessage `json:"rdma,omitzero"`                 // limits by device, of the OCI runtime specification
}

// IDMappings are the user namespace's mappings.
type IDMappings struct {
	UIDMap []IDMap `json:"uidMap,omitzero"` // of users
	GIDMap []IDMap `json:"gidMap,omitzero"` // of groups
}

// IDMap maps Size ids from ContainerID on to HostID on.
type IDMap struct {
	ContainerID uint32 `json:"containerID"` // first ID in the container
	HostID      uint32 `json:"hostID"`      // first ID outside of it
	Size        uint32 `json:"size"`        // how many
}

// ArtifactVolume mounts an OCI artifact. Podman >= 5.5.
type ArtifactVolume struct {
	Source      string `json:"source"`          // name or digest of the artifact
	Destination string `json:"destination"`     // absolute path in the container
	Title       string `json:"title,omitzero"`  // mounts only the blob with this title
	Digest      string `json:"digest,omitzero"` // mounts only the blob with this digest
	Name        string `json:"name,omitzero"`   // file name of a single blob
}

// WindowsSpec holds the options of Windows containers.
type WindowsSpec struct {
	Isolation          string `json:"isolation,omitzero"`          // default, process, hyperv
	CPUCount           int64  `json:"cpuCount,omitzero"`           // number of CPUs
	CPUPercent         int64  `json:"cpuPercent,omitzero"`         // percent of all CPUs, 1 to 100
	IOMaximumIOps      uint64 `json:"ioMaximumIOps,omitzero"`      // operations per second of the system drive
	IOMaximumBandwidth uint64 `json:"ioMaximumBandwidth,omitzero"` // bytes per second
	CredentialSpec     string `json:"credentialSpec,omitzero"`     // of a group managed service account
}
