//go:build linux

package config

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// volume adds a volume, which is made if it is not there.
func (b *builder) volume(m engine.Mount) error {
	if b.in.Volume == nil {
		return unsupported("Spec.Mounts", m.Target, "there is no store of volumes")
	}
	anonymous := m.Source == ""
	if !anonymous && m.Driver == "" {
		m.Driver = b.s.VolumeDriver
	}
	v, created, err := b.in.Volume(m)
	if err != nil {
		return err
	}
	if created {
		b.out.NewVolumes = append(b.out.NewVolumes, v.Name)
	}
	source := v.Mountpoint
	if m.Subpath != "" {
		source = b.treePath()
	}
	opts := []string{"rbind", "rprivate"}
	if m.ReadOnly {
		opts = append(opts, b.readOnlyOption())
	}
	opts = append(opts, m.Options...)
	b.record(specs.Mount{Destination: m.Target, Type: "bind", Source: source, Options: opts},
		state.Mount{
			MountPoint: engine.MountPoint{Type: engine.MountVolume, Name: v.Name, Source: v.Mountpoint, Target: m.Target, Driver: v.Driver,
				ReadWrite: !m.ReadOnly && !slices.Contains(m.Options, "ro"), Mode: relabelMode(m)},
			Anonymous: anonymous, Subpath: m.Subpath,
		})
	if !m.NoCopy && m.Subpath == "" {
		b.out.CopyUp = append(b.out.CopyUp, CopyUp{Volume: v.Name, Mountpoint: v.Mountpoint, Path: path.Clean(m.Target)})
	}
	return nil
}

// imageVolumes are the VOLUMEs of the image at whose places nothing is. One of the root is a volume too, as with Docker, and no
// start can mount it.
func (b *builder) imageVolumes() error {
	mode := ""
	if b.s.Podman != nil {
		mode = b.s.Podman.ImageVolumeMode
	}
	if mode == "ignore" {
		return nil
	}
	for _, target := range b.cfg.ImageConfig.Volumes {
		target = path.Clean("/" + target)
		if b.taken(target) {
			continue
		}
		if mode == "tmpfs" {
			b.memory(engine.Mount{Type: engine.MountTmpfs, Target: target, Options: []string{"exec"}})
			continue
		}
		if err := b.volume(engine.Mount{Type: engine.MountVolume, Target: target}); err != nil {
			return err
		}
	}
	return nil
}

// volumesFrom takes over the volumes and binds of other containers.
func (b *builder) volumesFrom() error {
	for i, v := range b.s.VolumesFrom {
		name, mode, _ := strings.Cut(v, ":")
		option := at("Spec.VolumesFrom", i)
		other, err := b.other(option, name)
		if err != nil {
			return err
		}
		ro := slices.Contains(strings.Split(mode, ","), "ro")
		for _, m := range other.Mounts {
			if m.Type != engine.MountVolume && m.Type != engine.MountBind || b.taken(path.Clean(m.Target)) {
				continue
			}
			b.takeOver(m, ro)
		}
	}
	return nil
}

// takeOver adds a mount of another container's. A volume that goes with that one does not go with this one.
func (b *builder) takeOver(m state.Mount, ro bool) {
	propagation := m.Propagation
	if propagation == "" {
		propagation = "rprivate"
	}
	m.Anonymous = false
	m.ReadWrite = m.ReadWrite && !ro
	opts := append([]string{"rbind", propagation}, m.Options...)
	if !m.ReadWrite {
		opts = append(opts, b.readOnlyOption())
	}
	source := m.Source
	if m.Subpath != "" {
		source = b.treePath()
	}
	b.record(specs.Mount{Destination: m.Target, Type: "bind", Source: source, Options: opts}, m)
}

// imageMount adds the files of an image.
func (b *builder) imageMount(at string, m engine.Mount) error {
	if b.in.ImageMount == nil {
		return unsupported(at+".Type", "image", "there is no store of images")
	}
	dirs, diffIDs, err := b.in.ImageMount(m.Source)
	if err == nil && Renumbered(b.cfg) {
		dirs, diffIDs, err = b.renumbered(diffIDs)
	}
	if err != nil {
		return err
	}
	for _, id := range diffIDs {
		if !slices.Contains(b.out.ExtraLayers, id) {
			b.out.ExtraLayers = append(b.out.ExtraLayers, id)
		}
	}
	if m.Subpath != "" {
		f, err := layers{dirs: dirs}.lookup(m.Subpath, true)
		if err != nil {
			return invalid(at+".Subpath", m.Subpath, "the image has no such path")
		}
		if dirs = f.dirs; dirs == nil {
			dirs = []string{f.file}
		}
	}
	upper := ""
	writable := slices.Contains(m.Options, "rw") && !m.ReadOnly
	if writable {
		upper = filepath.Join("overlay", itoa(len(b.cfg.Mounts)))
	}
	return b.layered(m, dirs, upper)
}

// overlay adds a directory of the host with a layer on top that takes what is written and goes with each run.
func (b *builder) overlay(at string, m engine.Mount) error {
	if !exists(m.Source) {
		return invalid(at+".Source", m.Source, "it does not exist")
	}
	upper := filepath.Join("overlay", itoa(len(b.cfg.Mounts)))
	if m.ReadOnly {
		upper = ""
	}
	return b.layered(m, []string{filepath.Clean(m.Source)}, upper)
}

// layered adds an overlay of directories. One alone that is not written to is bound.
func (b *builder) layered(m engine.Mount, lower []string, upper string) error {
	r := state.Mount{MountPoint: engine.MountPoint{Type: m.Type, Source: m.Source, Target: m.Target, ReadWrite: upper != ""}, Lower: lower, Upper: upper}
	o := specs.Mount{Destination: m.Target, Type: "bind", Source: b.treePath(), Options: []string{"rbind", "rprivate"}}
	if upper == "" {
		o.Options = append(o.Options, b.readOnlyOption())
		if len(lower) == 1 {
			o.Source, r.Lower = lower[0], nil
		}
	}
	b.record(o, r)
	return nil
}
