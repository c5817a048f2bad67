//go:build linux

package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Store is a store of images below a root directory. Its methods are safe for
// concurrent use, by several processes too.
type Store struct {
	root string
	opts Options

	mu     sync.Mutex
	cached *index // as the file was
	info   os.FileInfo
	roots  layerRoots
	parsed map[string]*ConfigFile // of Shared, by image ID
}

// Open opens the store below root and makes it if it is not there. It opens no
// file for longer than a call: there is nothing to close. What dead processes have
// left half-made is removed, if no other process is at work.
func Open(root string, opts Options) (*Store, error) {
	s := &Store{root: root, opts: opts}
	for _, dir := range []string{s.path("images"), s.path("blobs", "sha256"), s.path("layers", tmpDir)} {
		if _, err := os.Lstat(dir); err == nil {
			continue
		}
		// Not for others: layers have setuid programs.
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open image store: %w", err)
		}
	}
	left, err := os.ReadDir(s.path("layers", tmpDir))
	if err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	if len(left) > 0 {
		if err := s.sweep(); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errReadOnly) {
			return nil, fmt.Errorf("open image store: %w", err)
		}
	}
	return s, nil
}

// tmpDir is where things are made, in layers.
const tmpDir = ".tmp"

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.root}, parts...)...)
}

// temp makes a directory of the caller's own, on the file system of layers. The caller holds gc.lock, shared, and removes it.
func (s *Store) temp() (string, error) { return os.MkdirTemp(s.path("layers", tmpDir), "") }
