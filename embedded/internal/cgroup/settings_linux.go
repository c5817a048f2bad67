package cgroup

import (
	"errors"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

// setting is one write to a file of the group.
type setting struct {
	option string // whose value it is, by the caller's name
	dir    *dir
	file   string
	value  string
	// initial is the value of a new group: what an update writes when the option is gone.
	initial string
	// device is set for files with a line for each device; the value begins with it.
	device string
}

func (s *setting) path() string { return s.dir.path + "/" + s.file }

// key tells settings apart: two with the same key replace each other.
func (s *setting) key() string { return s.path() + " " + s.device }

// translator makes settings of resources. It collects every error, so that a caller learns of all.
type translator struct {
	g      *Group
	prefix string // of option names: "Spec.Resources."
	parent bool   // the group is not there: look for files in its parent
	list   []setting
	errs   []error
}

// translate turns resources, without device rules, into what to write, in order.
func (g *Group) translate(res *specs.LinuxResources, prefix string, parent bool) ([]setting, error) {
	if res == nil {
		return nil, nil
	}
	t := &translator{g: g, prefix: prefix, parent: parent}
	t.memory(res.Memory)
	t.cpu(res.CPU)
	t.cpuset(res.CPU)
	t.pids(res.Pids)
	t.blockIO(res.BlockIO)
	t.others(res)
	t.unified(res.Unified)
	return t.list, errors.Join(t.errs...)
}

// names of an option's file in v1 and in v2; "" where that version has none.
type names struct{ v1, v2 string }

// texts are an option's value in v1 and in v2.
type texts struct{ v1, v2 string }

// either is a text that is the same in both versions.
func either(s string) texts { return texts{s, s} }

// controller is a controller's name in v1 and in v2.
type controller struct{ v1, v2 string }

var (
	ctlMemory = controller{"memory", "memory"}
	ctlCPU    = controller{"cpu", "cpu"}
	ctlCpuset = controller{"cpuset", "cpuset"}
	ctlPids   = controller{"pids", "pids"}
	ctlIO     = controller{"blkio", "io"}
)

// find is the directory that has a controller.
func (t *translator) find(c controller) *dir {
	for i := range t.g.dirs {
		d := &t.g.dirs[i]
		name := c.v1
		if d.v2 {
			name = c.v2
		}
		for _, have := range d.controllers {
			if name != "" && have == name {
				return d
			}
		}
	}
	return nil
}

// set adds a setting, or the error that there is no file for it. Zero says that
// the option asks for nothing: then no file is needed, and what is written is the initial value.
func (t *translator) set(option string, c controller, file names, value, initial texts, zero bool) {
	t.add(option, c, file, "", value, initial, zero)
}

// add is set for a file with a line for each device.
func (t *translator) add(option string, c controller, file names, device string, value, initial texts, zero bool) {
	if zero {
		value = initial
	}
	d := t.find(c)
	s := setting{option: t.prefix + option, dir: d, file: file.v1, value: value.v1, initial: initial.v1, device: device}
	if d == nil {
		if !zero {
			t.refuse(option, t.missing(c))
		}
		return
	}
	if d.v2 {
		s.file, s.value, s.initial = file.v2, value.v2, initial.v2
	}
	if s.file != "" && exists(t.where(d)+"/"+s.file) {
		t.list = append(t.list, s)
		return
	}
	switch {
	case zero:
	case s.file != "":
		t.refuse(option, "the kernel's controller "+c.name(d)+" has no file "+s.file+" here")
	case d.v2:
		t.refuse(option, "the controller "+c.name(d)+" of cgroup v2 has no file for it")
	default:
		t.refuse(option, "the controller "+c.name(d)+" of cgroup v1 has no file for it")
	}
}

// where is the directory whose files tell what there is.
func (t *translator) where(d *dir) string {
	if t.parent {
		return filepath.Dir(d.path)
	}
	return d.path
}

func (c controller) name(d *dir) string {
	if d.v2 {
		return c.v2
	}
	return c.v1
}

// missing says why no hierarchy has a controller.
func (t *translator) missing(c controller) string {
	name, other := c.v1, c.v2
	if t.g.Layout() == Unified {
		name, other = other, name
	}
	switch {
	case len(t.g.dirs) == 0 && t.g.rootless:
		return "no cgroup is delegated to this user"
	case len(t.g.dirs) == 0:
		return "no cgroups are mounted"
	case name == "" && t.g.Layout() == Unified:
		return "the controller " + other + " is of cgroup v1, and this machine has v2"
	case name == "":
		return "the controller " + other + " is of cgroup v2, and this machine has v1"
	}
	if d := t.g.v2(); d != nil && d.refused != "" {
		return "the cgroup controller " + name + " is not enabled: " + d.refused
	}
	return "there is no cgroup controller " + name + " here"
}

func (t *translator) refuse(option, reason string) {
	t.errs = append(t.errs, &engine.UnsupportedError{Option: t.prefix + option, Engine: engineName, Reason: reason})
}

func (t *translator) invalid(option, value, reason string) {
	t.errs = append(t.errs, &engine.InvalidError{Option: t.prefix + option, Value: value, Reason: reason})
}

// has says whether the controller has a file here, for options whose file has several names.
func (t *translator) has(c controller, file string) bool {
	d := t.find(c)
	return d != nil && exists(t.where(d)+"/"+file)
}
