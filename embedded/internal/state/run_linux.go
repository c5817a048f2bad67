package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
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
// monitor.lock. A StartedAt that is new it first notes in the container's
// directory until WriteExit: a container with that note and without a run.json was
// running when the machine stopped. One without a process, that a full disk does not
// take, leaves none: it is known by its end, then.
func (s *Store) WriteRun(id string, r *Run) error {
	err := s.mark(id, r.StartedAt)
	if err == nil {
		err = s.replaceJSON(s.RunDir(id), runFile, r)
	}
	if r.PID == 0 && (errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)) {
		err = errors.Join(err, os.Remove(filepath.Join(s.RunDir(id), runFile)))
	}
	if err != nil {
		return fmt.Errorf("write state of container %s: %w", id, err)
	}
	return nil
}

// mark notes that the container was started: as the time of its lock file, which costs no file.
func (s *Store) mark(id string, started time.Time) error {
	if started.IsZero() || s.marked(id).Equal(started) {
		return nil
	}
	// A run.json that tells of an end comes after WriteExit.
	if ended, err := s.ReadExit(id); err == nil && ended != nil && ended.StartedAt.Equal(started) {
		return nil
	}
	s.at("mark")
	return os.Chtimes(filepath.Join(s.Dir(id), lockFile), time.Time{}, started)
}

// marked returns the time of the last start whose end nobody has written; zero when there is none.
func (s *Store) marked(id string) time.Time {
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(s.Dir(id), lockFile), &st); err != nil || st.Mtim.Nano() == 0 {
		return time.Time{}
	}
	return time.Unix(st.Mtim.Unix())
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
