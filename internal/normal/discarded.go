package normal

import "strings"

// discarded maps words of the warnings of moby (daemon/daemon_unix.go, daemon/start.go,
// daemon/create.go) and Podman (pkg/specgen/generate) to the options that they are about. The
// first that matches counts: the more specific ones come first.
var discarded = [...]struct{ words, option string }{
	{"block i/o weight_device", "Spec.Resources.BlkioWeightDevice"},
	{"block i/o weight", "Spec.Resources.BlkioWeight"},
	{"bps block i/o read", "Spec.Resources.BlkioDeviceReadBps"},
	{"bps block i/o write", "Spec.Resources.BlkioDeviceWriteBps"},
	{"iops block read", "Spec.Resources.BlkioDeviceReadIOps"},
	{"iops block i/o read", "Spec.Resources.BlkioDeviceReadIOps"},
	{"iops block write", "Spec.Resources.BlkioDeviceWriteIOps"},
	{"iops block i/o write", "Spec.Resources.BlkioDeviceWriteIOps"},
	{"kernel memory limit", "Spec.Resources.KernelMemory"},
	{"memory soft limit", "Spec.Resources.MemoryReservation"},
	{"swap limit", "Spec.Resources.MemorySwap"},
	{"memory swappiness", "Spec.Resources.MemorySwappiness"},
	{"memory limit", "Spec.Resources.Memory"},
	{"oomkilldisable", "Spec.Resources.OOMKillDisable"},
	{"pids limit", "Spec.Resources.PidsLimit"},
	{"cpu shares", "Spec.Resources.CPUShares"},
	{"cpu cfs scheduler", "Spec.Resources.CPUQuota"},
	{"cpu cfs period", "Spec.Resources.CPUPeriod"},
	{"cpu cfs quota", "Spec.Resources.CPUQuota"},
	{"cpuset", "Spec.Resources.CpusetCPUs"},
	{"cgroup namespace", "Spec.CgroupNS"},
	{"published ports", "Spec.Ports"},
	{"port mappings", "Spec.Ports"},
	{"container-wide volume-driver", "Spec.VolumeDriver"},
	{"resource limits are not supported", "Spec.Resources"},
}

// DiscardedOption tells that a warning of a create request says that an option
// was discarded, and which: "Your kernel does not support Block I/O weight or the
// cgroup is not mounted. Weight discarded." is Spec.Resources.BlkioWeight. A
// warning that says of something unknown that it was discarded is "Spec"; any other one is ok false, such as one
// about the engine's own configuration ("… ignored in containers.conf").
func DiscardedOption(warning string) (option string, ok bool) {
	w := strings.ToLower(warning)
	if !strings.Contains(w, "discarded") && !strings.Contains(w, "ignored") && !strings.Contains(w, "limited without swap") {
		return "", false
	}
	if strings.Contains(w, "containers.conf") {
		return "", false
	}
	for _, d := range discarded {
		if strings.Contains(w, d.words) {
			return d.option, true
		}
	}
	if strings.Contains(w, "discarded") {
		return "Spec", true
	}
	return "", false
}
