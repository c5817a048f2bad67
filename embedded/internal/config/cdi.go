//go:build linux

package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

// checkRequest is about devices that are asked for by what they can do: GPUs, which CDI specifications describe here.
func checkRequest(f *faults, option string, r engine.DeviceRequest) {
	f.unsupported(len(r.Options) > 0, option+".Options", "", "CDI devices have none")
	switch {
	case r.Driver == "cdi":
		for _, d := range r.DeviceIDs {
			f.invalid(!engine.IsCDIDevice(d), option+".DeviceIDs", d, "want VENDOR/CLASS=DEVICE")
		}
		f.unsupported(len(r.Capabilities) > 0, option+".Capabilities", "", "CDI devices have none")
		f.unsupported(r.Count != 0, option+".Count", itoa(r.Count), "CDI devices have names")
	case r.Driver == "" || slices.Contains(gpuVendors, r.Driver):
		gpu := slices.ContainsFunc(r.Capabilities, func(all []string) bool { return slices.Contains(all, "gpu") })
		f.unsupported(!gpu && (r.Driver == "" || len(r.Capabilities) > 0), option, "", "it knows GPUs only")
	default:
		f.unsupported(true, option+".Driver", r.Driver, "it knows CDI devices and GPUs")
	}
}

// gpuVendors are whose GPUs are asked for, in this order, by the first part of their CDI vendor.
var gpuVendors = []string{"nvidia", "amd", "intel"}

// cdi adds the devices of the Container Device Interface that the Spec names, and GPUs.
func (b *builder) cdi() error {
	s := b.s
	var reg *cdiRegistry
	load := func() (err error) {
		if reg == nil {
			reg, err = readCDI(b.h.CDIDirs)
		}
		return err
	}
	done := map[string]bool{}
	add := func(option, name string) error {
		if err := load(); err != nil {
			return err
		}
		return b.cdiDevice(reg, option, name, done)
	}
	for i, name := range s.CDIDevices {
		if err := add(at("Spec.CDIDevices", i), name); err != nil {
			return err
		}
	}
	for i, r := range s.DeviceRequests {
		option := at("Spec.DeviceRequests", i)
		if err := load(); err != nil {
			return err
		}
		names, err := requested(reg, option, r)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := add(option, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// requested are the CDI names of a request.
func requested(reg *cdiRegistry, option string, r engine.DeviceRequest) ([]string, error) {
	if r.Driver == "cdi" {
		return r.DeviceIDs, nil
	}
	for _, vendor := range gpuVendors {
		kind := vendor + ".com/gpu"
		if r.Driver != "" && r.Driver != vendor || !reg.hasKind(kind) {
			continue
		}
		var names []string
		switch {
		case len(r.DeviceIDs) > 0:
			for _, id := range r.DeviceIDs {
				names = append(names, kind+"="+id)
			}
		case r.Count < 0:
			names = []string{kind + "=all"}
		default:
			for n := range max(r.Count, 1) {
				names = append(names, kind+"="+itoa(n))
			}
		}
		return names, nil
	}
	return nil, unsupported(option, r.Driver, "no CDI specification on this machine describes a GPU ("+strings.Join(reg.dirs, ", ")+")")
}

// cdiDevice applies the edits of a device, and once those of its specification.
func (b *builder) cdiDevice(reg *cdiRegistry, option, name string, done map[string]bool) error {
	spec, dev, err := reg.find(option, name)
	if err != nil {
		return err
	}
	if done[name] {
		return nil
	}
	done[name] = true
	if !done[spec.path] {
		done[spec.path] = true
		if err := b.edit(option, name, spec.ContainerEdits); err != nil {
			return err
		}
	}
	return b.edit(option, name, dev.ContainerEdits)
}

// edit applies the edits of a CDI specification.
func (b *builder) edit(option, name string, e cdiEdits) error {
	switch {
	case len(e.Hooks) > 0:
		return unsupported(option, name, "its CDI specification has hooks: the embedded engine runs no programs of the host in a container's start")
	case e.IntelRdt != nil:
		return unsupported(option, name, "its CDI specification wants Intel RDT")
	case len(e.NetDevices) > 0:
		return unsupported(option, name, "its CDI specification wants network devices")
	}
	b.cdiEnv = setEnv(b.cdiEnv, e.Env...)
	b.cdiGroups = append(b.cdiGroups, e.AdditionalGIDs...)
	for _, d := range e.DeviceNodes {
		if err := b.cdiNode(option, d); err != nil {
			return err
		}
	}
	for _, m := range e.Mounts {
		if b.taken(filepath.Clean(m.ContainerPath)) {
			continue // the Spec's own mount wins, or another device's, which is the same
		}
		typ := m.Type
		if typ == "" {
			typ = "bind"
		}
		opts := m.Options
		if len(opts) == 0 {
			opts = []string{"rbind", "rprivate", "ro"}
		} else if typ == "bind" && !slices.Contains(opts, "bind") && !slices.Contains(opts, "rbind") {
			opts = append([]string{"rbind"}, opts...)
		}
		b.add(specs.Mount{Destination: m.ContainerPath, Type: typ, Source: m.HostPath, Options: opts})
	}
	return nil
}

// cdiNode adds a device node; what its specification leaves out is the host's.
func (b *builder) cdiNode(option string, d cdiNode) error {
	host := d.HostPath
	if host == "" {
		host = d.Path
	}
	n := specs.LinuxDevice{Path: d.Path, Type: d.Type, Major: d.Major, Minor: d.Minor}
	if d.Type == "" || d.Type != "p" && d.Major == 0 && d.Minor == 0 {
		info, err := os.Stat(host)
		if err != nil {
			return &engine.InvalidError{Option: option, Value: host, Reason: "find the CDI device's node", Err: err}
		}
		have, ok := deviceNode(info, d.Path)
		if !ok || d.Type != "" && d.Type != have.Type && !(d.Type == "u" && have.Type == "c") {
			return invalid(option, host, "the CDI device's node is no such device")
		}
		n = have
	}
	if d.FileMode != nil {
		n.FileMode = d.FileMode
	}
	if d.UID != nil {
		n.UID = d.UID
	}
	if d.GID != nil {
		n.GID = d.GID
	}
	access := d.Permissions
	if access == "" {
		access = "rwm"
	}
	b.device(n, access)
	return nil
}
