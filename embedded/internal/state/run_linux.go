package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// gonePrefix is that of a run directory that is being removed.
const gonePrefix = ".gone-"

// ReadRun reads run.json; nil without an error when there is none.
func (s *Store) ReadRun(id string) (*Run, error) {
	r := &Run{}
	ok, err := readJSON(filepath.Join(s.RunDir(id), runFile), r)
	if !ok {
		return nil, err
	}
	return r, nil
}

// WriteRun replaces run.json. The monitor alone calls it, while it holds
// monitor.lock. With a StartedAt that is new it first leaves a mark in the
// container's directory, which WriteExit removes: a container with a mark and without a
// run.json was running when the machine stopped.
func (s *Store) WriteRun(id string, r *Run) error {
	err := s.mark(id, r.StartedAt)
	if err == nil {
		err = s.replaceJSON(s.RunDir(id), runFile, r)
	}
	if err != nil {
		return fmt.Errorf("write state of container %s: %w", id, err)
	}
	return nil
}

func (s *Store) mark(id string, started time.Time) error {
	if started.IsZero() {
		return nil
	}
	link, text := filepath.Join(s.Dir(id), startedLink), started.UTC().Format(time.RFC3339Nano)
	if have, err := os.Readlink(link); err == nil {
		if have == text {
			return nil
		}
		if err := os.Remove(link); err != nil {
			return err
		}
	} else if ended, err := s.ReadExit(id); err == nil && ended != nil && ended.StartedAt.Equal(started) {
		return nil // WriteExit was here: this run.json is that of an end
	}
	s.at("mark")
	return os.Symlink(text, link)
}

// marked returns the time of the mark that WriteRun leaves; zero when there is none.
func (s *Store) marked(id string) time.Time {
	text, err := os.Readlink(filepath.Join(s.Dir(id), startedLink))
	if err != nil {
		return time.Time{}
	}
	t, _ := time.Parse(time.RFC3339Nano, text)
	return t
}

// RemoveRun removes the container's run directory, all at once for readers. The monitor calls it
// before it ends, after WriteExit; recovery calls it for a monitor that is dead. None is no error.
func (s *Store) RemoveRun(id string) error {
	if !validID(id) {
		return nil
	}
	gone := filepath.Join(s.run, gonePrefix+id)
	if err := removeTree(gone); err != nil { // of a process that died here
		return err
	}
	s.at("rename run")
	err := os.Rename(s.RunDir(id), gone)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	s.at("remove run")
	return removeTree(gone)
}

// ReadExit reads exit.json; nil without an error when there is none. See also Snapshot.Exit.
func (s *Store) ReadExit(id string) (*Exit, error) {
	e := &Exit{}
	ok, err := readJSON(filepath.Join(s.Dir(id), exitFile), e)
	if !ok {
		return nil, err
	}
	return e, nil
}

// WriteExit replaces exit.json, before RemoveRun or a run.json that says exited.
func (s *Store) WriteExit(id string, e *Exit) error {
	err := s.replaceJSON(s.Dir(id), exitFile, e)
	if err == nil {
		s.at("unmark")
		err = os.Remove(filepath.Join(s.Dir(id), startedLink))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("write exit of container %s: %w", id, err)
	}
	return nil
}
