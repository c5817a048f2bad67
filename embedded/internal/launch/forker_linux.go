package launch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Forker is a process in a running container's namespaces and cgroups, but not in its pid namespace: nobody in the
// container sees it. It forks what is executed there, one process after the other, without anything to be opened, joined or entered
// anew. It is for execs in a row: whoever has made it closes it when there were none for a moment, and before the container's cgroups are removed.
//
// It has no memory of this process's heap and no descriptors but its socket and two of cgroup files, it is undumpable, and it ends with
// the thread that made it. Where the container has a limit of processes it counts while it forks, as any process that joins does, and not between.
type Forker struct {
	mu     sync.Mutex
	closed bool
	proc   *Process
	socket int
	region []byte // where programs come, in that process at the same address
	child  []byte // a word that the kernel writes the child's pid to when there is one: memory of both processes, but not of the child
	serves []int  // its descriptors
	host   host
	ns     int                         // the directory of the namespaces of the container's first process
	joined [len(namespaceNames)]uint64 // that process's namespaces
}

// ErrForker is the error of a Forker that cannot execute this, or anything any more. Nothing was started.
var ErrForker = errors.New("launch: the forker cannot execute this")

// maxProgram is the length of a program that a forker takes, in bytes: what is longer has megabytes of arguments.
const maxProgram = 128 << 10

// namespaceNames are those that a process can change while it runs.
var namespaceNames = [...]string{"user", "cgroup", "ipc", "uts", "net", "mnt"}

// NewForker starts one for a container. The fields of cfg that describe it and not the process count, and Process.OOMScoreAdj. It is
// for containers without a user namespace and with a pid namespace, with cgroups of version 1 and with clone3: elsewhere the error is ErrForker.
func NewForker(cfg ExecConfig) (*Forker, error) {
	h := newHost(cfg.options)
	if h.reexec || !canFork || !h.clone3 || !h.closeRange || !h.mknod || cfg.UserNS || cfg.ContainerPidfd == nil {
		return nil, ErrForker
	}
	for fd := range 3 { // the numbers of descriptors are reckoned with these
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return nil, ErrForker
		}
	}
	mount, own, err := ownPIDs(cfg.TasksFiles)
	if err != nil {
		return nil, err
	}
	f := &Forker{socket: -1, host: h}
	if f.ns, err = unix.Open(fmt.Sprintf("/proc/%d/ns", cfg.Container), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		f.joined, err = f.namespaces()
	}
	if err == nil {
		f.region, err = unix.Mmap(-1, 0, maxProgram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	}
	if err == nil {
		f.child, err = unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	}
	if err == nil {
		err = f.start(&cfg, h, mount, own)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ownPIDs is where a process leaves the container's cgroup that limits processes: the hierarchy, and our own one's file in it.
func ownPIDs(tasks []string) (mount, file string, err error) {
	all, err := hierarchies(nil)
	if err != nil {
		return "", "", err
	}
	own, err := ownCgroups(nil)
	if err != nil {
		return "", "", err
	}
	for _, h := range all {
		if slices.Contains(h.controllers, "pids") && slices.ContainsFunc(tasks, func(t string) bool { return below(t, h.dir) }) {
			return h.dir, path.Join(own(h), "tasks"), nil
		}
	}
	return "", "", ErrForker
}

// namespaces tells the container's namespaces apart.
func (f *Forker) namespaces() (inodes [len(namespaceNames)]uint64, err error) {
	var st unix.Stat_t
	for i, n := range namespaceNames {
		if err = unix.Fstatat(f.ns, n, &st, 0); err != nil {
			return inodes, err
		}
		inodes[i] = st.Ino
	}
	return inodes, nil
}

// start makes the process.
func (f *Forker) start(cfg *ExecConfig, h host, mount, leave string) error {
	c := &child{b: newBuilder(h), cgroup: cfg.CgroupFD, proc: &specs.Process{OOMScoreAdj: cfg.Process.OOMScoreAdj}, joins: true, alone: true}
	b := c.b
	defer func() {
		b.close()
		c.close()
	}()
	if err := c.pipes(); err != nil {
		return err
	}
	serves, err := b.buildForker(f, cfg, mount, leave)
	if err == nil && b.failed != nil {
		err = b.failed
	}
	if err != nil {
		return err
	}
	m, err := b.link(b.fds)
	if err != nil {
		return err
	}
	m.rights = uintptr(unix.CmsgSpace(4 * maxRights))
	m.guest = (*machine)(unsafe.Pointer(&f.region[0]))
	m, where, drop, err := b.moved(m)
	if err != nil {
		return err
	}
	defer drop()
	for _, v := range serves {
		f.serves = append(f.serves, b.fds[v.N])
	}
	spare := without(without(spared(), where), spanOf(f.region))
	pid, pidfd, err := forkSparing(m, spare, c.cgroup)
	if err != nil {
		return err
	}
	b.close() // the pipe must end when the child serves, and the socket when the child does
	f.proc = &Process{PID: pid, Pidfd: newPidfd(pidfd)}
	if adj := c.proc.OOMScoreAdj; adj != nil {
		if err := writeFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), fmt.Sprint(*adj)); err != nil {
			return failure("set the OOM score", err)
		}
	}
	c.sync.Write([]byte{1})
	return c.result()
}

