package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

func isError(err, target error) bool { return errors.Is(err, target) }

// StartIn makes the group of path, if it is not there, and calls start on a thread
// that is in it in every v1 hierarchy in which it was not in the root, with a descriptor of its v2 directory, 0 if there is none: what start forks with
// that (syscall.SysProcAttr.UseCgroupFD) is born in the group, in all hierarchies, and no
// process is moved, which takes 11 ms. The thread is back where it was when StartIn returns.
//
// Hierarchies in which we may not do that are left out: this is for a monitor, that shall not be
// stopped or limited with the program that starts it, as far as the machine lets us.
func StartIn(path string, start func(cgroupFD int) error) error {
	g, err := Open(path, Options{Rootless: true})
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	homes, err := owns()
	if err != nil {
		return err
	}
	for _, d := range g.dirs {
		home := homes.in(d)
		if d.v2 || home == "" || home == d.dir {
			continue // in the root nothing limits or stops it
		}
		if err := d.join("tasks"); err != nil {
			continue
		}
		// That a thread cannot go back cannot be: it came from there.
		defer write(home+"/tasks", "0")
	}
	fd := 0
	if d := g.v2(); d != nil {
		if err := d.ensure(); err == nil {
			f, err := g.FD()
			if err == nil && f != nil {
				defer f.Close()
				fd = int(f.Fd())
			}
		}
	}
	return start(fd)
}

// MoveSelf makes the group of path, if it is not there, and moves this process into it, with all of its threads,
// in every hierarchy where that is possible. The kernel takes some 11 ms for it; a process that is born there ([StartIn]) needs none.
func MoveSelf(path string) error {
	g, err := Open(path, Options{Rootless: true})
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range g.dirs {
		if err := d.join("cgroup.procs"); err != nil && !isDenied(err) {
			errs = append(errs, fmt.Errorf("move to the cgroup %s: %w", path, err))
		}
	}
	return errors.Join(errs...)
}

// join writes 0 to a file of the group: the calling thread, or its process. If there is no group, it is made.
func (d *dir) join(file string) error {
	err := write(d.path+"/"+file, "0")
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.ensure(); err == nil {
			err = write(d.path+"/"+file, "0")
		}
	}
	return err
}

// ensure makes the group's directory if it is not there.
func (d *dir) ensure() error {
	if exists(d.path) {
		return nil
	}
	if err := d.makeParents(); err != nil {
		return err
	}
	if err := mkdir(d.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !d.v2 {
		return d.fillIfCpuset()
	}
	return nil
}

// groups are the paths of a thread's groups by controller; "" is the unified hierarchy.
type groups map[string]string

// owns are those of this thread.
func owns() (groups, error) {
	b, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return nil, err
	}
	m := groups{}
	for line := range strings.Lines(string(b)) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); len(f) == 3 {
			for c := range strings.SplitSeq(f[1], ",") {
				m[c] = f[2]
			}
		}
	}
	return m, nil
}

// in is the directory of the group in the hierarchy of d; "" where the mount does not show it.
func (m groups) in(d dir) string {
	if len(d.controllers) == 0 {
		return ""
	}
	path, ok := m[d.controllers[0]]
	home := strings.TrimSuffix(d.dir+path, "/")
	if !ok || !exists(home+"/tasks") {
		return ""
	}
	return home
}
