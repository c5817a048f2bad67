package podman

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// mounts routes Spec.Mounts to the places that libpod has for them, and makes a read-only container as writable as Docker's.
func (e *Engine) mounts(r *refusals, b *wireCreate, s *engine.Spec) {
	for i, m := range s.Mounts {
		at := fmt.Sprintf("Spec.Mounts[%d]", i)
		e.refuseMount(r, at, m)
		switch m.Type {
		case engine.MountBind:
			b.Mounts = append(b.Mounts, wireMount{Type: "bind", Source: m.Source, Destination: m.Target, Options: bindOptions(m)})
		case engine.MountVolume:
			b.Volumes = append(b.Volumes, wireNamedVolume{Name: m.Source, Dest: m.Target, Options: volumeOptions(m), IsAnonymous: m.Source == "", SubPath: m.Subpath})
		case engine.MountTmpfs:
			b.Mounts = append(b.Mounts, wireMount{Type: "tmpfs", Source: "tmpfs", Destination: m.Target, Options: tmpfsOptions(m)})
		case engine.MountRamfs, engine.MountDevpts:
			b.Mounts = append(b.Mounts, wireMount{Type: string(m.Type), Source: string(m.Type), Destination: m.Target, Options: sizedOptions(m)})
		case engine.MountImage:
			b.ImageVolumes = append(b.ImageVolumes, wireImageVolume{Source: m.Source, Destination: m.Target, ReadWrite: writableImage(m), SubPath: m.Subpath})
		case engine.MountOverlay:
			b.OverlayVolumes = append(b.OverlayVolumes, wireOverlay{Source: m.Source, Destination: m.Target, Options: slices.Clone(m.Options)})
		}
	}
	e.readOnly(b, s)
}

// refuseMount refuses mounts that Podman does not have, and fields that it does not have for a type.
func (e *Engine) refuseMount(r *refusals, at string, m engine.Mount) {
	bind, volume, image := m.Type == engine.MountBind, m.Type == engine.MountVolume, m.Type == engine.MountImage
	switch m.Type {
	case engine.MountBind, engine.MountVolume, engine.MountTmpfs, engine.MountImage, engine.MountRamfs, engine.MountDevpts, engine.MountOverlay:
	case engine.MountNpipe:
		r.unsupported(at, "type=npipe", "only Windows has named pipes")
	default:
		r.unsupported(at, "type="+string(m.Type), "")
	}
	r.when(m.Relabel != "" && !bind && !volume, at+".Relabel", m.Relabel, "Podman relabels binds and volumes")
	r.when(m.Chown && m.Type == engine.MountImage, at+".Chown", "", "")
	r.when(m.Chown && (m.Type == engine.MountRamfs || m.Type == engine.MountDevpts), at+".Chown", "", "")
	r.needs(m.Subpath != "" && volume, vVolumeSubpath, at+".Subpath")
	r.needs(m.Subpath != "" && image, vImageSubpath, at+".Subpath")
	r.when(image && len(m.Options) > 0 && !writableImage(m), at+".Options", strings.Join(m.Options, ","), "the mount of an image has rw alone, and not with ReadOnly")
	r.when(m.Type == engine.MountOverlay && m.ReadOnly, at+".ReadOnly", "", "an overlay is there to be written to")
	r.when(volume && m.Source == "" && (m.Driver != "" && m.Driver != "local" || len(m.DriverOptions) > 0 || len(m.Labels) > 0), at+".Driver", m.Driver, "a volume without a name has no driver, options or labels of its own")
	if m.Type != engine.MountTmpfs {
		return
	}
	for _, o := range m.Options {
		key, _, _ := strings.Cut(o, "=")
		switch key {
		case "uid", "gid", "nr_inodes", "nr_blocks", "huge", "mpol":
			r.unsupported(at+".Options", o, "Podman has no such option of a tmpfs")
		case "noatime":
			r.needs(true, vTmpfsNoatime, at+".Options")
		case "noswap":
			r.needs(true, vTmpfsNoswap, at+".Options")
		}
	}
}

// writableImage tells that an image is mounted with a layer to write to, which Podman alone has: it must be asked for.
func writableImage(m engine.Mount) bool {
	return !m.ReadOnly && slices.Equal(m.Options, []string{"rw"})
}

func bindOptions(m engine.Mount) []string {
	opts := []string{"rbind"}
	if m.NonRecursive {
		opts[0] = "bind"
	}
	opts = append(opts, access(m))
	if m.Propagation != "" {
		opts = append(opts, m.Propagation)
	}
	return append(opts, sharedOptions(m)...)
}

func volumeOptions(m engine.Mount) []string {
	opts := []string{access(m)}
	if m.NoCopy {
		opts = append(opts, "nocopy")
	}
	return append(opts, sharedOptions(m)...)
}

// sharedOptions are those of binds and volumes. What the caller says in Options wins over what a field says in the same words.
func sharedOptions(m engine.Mount) []string {
	var opts []string
	switch m.Relabel {
	case "shared":
		opts = append(opts, "z")
	case "private":
		opts = append(opts, "Z")
	}
	if m.Chown {
		opts = append(opts, "U")
	}
	return append(opts, m.Options...)
}

