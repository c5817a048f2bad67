package leftover

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Kill sends SIGKILL to every process that is one of those meant, until there is none that has not been signalled. It does not wait
// for their ends. Processes that this one may not look into are none of them.
func Kill(is func(pid int) bool) error {
	signalled := map[int]bool{}
	for {
		pids, err := List(func(pid int) bool { return !signalled[pid] && is(pid) })
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			signalled[pid] = true
			kill(pid, is)
		}
	}
}

// kill ends a process if it still is the one that was meant: its number may be another's by now.
func kill(pid int, is func(pid int) bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if is(pid) {
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// List are the processes that are meant, as this process's PID namespace numbers them.
func List(is func(pid int) bool) ([]int, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && is(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Sharing means the processes in a namespace: ns is its file in /proc/PID/ns, kind the file's name. While ns is open, its number is no other's.
func Sharing(ns *os.File, kind string) (func(pid int) bool, error) {
	theirs, err := ns.Stat()
	if err != nil {
		return nil, err
	}
	return func(pid int) bool {
		defer runtime.KeepAlive(ns)
		own, err := os.Stat(file(pid, "ns/"+kind))
		return err == nil && os.SameFile(own, theirs)
	}, nil
}

// Rooted means the processes whose root is an overlay with this upper directory. Before Linux 6.7 there are none: the
// kernel names the directories of an overlay as launch has given them, which is by descriptor there.
func Rooted(upper string) func(pid int) bool {
	option := "upperdir=" + escape.Replace(upper)
	return func(pid int) bool {
		b, err := os.ReadFile(file(pid, "mountinfo"))
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(b)) {
			mount, super, _ := strings.Cut(line, " - ")
			if f := strings.Fields(mount); len(f) < 5 || f[4] != "/" {
				continue
			}
			f := strings.Fields(super)
			if len(f) != 3 || f[0] != "overlay" {
				continue
			}
			for o := range strings.SplitSeq(f[2], ",") {
				if o == option {
					return true
				}
			}
		}
		return false
	}
}

// escape is how the kernel writes a path in the options of an overlay.
var escape = strings.NewReplacer(",", `\054`, " ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)

func file(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }
