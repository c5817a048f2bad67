package podman

import (
	"encoding/json"
)

// wireCreate is the body of POST /containers/create: libpod's SpecGenerator. What is not set is left out, as a false, a 0 and an empty list mean something.
type wireCreate struct {
	Name                 string            `json:"name,omitzero"`
	Pod                  string            `json:"pod,omitzero"`
	Entrypoint           []string          `json:"entrypoint,omitzero"`
	Command              []string          `json:"command,omitzero"`
	Env                  map[string]string `json:"env,omitzero"`
	EnvHost              bool              `json:"env_host,omitzero"`
	EnvMerge             []string          `json:"envmerge,omitzero"`
	UnsetEnv             []string          `json:"unsetenv,omitzero"`
	UnsetEnvAll          bool              `json:"unsetenvall,omitzero"`
	HTTPProxy            bool              `json:"httpproxy"`
	Terminal             bool              `json:"terminal,omitzero"`
	Stdin                bool              `json:"stdin,omitzero"`
	Labels               map[string]string `json:"labels,omitzero"`
	Annotations          map[string]string `json:"annotations,omitzero"`
	StopSignal           int               `json:"stop_signal,omitzero"`
	StopTimeout          *uint64           `json:"stop_timeout,omitzero"`
	Timeout              uint64            `json:"timeout,omitzero"`
	LogConfiguration     *wireLogConfig    `json:"log_configuration,omitzero"`
	ConmonPidFile        string            `json:"conmon_pid_file,omitzero"`
	RestartPolicy        string            `json:"restart_policy,omitzero"`
	RestartTries         *uint             `json:"restart_tries,omitzero"`
	OCIRuntime           string            `json:"oci_runtime,omitzero"`
	Systemd              string            `json:"systemd,omitzero"`
	SdNotifyMode         string            `json:"sdnotifyMode,omitzero"`
	Hostname             string            `json:"hostname,omitzero"`
	HostUsers            []string          `json:"hostusers,omitzero"`
	Sysctl               map[string]string `json:"sysctl,omitzero"`
	Remove               bool              `json:"remove,omitzero"`
	RemoveImage          bool              `json:"removeImage,omitzero"`
	ContainerCreate      []string          `json:"containerCreateCommand,omitzero"`
	Timezone             string            `json:"timezone,omitzero"`
	DependencyContainers []string          `json:"dependencyContainers,omitzero"`
	SecretEnv            map[string]string `json:"secret_env,omitzero"`
	InitContainerType    string            `json:"init_container_type,omitzero"`
	Personality          *wirePersonality  `json:"personality,omitzero"`
	ManagePassword       *bool             `json:"manage_password,omitzero"`
	PasswdEntry          string            `json:"passwd_entry,omitzero"`
	GroupEntry           string            `json:"group_entry,omitzero"`

	Image             string               `json:"image,omitzero"`
	RawImageName      string               `json:"raw_image_name,omitzero"`
	ImageOS           string               `json:"image_os,omitzero"`
	ImageArch         string               `json:"image_arch,omitzero"`
	ImageVariant      string               `json:"image_variant,omitzero"`
	Rootfs            string               `json:"rootfs,omitzero"`
	RootfsOverlay     bool                 `json:"rootfs_overlay,omitzero"`
	RootfsMapping     string               `json:"rootfs_mapping,omitzero"`
	RootfsPropagation string               `json:"rootfs_propagation,omitzero"`
	ImageVolumeMode   string               `json:"image_volume_mode,omitzero"`
	VolumesFrom       []string             `json:"volumes_from,omitzero"`
	Init              *bool                `json:"init,omitzero"`
	InitPath          string               `json:"init_path,omitzero"`
	Mounts            []wireMount          `json:"mounts,omitzero"`
	Volumes           []wireNamedVolume    `json:"volumes,omitzero"`
	OverlayVolumes    []wireOverlay        `json:"overlay_volumes,omitzero"`
	ImageVolumes      []wireImageVolume    `json:"image_volumes,omitzero"`
	ArtifactVolumes   []wireArtifactVolume `json:"artifact_volumes,omitzero"`
	Devices           []wireDevice         `json:"devices,omitzero"`
	DeviceCgroupRule  []wireDeviceRule     `json:"device_cgroup_rule,omitzero"`
	DevicesFrom       []string             `json:"devices_from,omitzero"`
	HostDeviceList    []wireDevice         `json:"host_device_list,omitzero"`
	ShmSize           int64                `json:"shm_size,omitzero"`
	ShmSizeSystemd    int64                `json:"shm_size_systemd,omitzero"`
	WorkDir           string               `json:"work_dir,omitzero"`
	CreateWorkingDir  bool                 `json:"create_working_dir,omitzero"`
	StorageOpts       map[string]string    `json:"storage_opts,omitzero"`
	Secrets           []wireSecretMount    `json:"secrets,omitzero"`
	Volatile          bool                 `json:"volatile,omitzero"`
	ChrootDirs        []string             `json:"chroot_directories,omitzero"`

	Privileged         bool              `json:"privileged,omitzero"`
	User               string            `json:"user,omitzero"`
	Groups             []string          `json:"groups,omitzero"`
	CapAdd             []string          `json:"cap_add,omitzero"`
	CapDrop            []string          `json:"cap_drop,omitzero"`
	SelinuxOpts        []string          `json:"selinux_opts,omitzero"`
	LabelNested        bool              `json:"label_nested,omitzero"`
	ApparmorProfile    string            `json:"apparmor_profile,omitzero"`
	SeccompPolicy      string            `json:"seccomp_policy,omitzero"`
	SeccompProfilePath string            `json:"seccomp_profile_path,omitzero"`
	NoNewPrivileges    *bool             `json:"no_new_privileges,omitzero"`
	IDMappings         *wireIDMappings   `json:"idmappings,omitzero"`
	ReadOnlyFilesystem bool              `json:"read_only_filesystem,omitzero"`
	ReadWriteTmpfs     *bool             `json:"read_write_tmpfs,omitzero"`
	Umask              string            `json:"umask,omitzero"`
	ProcfsOpts         []string          `json:"procfs_opts,omitzero"`
	Mask               []string          `json:"mask,omitzero"`
	Unmask             []string          `json:"unmask,omitzero"`
	PidNS              *wireNS           `json:"pidns,omitzero"`
	IpcNS              *wireNS           `json:"ipcns,omitzero"`
	UtsNS              *wireNS           `json:"utsns,omitzero"`
	UserNS             *wireNS           `json:"userns,omitzero"`
	CgroupNS           *wireNS           `json:"cgroupns,omitzero"`
	CgroupsMode        string            `json:"cgroups_mode,omitzero"`
	CgroupParent       string            `json:"cgroup_parent,omitzero"`
	NetNS              *wireNS           `json:"netns,omitzero"`
	PortMappings       []wirePort        `json:"portmappings,omitzero"`
	PublishImagePorts  bool              `json:"publish_image_ports,omitzero"`
	Expose             map[uint16]string `json:"expose,omitzero"`
	DNSServer          []string          `json:"dns_server,omitzero"`
	DNSSearch          []string          `json:"dns_search,omitzero"`
	DNSOption          []string          `json:"dns_option,omitzero"`
	HostAdd            []string          `json:"hostadd,omitzero"`
	BaseHostsFile      string            `json:"base_hosts_file,omitzero"`
	UseImageHostname   *bool             `json:"use_image_hostname,omitzero"`
	UseImageHosts      bool              `json:"use_image_hosts,omitzero"`
	UseImageResolvConf bool              `json:"use_image_resolve_conf,omitzero"`

	Networks       map[string]wireNetworkOptions `json:"Networks,omitzero"`
	NetworkOptions map[string][]string           `json:"network_options,omitzero"`

	ResourceLimits    *wireResources          `json:"resource_limits,omitzero"`
	Rlimits           []wireRlimit            `json:"r_limits,omitzero"`
	OOMScoreAdj       *int                    `json:"oom_score_adj,omitzero"`
	WeightDevice      map[string]wireWeight   `json:"weightDevice,omitzero"`
	ThrottleReadBps   map[string]wireThrottle `json:"throttleReadBpsDevice,omitzero"`
	ThrottleWriteBps  map[string]wireThrottle `json:"throttleWriteBpsDevice,omitzero"`
	ThrottleReadIOPS  map[string]wireThrottle `json:"throttleReadIOPSDevice,omitzero"`
	ThrottleWriteIOPS map[string]wireThrottle `json:"throttleWriteIOPSDevice,omitzero"`
	Unified           map[string]string       `json:"unified,omitzero"`
	IntelRdt          json.RawMessage         `json:"intelRdt,omitzero"`

	HealthConfig         *wireHealthcheck `json:"healthconfig,omitzero"`
	HealthOnFailure      int              `json:"health_check_on_failure_action,omitzero"`
	StartupHealthConfig  *wireHealthcheck `json:"startupHealthConfig,omitzero"`
	HealthLogDestination string           `json:"healthLogDestination,omitzero"`
	HealthMaxLogCount    *uint            `json:"healthMaxLogCount,omitzero"`
	HealthMaxLogSize     *uint            `json:"healthMaxLogSize,omitzero"`
}

