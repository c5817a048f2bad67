package berth

import (
	"context"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// engineProcesses are the programs that may have opened the socket of an engine
// whose containers are processes of this machine: the engine, or the service
// manager for it. Others (an ssh that forwards a socket, Docker Desktop's
// backend) stand for an engine that is elsewhere.
var engineProcesses = []string{"dockerd", "podman", "systemd", "init"}

// isLocal tells whether the engine that listens on the unix socket at path runs
// in our pid namespace, so that its process IDs are ours.
func isLocal(ctx context.Context, path string) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	var cred *syscall.Ucred
	if raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}) != nil || err != nil || cred.Pid <= 0 {
		return false // 0: the process is not visible from our pid namespace
	}
	proc := "/proc/" + strconv.Itoa(int(cred.Pid))
	comm, err := os.ReadFile(proc + "/comm")
	if err != nil || !slices.Contains(engineProcesses, strings.TrimSpace(string(comm))) {
		return false
	}
	theirs, err := os.Readlink(proc + "/ns/pid")
	if err != nil {
		return false
	}
	ours, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && ours == theirs
}
