package launch

import (
	"encoding/json"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/reexec"
)

// stageName is argv[0] of the re-exec stage.
const stageName = "berth-launch"

// Descriptors of the stage: after the three standard ones and the socket that package
// reexec wants to see.
const (
	stageProgram = 4 // the program, as JSON
	stageFirst   = 5 // the descriptors of the program
)

func init() { reexec.Register(stageName, runStage) }

// stage starts this program again to run b's program, instead of forking: for a Go
// release without the names of fork_linux.go. The stage makes a child with the parent of its
// own, which has one thread and from there on is what a forked child is.
func stage(b *builder) (forked, error) {
	text, err := json.Marshal(b.program)
	if err != nil {
		return forked{}, err
	}
	var open []int
	defer func() {
		for _, fd := range open {
			unix.Close(fd)
		}
	}()
	keep := func(fd int, err error) int {
		if err == nil {
			fd, err = aboveStdio(fd)
		}
		if err != nil {
			b.failed = failure("start the re-exec stage", err)
			return -1
		}
		open = append(open, fd)
		return fd
	}
	null := keep(unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0))
	memory := keep(unix.MemfdCreate("program", unix.MFD_CLOEXEC))
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	theirs := keep(pair[1], err)
	if b.failed != nil {
		if err == nil {
			unix.Close(pair[0])
		}
		return forked{}, b.failed
	}
	socket := os.NewFile(uintptr(pair[0]), "stage") // open until the stage has looked whether its end is connected
	if _, err := unix.Pwrite(memory, text, 0); err != nil {
		socket.Close()
		return forked{}, failure("start the re-exec stage", err)
	}
	files := []uintptr{uintptr(null), uintptr(null), uintptr(null), uintptr(theirs), uintptr(memory)}
	for _, fd := range b.fds {
		files = append(files, uintptr(fd))
	}
	pidfd := -1
	pid, err := syscall.ForkExec("/proc/self/exe", []string{stageName}, &syscall.ProcAttr{
		Files: files, Env: []string{}, Sys: &syscall.SysProcAttr{PidFD: &pidfd},
	})
	if err != nil {
		socket.Close()
		return forked{}, failure("start the re-exec stage", err)
	}
	return forked{pid: pid, pidfd: newPidfd(pidfd), forks: 1, socket: socket}, nil
}

// runStage is the re-exec stage.
func runStage() {
	text, err := readAllAt(stageProgram)
	if err != nil {
		return
	}
	p := newProgram()
	if json.Unmarshal(text, p) != nil {
		return
	}
	fds := make([]int, len(p.FDs))
	for i := range fds {
		fds[i] = stageFirst + i
		unix.CloseOnExec(fds[i])
	}
	m, err := p.link(fds)
	if err != nil {
		return
	}
	m.lastFD = greatestFD()
	forkStage(m, new(uint64))
}

// forkStage runs m in a child that has this thread only. Signals are blocked: their
// handlers would need the runtime. The program resets handlers before it unblocks them.
//
//go:norace
//go:noinline
func forkStage(m *machine, mask *uint64) {
	*mask = ^uint64(0)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(mask)), 0, 8, 0, 0)
	if m.fork(); m.e != 0 {
		m.exit(127)
	}
	run(m)
}

// readAllAt reads a file from its beginning.
func readAllAt(fd int) ([]byte, error) {
	f := os.NewFile(uintptr(fd), "program")
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, st.Size())
	_, err = f.ReadAt(b, 0)
	return b, err
}
