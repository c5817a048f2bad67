package execkill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// byHostPID sends the signal by process ID, where the engine's process IDs are ours. The process must be in a cgroup that
// bears the container's ID, and be the same before and after it is held by a pidfd: then the number cannot have gone to another one.
func (k *killer) byHostPID(ctx context.Context) error {
	if !k.e.Identity().Local {
		return errors.New("the engine's process IDs are not ours")
	}
	if k.st.PID <= 1 {
		return errors.New("the engine does not tell the process ID")
	}
	before, err := k.process()
	if err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(k.st.PID, 0)
	if err != nil {
		return fmt.Errorf("open pidfd of process %d: %w", k.st.PID, err)
	}
	defer unix.Close(fd)
	after, err := k.process()
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("process %d is another one than before", k.st.PID)
	}
	if gone, err := k.same(ctx); gone || err != nil {
		return err
	}
	err = unix.PidfdSendSignal(fd, unix.Signal(k.signal), nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send signal %d to process %d: %w", k.signal, k.st.PID, err)
	}
	return nil
}

// process returns the start time of the process, in clock ticks since boot, after it has checked that it is the container's.
func (k *killer) process() (start string, err error) {
	dir := filepath.Join(k.proc, strconv.Itoa(k.st.PID))
	cgroups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return "", err
	}
	// A short ID or a name could be part of another container's cgroup.
	if len(k.st.ContainerID) < 64 || !bytes.Contains(cgroups, []byte(k.st.ContainerID)) {
		return "", fmt.Errorf("process %d is in no cgroup of container %s", k.st.PID, k.st.ContainerID)
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return "", err
	}
	// proc(5): the name in parentheses may hold anything; the start time is the 20th field after it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("%s/stat is %q", dir, stat)
	}
	return fields[19], nil
}
