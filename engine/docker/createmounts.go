package docker

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// mounts routes Spec.Mounts to the three places that the API has for them: Mounts, which is strict; Binds, which alone can relabel and, below API 1.42, create a missing source; and Tmpfs, which alone takes
// mount options.
func (e *Engine) mounts(r *refusals, b *wireCreate, s *engine.Spec) {
	driven := false
	for i, m := range s.Mounts {
		at := fmt.Sprintf("Spec.Mounts[%d]", i)
		e.refuseMount(r, at, m)
		switch m.Type {
		case engine.MountBind:
			if m.Relabel != "" || m.CreateSource && e.api < apiCreateMountpoint {
				bindString(r, &b.HostConfig, at, m)
				continue
			}
			b.HostConfig.Mounts = append(b.HostConfig.Mounts, bindMount(m))
		case engine.MountVolume:
			if relabelledVolume(m) && s.VolumeDriver == "" {
				bindString(r, &b.HostConfig, at, m)
				continue
			}
			if m.Driver == "" && m.Source != "" && s.VolumeDriver != "" {
				m.Driver = s.VolumeDriver
				driven = true
			}
			b.HostConfig.Mounts = append(b.HostConfig.Mounts, volumeMount(m))
		case engine.MountTmpfs:
			if len(m.Options) > 0 {
				tmpfsString(&b.HostConfig, m)
				continue
			}
			b.HostConfig.Mounts = append(b.HostConfig.Mounts, tmpfsMount(m))
		case engine.MountImage:
			w := wireMount{Type: "image", Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
			if m.Subpath != "" {
				w.ImageOptions = &wireImageOptions{Subpath: m.Subpath}
			}
			b.HostConfig.Mounts = append(b.HostConfig.Mounts, w)
		case engine.MountNpipe:
			b.HostConfig.Mounts = append(b.HostConfig.Mounts, wireMount{Type: "npipe", Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly})
		}
	}
	r.unless(s.VolumeDriver == "" || driven, "Spec.VolumeDriver", s.VolumeDriver, "no named volume of Spec.Mounts takes it: Docker would ignore it")
}

// refuseMount refuses mounts that Docker does not have, and fields that it does not have for a type.
func (e *Engine) refuseMount(r *refusals, at string, m engine.Mount) {
	switch m.Type {
	case engine.MountBind, engine.MountVolume, engine.MountTmpfs:
	case engine.MountImage:
		r.needs(true, apiImageMount, at, "type=image")
	case engine.MountNpipe:
		r.unless(e.windows(), at, "type=npipe", "only Windows has named pipes")
	default:
		r.unsupported(at, "type="+string(m.Type), "")
	}
	r.unless(!m.Chown, at+".Chown", "", "")
	if m.Relabel != "" && m.Type != engine.MountBind && !relabelledVolume(m) {
		r.unsupported(at+".Relabel", m.Relabel, "Docker relabels binds, and named volumes without options of their own")
	}
	r.needs(m.Subpath != "" && m.Type == engine.MountVolume, apiSubpath, at+".Subpath", m.Subpath)
	if len(m.Options) > 0 && m.Type != engine.MountTmpfs {
		r.unsupported(at+".Options", strings.Join(m.Options, ","), "Docker has mount options for tmpfs only")
	}
}

func bindMount(m engine.Mount) wireMount {
	w := wireMount{Type: "bind", Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly, Consistency: m.Consistency}
	if o := (wireBindOptions{Propagation: m.Propagation, NonRecursive: m.NonRecursive, CreateMountpoint: m.CreateSource}); o != (wireBindOptions{}) {
		w.BindOptions = &o
	}
	return w
}

// relabelledVolume tells whether m is a volume to be relabelled that Binds can express.
func relabelledVolume(m engine.Mount) bool {
	return m.Type == engine.MountVolume && m.Relabel != "" && m.Source != "" && m.Subpath == "" && m.Driver == "" && len(m.DriverOptions) == 0 && len(m.Labels) == 0
}

// bindString puts a bind, or a volume, into Binds: SOURCE:TARGET[:OPTIONS].
func bindString(r *refusals, h *wireHostConfig, at string, m engine.Mount) {
	why := "Relabel"
	if m.Relabel == "" {
		why = "CreateSource"
	}
	if strings.Contains(m.Source, ":") || strings.Contains(m.Target, ":") {
		r.unsupported(at+"."+why, "", "API "+r.e.api.String()+" has it only for paths without a colon")
		return
	}
	if m.NonRecursive {
		r.unsupported(at+".NonRecursive", "", "API "+r.e.api.String()+" does not have it together with "+why)
		return
	}
	var opts []string
	if m.ReadOnly {
		opts = append(opts, "ro")
	}
	switch m.Relabel {
	case "shared":
		opts = append(opts, "z")
	case "private":
		opts = append(opts, "Z")
	}
	if m.NoCopy {
		opts = append(opts, "nocopy")
	}
	for _, o := range []string{m.Propagation, m.Consistency} {
		if o != "" {
			opts = append(opts, o)
		}
	}
	bind := m.Source + ":" + m.Target
	if len(opts) > 0 {
		bind += ":" + strings.Join(opts, ",")
	}
	h.Binds = append(h.Binds, bind)
}

func volumeMount(m engine.Mount) wireMount {
	w := wireMount{Type: "volume", Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly, Consistency: m.Consistency}
	o := wireVolumeOptions{NoCopy: m.NoCopy, Labels: m.Labels, Subpath: m.Subpath}
	if m.Driver != "" || len(m.DriverOptions) > 0 {
		o.DriverConfig = &wireDriver{Name: m.Driver, Options: m.DriverOptions}
	}
	if o.NoCopy || len(o.Labels) > 0 || o.Subpath != "" || o.DriverConfig != nil {
		w.VolumeOptions = &o
	}
	return w
}

// tmpfsMode is m's, else the one that every engine gives a tmpfs where the image has no such directory: by itself the engine takes the mode of one that the image has.
func tmpfsMode(m engine.Mount) uint32 {
	if m.Mode != nil {
		return uint32(*m.Mode)
	}
	return 0o1777
}

func tmpfsMount(m engine.Mount) wireMount {
	return wireMount{
		Type: "tmpfs", Target: m.Target, ReadOnly: m.ReadOnly, Consistency: m.Consistency,
		TmpfsOptions: &wireTmpfsOptions{SizeBytes: int64(m.Size), Mode: tmpfsMode(m)},
	}
}

// tmpfsString puts a tmpfs into Tmpfs: its options by target.
func tmpfsString(h *wireHostConfig, m engine.Mount) {
	var opts []string
	if m.ReadOnly {
		opts = append(opts, "ro")
	}
	if m.Size > 0 {
		opts = append(opts, fmt.Sprintf("size=%d", m.Size))
	}
	if m.Mode != nil || !slices.ContainsFunc(m.Options, func(o string) bool { return strings.HasPrefix(o, "mode=") }) {
		opts = append(opts, fmt.Sprintf("mode=%o", tmpfsMode(m)))
	}
	if h.Tmpfs == nil {
		h.Tmpfs = map[string]string{}
	}
	h.Tmpfs[m.Target] = strings.Join(append(opts, m.Options...), ",")
}

// checkRelabelled holds a bind that goes to Binds because of its relabelling, and is not to be created, to the contract that a missing source is an error. The engine checks the mounts of a request before the rest of
// it: a request that is wrong otherwise tells, and creates nothing.
func (e *Engine) checkRelabelled(ctx context.Context, s *engine.Spec) error {
	var probe wireCreate
	for _, m := range s.Mounts {
		if m.Type == engine.MountBind && m.Relabel != "" && !m.CreateSource {
			probe.HostConfig.Mounts = append(probe.HostConfig.Mounts, wireMount{Type: "bind", Source: m.Source, Target: m.Target})
		}
	}
	if len(probe.HostConfig.Mounts) == 0 {
		return nil
	}
	probe.Image = s.Image
	probe.HostConfig.RestartPolicy = &wireRestartPolicy{Name: "none-such"} // refused by every version
	var made wireCreated
	err := e.call(ctx, op{"create container", s.Name}, wire.Request{Method: http.MethodPost, Path: "/containers/create", JSON: probe}, &made)
	switch {
	case err == nil: // an engine that takes any policy
		return e.ContainerRemove(context.WithoutCancel(ctx), made.ID, engine.RemoveOptions{Volumes: true})
	case strings.Contains(err.Error(), "restart policy"):
		return nil
	}
	return err
}
