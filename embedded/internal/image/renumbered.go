//go:build linux

package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/engine"
)

// Renumbered makes a copy of a layer whose files belong to the owners that the maps give, where there is none yet, and returns the name by
// which it is a layer of this store: for containers whose users are not numbered as the image's, where nobody may mount with shifted owners. It
// stays as long as a container names it. The caller holds a Lease.
func (s *Store) Renumbered(ctx context.Context, diffID string, uids, gids []engine.IDMap) (string, error) {
	if s.opts.Layer.IgnoreOwners { // all files are the user's, whoever they belong to in the image
		return diffID, nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "renumbered %s %v %v", diffID, uids, gids))
	id := "sha256:" + hex.EncodeToString(sum[:])
	if s.hasLayer(id) {
		return id, nil
	}
	dir, err := s.temp()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "layer")
	if err := s.renumber(ctx, made, id, diffID, uids, gids); err != nil {
		return "", fmt.Errorf("copy layer %s for other users: %w", diffID, err)
	}
	err = os.Rename(made, s.layerPath(id))
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) { // somebody else was faster
		err = nil
	}
	return id, err
}

// renumber makes a layer's directory.
func (s *Store) renumber(ctx context.Context, dir, id, diffID string, uids, gids []engine.IDMap) error {
	diff := filepath.Join(dir, diffDir)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(diff, 0o755), os.Chmod(diff, 0o755)); err != nil {
		return err
	}
	opts := s.opts.Layer
	opts.UIDMap, opts.GIDMap = uids, gids
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pw.CloseWithError(s.layerTar(ctx, pw, diffID)) // nil is the end of file
	}()
	res, err := layer.Apply(ctx, layer.Target{Dir: diff}, pr, opts)
	pr.CloseWithError(err)
	<-done
	if err == nil {
		err = s.renumberDirs(diff, s.layerPath(diffID, diffDir), &opts)
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(layerInfo{DiffID: id, Size: res.Size, TarSize: res.TarSize, Skipped: res.Skipped})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, layerFile), data, 0o600); err != nil || s.opts.NoSync {
		return err
	}
	return syncfs(dir)
}

// renumberDirs gives the directories of a copy their owners: those that the tar does not name have none yet.
func (s *Store) renumberDirs(dir, from string, opts *layer.Options) error {
	if opts.IgnoreOwners {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		uid, gid, err := opts.Owner(int(st.Uid), int(st.Gid))
		if err != nil {
			return err
		}
		return root.Lchown(rel, uid, gid)
	})
}
