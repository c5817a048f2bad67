//go:build linux

package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/layer"
)

// layerInfo is layers/HEX/layer.json.
type layerInfo struct {
	DiffID  string   `json:"diffID"`
	Size    int64    `json:"size"`    // of its files in bytes
	TarSize int64    `json:"tarSize"` // of its tar in bytes
	Skipped []string `json:"skipped,omitempty"`
	// Blobs are compressed forms of it, seen by this store whole.
	Blobs []layerBlob `json:"blobs,omitempty"`
}

// layerBlob is a compressed form of a layer, and where it is.
type layerBlob struct {
	Digest       string   `json:"digest"`
	Size         int64    `json:"size"`
	MediaType    string   `json:"mediaType"`
	Repositories []string `json:"repositories,omitempty"` // registry/repository
}

// A layer's directory has these.
const (
	diffDir      = "diff"
	layerFile    = "layer.json"
	journalFile  = "journal.gz"
	replacedDir  = "replaced"
	garbageMark  = "garbage"
	layersFolder = "layers"
)

func (s *Store) layerPath(diffID string, parts ...string) string {
	return filepath.Join(append([]string{s.root, layersFolder, hexOf(diffID)}, parts...)...)
}

func (s *Store) hasLayer(diffID string) bool {
	_, err := os.Lstat(s.layerPath(diffID, layerFile))
	return err == nil
}

// layer tells about a layer of the store.
func (s *Store) layer(diffID string) (*layerInfo, error) {
	data, err := os.ReadFile(s.layerPath(diffID, layerFile))
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w", diffID, err)
	}
	var info layerInfo
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("layer %s: %w", diffID, err)
	}
	return &info, nil
}

// LayerDirs are the directories of an image's layers for overlay's lowerdir, the
// topmost first. What is below a layer that hides everything is left out. The result is shared: it must not be written to.
func (s *Store) LayerDirs(img *Image) ([]string, error) {
	seen := s.roots.as(s.path(layersFolder))
	if dirs, known := seen.dirsOf(img.ID); known {
		return dirs, nil
	}
	dirs, err := s.dirsOf(img.DiffIDs, seen)
	if err != nil {
		return nil, err
	}
	seen.keep(img.ID, dirs)
	return dirs, nil
}

// DirsOf is LayerDirs for diffIDs, the lowest first. The result is the caller's own.
func (s *Store) DirsOf(diffIDs []string) ([]string, error) {
	return s.dirsOf(diffIDs, s.roots.as(s.path(layersFolder)))
}

func (s *Store) dirsOf(diffIDs []string, seen *seenRoots) ([]string, error) {
	dirs := make([]string, 0, len(diffIDs))
	for _, id := range slices.Backward(diffIDs) {
		dir := s.layerPath(id, diffDir)
		opaque, known := seen.of(id)
		if !known {
			var err error
			if opaque, err = layer.Opaque(dir, s.opts.Layer); err != nil {
				return nil, fmt.Errorf("layer %s is not in the store: %w", id, err)
			}
			seen.add(id, opaque)
		}
		dirs = append(dirs, dir)
		if opaque {
			break
		}
	}
	return slices.Clip(dirs), nil
}

// layerTar writes the uncompressed tar of a layer.
func (s *Store) layerTar(ctx context.Context, w io.Writer, diffID string) error {
	journal, err := os.Open(s.layerPath(diffID, journalFile))
	if err != nil {
		return fmt.Errorf("layer %s: %w", diffID, err)
	}
	defer journal.Close()
	return layer.Replay(ctx, w, s.layerPath(diffID, diffDir), s.layerPath(diffID, replacedDir), journal, diffID)
}

// addBlob remembers a compressed form of a layer that was seen whole, and where it is.
func (s *Store) addBlob(ctx context.Context, diffID string, b layerBlob) error {
	unlock, err := s.flock(ctx, indexLock, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	info, err := s.layer(diffID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(info.Blobs, func(have layerBlob) bool { return have.Digest == b.Digest })
	if i < 0 {
		info.Blobs = append(info.Blobs, b)
	} else {
		before := len(info.Blobs[i].Repositories)
		for _, repo := range b.Repositories {
			info.Blobs[i].Repositories = insert(info.Blobs[i].Repositories, repo)
		}
		if before == len(info.Blobs[i].Repositories) {
			return nil
		}
	}
	data, err := json.Marshal(info)
	if err != nil {
		return err
	}
	return s.write(s.layerPath(diffID, layerFile), data)
}

// sizeOf is the sum of an image's layers in bytes, as Docker counts it.
func (s *Store) sizeOf(diffIDs []string) (int64, error) {
	var size int64
	for _, id := range diffIDs {
		info, err := s.layer(id)
		if err != nil {
			return 0, err
		}
		size += info.Size
	}
	return size, nil
}

// LayerSize is the size of the files of a layer, in bytes.
func (s *Store) LayerSize(diffID string) (int64, error) { return s.sizeOf([]string{diffID}) }