type wireNS struct {
	Mode  string `json:"nsmode"`
	Value string `json:"value,omitzero"`
}

type wireLogConfig struct {
	Driver  string            `json:"driver,omitzero"`
	Path    string            `json:"path,omitzero"`
	Size    int64             `json:"size,omitzero"`
	Options map[string]string `json:"options,omitzero"`
}

type wirePersonality struct {
	Domain string `json:"domain"`
}

type wireMount struct {
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Destination string   `json:"destination"`
	Options     []string `json:"options,omitzero"`
}

type wireNamedVolume struct {
	Name        string
	Dest        string
	Options     []string `json:",omitzero"`
	IsAnonymous bool     `json:",omitzero"`
	SubPath     string   `json:",omitzero"`
}

type wireOverlay struct {
	Source      string   `json:"source"`
	Destination string   `json:"destination"`
	Options     []string `json:"options,omitzero"`
}

type wireImageVolume struct {
	Source      string
	Destination string
	ReadWrite   bool
	SubPath     string `json:"subPath,omitzero"`
}

type wireArtifactVolume struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Title       string `json:"title,omitzero"`
	Digest      string `json:"digest,omitzero"`
	Name        string `json:"name,omitzero"`
}

// wireDevice is a device as HOST[:CONTAINER[:PERMISSIONS]], or the name of a CDI device.
type wireDevice struct {
	Path string `json:"path"`
}

