package berth

import (
	"context"
	"sync/atomic"

	"github.com/berthdev/berth/engine"
)

// Volumes makes, finds and removes volumes. It is [Client].Volumes, and safe for concurrent use.
type Volumes struct{ cli *Client }

// Create makes a volume; without a name the engine chooses one. Docker returns the volume that has the name already, if its
// driver and options are the same; Podman says [ErrConflict].
func (s *Volumes) Create(ctx context.Context, opts ...VolumeCreateOptions) (*Volume, error) {
	o, err := atMostOne("Volumes.Create", opts)
	if err != nil {
		return nil, err
	}
	return s.cli.volume(s.cli.e.VolumeCreate(ctx, o))
}

// Get looks a volume up. A missing one is an [ErrNotFound].
func (s *Volumes) Get(ctx context.Context, name string) (*Volume, error) {
	if err := checkName("Volumes.Get", name); err != nil {
		return nil, err
	}
	return s.cli.volume(s.cli.e.VolumeInspect(ctx, name))
}

// List lists volumes with one request, at most one Filters value choosing some (label, name, driver, dangling).
func (s *Volumes) List(ctx context.Context, filters ...Filters) ([]*Volume, error) {
	f, err := atMostOne("Volumes.List", filters)
	if err != nil {
		return nil, err
	}
	attrs, err := s.cli.e.VolumeList(ctx, f)
	if err != nil {
		return nil, err
	}
	list := make([]*Volume, len(attrs))
	for i := range attrs {
		list[i], _ = s.cli.volume(&attrs[i], nil)
	}
	return list, nil
}

// VolumeRemoveOptions say how to remove a volume.
type VolumeRemoveOptions struct {
	// Force makes a missing volume no error on Docker, and removes the containers that use it on Podman.
	Force bool
}

// Remove removes a volume. One that a container uses is an [ErrConflict].
func (s *Volumes) Remove(ctx context.Context, name string, opts ...VolumeRemoveOptions) error {
	o, err := atMostOne("Volumes.Remove", opts)
	if err == nil {
		err = checkName("Volumes.Remove", name)
	}
	if err != nil {
		return err
	}
	return s.cli.e.VolumeRemove(ctx, name, o.Force)
}

// Prune removes volumes that no container uses: anonymous ones, and with the filter
// all=true those with a name too, on every engine. The report holds what was removed also when the error is not nil.
func (s *Volumes) Prune(ctx context.Context, filters ...Filters) (PruneReport, error) {
	f, err := atMostOne("Volumes.Prune", filters)
	if err != nil {
		return PruneReport{}, err
	}
	return s.cli.e.VolumePrune(ctx, f)
}

// Volume is a handle of one volume. It need not be closed, and is safe for concurrent use.
type Volume struct {
	cli   *Client
	name  string
	attrs atomic.Pointer[VolumeAttrs]
}

// volume makes the handle of what an engine returned.
func (cli *Client) volume(attrs *engine.VolumeAttrs, err error) (*Volume, error) {
	if err != nil {
		return nil, err
	}
	v := &Volume{cli: cli, name: attrs.Name}
	v.attrs.Store(attrs)
	return v, nil
}

// Name is the volume's name, which is also what identifies it.
func (v *Volume) Name() string { return v.name }

// Labels are the volume's labels as of the last snapshot. The map must not be written to.
func (v *Volume) Labels() map[string]string { return v.attrs.Load().Labels }

// Attrs is the last snapshot. It is immutable.
func (v *Volume) Attrs() *VolumeAttrs { return v.attrs.Load() }

// Reload takes a new snapshot.
func (v *Volume) Reload(ctx context.Context) error {
	attrs, err := v.cli.e.VolumeInspect(ctx, v.name)
	if err == nil {
		v.attrs.Store(attrs)
	}
	return err
}

// Remove removes the volume. See [Volumes.Remove].
func (v *Volume) Remove(ctx context.Context, opts ...VolumeRemoveOptions) error {
	return v.cli.Volumes.Remove(ctx, v.name, opts...)
}

// Equal tells whether both are handles of the same volume of the same engine.
func (v *Volume) Equal(o *Volume) bool {
	if v == nil || o == nil {
		return v == o
	}
	return v.name == o.name && v.cli.sameEngine(o.cli)
}

// String is Volume(name).
func (v *Volume) String() string { return "Volume(" + v.name + ")" }
