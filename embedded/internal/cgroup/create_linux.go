package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Create makes the group and sets its limits; nil is no limit. A group that is left
// over without processes is made anew; one with processes is engine.ErrConflict. After an error
// nothing is left but the groups above, which stay: they belong to all groups in them.
func (g *Group) Create(res *specs.LinuxResources) error {
	g = g.clone()
	for i := range g.dirs {
		d := &g.dirs[i]
		var err error
		if !d.made {
			err = d.make()
		}
		if err == nil && d.v2 {
			err = d.enable(g.needs(res))
		}
		if err != nil {
			if g.rootless && isDenied(err) {
				d.controllers = nil // its options have no file now
				continue
			}
			g.rmdir()
			return fmt.Errorf("make the cgroup %s: %w", g.path, err)
		}
	}
	err := g.apply(res)
	if err != nil {
		g.rmdir()
	}
	return err
}

// Make makes the directories, so that less is left to Create: there is time for it before the limits are known.
// Where it cannot, Create says why. Until it has returned, nothing else is done with the group. Without Create, Remove removes them.
func (g *Group) Make() {
	for i := range g.dirs {
		g.dirs[i].made = g.dirs[i].make() == nil
	}
}

// clone is a group whose directories one call may take notes in.
func (g *Group) clone() *Group {
	c := *g
	c.dirs = slices.Clone(g.dirs)
	return &c
}

// rmdir takes back what a failed Create has made.
func (g *Group) rmdir() {
	for _, d := range g.dirs {
		removeTree(d.path)
	}
}

// make makes the directory, and what is missing above it.
func (d *dir) make() error {
	err := mkdir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.makeParents(); err != nil {
			return err
		}
		err = mkdir(d.path)
	}
	if errors.Is(err, fs.ErrExist) {
		if err = removeTree(d.path); errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("%s exists and has processes: %w", d.path, engine.ErrConflict)
		}
		if err == nil {
			err = mkdir(d.path)
		}
	}
	if err != nil {
		return err
	}
	return d.fillIfCpuset()
}

// fillIfCpuset is fillCpuset where that is needed.
func (d *dir) fillIfCpuset() error {
	if !d.v2 && slices.Contains(d.controllers, "cpuset") {
		return d.fillCpuset(d.path)
	}
	return nil
}

func mkdir(path string) error {
	if err := unix.Mkdir(path, 0o755); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// makeParents makes the groups above.
func (d *dir) makeParents() error {
	for _, at := range d.above() {
		if err := mkdir(at); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if !d.v2 && slices.Contains(d.controllers, "cpuset") {
			if err := d.fillCpuset(at); err != nil {
				return err
			}
			// New groups in it get theirs from the kernel.
			if err := write(at+"/cgroup.clone_children", "1"); err != nil {
				return err
			}
		}
	}
	return nil
}

// above are the groups above, from the top, without that of the mount.
func (d *dir) above() []string {
	var list []string
	for at := filepath.Dir(d.path); len(at) > len(d.base); at = filepath.Dir(at) {
		list = append(list, at)
	}
	slices.Reverse(list)
	return list
}

// fillCpuset gives a group of v1 the CPUs and memory nodes of the one above, without which nothing can join it.
func (d *dir) fillCpuset(path string) error {
	for _, file := range []string{"/cpuset.cpus", "/cpuset.mems"} {
		have, err := read(path + file)
		if err != nil {
			return err
		}
		if have != "" {
			continue
		}
		above := filepath.Dir(path)
		if above != d.base {
			if err := d.fillCpuset(above); err != nil {
				return err
			}
		}
		value, err := read(above + file)
		if err != nil {
			return err
		}
		if err := write(path+file, value); err != nil {
			return err
		}
	}
	return nil
}

// apply sets what a new group shall have.
func (g *Group) apply(res *specs.LinuxResources) error {
	list, err := g.translate(res, "Spec.Resources.", false)
	if err != nil {
		return err
	}
	if err := writeAll(list); err != nil {
		return err
	}
	if res == nil || len(res.Devices) == 0 {
		return nil
	}
	return g.setDevices(res.Devices)
}

// writeAll writes settings in order. Some depend on each other (memory, and memory with swap;
// period and quota), and which goes first depends on their old values: what is refused is tried again after the others.
func writeAll(list []setting) error {
	var again []setting
	for _, s := range list {
		switch err := write(s.path(), s.value); {
		case err == nil:
		case errors.Is(err, unix.EINVAL) && len(list) > 1:
			again = append(again, s)
		default:
			return s.failure(err)
		}
	}
	for _, s := range again {
		if err := write(s.path(), s.value); err != nil {
			return s.failure(err)
		}
	}
	return nil
}

// failure is the error of a value that the kernel does not take.
func (s *setting) failure(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP):
		return &engine.UnsupportedError{Option: s.option, Engine: engineName, Reason: "the kernel does not have it: " + err.Error()}
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE), errors.Is(err, unix.EBUSY), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return &engine.InvalidError{Option: s.option, Value: s.value, Reason: "the kernel refuses it", Err: err}
	}
	return fmt.Errorf("set %s: %w", s.option, err)
}
