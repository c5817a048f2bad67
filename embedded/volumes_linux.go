package embedded

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// VolumeCreate implements [engine.Volumes].
func (e *Engine) VolumeCreate(ctx context.Context, opts engine.VolumeCreateOptions) (*engine.VolumeAttrs, error) {
	v, created, err := e.volumes.Create(ctx, opts)
	if err != nil {
		return nil, because(ctx, "create volume", opts.Name, err)
	}
	if created {
		e.volumeEvent("create", v.Name, map[string]string{"driver": v.Driver})
	}
	return v, nil
}

// VolumeInspect implements [engine.Volumes].
func (e *Engine) VolumeInspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) {
	v, err := e.volumes.Inspect(ctx, name)
	return v, because(ctx, "inspect volume", name, err)
}

// VolumeList implements [engine.Volumes].
func (e *Engine) VolumeList(ctx context.Context, filters engine.Filters) ([]engine.VolumeAttrs, error) {
	list, err := e.volumes.List(ctx, filters, e.volumeUsers)
	return list, because(ctx, "list volumes", "", err)
}

// VolumeRemove implements [engine.Volumes].
func (e *Engine) VolumeRemove(ctx context.Context, name string, force bool) error {
	if err := e.volumes.Remove(ctx, name, force, e.volumeUsers); err != nil {
		return because(ctx, "remove volume", name, err)
	}
	e.volumeEvent("destroy", name, map[string]string{"driver": "local"})
	return nil
}

// VolumePrune implements [engine.Volumes].
func (e *Engine) VolumePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	report, err := e.volumes.Prune(ctx, filters, e.volumeUsers)
	for _, v := range report.Deleted {
		e.volumeEvent("destroy", v, map[string]string{"driver": "local"})
	}
	return report, because(ctx, "prune volumes", "", err)
}

func (e *Engine) volumeEvent(action, volume string, attributes map[string]string) {
	e.emit(engine.Event{Type: "volume", Action: action, ID: volume, Name: volume, Attributes: attributes})
}
