package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth/engine"
)

// A name is a hard link names/NAME of containers/ID/lock, which holds the ID (an inode less to
// make than with a symbolic link). It counts only if that container is there and
// is called so: container.json decides.

// Find returns the ID of the container that ref means: a full ID, a name, or a
// unique prefix of an ID, in this order. Otherwise it is engine.ErrNotFound, or
// engine.ErrInvalid for a prefix of several.
func (s *Store) Find(ref string) (id string, err error) {
	const op = "find container"
	name := strings.TrimPrefix(ref, "/")
	if name == "" {
		return "", &engine.InvalidError{Option: "container", Value: ref, Reason: "the name or ID is empty"}
	}
	if validID(name) && exists(s.Dir(name)) {
		return name, nil
	}
	if validName(name) {
		id, err := s.named(name)
		if err != nil || id != "" {
			return id, err
		}
	}
	if len(name) >= idLength || !isHex(name) {
		return "", notFound(op, ref)
	}
	ids, err := s.IDs()
	if err != nil {
		return "", err
	}
	for _, have := range ids {
		switch {
		case !strings.HasPrefix(have, name):
		case id != "":
			return "", &engine.InvalidError{Option: "container", Value: ref, Reason: "it is a prefix of several IDs"}
		default:
			id = have
		}
	}
	if id == "" {
		return "", notFound(op, ref)
	}
	return id, nil
}

// named returns the ID of the container with this name; "" when there is none.
func (s *Store) named(name string) (string, error) {
	id, err := s.linked(name)
	if id == "" || err != nil {
		return "", err
	}
	cfg, err := s.cachedConfig(id)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return "", nil
	case err != nil: // it cannot be read: better removable by its name than not
		return id, nil
	case cfg.Name != name:
		return "", nil
	}
	return id, nil
}

// linked returns the ID that the link of the name tells; "" when there is none.
func (s *Store) linked(name string) (id string, err error) {
	data, _, err := readVersion(s.path(namesDir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look up container name: %w", err)
	case len(data) < idLength || !validID(string(data[:idLength])):
		return "", nil
	}
	return string(data[:idLength]), nil
}

// claim makes the link of a name. A name that counts is engine.ErrConflict; one that
// something dead has left is replaced. dir is where the container's directory is now. The caller holds names/.lock.
func (s *Store) claim(op, name, id, dir string) error {
	link := s.path(namesDir, name)
	for range 2 {
		err := os.Link(filepath.Join(dir, lockFile), link)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		switch owner, err := s.named(name); {
		case err != nil:
			return err
		case owner != "":
			return nameTaken(op, name, owner)
		}
		if err := os.Remove(link); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: the name is taken", link)
}

// drop removes the link of a name if it leads to the container. The caller holds names/.lock.
func (s *Store) drop(name, id string) error {
	if !validName(name) {
		return nil
	}
	to, err := s.linked(name)
	if err != nil || to != id {
		return err
	}
	return os.Remove(s.path(namesDir, name))
}

func checkName(op, name string) error {
	if !validName(name) {
		return &engine.InvalidError{Option: op + ": name", Value: name, Reason: "want letters, digits, _ . and -, the first a letter or digit"}
	}
	return nil
}

func validName(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case i > 0 && (c == '_' || c == '.' || c == '-'):
		default:
			return false
		}
	}
	return name != ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
