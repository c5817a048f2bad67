package embedded

import (
	"context"
	"io"
	"iter"
	"net/http"

	"github.com/berthdev/berth/engine"
)

// The calls of [engine.System].

func (g *guard) Ping(ctx context.Context) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.Ping(ctx) })
}

func (g *guard) Version(ctx context.Context) (*engine.Version, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.Version, error) { return g.e.Version(ctx) })
}

func (g *guard) Info(ctx context.Context) (*engine.Info, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.Info, error) { return g.e.Info(ctx) })
}

func (g *guard) DiskUsage(ctx context.Context) (*engine.DiskUsage, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.DiskUsage, error) { return g.e.DiskUsage(ctx) })
}

func (g *guard) Events(ctx context.Context, opts engine.EventOptions) iter.Seq2[engine.Event, error] {
	return sequence(g, ctx, func(ctx context.Context) iter.Seq2[engine.Event, error] { return g.e.Events(ctx, opts) })
}

func (g *guard) Do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	return result(g, ctx, func(ctx context.Context) (*http.Response, error) { return g.e.Do(ctx, method, path, body, header) })
}

// The calls of [engine.Images].

func (g *guard) ImagePull(ctx context.Context, ref string, opts engine.PullOptions) (string, error) {
	return result(g, ctx, func(ctx context.Context) (string, error) { return g.e.ImagePull(ctx, ref, opts) })
}

func (g *guard) ImagePush(ctx context.Context, ref string, opts engine.PushOptions) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ImagePush(ctx, ref, opts) })
}

func (g *guard) ImageInspect(ctx context.Context, ref string) (*engine.ImageAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.ImageAttrs, error) { return g.e.ImageInspect(ctx, ref) })
}

func (g *guard) ImageExists(ctx context.Context, ref string) (bool, error) {
	return result(g, ctx, func(ctx context.Context) (bool, error) { return g.e.ImageExists(ctx, ref) })
}

func (g *guard) ImageList(ctx context.Context, opts engine.ImageListOptions) ([]engine.ImageSummary, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.ImageSummary, error) { return g.e.ImageList(ctx, opts) })
}

func (g *guard) ImageHistory(ctx context.Context, ref string) ([]engine.HistoryEntry, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.HistoryEntry, error) { return g.e.ImageHistory(ctx, ref) })
}

func (g *guard) ImageLoad(ctx context.Context, tar io.Reader) ([]string, error) {
	return result(g, ctx, func(ctx context.Context) (r []string, err error) {
		err = reading(ctx, tar, func(tar io.Reader) error {
			r, err = g.e.ImageLoad(ctx, tar)
			return err
		})
		return r, err
	})
}

func (g *guard) ImageSave(ctx context.Context, refs []string, opts engine.SaveOptions) (io.ReadCloser, error) {
	return kept(g, ctx, guardReader, func(ctx context.Context) (io.ReadCloser, error) { return g.e.ImageSave(ctx, refs, opts) })
}

func (g *guard) ImageImport(ctx context.Context, tar io.Reader, opts engine.ImportOptions) (string, error) {
	return result(g, ctx, func(ctx context.Context) (r string, err error) {
		err = reading(ctx, tar, func(tar io.Reader) error {
			r, err = g.e.ImageImport(ctx, tar, opts)
			return err
		})
		return r, err
	})
}

func (g *guard) ImageTag(ctx context.Context, source, target string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ImageTag(ctx, source, target) })
}

func (g *guard) ImageRemove(ctx context.Context, ref string, opts engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	return result(g, ctx, func(ctx context.Context) (engine.ImageRemoveReport, error) { return g.e.ImageRemove(ctx, ref, opts) })
}

func (g *guard) ImagePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return result(g, ctx, func(ctx context.Context) (engine.PruneReport, error) { return g.e.ImagePrune(ctx, filters) })
}

// The calls of [engine.Volumes].

func (g *guard) VolumeCreate(ctx context.Context, opts engine.VolumeCreateOptions) (*engine.VolumeAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.VolumeAttrs, error) { return g.e.VolumeCreate(ctx, opts) })
}

func (g *guard) VolumeInspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.VolumeAttrs, error) { return g.e.VolumeInspect(ctx, name) })
}

func (g *guard) VolumeList(ctx context.Context, filters engine.Filters) ([]engine.VolumeAttrs, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.VolumeAttrs, error) { return g.e.VolumeList(ctx, filters) })
}

func (g *guard) VolumeRemove(ctx context.Context, name string, force bool) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.VolumeRemove(ctx, name, force) })
}

func (g *guard) VolumePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return result(g, ctx, func(ctx context.Context) (engine.PruneReport, error) { return g.e.VolumePrune(ctx, filters) })
}

// The calls of [engine.Networks].

func (g *guard) NetworkCreate(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.NetworkAttrs, error) { return g.e.NetworkCreate(ctx, opts) })
}

func (g *guard) NetworkInspect(ctx context.Context, name string) (*engine.NetworkAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.NetworkAttrs, error) { return g.e.NetworkInspect(ctx, name) })
}

func (g *guard) NetworkList(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.NetworkAttrs, error) { return g.e.NetworkList(ctx, filters) })
}

func (g *guard) NetworkConnect(ctx context.Context, network, container string, ep engine.Endpoint) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.NetworkConnect(ctx, network, container, ep) })
}

func (g *guard) NetworkDisconnect(ctx context.Context, network, container string, force bool) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.NetworkDisconnect(ctx, network, container, force) })
}

func (g *guard) NetworkRemove(ctx context.Context, name string, force bool) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.NetworkRemove(ctx, name, force) })
}

func (g *guard) NetworkPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return result(g, ctx, func(ctx context.Context) (engine.PruneReport, error) { return g.e.NetworkPrune(ctx, filters) })
}

// The calls of [engine.Secrets].

func (g *guard) SecretCreate(ctx context.Context, name string, data []byte, opts engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.SecretAttrs, error) { return g.e.SecretCreate(ctx, name, data, opts) })
}

func (g *guard) SecretInspect(ctx context.Context, name string) (*engine.SecretAttrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.SecretAttrs, error) { return g.e.SecretInspect(ctx, name) })
}

func (g *guard) SecretList(ctx context.Context, filters engine.Filters) ([]engine.SecretAttrs, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.SecretAttrs, error) { return g.e.SecretList(ctx, filters) })
}

func (g *guard) SecretRemove(ctx context.Context, name string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.SecretRemove(ctx, name) })
}
