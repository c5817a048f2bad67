package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// removeTree is os.RemoveAll that never goes into a mount, follows no link, needs
// no permission on directories of its own user's, and copes with trees deeper
// than there are descriptors. What is below a mount point stays, with an error that
// is EXDEV or EBUSY; the rest goes. None at path is no error.
func removeTree(path string) error {
	top, err := os.OpenFile(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer top.Close()
	r := remover{top: int(top.Fd()), base: filepath.Base(path)}
	err = r.remove(r.top, r.base, path, 0)
	for n := 1; n <= r.moved; n++ { // r.moved grows
		name := r.spare(n)
		err = errors.Join(err, r.remove(r.top, name, filepath.Join(filepath.Dir(path), name), 0))
	}
	return err
}

type remover struct {
	top   int // descriptor of the directory that base is in
	base  string
	moved int
}

// deepest is how many descriptors a removal holds.
const deepest = 64

// spare names the n-th directory that was too deep and moved up, beside base.
func (r *remover) spare(n int) string { return r.base + "." + strconv.Itoa(n) }

// remove removes name in the directory dir; path is for errors.
func (r *remover) remove(dir int, name, path string, depth int) error {
	err := unix.Unlinkat(dir, name, 0)
	switch err {
	case nil, unix.ENOENT:
		return nil
	case unix.EISDIR, unix.EPERM: // EPERM: POSIX's word for a directory
	default:
		return &fs.PathError{Op: "unlinkat", Path: path, Err: err}
	}
	if err := unix.Unlinkat(dir, name, unix.AT_REMOVEDIR); err == nil || err == unix.ENOENT {
		return nil
	} else if err == unix.ENOTDIR {
		return &fs.PathError{Op: "unlinkat", Path: path, Err: unix.EPERM} // a file, and that was the error
	}
	if depth == deepest {
		for {
			r.moved++ // what a dead process has put there is removed with it
			switch err := unix.Renameat(dir, name, r.top, r.spare(r.moved)); err {
			case nil:
				return nil
			case unix.ENOTEMPTY, unix.EEXIST:
			default:
				return &fs.PathError{Op: "renameat", Path: path, Err: err}
			}
		}
	}
	if err := r.empty(dir, name, path, depth); err != nil {
		return err
	}
	if err := unix.Unlinkat(dir, name, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "unlinkat", Path: path, Err: err}
	}
	return nil
}

// empty removes everything in the directory name.
func (r *remover) empty(dir int, name, path string, depth int) error {
	d, err := openOwn(dir, name)
	switch err {
	case nil:
	case unix.ENOENT:
		return nil
	case unix.EXDEV:
		return fmt.Errorf("%s is a mount point: %w", path, err)
	default:
		return &fs.PathError{Op: "openat2", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(d), path)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // another process has removed it meanwhile
	}
	var errs []error
	for _, name := range names {
		if err := r.remove(d, name, filepath.Join(path, name), depth+1); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, err)...)
}

// openOwn opens a directory, giving its owner the permission first if need be: overlay's work directory has none.
func openOwn(dir int, name string) (int, error) {
	how := &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS,
	}
	for again := false; ; {
		fd, err := unix.Openat2(dir, name, how)
		switch {
		case err == unix.EINTR, err == unix.EAGAIN:
		case err == unix.EACCES && !again:
			again = true
			if unix.Fchmodat(dir, name, 0o700, 0) != nil {
				return -1, err
			}
		default:
			return fd, err
		}
	}
}
