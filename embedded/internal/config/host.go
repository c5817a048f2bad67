//go:build linux

package config

import (
	"github.com/berthdev/berth/engine"
)

// Host is what of this machine and this process decides which options can be done.
type Host struct {
	// CgroupV2 says that the unified hierarchy has the controllers; else it is v1 or hybrid.
	CgroupV2 bool
	// Controllers are the cgroup controllers that can be used: cpu, cpuset, memory, pids, blkio (io with v2), devices, freezer, hugetlb …
	Controllers []string
	// NoSwapLimit says that the kernel does not account swap.
	NoSwapLimit bool
	// AppArmor and SELinux say that the kernel has them switched on.
	AppArmor, SELinux bool
	// Rootless says that the engine runs as an ordinary user.
	Rootless bool
	// Capabilities are those that a container can be given (CAP_…).
	Capabilities []string
	// NoFileSoft and NoFileHard are the limit of open files that this process was started with.
	NoFileSoft, NoFileHard uint64
	// UIDMap and GIDMap are those of a rootless engine's containers; nil otherwise.
	UIDMap, GIDMap []engine.IDMap
	// UID and GID are this process's.
	UID, GID int
	// Runtimes are the names and paths that Spec.Runtime may have beside "" and "berth".
	Runtimes []string
	// CDIDirs are where CDI specifications are looked for, the last one first.
	CDIDirs []string
}

// DetectHost looks at this machine.
func DetectHost() (Host, error) { return Host{}, nil }
