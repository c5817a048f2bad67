package docker

// wireStats is a sample of GET /containers/{id}/stats.
type wireStats struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Read         wireTime
	PreRead      wireTime
	PidsStats    wirePidsStats               `json:"pids_stats"`
	BlkioStats   wireBlkioStats              `json:"blkio_stats"`
	NumProcs     uint32                      `json:"num_procs"`
	StorageStats map[string]uint64           `json:"storage_stats"`
	CPUStats     wireCPUStats                `json:"cpu_stats"`
	PreCPUStats  wireCPUStats                `json:"precpu_stats"`
	MemoryStats  wireMemoryStats             `json:"memory_stats"`
	Networks     map[string]wireNetworkStats `json:"networks"`
}

type wirePidsStats struct {
	Current uint64  `json:"current"`
	Limit   *uint64 `json:"limit"`
}

type wireBlkioStats struct {
	ServiceBytes []wireBlkioEntry `json:"io_service_bytes_recursive"`
	Serviced     []wireBlkioEntry `json:"io_serviced_recursive"`
	Queued       []wireBlkioEntry `json:"io_queue_recursive"`
	ServiceTime  []wireBlkioEntry `json:"io_service_time_recursive"`
	WaitTime     []wireBlkioEntry `json:"io_wait_time_recursive"`
	Merged       []wireBlkioEntry `json:"io_merged_recursive"`
	Time         []wireBlkioEntry `json:"io_time_recursive"`
	Sectors      []wireBlkioEntry `json:"sectors_recursive"`
}

type wireBlkioEntry struct {
	Major uint64 `json:"major"`
	Minor uint64 `json:"minor"`
	Op    string `json:"op"`
	Value uint64 `json:"value"`
}

// wireCPUStats has no times at all for a container that does not run.
type wireCPUStats struct {
	CPUUsage struct {
		Total  uint64   `json:"total_usage"`
		Kernel *uint64  `json:"usage_in_kernelmode"`
		User   *uint64  `json:"usage_in_usermode"`
		PerCPU []uint64 `json:"percpu_usage"`
	} `json:"cpu_usage"`
	System     *uint64 `json:"system_cpu_usage"`
	OnlineCPUs int     `json:"online_cpus"`
	Throttling *struct {
		Periods       uint64 `json:"periods"`
		Throttled     uint64 `json:"throttled_periods"`
		ThrottledTime uint64 `json:"throttled_time"`
	} `json:"throttling_data"`
}

type wireMemoryStats struct {
	Usage    uint64            `json:"usage"`
	MaxUsage *uint64           `json:"max_usage"`
	Limit    uint64            `json:"limit"`
	Failcnt  *uint64           `json:"failcnt"`
	Stats    map[string]uint64 `json:"stats"`
}

type wireNetworkStats struct {
	RxBytes   uint64 `json:"rx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	RxErrors  uint64 `json:"rx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxPackets uint64 `json:"tx_packets"`
	TxErrors  uint64 `json:"tx_errors"`
	TxDropped uint64 `json:"tx_dropped"`
}
