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
	fds  []int // numbers of program.FDs
	owns []int // those of them that close closes

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
	v := b.fd(what)
	fd := -1
	if !b.dry && b.failed == nil {
		var err error
		if fd, err = open(); err == nil {
			fd, err = aboveStdio(fd)
		}
		if err != nil {
			b.failed = failure("open "+what, err)
			fd = -1
		} else {
			b.owns = append(b.owns, fd)
		}
	}
	b.fds = append(b.fds, fd)
	return v
}

// close closes what parentFD opened. The child has its own copies.
func (b *builder) close() {
	for _, fd := range b.owns {
		unix.Close(fd)
	}
	b.owns = nil
}

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
