package inspect

import (
	"math"
	"strconv"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

type wireConfig struct {
	Hostname     string
	Domainname   string
	User         string
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
	ExposedPorts map[string]struct{} `json:",omitempty"`
	Tty          bool
	OpenStdin    bool
	StdinOnce    bool
	Env          []string
	Cmd          []string
	Healthcheck  *wireHealthcheck `json:",omitempty"`
	Image        string
	Volumes      map[string]struct{}
	WorkingDir   string
	Entrypoint   []string
	Labels       map[string]string
	StopSignal   string
	StopTimeout  *int64 `json:",omitempty"`
}

// wireHealthcheck has durations in nanoseconds.
type wireHealthcheck struct {
	Test          []string      `json:",omitempty"`
	Interval      time.Duration `json:",omitempty"`
	Timeout       time.Duration `json:",omitempty"`
	StartPeriod   time.Duration `json:",omitempty"`
	StartInterval time.Duration `json:",omitempty"`
	Retries       int           `json:",omitempty"`
}

func rawConfig(c *engine.Config, cfg *state.Config) wireConfig {
	w := wireConfig{
		Hostname: c.Hostname, Domainname: c.Domainname, User: c.User, AttachStdin: c.OpenStdin, AttachStdout: true, AttachStderr: true,
		ExposedPorts: set(c.ExposedPorts), Tty: c.TTY, OpenStdin: c.OpenStdin, StdinOnce: c.StdinOnce, Env: notNil(c.Env), Cmd: c.Cmd,
		Image: cfg.Image, Volumes: set(c.Volumes), WorkingDir: c.WorkingDir, Entrypoint: c.Entrypoint, Labels: c.Labels, StopSignal: c.StopSignal,
	}
	if h := c.Healthcheck; h != nil {
		w.Healthcheck = &wireHealthcheck{h.Test, h.Interval, h.Timeout, h.StartPeriod, h.StartInterval, h.Retries}
	}
	if c.StopTimeout != nil {
		w.StopTimeout = new(int64(*c.StopTimeout / time.Second))
	}
	return w
}

// set is nil for an empty list.
func set(list []string) map[string]struct{} {
	var m map[string]struct{}
	for _, v := range list {
		if m == nil {
			m = map[string]struct{}{}
		}
		m[v] = struct{}{}
	}
	return m
}

type wireHostConfig struct {
	Binds             []string
	LogConfig         wireLogConfig
	NetworkMode       string
	PortBindings      map[string][]wirePortBinding
	RestartPolicy     wireRestartPolicy
	AutoRemove        bool
	VolumesFrom       []string
	Annotations       map[string]string `json:",omitempty"`
	CapAdd            []string
	CapDrop           []string
	CgroupnsMode      string
	DNS               []string `json:"Dns"`
	DNSOptions        []string `json:"DnsOptions"`
	DNSSearch         []string `json:"DnsSearch"`
	ExtraHosts        []string
	GroupAdd          []string
	IpcMode           string
	Links             []string
	OomScoreAdj       int
	PidMode           string
	Privileged        bool
	PublishAllPorts   bool
	ReadonlyRootfs    bool
	SecurityOpt       []string
	StorageOpt        map[string]string `json:",omitempty"`
	Tmpfs             map[string]string `json:",omitempty"`
	UTSMode           string
	UsernsMode        string
	ShmSize           int64
	Sysctls           map[string]string `json:",omitempty"`
	Runtime           string
	Init              *bool       `json:",omitempty"`
	Mounts            []wireMount `json:",omitempty"`
	CgroupParent      string
	Devices           []wireDevice
	DeviceCgroupRules []string
	DeviceRequests    []wireDeviceRequest
	Ulimits           []wireUlimit
	wireResources
}

type wireLogConfig struct {
	Type   string
	Config map[string]string
}

type wireRestartPolicy struct {
	Name              string
	MaximumRetryCount int
}

type wireDevice struct{ PathOnHost, PathInContainer, CgroupPermissions string }

type wireDeviceRequest struct {
	Driver       string
	Count        int
	DeviceIDs    []string
	Capabilities [][]string
	Options      map[string]string
}

type wireUlimit struct {
	Name       string
	Hard, Soft int64
}

type wireMount struct {
	Type        string
	Source      string `json:",omitempty"`
	Target      string
	ReadOnly    bool   `json:",omitempty"`
	Consistency string `json:",omitempty"`
}

type wireResources struct {
	CPUShares            int64 `json:"CpuShares"`
	Memory               int64
	NanoCPUs             int64 `json:"NanoCpus"`
	BlkioWeight          uint16
	BlkioWeightDevice    []wireWeight
	BlkioDeviceReadBps   []wireRate
	BlkioDeviceWriteBps  []wireRate
	BlkioDeviceReadIOps  []wireRate
	BlkioDeviceWriteIOps []wireRate
	CPUPeriod            int64 `json:"CpuPeriod"`
	CPUQuota             int64 `json:"CpuQuota"`
	CPURealtimePeriod    int64 `json:"CpuRealtimePeriod"`
	CPURealtimeRuntime   int64 `json:"CpuRealtimeRuntime"`
	CpusetCpus           string
	CpusetMems           string
	MemoryReservation    int64
	MemorySwap           int64
	MemorySwappiness     *int64
	OomKillDisable       *bool
	PidsLimit            *int64
}

type wireWeight struct {
	Path   string
	Weight uint16
}

type wireRate struct {
	Path string
	Rate uint64
}

func rawHostConfig(h *engine.HostConfig, cfg *state.Config) wireHostConfig {
	s := &cfg.Spec
	w := wireHostConfig{
		Binds: h.Binds, LogConfig: wireLogConfig{h.LogConfig.Driver, h.LogConfig.Options}, NetworkMode: h.NetworkMode,
		PortBindings: map[string][]wirePortBinding{}, RestartPolicy: wireRestartPolicy(h.RestartPolicy), AutoRemove: h.AutoRemove,
		VolumesFrom: h.VolumesFrom, Annotations: s.Annotations, CapAdd: h.CapAdd, CapDrop: h.CapDrop, CgroupnsMode: h.CgroupNS, DNS: notNil(h.DNS),
		DNSOptions: notNil(h.DNSOptions), DNSSearch: notNil(h.DNSSearch), ExtraHosts: h.ExtraHosts, GroupAdd: h.GroupAdd, IpcMode: h.IPCMode,
		Links: h.Links, OomScoreAdj: h.OOMScoreAdj, PidMode: h.PIDMode, Privileged: h.Privileged, PublishAllPorts: s.PublishAllPorts,
		ReadonlyRootfs: h.ReadonlyRootfs, SecurityOpt: h.SecurityOpt, StorageOpt: h.StorageOpt, Tmpfs: h.Tmpfs, UTSMode: h.UTSMode,
		UsernsMode: h.UsernsMode, ShmSize: int64(h.ShmSize), Sysctls: h.Sysctls, Runtime: h.Runtime, Init: h.Init, CgroupParent: h.CgroupParent,
		Devices: []wireDevice{}, DeviceCgroupRules: s.DeviceCgroupRules, Ulimits: []wireUlimit{}, wireResources: rawResources(&h.Resources),
	}
	for _, p := range cfg.Ports {
		key := strconv.Itoa(int(p.ContainerPort)) + "/" + p.Protocol
		b := wirePortBinding{HostIP: text(p.HostIP)}
		if p.HostPort != 0 {
			b.HostPort = strconv.Itoa(int(p.HostPort))
		}
		if p.HostPortEnd != 0 {
			b.HostPort += "-" + strconv.Itoa(int(p.HostPortEnd))
		}
		w.PortBindings[key] = append(w.PortBindings[key], b)
	}
	for _, m := range s.Mounts {
		if _, ok := h.Tmpfs[m.Target]; !ok {
			w.Mounts = append(w.Mounts, wireMount{string(m.Type), m.Source, m.Target, m.ReadOnly, m.Consistency})
		}
	}
	for _, d := range h.Devices {
		w.Devices = append(w.Devices, wireDevice{d.Host, d.Container, d.Permissions})
	}
	for _, d := range s.DeviceRequests {
		w.DeviceRequests = append(w.DeviceRequests, wireDeviceRequest(d))
	}
	if len(s.CDIDevices) > 0 {
		w.DeviceRequests = append(w.DeviceRequests, wireDeviceRequest{Driver: "cdi", DeviceIDs: s.CDIDevices})
	}
	for _, u := range h.Ulimits {
		w.Ulimits = append(w.Ulimits, wireUlimit{Name: u.Name, Hard: u.Hard, Soft: u.Soft})
	}
	return w
}

func rawResources(r *engine.Resources) wireResources {
	w := wireResources{
		CPUShares: r.CPUShares, Memory: int64(r.Memory), NanoCPUs: int64(math.Round(r.CPUs * 1e9)), BlkioWeight: r.BlkioWeight,
		BlkioDeviceReadBps: rates(r.BlkioDeviceReadBps), BlkioDeviceWriteBps: rates(r.BlkioDeviceWriteBps),
		BlkioDeviceReadIOps: rates(r.BlkioDeviceReadIOps), BlkioDeviceWriteIOps: rates(r.BlkioDeviceWriteIOps),
		CPUPeriod: r.CPUPeriod, CPUQuota: r.CPUQuota, CPURealtimePeriod: r.CPURealtimePeriod, CPURealtimeRuntime: r.CPURealtimeRuntime,
		CpusetCpus: r.CpusetCPUs, CpusetMems: r.CpusetMems, MemoryReservation: int64(r.MemoryReservation), MemorySwap: int64(r.MemorySwap),
		MemorySwappiness: r.MemorySwappiness, OomKillDisable: r.OOMKillDisable, PidsLimit: r.PidsLimit, BlkioWeightDevice: []wireWeight{},
	}
	for _, d := range r.BlkioWeightDevice {
		w.BlkioWeightDevice = append(w.BlkioWeightDevice, wireWeight(d))
	}
	return w
}

func rates(list []engine.ThrottleDevice) []wireRate {
	out := []wireRate{}
	for _, d := range list {
		out = append(out, wireRate(d))
	}
	return out
}
