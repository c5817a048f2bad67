package embedded

import (
	"context"
	"io"

	"github.com/berthdev/berth/engine"
)

// ImagePull implements [engine.Images].
func (e *rootless) ImagePull(ctx context.Context, ref string, opts engine.PullOptions) (string, error) {
	a := &pullArgs{Platform: opts.Platform, AllTags: opts.AllTags, Auth: opts.Auth, TLSVerify: opts.TLSVerify, Policy: opts.Policy}
	return inside[string](ctx, e, "ImagePull", workerArgs{ID: ref, Pull: a}, transfer{progress: opts.Progress})
}

// ImagePush implements [engine.Images].
func (e *rootless) ImagePush(ctx context.Context, ref string, opts engine.PushOptions) error {
	a := &pushArgs{Auth: opts.Auth, TLSVerify: opts.TLSVerify, AllTags: opts.AllTags}
	_, err := inside[none](ctx, e, "ImagePush", workerArgs{ID: ref, Push: a}, transfer{progress: opts.Progress})
	return err
}

// ImageLoad implements [engine.Images].
func (e *rootless) ImageLoad(ctx context.Context, tar io.Reader) ([]string, error) {
	return inside[[]string](ctx, e, "ImageLoad", workerArgs{}, transfer{in: tar})
}

// ImageSave implements [engine.Images].
func (e *rootless) ImageSave(ctx context.Context, refs []string, opts engine.SaveOptions) (io.ReadCloser, error) {
	r, _, err := reader[none](ctx, e, "ImageSave", workerArgs{IDs: refs, Save: &opts}, "")
	return r, err
}

// ImageImport implements [engine.Images].
func (e *rootless) ImageImport(ctx context.Context, tar io.Reader, opts engine.ImportOptions) (string, error) {
	return inside[string](ctx, e, "ImageImport", workerArgs{Import: &opts}, transfer{in: tar})
}

// ImageRemove implements [engine.Images].
func (e *rootless) ImageRemove(ctx context.Context, ref string, opts engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	return inside[engine.ImageRemoveReport](ctx, e, "ImageRemove", workerArgs{ID: ref, Image: &opts}, transfer{})
}

// ImagePrune implements [engine.Images].
func (e *rootless) ImagePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return e.prune(ctx, "ImagePrune", "prune images", filters)
}

// VolumeRemove implements [engine.Volumes].
func (e *rootless) VolumeRemove(ctx context.Context, name string, force bool) error {
	_, err := inside[none](ctx, e, "VolumeRemove", workerArgs{ID: name, Force: force}, transfer{})
	return err
}

// VolumePrune implements [engine.Volumes].
func (e *rootless) VolumePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return e.prune(ctx, "VolumePrune", "prune volumes", filters)
}

// DiskUsage implements [engine.System].
func (e *rootless) DiskUsage(ctx context.Context) (*engine.DiskUsage, error) {
	return inside[*engine.DiskUsage](ctx, e, "DiskUsage", workerArgs{}, transfer{})
}
