package embedded

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/files"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// view calls f with the file system of a container as that sees it. With write
// the view may be written to, and the container is not started meanwhile.
func (e *Engine) view(ctx context.Context, op, ref string, write bool, f func(s *state.Snapshot, v *files.View) error) error {
	s, err := e.snapshot(ctx, op, ref)
	if err != nil {
		return err
	}
	v, unlock, err := e.open(ctx, s, write)
	if err != nil {
		return because(ctx, op, ref, err)
	}
	defer unlock()
	err = f(s, v)
	return because(ctx, op, ref, errors.Join(err, v.Close()))
}

// open makes the view of a container.
func (e *Engine) open(ctx context.Context, s *state.Snapshot, write bool) (v *files.View, unlock func(), err error) {
	unlock = func() {}
	if live(s) {
		v, err := files.Running(s.Run.PID, s.Run.StartTime, files.Options{UIDMap: s.Config.UIDMap, GIDMap: s.Config.GIDMap})
		if !errors.Is(err, engine.ErrNotRunning) {
			return v, unlock, err
		}
		// It has just ended.
	}
	if write {
		if unlock, err = e.store.Lock(ctx, s.Config.ID); err != nil {
			return nil, nil, err
		}
		defer func() {
			if err != nil {
				unlock()
			}
		}()
		now, err := e.store.State(s.Config.ID)
		if err != nil {
			return nil, nil, err
		}
		if live(now) && !live(s) { // started meanwhile
			v, err := files.Running(now.Run.PID, now.Run.StartTime, files.Options{UIDMap: s.Config.UIDMap, GIDMap: s.Config.GIDMap})
			return v, unlock, err
		}
	}
	v, err = e.openStopped(ctx, s.Config, write)
	return v, unlock, err
}

func (e *Engine) openStopped(ctx context.Context, cfg *state.Config, write bool) (*files.View, error) {
	oci, err := e.store.OCI(cfg.ID)
	if err != nil {
		return nil, err
	}
	dirs, err := e.images.DirsOf(cfg.Layers)
	if err != nil {
		return nil, err
	}
	dir := e.store.Dir(cfg.ID)
	if err := os.Mkdir(filepath.Join(dir, "root"), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	mounts := files.Mounts(oci, filepath.Join(dir, "mounts"))
	var userns func() (*os.File, error)
	if len(cfg.UIDMap) > 0 && !e.host.Rootless { // as config.StartSpec does
		userns = func() (*os.File, error) { return config.UserNamespace(cfg.UIDMap, cfg.GIDMap) }
		for i := range mounts {
			mounts[i].Shift = slices.ContainsFunc(cfg.Mounts, func(m state.Mount) bool {
				return m.Type == engine.MountVolume && m.Target == mounts[i].Target
			})
		}
	}
	return files.OpenStopped(ctx, files.Stopped{
		LayerDirs: dirs, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work"), Root: filepath.Join(dir, "root"),
		Mounts: mounts, UserNS: userns, ReadOnly: cfg.Spec.ReadOnly, UserXattr: e.host.Rootless, Write: write,
		Prepare: func() error {
			for _, v := range volumesOf(cfg) {
				if e.volumes.NeedsMount(v) {
					if err := e.volumes.MountPrivate(v); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Options: files.Options{UIDMap: cfg.UIDMap, GIDMap: cfg.GIDMap},
	})
}

// ContainerExport implements [engine.Containers].
func (e *Engine) ContainerExport(ctx context.Context, id string) (r io.ReadCloser, err error) {
	err = e.view(ctx, "export container", id, false, func(_ *state.Snapshot, v *files.View) error {
		r, err = v.Export(ctx)
		return err
	})
	if err == nil {
		e.eventOf("export", id)
	}
	return r, err
}

// ContainerStatPath implements [engine.Containers].
func (e *Engine) ContainerStatPath(ctx context.Context, id, path string) (st engine.PathStat, err error) {
	if path == "" {
		return st, &engine.InvalidError{Option: "path", Reason: "empty"}
	}
	err = e.view(ctx, "stat path in container", id, false, func(_ *state.Snapshot, v *files.View) error {
		st, err = v.Stat(ctx, path)
		return err
	})
	return st, err
}

// ContainerGetArchive implements [engine.Containers].
func (e *Engine) ContainerGetArchive(ctx context.Context, id, path string, opts engine.ArchiveOptions) (r io.ReadCloser, st engine.PathStat, err error) {
	if path == "" {
		return nil, st, &engine.InvalidError{Option: "path", Reason: "empty"}
	}
	err = e.view(ctx, "get archive from container", id, false, func(_ *state.Snapshot, v *files.View) error {
		r, st, err = v.GetArchive(ctx, path, opts)
		return err
	})
	if err == nil {
		e.eventOf("archive-path", id)
	}
	return r, st, err
}

// ContainerPutArchive implements [engine.Containers].
func (e *Engine) ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts engine.PutArchiveOptions) error {
	if path == "" {
		return &engine.InvalidError{Option: "path", Reason: "empty"}
	}
	put := files.PutOptions{PutArchiveOptions: opts}
	err := e.view(ctx, "put archive into container", id, true, func(s *state.Snapshot, v *files.View) error {
		if opts.CopyUIDGID {
			oci, err := e.store.OCI(s.Config.ID)
			if err != nil {
				return err
			}
			put.UID, put.GID = int(oci.Process.User.UID), int(oci.Process.User.GID)
		}
		return v.PutArchive(ctx, path, tar, put)
	})
	if err == nil {
		e.eventOf("extract-to-dir", id)
	}
	return err
}

// ContainerDiff implements [engine.Containers].
func (e *Engine) ContainerDiff(ctx context.Context, id string) ([]engine.Change, error) {
	const op = "diff container"
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return nil, err
	}
	dirs, err := e.images.DirsOf(s.Config.Layers)
	if err != nil {
		return nil, because(ctx, op, id, err)
	}
	upper := filepath.Join(e.store.Dir(s.Config.ID), "upper")
	list, err := files.Diff(ctx, upper, dirs, e.containerLayer(s.Config), ownPaths)
	return list, because(ctx, op, id, err)
}

// ownPaths are made by the engine where an image lacks them, as mountpoints.
var ownPaths = []string{
	"/dev", "/dev/console", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/sys",
	"/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/run/secrets",
}

// eventOf tells of something that was done to a container, if that is still there.
func (e *Engine) eventOf(action, ref string) {
	id, err := e.store.Find(ref)
	if err != nil {
		return
	}
	if cfg, err := e.store.Config(id); err == nil {
		e.containerEvent(action, cfg, nil)
	}
}
