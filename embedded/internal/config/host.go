//go:build linux

package config

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/engine"
)

// Host is what of this machine and this process decides which options can be done.
type Host struct {
	// CgroupV2 says that the unified hierarchy has the controllers; else it is v1 or hybrid.
	CgroupV2 bool
	// Controllers are the cgroup controllers that there are: cpu, cpuset, memory, pids, blkio, devices, freezer, hugetlb…
	// With v2, io is called blkio, and devices and freezer, which are no controllers there, are among them.
	Controllers []string
	// NoSwapLimit says that the kernel does not account swap.
	NoSwapLimit bool
	// AppArmor and SELinux say that the kernel has them switched on.
	AppArmor, SELinux bool
	// Rootless says that the engine runs as an ordinary user.
	Rootless bool
	// Capabilities are those that a container can be given (CAP_…).
	Capabilities []string
	// RecursiveReadOnly says that the kernel can make a mount read-only with all below it: Linux 5.12.
	RecursiveReadOnly bool
	// MaskedPaths are those of this machine, beside the usual ones.
	MaskedPaths []string
	// IDMappedLayers says that the kernel can mount an overlay of layers with shifted owners that are mounted nowhere: Linux 6.15.
	IDMappedLayers bool
	// UIDMap and GIDMap are those of a rootless engine's containers; nil otherwise.
	UIDMap, GIDMap []engine.IDMap
	// NetworkHelpers are the programs that give a rootless container a network, of those in PATH the preferred one first.
	NetworkHelpers []string
	// UID and GID are this process's.
	UID, GID int
	// CDIDirs are where CDI specifications are looked for; the last one wins.
	CDIDirs []string
}

// DetectHost looks at this machine. A rootless engine's maps are left to the caller.
func DetectHost() (Host, error) {
	h := Host{
		UID: os.Geteuid(), GID: os.Getegid(),
		Rootless: os.Geteuid() != 0,
		CDIDirs:  []string{"/etc/cdi", "/var/run/cdi"},
	}
	var err error
	if h.Capabilities, err = launch.Available(); err != nil {
		return Host{}, err
	}
	if err := h.detectCgroups(); err != nil {
		return Host{}, err
	}
	b, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	h.AppArmor = err == nil && strings.HasPrefix(string(b), "Y")
	var fs unix.Statfs_t
	h.SELinux = unix.Statfs("/sys/fs/selinux", &fs) == nil && fs.Type == unix.SELINUX_MAGIC
	h.RecursiveReadOnly = kernelAtLeast(5, 12)
	h.IDMappedLayers = !h.Rootless && kernelAtLeast(6, 15)
	for _, p := range network.Helpers {
		if _, err := exec.LookPath(p); err == nil {
			h.NetworkHelpers = append(h.NetworkHelpers, p)
		}
	}
	h.MaskedPaths = thermalThrottle()
	return h, nil
}

// detectCgroups finds out the version and the controllers.
func (h *Host) detectCgroups() error {
	var fs unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &fs); err != nil {
		return fmt.Errorf("look at /sys/fs/cgroup: %w", err)
	}
	if fs.Type == unix.CGROUP2_SUPER_MAGIC {
		h.CgroupV2 = true
		b, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
		if err != nil {
			return fmt.Errorf("read the cgroup controllers: %w", err)
		}
		h.Controllers = append(strings.Fields(string(b)), "devices", "freezer")
		if i := slices.Index(h.Controllers, "io"); i >= 0 {
			h.Controllers[i] = "blkio"
		}
		own, _ := filepath.Glob("/sys/fs/cgroup/*/memory.swap.max")
		h.NoSwapLimit = len(own) == 0 && !exists("/proc/swaps")
		return nil
	}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return fmt.Errorf("read our cgroups: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.SplitN(line, ":", 3); len(f) == 3 {
			for c := range strings.SplitSeq(f[1], ",") {
				if c != "" && !strings.HasPrefix(c, "name=") {
					h.Controllers = append(h.Controllers, c)
				}
			}
		}
	}
	h.NoSwapLimit = !exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// kernelAtLeast compares the running kernel's version.
func kernelAtLeast(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	a, rest, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), ".")
	b, _, _ := strings.Cut(rest, ".")
	b = strings.TrimRight(b, "+-abcdefghijklmnopqrstuvwxyz")
	x, errA := strconv.Atoi(a)
	y, errB := strconv.Atoi(b)
	return errA == nil && errB == nil && (x > major || x == major && y >= minor)
}
