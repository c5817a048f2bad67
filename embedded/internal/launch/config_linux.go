package launch

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/seccomp"
)

// Overlay is a root file system of layers. In a new user namespace, before Linux 6.7,
// root of the namespace must be able to reach the directories.
type Overlay struct {
	Lower []string // directories, the topmost layer first
	Upper string   // empty: the overlay is read-only
	Work  string   // on the file system of Upper; empty with it
	// Volatile skips syncing the upper directory: after a crash of the machine its
	// content is undefined, and the kernel refuses to mount it again.
	Volatile bool
	// UserXattr keeps overlay's marks in user.overlay.*: needed where the overlay is mounted in a user namespace.
	UserXattr bool
}

// Config says what to start.
type Config struct {
	// Spec is the OCI runtime configuration. What it asks for and cannot be done is
	// an error; nothing in it is ignored but annotations, resources (the caller's
	// cgroup) and hooks that run outside of the container.
	Spec *specs.Spec
	// Overlay is the root file system; nil: the directory Spec.Root.Path.
	Overlay *Overlay
	// Root is the root file system as a detached mount; it wins over Overlay and Spec.Root.Path. It stays the caller's, and serves one start.
	Root *os.File
	// Trees are the sources of binds, by their clean destination, where they are detached mounts (open_tree with OPEN_TREE_CLONE,
	// fsmount) and not what the path in Spec leads to. They stay the caller's, and serve one start: the mount moves.
	Trees map[string]*os.File
	// Stdin, Stdout and Stderr of a process without terminal; nil is /dev/null. They stay the caller's.
	Stdin, Stdout, Stderr *os.File
	// TasksFiles are the "tasks" files of the container's cgroups in cgroup v1 hierarchies.
	TasksFiles []string
	// CgroupFD is a descriptor of the container's cgroup v2 directory; 0 is none. It stays the caller's.
	CgroupFD int
	// Ahead is what is still being made while Start prepares; nil: nothing.
	Ahead *Ahead
	// MountInfo is what /proc/self/mountinfo holds; nil: it is read if it is needed.
	MountInfo []byte
	// Filter is Spec.Linux.Seccomp compiled already, which saves half a millisecond; nil: Start compiles it.
	Filter []seccomp.Instruction
	// MakeCwd creates the working directory where it is missing.
	MakeCwd bool
	// MapIDs writes the id maps of the new user namespace of pid; nil: they are
	// written from Spec.Linux, which takes privilege.
	MapIDs func(pid int) error
	// NoRoot says that the user namespace has no ID 0: the container is set up by the ID that this process has in it.
	NoRoot bool
	// Prepared runs in the parent when the namespaces of the child exist. Sysctls are set and the command is executed
	// after it; mounts may be made meanwhile. Its error ends the start. The child has its id maps by then.
	Prepared func(pid int, pidfd *os.File) error

	options options
}

// Ahead is what of a start is made beside its preparation.
type Ahead struct {
	// Network: Wait returns a network namespace for the process, which enters it in place of the new one that Spec asks for. It belongs to the
	// user namespace of the caller, and Spec asks for no other one. Root: Wait returns what is used as Config.Root is.
	Network, Root bool
	// Wait waits for all of it. It is called when all else is prepared, or not at all; its error ends the start. From then on TasksFiles can be opened.
	Wait func() (Made, error)
}

// Made is what Ahead is about. It stays the caller's.
type Made struct {
	CgroupFD      int // as Config.CgroupFD
	Network, Root *os.File
}

// ExecConfig says what to execute in a running container.
type ExecConfig struct {
	// Container is the pid of the container's first process, as the caller sees it: a
	// child of the caller, or a pid that is known to be the container's when Exec is called.
	Container int
	// ContainerPidfd is a pidfd of it; nil: it is opened here, and the caller answers for the pid.
	ContainerPidfd *os.File
	// Process as in an OCI configuration; all of it counts.
	Process *specs.Process
	// Seccomp is the container's profile; nil is none. Filter is it compiled already; nil: Exec compiles it.
	Seccomp *specs.LinuxSeccomp
	Filter  []seccomp.Instruction
	// TasksFiles and CgroupFD as in Config.
	TasksFiles []string
	CgroupFD   int
	// Stdin, Stdout and Stderr as in Config.
	Stdin, Stdout, Stderr *os.File
	// UserNS requires that the container has a user namespace of its own. Whether it
	// has is seen from its first process.
	UserNS bool
	// NoRoot as in Config.
	NoRoot bool
	// Personality is the container's; nil is the default.
	Personality *specs.LinuxPersonality
	// MakeCwd creates the working directory where it is missing.
	MakeCwd bool

	options options
}
