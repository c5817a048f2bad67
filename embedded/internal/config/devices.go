//go:build linux

package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// defaultRules let a container make any device node, and use those of every container (moby, oci/defaults.go; runc,
// libcontainer/specconv, AllowedDevices).
var defaultRules = []specs.LinuxDeviceCgroup{
	{Allow: false, Access: "rwm"},
	rule("c", -1, -1, "m"), rule("b", -1, -1, "m"),
	rule("c", 1, 3, "rwm"), rule("c", 1, 5, "rwm"), rule("c", 1, 7, "rwm"), rule("c", 1, 8, "rwm"), rule("c", 1, 9, "rwm"),
	rule("c", 5, 0, "rwm"), rule("c", 5, 1, "rwm"), rule("c", 5, 2, "rwm"), rule("c", 136, -1, "rwm"),
}

// rule allows access to a device; -1 is any number.
func rule(typ string, major, minor int64, access string) specs.LinuxDeviceCgroup {
	r := specs.LinuxDeviceCgroup{Allow: true, Type: typ, Access: access}
	if major >= 0 {
		r.Major = &major
	}
	if minor >= 0 {
		r.Minor = &minor
	}
	return r
}

// devices sets the device nodes and who may use what.
func (b *builder) devices() error {
	s, l := b.s, b.oci.Linux
	l.Resources.Devices = slices.Clone(defaultRules)
	if s.Privileged {
		l.Resources.Devices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
		for _, n := range walkDevices("/dev", "/dev") {
			if n.Path != "/dev/console" {
				b.device(n, "")
			}
		}
	}
	for i, d := range s.Devices {
		nodes, sources, err := hostDevices(at("Spec.Devices", i), d)
		if err != nil {
			return err
		}
		access := d.Permissions
		if access == "" {
			access = "rwm"
		}
		for i, n := range nodes {
			if b.h.Rootless && n.Path != sources[i] {
				// No node can be made, and config.json does not say where the host's is.
				b.mounts = append(b.mounts, specs.Mount{Destination: n.Path, Type: "bind", Source: sources[i], Options: []string{"bind", "rprivate"}})
				continue
			}
			b.device(n, access)
		}
	}
	for _, r := range s.DeviceCgroupRules {
		p, err := engine.ParseDeviceCgroupRule(r)
		if err != nil {
			return err
		}
		l.Resources.Devices = append(l.Resources.Devices, cgroupRule(p))
	}
	return nil
}

// device adds a node, which replaces one at its path, and allows access to it.
func (b *builder) device(n specs.LinuxDevice, access string) {
	l := b.oci.Linux
	l.Devices = slices.DeleteFunc(l.Devices, func(o specs.LinuxDevice) bool { return o.Path == n.Path })
	l.Devices = append(l.Devices, n)
	if access != "" && !b.s.Privileged && n.Type != "p" {
		l.Resources.Devices = append(l.Resources.Devices, rule(n.Type, n.Major, n.Minor, access))
	}
}

// hostDevices are the nodes of a device of the host, or of all below a directory, under their paths in the container, and
// their paths on the host.
func hostDevices(option string, d engine.Device) (nodes []specs.LinuxDevice, sources []string, err error) {
	target := d.Container
	if target == "" {
		target = d.Host
	}
	real, err := filepath.EvalSymlinks(d.Host)
	if err != nil {
		return nil, nil, &engine.InvalidError{Option: option, Value: d.Host, Reason: "find the device", Err: err}
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, nil, &engine.InvalidError{Option: option, Value: d.Host, Reason: "find the device", Err: err}
	}
	if info.IsDir() {
		nodes := walkDevices(real, target)
		if len(nodes) == 0 {
			return nil, nil, invalid(option, d.Host, "there is no device in the directory")
		}
		for _, n := range nodes {
			rel, _ := filepath.Rel(target, n.Path)
			sources = append(sources, filepath.Join(real, rel))
		}
		return nodes, sources, nil
	}
	n, ok := deviceNode(info, filepath.Clean(target))
	if !ok {
		return nil, nil, invalid(option, d.Host, "it is not a device")
	}
	return []specs.LinuxDevice{n}, []string{real}, nil
}

// notDevices are the directories of /dev that hold none of the host's.
var notDevices = []string{"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"}

// walkDevices are the nodes below a directory. What vanishes meanwhile is left out.
func walkDevices(dir, target string) []specs.LinuxDevice {
	var nodes []specs.LinuxDevice
	filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if e.IsDir() {
			if p != dir && slices.Contains(notDevices, e.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if e.Type()&fs.ModeDevice == 0 {
			return nil
		}
		if info, err := e.Info(); err == nil {
			rel, _ := filepath.Rel(dir, p)
			if n, ok := deviceNode(info, filepath.Join(target, rel)); ok {
				nodes = append(nodes, n)
			}
		}
		return nil
	})
	return nodes
}

// deviceNode is a device as a node of the container.
func deviceNode(info fs.FileInfo, target string) (specs.LinuxDevice, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return specs.LinuxDevice{}, false
	}
	n := specs.LinuxDevice{
		Path: target, Major: int64(unix.Major(st.Rdev)), Minor: int64(unix.Minor(st.Rdev)),
		FileMode: new(info.Mode().Perm()), UID: &st.Uid, GID: &st.Gid,
	}
	switch {
	case info.Mode()&fs.ModeCharDevice != 0:
		n.Type = "c"
	case info.Mode()&fs.ModeDevice != 0:
		n.Type = "b"
	default:
		return n, false
	}
	return n, true
}

// cgroupRule is a rule of the Spec's in OCI's terms.
func cgroupRule(r engine.DeviceCgroupRule) specs.LinuxDeviceCgroup {
	return specs.LinuxDeviceCgroup{Allow: true, Type: r.Type, Major: r.Major, Minor: r.Minor, Access: r.Access}
}