// buildForker makes the program of a forker. It returns the descriptors that it keeps.
func (b *builder) buildForker(f *Forker, cfg *ExecConfig, mount, leave string) ([]val, error) {
	pidfd := b.parentFD("the container", func() (int, error) { return dup(cfg.ContainerPidfd) })
	flags, err := differing(cfg.Container)
	if err == nil {
		err = unix.PidfdSendSignal(b.fds[pidfd.N], 0, nil, 0)
	}
	if err != nil {
		return nil, notRunning(failure("look at the container's namespaces", err))
	}
	if flags&unix.CLONE_NEWUSER != 0 || flags&unix.CLONE_NEWPID == 0 {
		return nil, ErrForker
	}
	socket := b.parentFD("the socket for programs", func() (int, error) {
		p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return -1, err
		}
		f.socket = p[0]
		return p[1], nil
	})
	var tasks []string
	var enter val
	for _, t := range cfg.TasksFiles {
		if below(t, mount) {
			enter = b.parentFD(t, func() (int, error) { return unix.Open(t, unix.O_WRONLY|unix.O_CLOEXEC, 0) })
			continue
		}
		tasks = append(tasks, t)
	}
	out := b.parentFD(leave, func() (int, error) { return unix.Open(leave, unix.O_WRONLY|unix.O_CLOEXEC, 0) })
	if enter == (val{}) {
		return nil, ErrForker
	}
	b.begin(tasks, &specs.Process{}, true, func() { b.joinContainer(pidfd, flags) })
	iov := b.words(uint64(uintptr(unsafe.Pointer(&f.region[0]))), uint64(len(f.region)))
	control := b.mem(make([]byte, unix.CmsgSpace(4*maxRights)))
	hdr := make([]byte, msgSize)
	hdr[msgIovlen] = 1
	message := b.mem(hdr, reloc{msgIov, iov}, reloc{msgControl, control})
	keep := []val{socket, enter, out}
	closing := -1 // of this program's, the next one
	for _, s := range b.Steps {
		if s.Op == opClose {
			closing++
		}
	}
	b.closeOthers(keep...) // the pipes too: that ends the report
	child := num(uintptr(unsafe.Pointer(&f.child[0])))
	b.add("keep the pid of a child from it", "madvise", child, num(len(f.child)), num(unix.MADV_DONTFORK))
	b.add("fork what is executed", opServe, socket, message, enter, out, child, num(closing+1))
	return keep, nil
}

// Exec is [Exec] for the container of the forker. It may be called by any goroutine: the process ends with the thread that made the forker.
func (f *Forker) Exec(cfg ExecConfig) (*Process, error) {
	if err := f.fits(&cfg); err != nil {
		return nil, err
	}
	c, done, err := prepareJoining(&cfg, f.host, (*builder).buildForked)
	if err != nil {
		return nil, err
	}
	defer done()
	b := c.b
	if len(b.fds) > maxRights {
		return nil, ErrForker
	}
	m, err := b.link(f.numbers(len(b.fds)))
	if err != nil {
		return nil, err
	}
	c.sync.Write([]byte{1}) // in advance: what it would tell, the last step before execve looks at
	pid, err := f.fork(b.program, m, b.fds)
	if err != nil {
		return nil, err
	}
	b.close() // our copies of the child's ends
	return c.adopt(pid)
}

