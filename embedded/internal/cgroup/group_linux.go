package cgroup

import (
	"context"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

// Layout is which versions of cgroups this machine has mounted.
type Layout int

// The layouts.
const (
	None    Layout = iota // no cgroup file system is mounted
	Legacy                // v1 alone
	Hybrid                // v1, and v2 beside it without the controllers that v1 has
	Unified               // v2 alone
)

// Mode tells the layout of this machine.
func Mode() Layout { return None }

// Options of [Open].
type Options struct {
	// Rootless: hierarchies in which we may make no group are left out, and an option
	// that needs one of them is an UnsupportedError.
	Rootless bool
}

// Group is one cgroup: the same path in every hierarchy. Its methods may be called
// at the same time, and by several processes.
type Group struct{}

// Open names a group; nothing is made or read of it. The path is relative to the root of every hierarchy: "berth/ID".
func Open(path string, opts Options) (*Group, error) { return &Group{}, nil }

// Create makes the group and sets its limits; nil is no limit. After an error nothing is left.
func (g *Group) Create(res *specs.LinuxResources) error { return nil }

// Set sets the limits that res names; what it does not name (nil, "", an empty list)
// stays. A zero takes effect: memory 0, CPU quota 0, a rate 0 and so on are "no limit".
func (g *Group) Set(res *specs.LinuxResources) error { return nil }

// Update sets what res says and gives the kernel's default to what old named and res does not.
func (g *Group) Update(old, res *specs.LinuxResources) error { return nil }

// TasksFiles are the "tasks" files of v1: a thread that writes "0" to each of them is in the group.
func (g *Group) TasksFiles() []string { return nil }

// FD opens the group's directory of v2, for clone3 with CLONE_INTO_CGROUP; nil where v2 is not mounted. The caller closes it.
func (g *Group) FD() (*os.File, error) { return nil, nil }

// Stats reads the counters; ID, Name, Networks, PreCPU and CPUPercent are the caller's. See [Network].
func (g *Group) Stats() (engine.Stats, error) { return engine.Stats{}, nil }

// PIDs are the processes of the group and of groups in it, in ascending order. A group that is gone has none.
func (g *Group) PIDs() ([]int, error) { return nil, nil }

// Freeze stops all processes of the group, and returns when they have stopped. If ctx ends before, they are thawed.
func (g *Group) Freeze(ctx context.Context) error { return nil }

// Thaw lets them go on.
func (g *Group) Thaw(ctx context.Context) error { return nil }

// Kill sends SIGKILL to every process of the group and of groups in it, frozen or not, until
// there is none that has not been signalled; it does not wait for their ends. A group that is gone is no error.
func (g *Group) Kill() error { return nil }

// OOMKills counts the processes of the group that the kernel has killed for want of memory.
func (g *Group) OOMKills() (uint64, error) { return 0, nil }

// WatchOOM calls f whenever [Group.OOMKills] has grown, until ctx ends or the group is gone; then it returns nil.
// It sleeps in between.
func (g *Group) WatchOOM(ctx context.Context, f func(kills uint64)) error { return nil }

// Remove removes the group, and groups in it. It waits, until ctx ends, for processes that are
// still leaving. A group that is gone is no error.
func (g *Group) Remove(ctx context.Context) error { return nil }

// Exists says whether the group is there in any hierarchy.
func (g *Group) Exists() bool { return false }

// Supported checks without making anything that a group could be given these limits.
func Supported(res *specs.LinuxResources, opts Options) error { return nil }

// MoveSelf makes a group and moves the calling process into it, in all hierarchies where
// that is possible. It is fast only while the process has a single thread
// group member that counts, so call it from the child program or early.
func MoveSelf(path string) error { return nil }

// System reads the host's total CPU time in nanoseconds and the number of CPUs that are online, from /proc/stat.
func System() (ns uint64, cpus int, err error) { return 0, 0, nil }

// Network reads the counters of the interfaces in the network namespace of pid, without lo.
func Network(pid int) (map[string]engine.NetworkStats, error) { return nil, nil }
