package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Create makes the directory of a container that is complete: container.json,
// config.json, files/NAME for each of files (NAME may have directories), and the
// empty directories upper, work and log. With a user namespace, upper and
// files belong to the container's root. A taken name or ID is
// engine.ErrConflict. On error nothing is left behind.
func (s *Store) Create(cfg *Config, oci *specs.Spec, files map[string]File) error {
	const op = "create container"
	if !validID(cfg.ID) {
		return &engine.InvalidError{Option: op + ": ID", Value: cfg.ID, Reason: "want 64 hexadecimal digits"}
	}
	if err := checkName(op, cfg.Name); err != nil {
		return err
	}
	if err := s.create(op, cfg, oci, files); err != nil {
		if _, ok := errors.AsType[*engine.APIError](err); ok {
			return err
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

func (s *Store) create(op string, cfg *Config, oci *specs.Spec, files map[string]File) error {
	s.sweep() // what cannot be removed is no hindrance: the next one tries again
	dir := s.path(containersDir, newDir, cfg.ID)
	lock, err := s.begin(op, dir, cfg)
	if err != nil {
		return err
	}
	defer lock.Close()
	s.at("fill")
	err = fill(dir, cfg, oci, files)
	if err == nil {
		err = s.publish(op, dir, cfg)
	}
	if err != nil {
		return errors.Join(err, removeTree(dir))
	}
	return nil
}

// begin makes the directory and its lock file, which it takes: a directory with a free one is nobody's.
func (s *Store) begin(op, dir string, cfg *Config) (lock *os.File, err error) {
	unlock, err := s.lockNames()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if exists(s.Dir(cfg.ID)) {
		return nil, &engine.APIError{Engine: engineName, Op: op, Object: cfg.ID, Message: "the ID is taken", Kind: engine.ErrConflict}
	}
	switch owner, err := s.named(cfg.Name); { // early: before anything is written
	case err != nil:
		return nil, err
	case owner != "":
		return nil, nameTaken(op, cfg.Name, owner)
	}
	s.at("mkdir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	s.at("lock")
	if lock, err = makeLock(filepath.Join(dir, lockFile), cfg.ID); err != nil {
		return nil, errors.Join(err, removeTree(dir))
	}
	return lock, nil
}

// makeLock makes the lock file, takes it, and writes the ID into it. Its time of 0 says that the container has not been started.
func makeLock(path, id string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err = flock(f, unix.LOCK_EX|unix.LOCK_NB); err == nil {
		_, err = f.WriteString(id)
	}
	if err == nil {
		err = os.Chtimes(path, time.Time{}, time.Unix(0, 0))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// publish gives the directory its name and its place.
func (s *Store) publish(op, dir string, cfg *Config) error {
	unlock, err := s.lockNames()
	if err != nil {
		return err
	}
	defer unlock()
	s.at("name")
	if err := s.claim(op, cfg.Name, cfg.ID, dir); err != nil {
		return err
	}
	s.at("rename container")
	if err := os.Rename(dir, s.Dir(cfg.ID)); err != nil {
		return errors.Join(err, s.drop(cfg.Name, cfg.ID))
	}
	return nil
}

// fill writes everything that is in a new container's directory but its lock.
func fill(dir string, cfg *Config, oci *specs.Spec, files map[string]File) error {
	config, err := encodeConfig(cfg)
	if err != nil {
		return err
	}
	runtime, err := json.Marshal(oci)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, configFile), config, 0o600); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, ociFile), runtime, 0o600); err != nil {
		return err
	}
	for _, sub := range []struct {
		name string
		mode fs.FileMode
	}{{"upper", 0o755}, {"work", 0o700}, {"log", 0o700}, {filesDir, 0o755}} {
		if err := os.Mkdir(filepath.Join(dir, sub.name), sub.mode); err != nil {
			return err
		}
		if sub.name == "upper" || sub.name == filesDir { // which the container sees: whatever the umask
			if err := os.Chmod(filepath.Join(dir, sub.name), sub.mode); err != nil {
				return err
			}
		}
	}
	if err := fillFiles(filepath.Join(dir, filesDir), files); err != nil {
		return err
	}
	return giveToRoot(dir, cfg)
}

// giveToRoot makes the root of the container's user namespace the owner of its root directory, and lets it through.
func giveToRoot(dir string, cfg *Config) error {
	uid, gid := mapped(cfg.UIDMap), mapped(cfg.GIDMap)
	if uid == 0 && gid == 0 || os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"upper", filesDir} {
		if err := os.Chown(filepath.Join(dir, name), uid, gid); err != nil {
			return err
		}
	}
	return errors.Join(os.Chown(dir, -1, gid), os.Chmod(dir, 0o710))
}

// mapped returns the host's ID of the container's ID 0.
func mapped(maps []engine.IDMap) int {
	for _, m := range maps {
		if m.ContainerID == 0 && m.Size > 0 {
			return int(m.HostID)
		}
	}
	return 0
}

func fillFiles(dir string, files map[string]File) error {
	for name, file := range files {
		if !filepath.IsLocal(name) {
			return &engine.InvalidError{Option: "file", Value: name, Reason: "it is not below the container's files"}
		}
		path := filepath.Join(dir, name)
		if sub := filepath.Dir(path); sub != dir {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
		}
		if err := writeFile(path, file.Data, file.Mode.Perm()); err != nil {
			return err
		}
		if file.UID != os.Geteuid() || file.GID != os.Getegid() {
			if err := os.Chown(path, file.UID, file.GID); err != nil {
				return err
			}
		}
		// After chown, which clears bits, and whatever the umask.
		if err := os.Chmod(path, file.Mode.Perm()); err != nil {
			return err
		}
	}
	return nil
}

// IDs returns the IDs of all containers, in no order.
func (s *Store) IDs() ([]string, error) {
	names, err := readNames(s.path(containersDir))
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !validID(name) }), nil
}

// readNames returns what is in a directory, in no order; nothing when it is not there.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
