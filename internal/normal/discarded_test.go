package normal

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
)

// The texts are those of moby 20.10 and 28.5 and Podman 4.3 and 5.8.
func TestDiscardedOption(t *testing.T) {
	const lost = "" // a mere warning
	for warning, want := range map[string]string{
		"Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.":                                                             "Spec.Resources.BlkioWeight",
		"Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.":                                               "Spec.Resources.BlkioWeightDevice",
		"Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.":                                   "Spec.Resources.BlkioDeviceReadBps",
		"Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded":                                    "Spec.Resources.BlkioDeviceReadBps",
		"Your kernel does not support BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.":                                 "Spec.Resources.BlkioDeviceWriteBps",
		"Your kernel does not support IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.":                                     "Spec.Resources.BlkioDeviceReadIOps",
		"Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.":                                   "Spec.Resources.BlkioDeviceWriteIOps",
		"Your kernel does not support IOPS Block I/O write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.":                               "Spec.Resources.BlkioDeviceWriteIOps",
		"Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.":                                                "Spec.Resources.Memory",
		"Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.":                                           "Spec.Resources.MemoryReservation",
		"Your kernel does not support kernel memory limit capabilities or the cgroup is not mounted. Limitation discarded.":                                         "Spec.Resources.KernelMemory",
		"Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.":                                           "Spec.Resources.MemorySwap",
		"Your kernel does not support swap limit capabilities,or the cgroup is not mounted. Memory limited without swap.":                                           "Spec.Resources.MemorySwap",
		"Your kernel does not support memory swappiness capabilities, or the cgroup is not mounted. Memory swappiness discarded.":                                   "Spec.Resources.MemorySwappiness",
		"Your kernel does not support OomKillDisable. OomKillDisable discarded.":                                                                                    "Spec.Resources.OOMKillDisable",
		"Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.":                                                  "Spec.Resources.PidsLimit",
		"Your kernel does not support pids limit capabilities or the cgroup is not mounted. PIDs limit discarded.":                                                  "Spec.Resources.PidsLimit",
		"Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.":                                                                   "Spec.Resources.CPUShares",
		"Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.":                                                                               "Spec.Resources.CPUQuota",
		"Your kernel does not support CPU cfs period or the cgroup is not mounted. Period discarded.":                                                               "Spec.Resources.CPUPeriod",
		"Your kernel does not support CPU cfs quota or the cgroup is not mounted. Quota discarded.":                                                                 "Spec.Resources.CPUQuota",
		"Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.":                                                                       "Spec.Resources.CpusetCPUs",
		"Your kernel does not support cgroup namespaces.  Cgroup namespace setting discarded.":                                                                      "Spec.CgroupNS",
		"Published ports are discarded when using host network mode":                                                                                                "Spec.Ports",
		`Port mappings have been discarded because "host" network namespace mode does not support them`:                                                             "Spec.Ports",
		"Port mappings have been discarded as one of the Host, Container, Pod, and None network modes are in use":                                                   "Spec.Ports",
		"Resource limits are not supported and ignored on cgroups V1 rootless systems":                                                                              "Spec.Resources",
		"WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead": "Spec.VolumeDriver",
		"Your kernel does not support frobnication. Frobnication discarded.":                                                                                        "Spec",
		"OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.":                             lost,
		"The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64) and no specific platform was requested":               lost,
		"Specifying a kernel memory limit is deprecated and will be removed in a future release.":                                                                   lost,
		`Sysctl net.ipv4.ip_forward=1 ignored in containers.conf, since Network Namespace set to host`:                                                              lost,
		"Something else was ignored": lost,
		"":                           lost,
	} {
		got, ok := DiscardedOption(warning)
		if got != want || ok != (want != lost) {
			t.Errorf("%q: %q, %v; want %q", warning, got, ok, want)
		}
	}
}

// Every option of the table is a field of a Spec.
func TestDiscardedOptionsExist(t *testing.T) {
	for _, d := range discarded {
		typ := reflect.TypeFor[engine.Spec]()
		for name := range strings.SplitSeq(strings.TrimPrefix(d.option, "Spec."), ".") {
			f, ok := typ.FieldByName(name)
			if !ok {
				t.Errorf("%s does not exist", d.option)
				break
			}
			typ = f.Type
		}
		if d.words != strings.ToLower(d.words) {
			t.Errorf("%q never matches", d.words)
		}
	}
}

func FuzzDiscardedOption(f *testing.F) {
	f.Add("Weight discarded.")
	f.Fuzz(func(t *testing.T, s string) {
		if option, ok := DiscardedOption(s); ok != strings.HasPrefix(option, "Spec") {
			t.Fatalf("%q: %q, %v", s, option, ok)
		}
	})
}
