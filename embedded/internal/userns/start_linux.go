package userns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Start starts a program in a new user namespace with these maps, and a mount
// namespace of its own. It has all capabilities in them.
//
// With subordinate IDs it runs already while newuidmap gives the namespace its maps: it must do
// nothing that depends on its IDs before it is told that Start has returned. When Start fails the program is dead and reaped.
func (m *Maps) Start(path string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	a, sys := *attr, *attr.Sys
	a.Sys = &sys
	sys.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNS
	if m.Single() {
		sys.UidMappings, sys.GidMappings = sysMap(m.UIDs), sysMap(m.GIDs)
		pid, err = syscall.ForkExec(path, argv, &a)
		return pid, explain(err)
	}
	// A program that is not root yet loses its capabilities with execve but for these.
	if sys.AmbientCaps, err = capabilities(); err != nil {
		return 0, err
	}
	if pid, err = syscall.ForkExec(path, argv, &a); err != nil {
		return 0, explain(err)
	}
	err = mapIDs(m.gidTool, pid, m.GIDs)
	if err == nil {
		err = mapIDs(m.uidTool, pid, m.UIDs)
	}
	if err != nil {
		syscall.Kill(pid, syscall.SIGKILL)
		for {
			if _, werr := syscall.Wait4(pid, nil, 0, nil); werr != syscall.EINTR {
				return 0, err
			}
		}
	}
	return pid, nil
}

func sysMap(list []engine.IDMap) []syscall.SysProcIDMap {
	var out []syscall.SysProcIDMap
	for _, e := range list {
		out = append(out, syscall.SysProcIDMap{ContainerID: int(e.ContainerID), HostID: int(e.HostID), Size: int(e.Size)})
	}
	return out
}

// mapIDs runs newuidmap or newgidmap.
func mapIDs(tool string, pid int, list []engine.IDMap) error {
	args := []string{strconv.Itoa(pid)}
	for _, e := range list {
		for _, n := range []uint32{e.ContainerID, e.HostID, e.Size} {
			args = append(args, strconv.FormatUint(uint64(n), 10))
		}
	}
	var said bytes.Buffer
	cmd := exec.Command(tool, args...)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("give the user namespace its IDs: %s: %w: %s", tool, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// capabilities are all that the kernel knows.
func capabilities() ([]uintptr, error) {
	b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return nil, fmt.Errorf("read the last capability: %w", err)
	}
	last, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("read the last capability: %w", err)
	}
	var all []uintptr
	for c := range last + 1 {
		all = append(all, uintptr(c))
	}
	return all, nil
}

// explain tells what a kernel without user namespaces for ordinary users means.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EACCES) {
		return &engine.UnsupportedError{
			Option: "rootless", Engine: "embedded", Need: "user namespaces for ordinary users",
			Reason: "this machine refuses to make one (see kernel.unprivileged_userns_clone, user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns): " + err.Error(),
		}
	}
	return err
}