// fits tells whether the forker is where the container's processes are.
func (f *Forker) fits(cfg *ExecConfig) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrForker
	}
	now, err := f.namespaces()
	if err != nil || now != f.joined {
		return ErrForker
	}
	conn, err := cfg.ContainerPidfd.SyscallConn()
	if err != nil {
		return ErrForker
	}
	var gone error
	if conn.Control(func(fd uintptr) { gone = unix.PidfdSendSignal(int(fd), 0, nil, 0) }) != nil || gone != nil {
		return ErrForker
	}
	return nil
}

// numbers are those that n descriptors have in the forker: the kernel takes the lowest ones that are free.
func (f *Forker) numbers(n int) []int {
	fds := make([]int, 0, n)
	for fd := 3; len(fds) < n; fd++ {
		if !slices.Contains(f.serves, fd) {
			fds = append(fds, fd)
		}
	}
	return fds
}

// fork sends a program, and returns the pid of the child that runs it.
func (f *Forker) fork(p *program, m *machine, fds []int) (int, error) {
	l := m.layout()
	if l.size > uintptr(len(f.region)) {
		return 0, ErrForker
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, ErrForker
	}
	p.movedTo(m, f.region)
	child := (*uint32)(unsafe.Pointer(&f.child[0]))
	atomic.StoreUint32(child, 0)
	if err := f.send(f.region[:l.walk], unix.UnixRights(fds...)); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrForker, err)
	}
	var answer [reportHead]byte
	if n, err := readAgain(f.socket, answer[:]); err != nil || n != len(answer) {
		// It was killed: before there was a child, or after.
		if pid := atomic.LoadUint32(child); pid != 0 {
			return int(pid), nil
		}
		return 0, fmt.Errorf("%w: it has ended", ErrForker)
	}
	if errno := binary.NativeEndian.Uint32(answer[4:]); errno != 0 {
		return 0, &Error{Step: "go on in the new namespaces", Errno: unix.Errno(errno)}
	}
	return int(binary.NativeEndian.Uint32(answer[:])), nil
}

func (f *Forker) send(data, rights []byte) error {
	for {
		if err := unix.Sendmsg(f.socket, data, rights, nil, unix.MSG_NOSIGNAL); err != unix.EINTR {
			return err
		}
	}
}

func readAgain(fd int, p []byte) (n int, err error) {
	for {
		if n, err = unix.Read(fd, p); err != unix.EINTR {
			return n, err
		}
	}
}

// Close ends the process and waits for that. What it has forked lives on.
func (f *Forker) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed = true
	if f.proc != nil {
		f.proc.kill()
	}
	for _, fd := range []int{f.socket, f.ns} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	for _, mem := range [][]byte{f.region, f.child} {
		if mem != nil {
			unix.Munmap(mem)
		}
	}
}

// buildForked is buildExec for a child of a forker: it is where it belongs.
func (b *builder) buildForked(cfg *ExecConfig) error {
	b.closeOthers() // what the forker has open
	b.deathSignal()
	b.waitForParent()
	b.undumpable()
	b.apparmorOpen(cfg.Process.ApparmorProfile)
	return b.execute(cfg, false)
}

// adopt takes over a child that the forker has made, and stays with it until execve.
func (c *child) adopt(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, failure("open the child", err)
	}
	// Only of our own children can this be asked.
	if err := unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err == unix.ECHILD {
		unix.Close(fd)
		return nil, failure("open the child", err)
	}
	p := &Process{PID: pid, Pidfd: newPidfd(fd)}
	err = c.result()
	if err == nil && c.console != nil {
		if p.Console, err = receiveFile(c.console); err != nil {
			err = failure("receive the terminal", err)
		}
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}
