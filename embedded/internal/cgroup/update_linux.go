package cgroup

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Set sets the limits that res names; what it does not name (nil, "", an empty list)
// stays. A zero takes effect: memory 0, CPU quota 0, a rate 0 and so on are "no limit".
// After an error the limits are as before.
func (g *Group) Set(res *specs.LinuxResources) error { return g.update(nil, res) }

// Update sets what res says, and gives the value of a new group to what old named and res does not.
// After an error the limits are as before.
func (g *Group) Update(old, res *specs.LinuxResources) error { return g.update(old, res) }

func (g *Group) update(old, res *specs.LinuxResources) error {
	g = g.clone()
	g.refresh()
	list, err := g.translate(res, "Update.", false)
	if err != nil {
		return err
	}
	// What only old has goes back. Its own errors (it was set, so there are none but after a change of the machine) tell nothing.
	gone, _ := g.translate(old, "Update.", false)
	have := map[string]bool{}
	for _, s := range list {
		have[s.key()] = true
	}
	for _, s := range gone {
		if !have[s.key()] && s.option != "Update.Unified" {
			s.value = s.initial
			list = append(list, s)
			have[s.key()] = true
		}
	}
	undo := g.undo(list)
	if err := writeAll(list); err != nil {
		return errors.Join(err, writeAll(undo))
	}
	if res == nil || len(res.Devices) == 0 || old != nil && reflect.DeepEqual(old.Devices, res.Devices) {
		return nil
	}
	if err := g.setDevices(res.Devices); err != nil {
		return errors.Join(err, writeAll(undo))
	}
	return nil
}

// undo are the settings that bring back what is there now. Files with a line for a device are
// given the initial value of lines that are not there.
func (g *Group) undo(list []setting) []setting {
	undo := make([]setting, 0, len(list))
	for _, s := range list {
		now, err := read(s.path())
		if err != nil {
			continue
		}
		switch {
		case s.device == "" && s.file == "memory.oom_control":
			now = strings.TrimPrefix(firstLine(now), "oom_kill_disable ")
		case s.device == "":
			now = firstLine(now)
		default:
			now = lineOf(now, s)
		}
		if now == "" {
			now = "\n" // an empty list of CPUs
		}
		s.value = now
		undo = append(undo, s)
	}
	return undo
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// lineOf is the line of a setting's device in a file.
func lineOf(text string, s setting) string {
	device, key, _ := strings.Cut(s.device, " ")
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != device {
			continue
		}
		if key == "" || s.file != "io.max" {
			return strings.Join(f, " ")
		}
		for _, pair := range f[1:] {
			if strings.HasPrefix(pair, key+"=") {
				return device + " " + pair
			}
		}
	}
	return s.initial
}

// refresh looks which controllers the group has: it may have been made by another process.
func (g *Group) refresh() {
	for i := range g.dirs {
		d := &g.dirs[i]
		if d.v2 {
			d.controllers = words(d.path + "/cgroup.controllers")
		} else if g.rootless && !exists(d.path) {
			d.controllers = nil
		}
	}
}

// Supported checks that a group with this path could be given these limits: the
// errors are those that Create would return for options that this machine has no file for. It makes at most the
// groups above, which Create makes too, since the kernel tells there what there is.
func (g *Group) Supported(res *specs.LinuxResources) error {
	return g.supported(res, "Spec.Resources.")
}

func (g *Group) supported(res *specs.LinuxResources, prefix string) error {
	if res == nil {
		return nil
	}
	g = g.clone()
	for i := range g.dirs {
		d := &g.dirs[i]
		err := d.makeParents()
		if err == nil && d.v2 {
			err = d.enable(g.needs(res))
		}
		if err != nil {
			if g.rootless && isDenied(err) {
				d.controllers = nil
				continue
			}
			return fmt.Errorf("make the groups above %s: %w", g.path, err)
		}
	}
	_, err := g.translate(res, prefix, true)
	if _, e := parseRules(res.Devices); e != nil {
		err = errors.Join(err, e)
	}
	return err
}

// Supported is [Group.Supported] for a group in the group of this program.
func Supported(res *specs.LinuxResources, opts Options) error {
	g, err := Open("berth/probe", opts)
	if err != nil {
		return err
	}
	return g.Supported(res)
}

// SupportedUpdate is [Supported] for what an update would set: its errors name options of the update.
func SupportedUpdate(res *specs.LinuxResources, opts Options) error {
	g, err := Open("berth/probe", opts)
	if err != nil {
		return err
	}
	return g.supported(res, "Update.")
}
