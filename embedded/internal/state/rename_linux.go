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

// Rename gives the container another name, in container.json too; a taken one is
// engine.ErrConflict, its own name is a success. The caller holds the container's lock.
//
// The steps: note both names in the file renaming, make the new link, write
// container.json, which is the moment of truth, drop the old link, remove the
// note. Whoever takes the lock next finishes what is left of it.
func (s *Store) Rename(id, name string) error {
	const op = "rename container"
	name = strings.TrimPrefix(name, "/")
	if err := checkName(op, name); err != nil {
		return err
	}
	cfg, err := s.Config(id)
	if err != nil {
		return err
	}
	if cfg.Name == name {
		return nil
	}
	if err := s.rename(op, cfg, name); err != nil {
		if _, ok := errors.AsType[*engine.APIError](err); ok {
			return err
		}
		return fmt.Errorf("%s %s: %w", op, id, err)
	}
	return nil
}

func (s *Store) rename(op string, cfg *Config, name string) error {
	unlock, err := s.lockNames()
	if err != nil {
		return err
	}
	defer unlock()
	switch owner, err := s.named(name); { // before anything is written
	case err != nil:
		return err
	case owner != "":
		return nameTaken(op, name, owner)
	}
	dir := s.Dir(cfg.ID)
	if err := s.replace(dir, renamingFile, []byte(cfg.Name+"\n"+name+"\n"), 0o600); err != nil {
		return err
	}
	s.at("new name")
	if err := s.claim(op, name, cfg.ID, dir); err != nil {
		return errors.Join(err, s.tidy(cfg.ID, cfg.Name))
	}
	was := cfg.Name
	cfg.Name, cfg.Spec.Name = name, name
	if err := s.WriteConfig(cfg); err != nil {
		return errors.Join(err, s.tidy(cfg.ID, was))
	}
	s.at("old name")
	return s.tidy(cfg.ID, name)
}

// finishRename drops the link that a rename which was cut short has left too many. The caller holds the container's lock.
func (s *Store) finishRename(id string) error {
	if !exists(filepath.Join(s.Dir(id), renamingFile)) {
		return nil
	}
	cfg, err := s.Config(id)
	if err != nil {
		return nil // nobody can tell its name; removing it drops all
	}
	unlock, err := s.lockNames()
	if err == nil {
		defer unlock()
		err = s.tidy(id, cfg.Name)
	}
	if unwritable(err) {
		return nil
	}
	return err
}

// tidy drops the links of a rename but the one that counts, and the note of it. The caller holds names/.lock.
func (s *Store) tidy(id, keep string) error {
	dir := s.Dir(id)
	var errs []error
	for _, name := range renaming(dir) {
		if name != keep {
			errs = append(errs, s.drop(name, id))
		}
	}
	s.at("remove note")
	if err := os.Remove(filepath.Join(dir, renamingFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// renaming returns the names that the note of a rename tells.
func renaming(dir string) []string {
	data, err := os.ReadFile(filepath.Join(dir, renamingFile))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}
