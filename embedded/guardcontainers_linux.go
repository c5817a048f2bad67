package embedded

import (
	"context"
	"io"
	"iter"

	"github.com/berthdev/berth/engine"
)

// The calls of [engine.Containers].

func (g *guard) ContainerCreate(ctx context.Context, spec *engine.Spec, opts engine.CreateOptions) (engine.CreateResult, error) {
	return result(g, ctx, func(ctx context.Context) (engine.CreateResult, error) { return g.e.ContainerCreate(ctx, spec, opts) })
}

func (g *guard) ContainerInspect(ctx context.Context, id string, opts engine.InspectOptions) (*engine.Attrs, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.Attrs, error) { return g.e.ContainerInspect(ctx, id, opts) })
}

func (g *guard) ContainerExists(ctx context.Context, id string) (bool, error) {
	return result(g, ctx, func(ctx context.Context) (bool, error) { return g.e.ContainerExists(ctx, id) })
}

func (g *guard) ContainerList(ctx context.Context, opts engine.ListOptions) ([]engine.Summary, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.Summary, error) { return g.e.ContainerList(ctx, opts) })
}

func (g *guard) ContainerStart(ctx context.Context, id string, opts engine.StartOptions) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerStart(ctx, id, opts) })
}

func (g *guard) ContainerStop(ctx context.Context, id string, opts engine.StopOptions) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerStop(ctx, id, opts) })
}

func (g *guard) ContainerRestart(ctx context.Context, id string, opts engine.StopOptions) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerRestart(ctx, id, opts) })
}

func (g *guard) ContainerKill(ctx context.Context, id, signal string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerKill(ctx, id, signal) })
}

func (g *guard) ContainerPause(ctx context.Context, id string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerPause(ctx, id) })
}

func (g *guard) ContainerUnpause(ctx context.Context, id string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerUnpause(ctx, id) })
}

func (g *guard) ContainerInit(ctx context.Context, id string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerInit(ctx, id) })
}

func (g *guard) ContainerRename(ctx context.Context, id, name string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerRename(ctx, id, name) })
}

func (g *guard) ContainerUpdate(ctx context.Context, id string, u engine.Update) (engine.UpdateResult, error) {
	return result(g, ctx, func(ctx context.Context) (engine.UpdateResult, error) { return g.e.ContainerUpdate(ctx, id, u) })
}

func (g *guard) ContainerRemove(ctx context.Context, id string, opts engine.RemoveOptions) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerRemove(ctx, id, opts) })
}

func (g *guard) ContainerPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	return result(g, ctx, func(ctx context.Context) (engine.PruneReport, error) { return g.e.ContainerPrune(ctx, filters) })
}

func (g *guard) ContainerWait(ctx context.Context, id string, cond engine.WaitCondition) (engine.Waiter, error) {
	return kept(g, ctx, guardWaiter, func(ctx context.Context) (engine.Waiter, error) { return g.e.ContainerWait(ctx, id, cond) })
}

func (g *guard) ContainerAttach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Stream, error) {
	return kept(g, ctx, guardStream, func(ctx context.Context) (engine.Stream, error) { return g.e.ContainerAttach(ctx, id, opts) })
}

func (g *guard) ContainerLogs(ctx context.Context, id string, opts engine.LogOptions) (engine.LogReader, error) {
	return kept(g, ctx, guardLog, func(ctx context.Context) (engine.LogReader, error) { return g.e.ContainerLogs(ctx, id, opts) })
}

func (g *guard) ContainerResize(ctx context.Context, id string, size engine.Size) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ContainerResize(ctx, id, size) })
}

func (g *guard) ContainerStats(ctx context.Context, ids []string, opts engine.StatsOptions) iter.Seq2[engine.Stats, error] {
	return sequence(g, ctx, func(ctx context.Context) iter.Seq2[engine.Stats, error] { return g.e.ContainerStats(ctx, ids, opts) })
}

func (g *guard) ContainerTop(ctx context.Context, id string, opts engine.TopOptions) (*engine.Top, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.Top, error) { return g.e.ContainerTop(ctx, id, opts) })
}

func (g *guard) ContainerDiff(ctx context.Context, id string) ([]engine.Change, error) {
	return result(g, ctx, func(ctx context.Context) ([]engine.Change, error) { return g.e.ContainerDiff(ctx, id) })
}

func (g *guard) ContainerCommit(ctx context.Context, id string, opts engine.CommitOptions) (string, error) {
	return result(g, ctx, func(ctx context.Context) (string, error) { return g.e.ContainerCommit(ctx, id, opts) })
}

func (g *guard) ContainerExport(ctx context.Context, id string) (io.ReadCloser, error) {
	return kept(g, ctx, guardReader, func(ctx context.Context) (io.ReadCloser, error) { return g.e.ContainerExport(ctx, id) })
}

func (g *guard) ContainerStatPath(ctx context.Context, id, path string) (engine.PathStat, error) {
	return result(g, ctx, func(ctx context.Context) (engine.PathStat, error) { return g.e.ContainerStatPath(ctx, id, path) })
}

func (g *guard) ContainerGetArchive(ctx context.Context, id, path string, opts engine.ArchiveOptions) (r io.ReadCloser, st engine.PathStat, err error) {
	r, err = kept(g, ctx, guardReader, func(ctx context.Context) (r io.ReadCloser, err error) {
		r, st, err = g.e.ContainerGetArchive(ctx, id, path, opts)
		return r, err
	})
	return r, st, err
}

func (g *guard) ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts engine.PutArchiveOptions) error {
	return g.do(ctx, func(ctx context.Context) error {
		return reading(ctx, tar, func(tar io.Reader) error { return g.e.ContainerPutArchive(ctx, id, path, tar, opts) })
	})
}

func (g *guard) ContainerHealthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	return result(g, ctx, func(ctx context.Context) (engine.HealthResult, error) { return g.e.ContainerHealthcheck(ctx, id) })
}

// The calls of [engine.Execs].

func (g *guard) ExecCreate(ctx context.Context, container string, spec engine.ExecSpec) (string, error) {
	return result(g, ctx, func(ctx context.Context) (string, error) { return g.e.ExecCreate(ctx, container, spec) })
}

func (g *guard) ExecStart(ctx context.Context, id string, opts engine.ExecStartOptions) (engine.Stream, error) {
	return kept(g, ctx, guardStream, func(ctx context.Context) (engine.Stream, error) { return g.e.ExecStart(ctx, id, opts) })
}

// ExecRun implements [engine.ExecRunner].
func (g *guard) ExecRun(ctx context.Context, container string, spec engine.ExecSpec, opts engine.ExecStartOptions) (id string, s engine.Stream, err error) {
	both, ok := g.e.(engine.ExecRunner)
	if !ok {
		if id, err = g.ExecCreate(ctx, container, spec); err == nil {
			s, err = g.ExecStart(ctx, id, opts)
		}
		return id, s, err
	}
	s, err = kept(g, ctx, guardStream, func(ctx context.Context) (s engine.Stream, err error) {
		id, s, err = both.ExecRun(ctx, container, spec, opts)
		return s, err
	})
	return id, s, err
}

func (g *guard) ExecInspect(ctx context.Context, id string) (*engine.ExecState, error) {
	return result(g, ctx, func(ctx context.Context) (*engine.ExecState, error) { return g.e.ExecInspect(ctx, id) })
}

func (g *guard) ExecResize(ctx context.Context, id string, size engine.Size) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ExecResize(ctx, id, size) })
}

func (g *guard) ExecKill(ctx context.Context, id, signal string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.e.ExecKill(ctx, id, signal) })
}
