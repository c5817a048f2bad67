package engine

// Resources are the limits of a container. The zero value of a field is "no limit set".
type Resources struct {
	// Memory is the hard limit.
	Memory Bytes `json:"memory,omitzero"`
	// MemorySwap is memory plus swap; -1 is unlimited swap. It needs Memory.
	MemorySwap Bytes `json:"memorySwap,omitzero"`
	// MemoryReservation is the soft limit.
	MemoryReservation Bytes `json:"memoryReservation,omitzero"`
	// MemorySwappiness is 0 to 100. cgroup v1 only.
	MemorySwappiness *int64 `json:"memorySwappiness,omitzero"`
	// KernelMemory limits kernel memory; kernels and engines of today ignore it. cgroup v1 only.
	KernelMemory Bytes `json:"kernelMemory,omitzero"`
	// OOMKillDisable keeps the kernel from killing processes at the limit. cgroup v1 only.
	OOMKillDisable *bool `json:"oomKillDisable,omitzero"`

	// CPUs is how many CPUs the container may use, e.g. 1.5 (docker-py's nano_cpus / 1e9). It excludes CPUPeriod and CPUQuota.
	CPUs float64 `json:"cpus,omitzero"`
	// CPUShares is the relative weight, 2 to 262144 (default 1024).
	CPUShares int64 `json:"cpuShares,omitzero"`
	// CPUPeriod and CPUQuota are the CFS period and quota in microseconds. A quota of -1 is no limit.
	CPUPeriod int64 `json:"cpuPeriod,omitzero"`
	CPUQuota  int64 `json:"cpuQuota,omitzero"`
	// CPURealtimePeriod and CPURealtimeRuntime are in microseconds. cgroup v1 only.
	CPURealtimePeriod  int64 `json:"cpuRealtimePeriod,omitzero"`
	CPURealtimeRuntime int64 `json:"cpuRealtimeRuntime,omitzero"`
	// CpusetCPUs and CpusetMems are lists such as "0-2,4".
	CpusetCPUs string `json:"cpusetCPUs,omitzero"`
	CpusetMems string `json:"cpusetMems,omitzero"`

	// PidsLimit is the highest number of processes; -1 is unlimited.
	PidsLimit *int64 `json:"pidsLimit,omitzero"`

	// BlkioWeight is the relative block I/O weight, 10 to 1000.
	BlkioWeight          uint16           `json:"blkioWeight,omitzero"`
	BlkioWeightDevice    []WeightDevice   `json:"blkioWeightDevice,omitzero"`    // relative weights of devices
	BlkioDeviceReadBps   []ThrottleDevice `json:"blkioDeviceReadBps,omitzero"`   // bytes per second
	BlkioDeviceWriteBps  []ThrottleDevice `json:"blkioDeviceWriteBps,omitzero"`  // bytes per second
	BlkioDeviceReadIOps  []ThrottleDevice `json:"blkioDeviceReadIOps,omitzero"`  // operations per second
	BlkioDeviceWriteIOps []ThrottleDevice `json:"blkioDeviceWriteIOps,omitzero"` // operations per second
}

// WeightDevice is the block I/O weight of one device.
type WeightDevice struct {
	Path   string `json:"path"`   // of the device on the host
	Weight uint16 `json:"weight"` // 10 to 1000
}

// ThrottleDevice is a rate of one device.
type ThrottleDevice struct {
	Path string `json:"path"` // of the device on the host
	Rate uint64 `json:"rate"` // per second
}

// Update changes a container. A nil field is left as it is. A zero that an
// engine ignores is an UnsupportedError there.
type Update struct {
	Memory             *Bytes
	MemorySwap         *Bytes
	MemoryReservation  *Bytes
	MemorySwappiness   *int64
	KernelMemory       *Bytes
	OOMKillDisable     *bool
	CPUs               *float64
	CPUShares          *int64
	CPUPeriod          *int64
	CPUQuota           *int64
	CPURealtimePeriod  *int64
	CPURealtimeRuntime *int64
	CpusetCPUs         *string
	CpusetMems         *string
	PidsLimit          *int64

	BlkioWeight          *uint16
	BlkioWeightDevice    []WeightDevice
	BlkioDeviceReadBps   []ThrottleDevice
	BlkioDeviceWriteBps  []ThrottleDevice
	BlkioDeviceReadIOps  []ThrottleDevice
	BlkioDeviceWriteIOps []ThrottleDevice

	RestartPolicy *RestartPolicy
	// Healthcheck replaces the check; Test {"NONE"} removes it. Podman >= 5.4 and embedded.
	Healthcheck *Healthcheck
	Ulimits     []Ulimit // Podman >= 5.8 and embedded
	Env         map[string]string
	UnsetEnv    []string
	// Unified are cgroup v2 files. Podman.
	Unified map[string]string
}

// UpdateResult is what an update answers.
type UpdateResult struct {
	Warnings []string
}
