package podman

import (
	"context"
	"github.com/berthdev/berth/engine"
	"io"
	"iter"
	"net/http"
)

var _ engine.Engine = (*Engine)(nil)

func (e *Engine) Identity() engine.Identity                                { panic("not written yet") }
func (e *Engine) Supports(engine.Feature) bool                             { panic("not written yet") }
func (e *Engine) Close() error                                             { panic("not written yet") }
func (e *Engine) Ping(ctx context.Context) error                           { panic("not written yet") }
func (e *Engine) Version(ctx context.Context) (*engine.Version, error)     { panic("not written yet") }
func (e *Engine) Info(ctx context.Context) (*engine.Info, error)           { panic("not written yet") }
func (e *Engine) DiskUsage(ctx context.Context) (*engine.DiskUsage, error) { panic("not written yet") }
func (e *Engine) Events(ctx context.Context, opts engine.EventOptions) iter.Seq2[engine.Event, error] {
	panic("not written yet")
}
func (e *Engine) Do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	panic("not written yet")
}
func (e *Engine) ContainerCreate(ctx context.Context, spec *engine.Spec, opts engine.CreateOptions) (engine.CreateResult, error) {
	panic("not written yet")
}
func (e *Engine) ContainerInspect(ctx context.Context, id string, opts engine.InspectOptions) (*engine.Attrs, error) {
	panic("not written yet")
}
func (e *Engine) ContainerExists(ctx context.Context, id string) (bool, error) {
	panic("not written yet")
}
func (e *Engine) ContainerList(ctx context.Context, opts engine.ListOptions) ([]engine.Summary, error) {
	panic("not written yet")
}
func (e *Engine) ContainerStart(ctx context.Context, id string, opts engine.StartOptions) error {
	panic("not written yet")
}
func (e *Engine) ContainerStop(ctx context.Context, id string, opts engine.StopOptions) error {
	panic("not written yet")
}
func (e *Engine) ContainerRestart(ctx context.Context, id string, opts engine.StopOptions) error {
	panic("not written yet")
}
func (e *Engine) ContainerKill(ctx context.Context, id, signal string) error {
	panic("not written yet")
}
func (e *Engine) ContainerPause(ctx context.Context, id string) error   { panic("not written yet") }
func (e *Engine) ContainerUnpause(ctx context.Context, id string) error { panic("not written yet") }
func (e *Engine) ContainerInit(ctx context.Context, id string) error    { panic("not written yet") }
func (e *Engine) ContainerRename(ctx context.Context, id, name string) error {
	panic("not written yet")
}
func (e *Engine) ContainerUpdate(ctx context.Context, id string, u engine.Update) (engine.UpdateResult, error) {
	panic("not written yet")
}
func (e *Engine) ContainerRemove(ctx context.Context, id string, opts engine.RemoveOptions) error {
	panic("not written yet")
}
func (e *Engine) ContainerPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	panic("not written yet")
}
func (e *Engine) ContainerWait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	panic("not written yet")
}
func (e *Engine) ContainerAttach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	panic("not written yet")
}
func (e *Engine) ContainerLogs(ctx context.Context, id string, opts engine.LogOptions) (engine.LogReader, error) {
	panic("not written yet")
}
func (e *Engine) ContainerResize(ctx context.Context, id string, size engine.Size) error {
	panic("not written yet")
}
func (e *Engine) ContainerStats(ctx context.Context, ids []string, opts engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	panic("not written yet")
}
func (e *Engine) ContainerTop(ctx context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	panic("not written yet")
}
func (e *Engine) ContainerDiff(ctx context.Context, id string) ([]engine.Change, error) {
	panic("not written yet")
}
func (e *Engine) ContainerCommit(ctx context.Context, id string, opts engine.CommitOptions) (string, error) {
	panic("not written yet")
}
func (e *Engine) ContainerExport(ctx context.Context, id string) (io.ReadCloser, error) {
	panic("not written yet")
}
func (e *Engine) ContainerStatPath(ctx context.Context, id, path string) (engine.PathStat, error) {
	panic("not written yet")
}
func (e *Engine) ContainerGetArchive(ctx context.Context, id, path string, opts engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	panic("not written yet")
}
func (e *Engine) ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts engine.PutArchiveOptions) error {
	panic("not written yet")
}
func (e *Engine) ContainerHealthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	panic("not written yet")
}
func (e *Engine) ExecCreate(ctx context.Context, container string, spec engine.ExecSpec) (string, error) {
	panic("not written yet")
}
func (e *Engine) ExecStart(ctx context.Context, id string, opts engine.ExecStartOptions) (engine.Stream, error) {
	panic("not written yet")
}
func (e *Engine) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	panic("not written yet")
}
func (e *Engine) ExecResize(ctx context.Context, id string, size engine.Size) error {
	panic("not written yet")
}
func (e *Engine) ExecKill(ctx context.Context, id, signal string) error { panic("not written yet") }
func (e *Engine) ImagePull(ctx context.Context, ref string, opts engine.PullOptions) (string, error) {
	panic("not written yet")
}
func (e *Engine) ImagePush(ctx context.Context, ref string, opts engine.PushOptions) error {
	panic("not written yet")
}
func (e *Engine) ImageInspect(ctx context.Context, ref string) (*engine.ImageAttrs, error) {
	panic("not written yet")
}
func (e *Engine) ImageExists(ctx context.Context, ref string) (bool, error) { panic("not written yet") }
func (e *Engine) ImageList(ctx context.Context, opts engine.ImageListOptions) ([]engine.ImageSummary, error) {
	panic("not written yet")
}
func (e *Engine) ImageHistory(ctx context.Context, ref string) ([]engine.HistoryEntry, error) {
	panic("not written yet")
}
func (e *Engine) ImageLoad(ctx context.Context, tar io.Reader) ([]string, error) {
	panic("not written yet")
}
func (e *Engine) ImageSave(ctx context.Context, refs []string, opts engine.SaveOptions) (io.ReadCloser, error) {
	panic("not written yet")
}
func (e *Engine) ImageImport(ctx context.Context, tar io.Reader, opts engine.ImportOptions) (string, error) {
	panic("not written yet")
}
func (e *Engine) ImageTag(ctx context.Context, source, target string) error { panic("not written yet") }
func (e *Engine) ImageRemove(ctx context.Context, ref string, opts engine.ImageRemoveOptions) (engine.ImageRemoveReport, error) {
	panic("not written yet")
}
func (e *Engine) ImagePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	panic("not written yet")
}
func (e *Engine) VolumeCreate(ctx context.Context, opts engine.VolumeCreateOptions) (*engine.VolumeAttrs, error) {
	panic("not written yet")
}
func (e *Engine) VolumeInspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) {
	panic("not written yet")
}
func (e *Engine) VolumeList(ctx context.Context, filters engine.Filters) ([]engine.VolumeAttrs, error) {
	panic("not written yet")
}
func (e *Engine) VolumeRemove(ctx context.Context, name string, force bool) error {
	panic("not written yet")
}
func (e *Engine) VolumePrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	panic("not written yet")
}
func (e *Engine) NetworkCreate(ctx context.Context, opts engine.NetworkCreateOptions) (*engine.NetworkAttrs, error) {
	panic("not written yet")
}
func (e *Engine) NetworkInspect(ctx context.Context, name string) (*engine.NetworkAttrs, error) {
	panic("not written yet")
}
func (e *Engine) NetworkList(ctx context.Context, filters engine.Filters) ([]engine.NetworkAttrs, error) {
	panic("not written yet")
}
func (e *Engine) NetworkConnect(ctx context.Context, network, container string, ep engine.Endpoint) error {
	panic("not written yet")
}
func (e *Engine) NetworkDisconnect(ctx context.Context, network, container string, force bool) error {
	panic("not written yet")
}
func (e *Engine) NetworkRemove(ctx context.Context, name string, force bool) error {
	panic("not written yet")
}
func (e *Engine) NetworkPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	panic("not written yet")
}
func (e *Engine) SecretCreate(ctx context.Context, name string, data []byte, opts engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	panic("not written yet")
}
func (e *Engine) SecretInspect(ctx context.Context, name string) (*engine.SecretAttrs, error) {
	panic("not written yet")
}
func (e *Engine) SecretList(ctx context.Context, filters engine.Filters) ([]engine.SecretAttrs, error) {
	panic("not written yet")
}
func (e *Engine) SecretRemove(ctx context.Context, name string) error { panic("not written yet") }
