package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/volume"
	"github.com/berthdev/berth/engine"
)

const opCreate = "create container"

// ContainerCreate implements [engine.Containers]. It writes files and starts nothing.
func (e *Engine) ContainerCreate(ctx context.Context, spec *engine.Spec, opts engine.CreateOptions) (engine.CreateResult, error) {
	if err := ctx.Err(); err != nil {
		return engine.CreateResult{}, because(ctx, opCreate, spec.Name, err)
	}
	c := creation{e: e, spec: new(spec.Clone())}
	switch c.spec.Runtime {
	case "":
		c.spec.Runtime = e.runtime
	case builtin:
		c.spec.Runtime = ""
	}
	if err := errors.Join(config.Check(c.spec, e.host), runtimeThere("Spec.Runtime", c.spec.Runtime)); err != nil {
		return engine.CreateResult{}, err
	}
	res, err := c.run(ctx)
	return res, because(ctx, opCreate, spec.Name, err)
}

// creation is one ContainerCreate.
type creation struct {
	e    *Engine
	spec *engine.Spec
	img  *image.Image
	out  *config.Output
}

// run creates the container. While it does, no image and no volume is removed.
func (c *creation) run(ctx context.Context) (res engine.CreateResult, err error) {
	defer func() {
		if err != nil {
			c.undo(&err) // after the leases
		}
	}()
	release, err := c.e.images.Lease(ctx)
	if err != nil {
		return res, err
	}
	defer release()
	releaseVolumes, err := c.e.volumes.Lease(ctx)
	if err != nil {
		return res, err
	}
	defer releaseVolumes()
	if c.img, err = c.e.images.Shared(c.spec.Image); err != nil {
		return res, err
	}
	if err := checkPlatform(opCreate, c.spec.Image, c.img, c.spec.Platform); err != nil {
		return res, err
	}
	id := state.NewID()
	if err := c.build(ctx, id); err != nil {
		return res, err
	}
	if err := c.e.networks.Check(ctx, endpoints(c.out.Config), c.out.Config.Ports); err != nil {
		return res, err
	}
	if err := c.copyUp(ctx); err != nil {
		return res, err
	}
	if err := c.store(); err != nil {
		return res, err
	}
	c.e.containerEvent("create", c.out.Config, nil)
	return engine.CreateResult{ID: id, Warnings: c.out.Warnings}, nil
}

// build makes the configuration.
func (c *creation) build(ctx context.Context, id string) error {
	dirs, err := c.e.images.LayerDirs(c.img)
	if err != nil {
		return err
	}
	name := c.spec.Name
	if name == "" {
		name = newName(0)
	}
	c.out, err = config.Build(ctx, config.Input{
		ID: id, Name: name, Created: time.Now().UTC(), Spec: c.spec, Checked: true, Image: configImage(c.img), LayerDirs: dirs, Accounts: &c.e.accounts,
		Dir: c.e.store.Dir(id), Host: c.e.host,
		Containers:   func(ref string) (*state.Config, *state.Run, error) { return c.e.container(ctx, ref) },
		FirstProcess: func(pid int) (*state.Config, error) { return c.e.ofProcess(ctx, pid) },
		Secret:       c.e.secrets.Data,
		Volume:       func(m engine.Mount) (*engine.VolumeAttrs, bool, error) { return c.volume(ctx, m) },
		ImageMount: func(ref string) (dirs, diffIDs []string, err error) {
			img, err := c.e.images.Resolve(ref)
			if err != nil {
				return nil, nil, err
			}
			dirs, err = c.e.images.LayerDirs(img)
			return dirs, img.DiffIDs, err
		},
		Renumber: func(diffIDs []string, uids, gids []engine.IDMap) (dirs, ids []string, err error) {
			for _, id := range diffIDs {
				copied, err := c.e.images.Renumbered(ctx, id, uids, gids)
				if err != nil {
					return nil, nil, err
				}
				ids = append(ids, copied)
			}
			dirs, err = c.e.images.DirsOf(ids)
			return dirs, ids, err
		},
		DefaultNetwork: network.Default,
	})
	return err
}

