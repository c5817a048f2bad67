package launch

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// kernel is what the running kernel has beyond Linux 5.10. Tests switch parts off.
type kernel struct {
	clone3       bool // not hidden by a seccomp filter around us; found out by trying
	lowerdirPlus bool // overlay takes its lower directories one at a time: 6.7
	mountSetattr bool // 5.12
	closeRange   bool // not hidden
}

// release is the kernel's version; a distribution's kernel may have more than its
// version says, which then is not used.
func release() (major, minor int) {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return 0, 0
	}
	a, rest, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), ".")
	b, _, _ := strings.Cut(rest, ".")
	b = strings.TrimRightFunc(b, func(r rune) bool { return r < '0' || r > '9' })
	major, _ = strconv.Atoi(a)
	minor, _ = strconv.Atoi(b)
	return major, minor
}

// detect asks the kernel: a few system calls that do nothing.
func detect() kernel {
	major, minor := release()
	atLeast := func(a, b int) bool { return major > a || major == a && minor >= b }
	return kernel{
		clone3:       true,
		lowerdirPlus: atLeast(6, 7),
		mountSetattr: atLeast(5, 12) && has(unix.SYS_MOUNT_SETATTR),
		closeRange:   has(unix.SYS_CLOSE_RANGE),
	}
}

// has calls a system call with arguments that none of those in use accepts: all bits set.
func has(nr uintptr) bool {
	x := ^uintptr(0)
	if nr == unix.SYS_CLOSE_RANGE {
		_, _, e := syscall.RawSyscall(nr, 1, 0, 0) // first above last
		return e != syscall.ENOSYS
	}
	_, _, e := syscall.RawSyscall6(nr, x, 0, x, 0, 0, 0)
	return e != syscall.ENOSYS
}

// Probe says what this kernel lacks for running containers, in one error: Linux
// 5.10 or newer is needed, with overlay and the system calls of the mount API.
func Probe() error {
	major, minor := release()
	if major < 5 || major == 5 && minor < 10 {
		return fmt.Errorf("launch: Linux %d.%d is too old: 5.10 or newer is needed", major, minor)
	}
	var lacks []string
	for _, c := range []struct {
		name string
		nr   uintptr
	}{
		{"pidfd_open", unix.SYS_PIDFD_OPEN},
		{"pidfd_send_signal", unix.SYS_PIDFD_SEND_SIGNAL},
		{"open_tree", unix.SYS_OPEN_TREE},
		{"move_mount", unix.SYS_MOVE_MOUNT},
		{"fsopen", unix.SYS_FSOPEN},
		{"fsconfig", unix.SYS_FSCONFIG},
		{"fsmount", unix.SYS_FSMOUNT},
		{"statx", unix.SYS_STATX},
	} {
		if !has(c.nr) {
			lacks = append(lacks, c.name)
		}
	}
	for _, ns := range []string{"cgroup", "ipc", "mnt", "net", "pid", "uts"} {
		if _, err := os.Lstat("/proc/self/ns/" + ns); err != nil {
			lacks = append(lacks, ns+" namespaces")
		}
	}
	if b, err := os.ReadFile("/proc/filesystems"); err == nil && !strings.Contains(string(b), "\toverlay\n") {
		if _, err := os.Lstat("/sys/module/overlay"); err != nil {
			lacks = append(lacks, "overlay (modprobe overlay)")
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("launch: this kernel lacks, or a seccomp filter around this process hides: %s", strings.Join(lacks, ", "))
	}
	return nil
}
