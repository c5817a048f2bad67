package cgroup

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Kill sends SIGKILL to every process of the group and of groups in it, frozen or not,
// until there is none that has not been signalled; it does not wait for their ends. A group that is gone is no error.
func (g *Group) Kill() error {
	v1 := g.with("freezer")
	if d := g.v2(); d != nil {
		switch err := write(d.path+"/cgroup.kill", "1"); { // Linux 5.14
		case err == nil:
			if v1 == nil {
				return nil
			}
		case errors.Is(err, fs.ErrNotExist):
		default:
			return fmt.Errorf("kill the cgroup %s: %w", g.path, err)
		}
	}
	// Frozen processes make no new ones while we signal those that there are. A
	// process that is slow to freeze is met again in the next round.
	signalled := map[int]bool{}
	for {
		g.writeFreezer(true)
		fresh, err := g.signalAll(signalled)
		if e := g.writeFreezer(false); err == nil && e != nil {
			err = e
		}
		if err != nil {
			return fmt.Errorf("kill the cgroup %s: %w", g.path, err)
		}
		if fresh == 0 {
			return nil
		}
	}
}

// signalAll kills the processes that are not in signalled, and tells how many they were.
func (g *Group) signalAll(signalled map[int]bool) (fresh int, err error) {
	pids, err := g.PIDs()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		if signalled[pid] {
			continue
		}
		signalled[pid] = true
		fresh++
		if e := unix.Kill(pid, unix.SIGKILL); e != nil && e != unix.ESRCH {
			err = fmt.Errorf("kill process %d: %w", pid, e)
		}
	}
	return fresh, err
}

// writeFreezer asks for a state without waiting for it. A group without freezer, or one that is gone, is no error.
func (g *Group) writeFreezer(frozen bool) error {
	path, text := g.freezerFile(frozen)
	if path == "" {
		return nil
	}
	if err := write(path, text); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
		return err
	}
	return nil
}
