package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ReadExit reads how the last run ended that WriteExit was told of; nil without an error when there is none. See also Snapshot.Exit.
func (s *Store) ReadExit(id string) (*Exit, error) {
	e := &Exit{}
	ok, err := readJSON(filepath.Join(s.Dir(id), exitFile), e)
	if err != nil {
		return nil, err
	}
	if !ok {
		e = nil
	}
	if started := s.marked(id); !started.IsZero() && (e == nil || !e.StartedAt.Equal(started)) {
		if noted := s.noted(id, started); noted != nil {
			return noted, nil
		}
	}
	return e, nil
}

// WriteExit replaces exit.json, before RemoveRun or a run.json that says exited. An
// Exit without StartedAt is that of a container which never ran (its command is
// missing): its status stays created. A full disk, which containers die of, does not keep the end from being recorded.
func (s *Store) WriteExit(id string, e *Exit) error {
	err := s.replaceJSON(s.Dir(id), exitFile, e)
	switch {
	case err == nil:
		s.at("unmark")
		err = os.Chtimes(filepath.Join(s.Dir(id), lockFile), time.Time{}, time.Unix(0, 0))
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		if s.note(id, e) == nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("write exit of container %s: %w", id, err)
	}
	return nil
}

// mostNoted bounds what note writes: with the ID it stays in the file's one block.
const mostNoted = 900

// note writes the end of the run that the container's mark tells of into its
// lock file, behind the ID, which takes no room on the disk. The mark stays: where exit.json is of another run, readers look there.
func (s *Store) note(id string, e *Exit) error {
	started := s.marked(id)
	if started.IsZero() || !e.StartedAt.Equal(started) {
		return errors.New("it is not that of the last start")
	}
	short := *e
	short.Error = short.Error[:min(len(short.Error), mostNoted/2)]
	data, err := json.Marshal(short)
	if err != nil {
		return err
	}
	if len(data) > mostNoted {
		return errors.New("it is too long")
	}
	path := filepath.Join(s.Dir(id), lockFile)
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(data, idLength); err != nil {
		return errors.Join(err, os.Chtimes(path, time.Time{}, started))
	}
	return errors.Join(f.Truncate(idLength+int64(len(data))), os.Chtimes(path, time.Time{}, started))
}

// noted returns what note has written of the run that was started then; nil when it was not called.
func (s *Store) noted(id string, started time.Time) *Exit {
	data, _, err := readVersion(filepath.Join(s.Dir(id), lockFile))
	if err != nil || len(data) <= idLength {
		return nil
	}
	e := &Exit{}
	if json.Unmarshal(data[idLength:], e) != nil || !e.StartedAt.Equal(started) {
		return nil
	}
	return e
}
