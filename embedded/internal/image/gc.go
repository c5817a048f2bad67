//go:build linux

package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// GC removes layers and blobs that no image and no container refers to, and what
// dead processes have left. It returns how many bytes of layers it removed. When
// somebody adds to the store at this moment it does nothing; whoever is done there last does it.
func (s *Store) GC() (int64, error) { return s.collect() }

func (s *Store) collect() (int64, error) {
	unlock, err := s.tryLock(gcLock, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		return 0, os.WriteFile(s.path("images", garbageMark), nil, 0o600)
	}
	if err != nil {
		return 0, err
	}
	defer unlock()
	layers, blobs, err := s.live()
	if err != nil {
		return 0, fmt.Errorf("collect garbage: %w", err)
	}
	freed, err := s.removeLayers(layers)
	err = errors.Join(err, s.removeBlobs(blobs), s.removeTemp())
	if err != nil {
		return freed, fmt.Errorf("collect garbage: %w", err)
	}
	if err := os.Remove(s.path("images", garbageMark)); err != nil && !os.IsNotExist(err) {
		return freed, err
	}
	return freed, nil
}

// sweep removes what dead processes have left half-made, if nobody is at work.
func (s *Store) sweep() error {
	unlock, err := s.tryLock(gcLock, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	return s.removeTemp()
}

// live are the names of what must stay: layers' directories and blobs, in hexadecimal.
func (s *Store) live() (layers, blobs map[string]bool, err error) {
	layers, blobs = map[string]bool{}, map[string]bool{}
	x, err := s.readIndex(true)
	if err != nil {
		return nil, nil, err
	}
	for id, rec := range x.Images {
		blobs[hexOf(id)] = true
		for _, m := range rec.Manifests {
			blobs[hexOf(m)] = true
		}
		for _, l := range rec.Layers {
			layers[hexOf(l)] = true
		}
	}
	if s.opts.LayersInUse != nil {
		used, err := s.opts.LayersInUse()
		if err != nil {
			return nil, nil, err
		}
		for _, l := range used {
			layers[hexOf(l)] = true
		}
	}
	return layers, blobs, nil
}

func (s *Store) removeLayers(live map[string]bool) (freed int64, err error) {
	entries, err := os.ReadDir(s.path(layersFolder))
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, e := range entries {
		if len(e.Name()) != 64 || !isHex(e.Name()) || live[e.Name()] {
			continue
		}
		var size int64
		if info, err := s.layer(e.Name()); err == nil {
			size = info.Size
		}
		// First out of the way, at once: a crash leaves no half of a layer.
		dir, err := s.temp()
		if err == nil {
			err = os.Rename(s.path(layersFolder, e.Name()), filepath.Join(dir, "layer"))
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		freed += size
	}
	return freed, errors.Join(errs...)
}

func (s *Store) removeBlobs(live map[string]bool) error {
	entries, err := os.ReadDir(s.path("blobs", "sha256"))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !live[e.Name()] {
			errs = append(errs, os.Remove(s.path("blobs", "sha256", e.Name())))
		}
	}
	return errors.Join(errs...)
}

// removeTemp removes all that is temporary: who holds gc.lock exclusively is alone.
func (s *Store) removeTemp() error {
	entries, err := os.ReadDir(s.path(layersFolder, tmpDir))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(s.path(layersFolder, tmpDir, e.Name())))
	}
	// The index is replaced under its own lock.
	unlock, err := s.tryLock(indexLock, unix.LOCK_EX)
	if err != nil {
		return errors.Join(errs...)
	}
	defer unlock()
	if entries, err = os.ReadDir(s.path("images")); err == nil {
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".tmp-") {
				errs = append(errs, os.Remove(s.path("images", e.Name())))
			}
		}
	}
	return errors.Join(append(errs, err)...)
}