// wireDeviceRule is a rule; nil numbers are all.
type wireDeviceRule struct {
	Allow  bool   `json:"allow"`
	Type   string `json:"type"`
	Major  *int64 `json:"major,omitzero"`
	Minor  *int64 `json:"minor,omitzero"`
	Access string `json:"access"`
}

type wireSecretMount struct {
	Source string
	Target string
	UID    uint32
	GID    uint32
	Mode   uint32
}

type wireIDMappings struct {
	HostUIDMapping bool
	HostGIDMapping bool
	UIDMap         []wireIDMap         `json:",omitzero"`
	GIDMap         []wireIDMap         `json:",omitzero"`
	AutoUserNs     bool                `json:",omitzero"`
	AutoUserNsOpts *wireAutoUserNsOpts `json:",omitzero"`
}

type wireIDMap struct {
	ContainerID uint32 `json:"container_id"`
	HostID      uint32 `json:"host_id"`
	Size        uint32 `json:"size"`
}

type wireAutoUserNsOpts struct {
	Size                  uint32      `json:",omitzero"`
	AdditionalUIDMappings []wireIDMap `json:",omitzero"`
	AdditionalGIDMappings []wireIDMap `json:",omitzero"`
}

type wirePort struct {
	HostIP        string `json:"host_ip,omitzero"`
	ContainerPort uint16 `json:"container_port"`
	HostPort      uint16 `json:"host_port"`
	Range         uint16 `json:"range,omitzero"`
	Protocol      string `json:"protocol"`
}

// wireNetworkOptions is a container's place in a network.
type wireNetworkOptions struct {
	Aliases       []string          `json:"aliases,omitzero"`
	StaticIPs     []string          `json:"static_ips,omitzero"`
	StaticMAC     string            `json:"static_mac,omitzero"`
	InterfaceName string            `json:"interface_name,omitzero"`
	Options       map[string]string `json:"options,omitzero"`
}

// wireResources are the OCI runtime's limits.
type wireResources struct {
	Memory  *wireMemory                `json:"memory,omitzero"`
	CPU     *wireCPU                   `json:"cpu,omitzero"`
	Pids    *wirePids                  `json:"pids,omitzero"`
	BlockIO *wireBlockIO               `json:"blockIO,omitzero"`
	Rdma    map[string]json.RawMessage `json:"rdma,omitzero"`
}

type wireMemory struct {
	Limit            *int64  `json:"limit,omitzero"`
	Reservation      *int64  `json:"reservation,omitzero"`
	Swap             *int64  `json:"swap,omitzero"`
	Swappiness       *uint64 `json:"swappiness,omitzero"`
	DisableOOMKiller *bool   `json:"disableOOMKiller,omitzero"`
	UseHierarchy     *bool   `json:"useHierarchy,omitzero"`
}

type wireCPU struct {
	Shares          *uint64 `json:"shares,omitzero"`
	Quota           *int64  `json:"quota,omitzero"`
	Period          *uint64 `json:"period,omitzero"`
	RealtimeRuntime *int64  `json:"realtimeRuntime,omitzero"`
	RealtimePeriod  *uint64 `json:"realtimePeriod,omitzero"`
	Cpus            string  `json:"cpus,omitzero"`
	Mems            string  `json:"mems,omitzero"`
}

type wirePids struct {
	Limit int64 `json:"limit"`
}

type wireBlockIO struct {
	Weight uint16 `json:"weight"`
}

type wireWeight struct {
	Weight uint16 `json:"weight"`
}

type wireThrottle struct {
	Rate uint64 `json:"rate"`
}

// wireRlimit has the largest number for unlimited: a -1 is read since 5.5.1 only.
type wireRlimit struct {
	Type string `json:"type"`
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}
