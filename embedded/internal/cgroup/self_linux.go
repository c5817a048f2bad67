package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

func isError(err, target error) bool { return errors.Is(err, target) }

// StartIn makes the group of path, if it is not there, and calls start on a thread
// that is in it in every v1 hierarchy, with a descriptor of its v2 directory, 0 if there is none: what start forks with
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
	for _, d := range g.dirs {
		if d.v2 {
			continue
		}
		home, err := ownIn(d)
		if err != nil {
			continue
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

// ownIn is the directory of this thread's group in the hierarchy of d.
func ownIn(d dir) (string, error) {
	if len(d.controllers) == 0 {
		return "", os.ErrNotExist
	}
	path, err := own(d.controllers[0])
	if err != nil {
		return "", err
	}
	home := strings.TrimSuffix(d.dir+path, "/")
	if !exists(home + "/tasks") {
		return "", os.ErrNotExist // the mount shows another part of the hierarchy
	}
	return home, nil
}

// own is the path of this thread's group in the hierarchy with a controller; "" is the unified one.
func own(controller string) (string, error) {
	b, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(b) {
		f := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(f) != 3 {
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			if c == controller && (c != "" || f[0] == "0") {
				return f[2], nil
			}
		}
	}
	return "", os.ErrNotExist
}