// container finds a container for namespaces and volumes; the Run is nil when it does not run.
func (e *Engine) container(ctx context.Context, ref string) (*state.Config, *state.Run, error) {
	s, err := e.snapshot(ctx, "find container", ref)
	if err != nil {
		return nil, nil, err
	}
	if s.Err != nil {
		return nil, nil, s.Err
	}
	if !live(s) {
		return s.Config, nil, nil
	}
	return s.Config, s.Run, nil
}

// ofProcess is the running container whose first process this is; nil is none.
func (e *Engine) ofProcess(ctx context.Context, pid int) (*state.Config, error) {
	list, err := e.all(ctx)
	for _, s := range list {
		if live(s) && s.Run.PID == pid {
			return s.Config, nil
		}
	}
	return nil, err
}

// volume makes or finds the volume of a mount.
func (c *creation) volume(ctx context.Context, m engine.Mount) (*engine.VolumeAttrs, bool, error) {
	if m.Source != "" {
		// One that is there is taken as it is.
		v, err := c.e.volumes.Inspect(ctx, m.Source)
		if err == nil || !errors.Is(err, engine.ErrNotFound) {
			return v, false, err
		}
	}
	v, created, err := c.e.volumes.Create(ctx, engine.VolumeCreateOptions{
		Name: m.Source, Driver: m.Driver, DriverOptions: m.DriverOptions, Labels: m.Labels,
	})
	if created {
		c.e.volumeEvent("create", v.Name, map[string]string{"driver": v.Driver})
	}
	return v, created, err
}

// endpoints are a container's places in networks.
func endpoints(cfg *state.Config) []engine.Endpoint {
	var out []engine.Endpoint
	for _, ep := range cfg.Networks {
		out = append(out, ep.Endpoint)
	}
	return out
}

// copyUp fills new volumes with what the image has in their places.
func (c *creation) copyUp(ctx context.Context) error {
	if len(c.out.CopyUp) == 0 {
		return nil
	}
	dirs, err := c.e.images.DirsOf(c.out.Config.Layers)
	if err != nil {
		return err
	}
	for _, cp := range c.out.CopyUp {
		if err := c.fill(ctx, cp, dirs); err != nil {
			return fmt.Errorf("fill volume %s: %w", cp.Volume, err)
		}
	}
	return nil
}

// fill is copyUp of one volume. One that has a mount of its own is mounted meanwhile.
func (c *creation) fill(ctx context.Context, cp config.CopyUp, layers []string) (err error) {
	id := c.out.Config.ID
	if c.e.volumes.NeedsMount(cp.Volume) {
		if has, err := volume.Has(ctx, layers, cp.Path); err != nil || !has {
			return err
		}
	}
	if err := c.e.volumes.Mount(ctx, cp.Volume, id); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.e.volumes.Unmount(context.WithoutCancel(ctx), cp.Volume, id)) }()
	return volume.CopyUp(ctx, cp.Mountpoint, layers, cp.Path)
}

// store writes the container. A name of the engine's choice that is taken is replaced by another one.
func (c *creation) store() error {
	for try := 1; ; try++ {
		err := c.e.store.Create(c.out.Config, c.out.OCI, c.out.Files)
		if c.spec.Name != "" || !errors.Is(err, engine.ErrConflict) || try == 100 {
			return err
		}
		c.out.Config.Name = newName(try)
	}
}

// undo removes the volumes that were made for a container that there is not.
func (c *creation) undo(err *error) {
	if c.out == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, v := range c.out.NewVolumes {
		if rerr := c.e.volumes.Remove(ctx, v, true, c.e.volumeUsers); rerr != nil {
			*err = errors.Join(*err, fmt.Errorf("remove volume %s: %w", v, rerr))
			continue
		}
		c.e.volumeEvent("destroy", v, map[string]string{"driver": "local"})
	}
}

// configImage is what a container's configuration takes of its image; nil of none.
func configImage(img *image.Image) *config.Image {
	if img == nil {
		return nil
	}
	i := &config.Image{ID: img.ID, DiffIDs: img.DiffIDs, Config: img.Neutral()}
	if c := img.Config; c.Architecture != "" {
		i.Platform = strings.TrimRight("linux/"+c.Architecture+"/"+c.Variant, "/")
	}
	return i
}