func access(m engine.Mount) string {
	if m.ReadOnly {
		return "ro"
	}
	return "rw"
}

// tmpfsOptions are those of Docker's tmpfs, where the caller says nothing: nothing is executed in it, and it begins empty.
func tmpfsOptions(m engine.Mount) []string {
	opts := sizedOptions(m)
	for _, o := range [...]struct{ is, not string }{{"noexec", "exec"}, {"nosuid", "suid"}, {"nodev", "dev"}, {"notmpcopyup", "tmpcopyup"}} {
		if !slices.Contains(m.Options, o.is) && !slices.Contains(m.Options, o.not) {
			opts = append(opts, o.is)
		}
	}
	if m.Chown {
		opts = append(opts, "U")
	}
	return opts
}

func sizedOptions(m engine.Mount) []string {
	opts := []string{access(m)}
	if m.Size > 0 {
		opts = append(opts, fmt.Sprintf("size=%d", int64(m.Size)))
	}
	if m.Mode != nil {
		opts = append(opts, fmt.Sprintf("mode=%o", uint32(*m.Mode)))
	} else if m.Type == engine.MountTmpfs && !slices.ContainsFunc(m.Options, func(o string) bool { return strings.HasPrefix(o, "mode=") }) {
		opts = append(opts, "mode=1777")
	}
	return append(opts, m.Options...)
}

// readOnly makes a read-only container as Docker's is: nothing of it can be written to but /dev and what is mounted. Since 4.4 Podman makes /dev read-only, /dev/shm with it, unless it makes /run, /tmp and /var/tmp writable too: these
// get a read-only tmpfs then, with what the image has there. Before, it has no word for writable ones, and they are mounts of ours.
func (e *Engine) readOnly(b *wireCreate, s *engine.Spec) {
	b.ReadOnlyFilesystem, b.ReadWriteTmpfs = s.ReadOnly, s.ReadWriteTmpfs
	if !s.ReadOnly {
		return
	}
	writable := s.ReadWriteTmpfs != nil && *s.ReadWriteTmpfs
	option := "rw"
	switch {
	case e.version < vReadWriteTmpfs && writable:
		b.ReadWriteTmpfs = nil
	case e.version >= vReadWriteTmpfs && s.ReadWriteTmpfs == nil:
		b.ReadWriteTmpfs = new(true)
		option = "ro"
	default:
		return
	}
	for _, target := range [...]string{"/run", "/tmp", "/var/tmp"} {
		taken := slices.ContainsFunc(s.Mounts, func(m engine.Mount) bool { return path.Clean(m.Target) == target })
		if !taken {
			b.Mounts = append(b.Mounts, wireMount{Type: "tmpfs", Source: "tmpfs", Destination: target, Options: []string{option, "nosuid", "nodev", "tmpcopyup"}})
		}
	}
}

// volumesFirst are the volumes that have to be made before the container: libpod's create request takes neither driver, nor options, nor labels of one.
func (e *Engine) volumesFirst(r *refusals, s *engine.Spec) []engine.VolumeCreateOptions {
	var out []engine.VolumeCreateOptions
	driven := false
	for i, m := range s.Mounts {
		if m.Type != engine.MountVolume {
			continue
		}
		driver := m.Driver
		if driver == "" {
			driver = s.VolumeDriver
		}
		driven = driven || m.Driver == ""
		if m.Source == "" {
			r.when(m.Driver == "" && s.VolumeDriver != "" && s.VolumeDriver != "local", "Spec.VolumeDriver", s.VolumeDriver, fmt.Sprintf("Mounts[%d] has no name", i))
			continue
		}
		if driver != "" || len(m.DriverOptions) > 0 || len(m.Labels) > 0 {
			out = append(out, engine.VolumeCreateOptions{Name: m.Source, Driver: driver, DriverOptions: m.DriverOptions, Labels: m.Labels})
		}
	}
	r.when(s.VolumeDriver != "" && !driven, "Spec.VolumeDriver", s.VolumeDriver, "no volume of Spec.Mounts takes it")
	return out
}

// createError names the option that an answer to a create request is about, where it tells.
func createError(c *creation, err error) error {
	api, ok := err.(*engine.APIError)
	if !ok || !strings.Contains(api.Message, "no such file or directory") {
		return err
	}
	for i, m := range c.spec.Mounts {
		if m.Type != engine.MountBind && m.Type != engine.MountOverlay || !strings.Contains(api.Message, m.Source+":") && !strings.HasSuffix(api.Message, m.Source) {
			continue
		}
		at := fmt.Sprintf("Spec.Mounts[%d]", i)
		if m.CreateSource {
			return &engine.UnsupportedError{Option: at + ".CreateSource", Value: m.Source, Engine: Name, Reason: "the source is missing, and Podman does not make it: " + api.Message}
		}
		return &engine.InvalidError{Option: at + ".Source", Value: m.Source, Err: err}
	}
	return err
}
