package launch

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// options are what tests change.
type options struct {
	kernel *kernel // nil: as detected
	reexec bool    // do not fork here: the re-exec stage does
}

// host is what a program is built for.
type host struct {
	kernel
	privileged bool // root, in whatever user namespace
	mknod      bool // device nodes can be made here
	reexec     bool // the re-exec stage forks
	dry        bool // to be printed: nothing is opened
}

func newHost(o options) host {
	h := host{kernel: detect(), reexec: o.reexec || !canFork, privileged: os.Geteuid() == 0}
	if o.kernel != nil {
		h.kernel = *o.kernel
	}
	h.mknod = h.privileged && initialUserNamespace()
	return h
}

// initialUserNamespace says that no user namespace is between us and the kernel: its
// map is the identity over all numbers. Only there device nodes can be made.
func initialUserNamespace() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	return slices.Equal(strings.Fields(string(b)), []string{"0", "0", "4294967295"})
}

// builder makes the program of a start and opens, in this process, what the child needs of it.
type builder struct {
	*program
	host
	fds     []int    // numbers of program.FDs
	owns    []int    // those of them that close closes
	waits   bool     // something is being made that is not there yet
	made    Made     // this, afterwards
	delayed []func() // opens descriptors of it

	staged   bool   // namespaces are made by the child itself, which then forks again
	overlaps bool   // the child goes on while the parent prepares, and waits once more when all is mounted
	failed   *Error // the first descriptor that could not be opened
	sync     val    // the pipe on which the parent says "go on"

	// root, dev and proc hold descriptors of the container's root, its own /dev and
	// its procfs; 0 is none.
	root, dev, proc reg
	rootHave        uint64 // MS_… flags that the root's mount has, for kernels that want them repeated
	attached        bool   // the root is mounted over "/" already
	console         val    // the socket that takes the terminal's master side
	slave           reg    // the terminal
	profile         string // of AppArmor; empty: the parent's
	apparmor        reg    // the open file that takes it
	nulls           []val  // mounts of the null device, where dev is none
	trees           map[string]*os.File
}

func newBuilder(h host) *builder { return &builder{program: newProgram(), host: h} }

// parentFD adds a descriptor that open opens in this process; close closes it.
func (b *builder) parentFD(what string, open func() (int, error)) val {
	b.fds = append(b.fds, b.opened(what, open))
	return b.fd(what)
}

// opened is the number of a descriptor that open has opened, or -1 and the reason in failed.
func (b *builder) opened(what string, open func() (int, error)) int {
	if b.dry || b.failed != nil {
		return -1
	}
	fd, err := open()
	if err == nil {
		fd, err = aboveStdio(fd)
	}
	if err != nil {
		b.failed = failure("open "+what, err)
		return -1
	}
	b.owns = append(b.owns, fd)
	return fd
}

// tasksFD is the descriptor of a file of tasks.
func (b *builder) tasksFD(path string) val {
	open := func() (int, error) { return unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0) }
	if !b.waits {
		return b.parentFD(path, open)
	}
	return b.delayedFD(path, open)
}

// delayedFD is parentFD for what is being made.
func (b *builder) delayedFD(what string, open func() (int, error)) val {
	i := len(b.fds)
	b.fds = append(b.fds, -1)
	b.delayed = append(b.delayed, func() { b.fds[i] = b.opened(what, open) })
	return b.fd(what)
}

// openDelayed opens what delayedFD has put off.
func (b *builder) openDelayed() error {
	for _, open := range b.delayed {
		open()
	}
	if b.failed != nil {
		return b.failed
	}
	return nil
}

// close closes what parentFD opened. The child has its own copies.
func (b *builder) close() {
	for _, fd := range b.owns {
		unix.Close(fd)
	}
	b.owns = nil
}

// duplicate is a copy of a file's descriptor.
func duplicate(f *os.File) (int, error) { return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3) }

// aboveStdio moves a descriptor that was just opened above 2: the child puts others there.
func aboveStdio(fd int) (int, error) {
	if fd > 2 {
		return fd, nil
	}
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	unix.Close(fd)
	return n, err
}

// failure is an error of this process as one of a step.
func failure(step string, err error) *Error {
	e := &Error{Step: step}
	if !errors.As(err, &e.Errno) {
		e.Detail = err.Error()
	}
	return e
}
