package embedded

import (
	"encoding/json"

	"github.com/berthdev/berth/engine"
)

// setRaw sets a sample's Raw, in the structure of Docker's API.
func setRaw(s *engine.Stats) (err error) {
	s.Raw, err = json.Marshal(map[string]any{
		"id": s.ID, "name": s.Name, "read": s.Read, "preread": s.PreRead,
		"cpu_stats": rawCPU(s.CPU), "precpu_stats": rawCPU(s.PreCPU),
		"memory_stats": map[string]any{
			"usage": s.Memory.Usage, "max_usage": s.Memory.MaxUsage, "limit": s.Memory.Limit, "failcnt": s.Memory.Failcnt, "stats": s.Memory.Stats,
		},
		"pids_stats": map[string]any{"current": s.Pids.Current, "limit": s.Pids.Limit},
		"blkio_stats": map[string]any{
			"io_service_bytes_recursive": rawBlkio(s.Blkio.ServiceBytes), "io_serviced_recursive": rawBlkio(s.Blkio.Serviced),
			"io_queue_recursive": rawBlkio(s.Blkio.Queued), "io_service_time_recursive": rawBlkio(s.Blkio.ServiceTime),
			"io_wait_time_recursive": rawBlkio(s.Blkio.WaitTime), "io_merged_recursive": rawBlkio(s.Blkio.Merged),
			"io_time_recursive": rawBlkio(s.Blkio.Time), "sectors_recursive": rawBlkio(s.Blkio.Sectors),
		},
		"networks": rawNetworks(s.Networks),
	})
	return err
}

func rawCPU(c engine.CPUStats) map[string]any {
	return map[string]any{
		"cpu_usage":        map[string]any{"total_usage": c.Total, "usage_in_kernelmode": c.Kernel, "usage_in_usermode": c.User, "percpu_usage": c.PerCPU},
		"system_cpu_usage": c.System, "online_cpus": c.OnlineCPUs,
		"throttling_data": map[string]any{"periods": c.Periods, "throttled_periods": c.Throttled, "throttled_time": c.ThrottledNS},
	}
}

func rawBlkio(list []engine.BlkioEntry) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, e := range list {
		out = append(out, map[string]any{"major": e.Major, "minor": e.Minor, "op": e.Op, "value": e.Value})
	}
	return out
}

func rawNetworks(networks map[string]engine.NetworkStats) map[string]any {
	out := make(map[string]any, len(networks))
	for name, n := range networks {
		out[name] = map[string]any{
			"rx_bytes": n.RxBytes, "rx_packets": n.RxPackets, "rx_errors": n.RxErrors, "rx_dropped": n.RxDropped,
			"tx_bytes": n.TxBytes, "tx_packets": n.TxPackets, "tx_errors": n.TxErrors, "tx_dropped": n.TxDropped,
		}
	}
	return out
}
