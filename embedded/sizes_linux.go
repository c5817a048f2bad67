package embedded

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// sizes are the bytes of the files that a container has changed, and of these and its image's together.
func (e *Engine) sizes(ctx context.Context, cfg *state.Config) (rw, root engine.Bytes, err error) {
	rw, err = sizeOf(ctx, filepath.Join(e.store.Dir(cfg.ID), "upper"))
	if err != nil {
		return 0, 0, err
	}
	img, err := e.images.Inspect(cfg.ImageID)
	if errors.Is(err, engine.ErrNotFound) {
		return rw, rw, nil // removed by force
	}
	if err != nil {
		return 0, 0, err
	}
	return rw, rw + img.Size, nil
}

// sizeOf adds the sizes of the regular files below a directory, each inode once. What is gone meanwhile does not count.
func sizeOf(ctx context.Context, dir string) (engine.Bytes, error) {
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	var total engine.Bytes
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				st, ok := info.Sys().(*syscall.Stat_t)
				if ok && st.Nlink > 1 {
					key := inode{uint64(st.Dev), st.Ino}
					if seen[key] {
						return nil
					}
					seen[key] = true
				}
				total += engine.Bytes(info.Size())
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total, err
}
