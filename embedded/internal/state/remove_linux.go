package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Remove removes the container's directories and its name. It must not run. The
// caller holds the container's lock. Once the directory has been renamed the
// container is gone, whatever becomes of the rest: an error after that is about
// files that could not be removed, which the next [Open] tries again. Mounts below the directory are left alone and are such an error.
func (s *Store) Remove(id string) error {
	if !validID(id) {
		return notFound("remove container", id)
	}
	dead, err := s.bury(id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound("remove container", id)
	case err != nil:
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	s.at("remove files")
	if err := errors.Join(s.RemoveRun(id), removeTree(dead)); err != nil {
		return fmt.Errorf("remove files of container %s: %w", id, err)
	}
	return nil
}

// bury takes the container and its name away and returns where its directory is now.
func (s *Store) bury(id string) (dead string, err error) {
	unlock, err := s.lockNames()
	if err != nil {
		return "", err
	}
	defer unlock()
	var names []string
	if cfg, err := s.cachedConfig(id); err == nil {
		names = append(renaming(s.Dir(id)), cfg.Name)
	} else {
		names = s.namesIn(s.Dir(id))
	}
	dead = s.path(containersDir, deadDir, id)
	s.at("rename container")
	if err := os.Rename(s.Dir(id), dead); err != nil {
		return "", err
	}
	s.cache.forget(id)
	s.at("drop name")
	return dead, s.dropAll(names, id)
}

// namesIn returns the names that a container's directory tells: the one, and those
// of a rename that was cut short. If it cannot be read it is all names.
func (s *Store) namesIn(dir string) []string {
	if data, err := os.ReadFile(filepath.Join(dir, configFile)); err == nil {
		if cfg, err := decodeConfig(data); err == nil {
			return append(renaming(dir), cfg.Name)
		}
	}
	names, _ := readNames(s.path(namesDir))
	return names
}

// dropAll drops those of the names that lead to the container.
func (s *Store) dropAll(names []string, id string) (err error) {
	for _, name := range names {
		err = errors.Join(err, s.drop(name, id))
	}
	return err
}

// sweep removes what dead processes have left of containers that they were making or removing.
func (s *Store) sweep() error {
	for _, kind := range []string{newDir, deadDir} {
		ids, err := readNames(s.path(containersDir, kind))
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.sweepOne(kind, id); err != nil && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EXDEV) {
				return fmt.Errorf("remove what is left of container %s: %w", id, err)
			}
		}
	}
	return nil
}

func (s *Store) sweepOne(kind, id string) error {
	dir := s.path(containersDir, kind, id)
	lock, mine, err := s.adopt(dir, id)
	if err != nil || !mine {
		return err
	}
	if lock != nil {
		defer lock.Close()
	}
	if !exists(s.Dir(id)) {
		err = s.RemoveRun(id)
	}
	return errors.Join(err, removeTree(dir))
}

// adopt takes the lock of a directory that nobody is at work in, and drops its
// names. A directory without a lock file is nobody's: lock is nil.
func (s *Store) adopt(dir, id string) (lock *os.File, mine bool, err error) {
	unlock, err := s.lockNames()
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if !exists(dir) {
		return nil, false, nil
	}
	lock, err = tryFlock(filepath.Join(dir, lockFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, false, err
	case lock == nil:
		return nil, false, nil
	}
	return lock, true, s.dropAll(s.namesIn(dir), id)
}

// sweepStrays removes the run directories of containers that are gone, which monitors and
// those who recovered them have left when they were killed.
func (s *Store) sweepStrays() error {
	ids, err := readNames(s.run)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !validID(id) || exists(s.Dir(id)) {
			continue
		}
		lock, rerr := s.HoldMonitor(id)
		if errors.Is(rerr, engine.ErrConflict) {
			continue // its monitor has removed it just now, and removes this too
		}
		if rerr == nil {
			rerr = s.RemoveRun(id)
			lock.Close()
		}
		err = errors.Join(err, rerr)
	}
	return err
}

// sweepRun removes what earlier boots have left, where run is not a tmpfs, and what RemoveRun could not finish.
func sweepRun(run, boot string) (err error) {
	names, err := readNames(run)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name != boot && isBootID(name) {
			err = errors.Join(err, removeTree(filepath.Join(run, name)))
		}
	}
	names, err1 := readNames(filepath.Join(run, boot))
	err = errors.Join(err, err1)
	for _, name := range names {
		if strings.HasPrefix(name, gonePrefix) {
			err = errors.Join(err, removeTree(filepath.Join(run, boot, name)))
		}
	}
	return err
}

func isBootID(name string) bool {
	if len(name) != 36 {
		return false
	}
	for i, c := range []byte(name) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isHex(string(c)) {
				return false
			}
		}
	}
	return true
}
