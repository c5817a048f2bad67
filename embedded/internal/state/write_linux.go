package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// replace writes a file of dir by way of a temporary one: a reader sees the old
// content or the new one. Nothing is forced to the disk: a container that was made in
// the seconds before a power cut may come back unreadable (Snapshot.Err).
func (s *Store) replace(dir, name string, data []byte, mode fs.FileMode) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	path := filepath.Join(dir, name)
	temp := path + ".tmp" // of a process that died here too: it is written over
	s.at("write " + name)
	if err := writeFile(temp, data, mode); err != nil {
		os.Remove(temp)
		return err
	}
	s.at("rename " + name)
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return err
	}
	return nil
}

// writeFile is os.WriteFile for a file that nobody may have put a link in the place of.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	// Not by package os, which asks at each file whether it can be polled: a create writes six.
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(mode.Perm()))
		return err
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	for len(data) > 0 {
		var n int
		if err = retry(func() (err error) {
			n, err = unix.Write(fd, data)
			return err
		}); err != nil {
			break
		}
		data = data[n:]
	}
	if err1 := unix.Close(fd); err == nil {
		err = err1
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

func (s *Store) replaceJSON(dir, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.replace(dir, name, append(data, '\n'), 0o600)
}

// readJSON reads a file into v; false without an error when there is none.
func readJSON(path string, v any) (bool, error) {
	data, _, err := readVersion(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return true, nil
}

// readVersion reads a small file and tells which version of it that was. It makes as few system calls as can be, as lists read thousands.
func readVersion(path string) ([]byte, version, error) {
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		return err
	})
	if err != nil {
		return nil, version{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, version{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, version{}, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	data := make([]byte, st.Size) // it does not grow: files are replaced, not written to
	for n := 0; n < len(data); {
		var m int
		err := retry(func() (err error) {
			m, err = unix.Read(fd, data[n:])
			return err
		})
		if err != nil {
			return nil, version{}, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if m == 0 {
			data = data[:n]
		}
		n += m
	}
	return data, versionOf(&st), nil
}

func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// writeNew makes a file that several processes may be making with the same content.
func writeNew(dir, name, content string) error {
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
