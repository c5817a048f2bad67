//go:build linux

package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/layer"
)

// batch adds layers to the store, all or none: they are unpacked in a temporary
// directory, written to the disk together, and renamed. Nothing is removed from the
// store while there is one. Unpack may be called concurrently.
type batch struct {
	s       *Store
	release func()
	dir     string

	mu     sync.Mutex
	n      int
	layers map[string]string // temporary directory by diffID
	blobs  map[string]layerBlob
}

// begin starts a batch. The caller closes it.
func (s *Store) begin(ctx context.Context) (*batch, error) {
	release, err := s.Lease(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := s.temp()
	if err != nil {
		release()
		return nil, err
	}
	return &batch{s: s, release: release, dir: dir, layers: map[string]string{}, blobs: map[string]layerBlob{}}, nil
}

// close removes what was not committed and releases the store.
func (b *batch) close() error {
	err := os.RemoveAll(b.dir)
	b.release()
	if _, serr := os.Lstat(b.s.path("images", garbageMark)); serr == nil {
		_, gerr := b.s.collect()
		err = errors.Join(err, gerr)
	}
	return err
}

// has tells whether a layer is in the store or in the batch.
func (b *batch) has(diffID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.layers[diffID] != "" || b.s.hasLayer(diffID)
}

// subdir makes a directory in the batch.
func (b *batch) subdir() (string, error) {
	b.mu.Lock()
	b.n++
	dir := filepath.Join(b.dir, strconv.Itoa(b.n))
	b.mu.Unlock()
	return dir, os.Mkdir(dir, 0o700)
}

// unpack unpacks an uncompressed tar and reads it to its end. The layer is in the
// batch once keep was called.
func (b *batch) unpack(ctx context.Context, r io.Reader) (*unpacked, error) {
	dir, err := b.subdir()
	if err != nil {
		return nil, err
	}
	u := &unpacked{b: b, dir: dir}
	if err := u.run(ctx, r); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return u, nil
}

// unpacked is a layer in a temporary directory.
type unpacked struct {
	b   *batch
	dir string
	layer.Result
}

func (u *unpacked) run(ctx context.Context, r io.Reader) error {
	diff := filepath.Join(u.dir, diffDir)
	if err := errors.Join(os.Mkdir(diff, 0o755), os.Chmod(diff, 0o755)); err != nil {
		return err
	}
	journal, err := os.OpenFile(filepath.Join(u.dir, journalFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	u.Result, err = layer.Apply(ctx, layer.Target{Dir: diff, Journal: journal, Replaced: filepath.Join(u.dir, replacedDir)}, r, u.b.s.opts.Layer)
	return errors.Join(err, journal.Close())
}

// keep puts the layer into the batch. blob is its compressed form, if that was seen whole.
func (u *unpacked) keep(blob *layerBlob) error {
	info := layerInfo{DiffID: u.DiffID, Size: u.Size, TarSize: u.TarSize, Skipped: u.Skipped}
	if blob != nil {
		info.Blobs = []layerBlob{*blob}
	}
	data, err := json.Marshal(info)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(u.dir, layerFile), data, 0o600); err != nil {
		return err
	}
	u.b.mu.Lock()
	defer u.b.mu.Unlock()
	if blob != nil {
		u.b.blobs[u.DiffID] = *blob
	}
	if u.b.layers[u.DiffID] != "" {
		return os.RemoveAll(u.dir)
	}
	u.b.layers[u.DiffID] = u.dir
	return nil
}

// commit makes the batch's layers part of the store. Those that are there meanwhile stay as they are.
func (b *batch) commit(ctx context.Context) error {
	if len(b.layers) > 0 && !b.s.opts.NoSync {
		if err := syncfs(b.dir); err != nil {
			return err
		}
	}
	for id, dir := range b.layers {
		err := os.Rename(dir, b.s.layerPath(id))
		if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
			if blob, ok := b.blobs[id]; ok {
				if err := b.s.addBlob(ctx, id, blob); err != nil {
					return err
				}
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("add layer %s: %w", id, err)
		}
	}
	if len(b.layers) > 0 && !b.s.opts.NoSync {
		return syncDir(b.s.path(layersFolder))
	}
	return nil
}

// syncfs writes the file system that has a directory to the disk.
func syncfs(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("write layers to the disk: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
