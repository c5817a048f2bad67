//go:build linux

package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/embedded/internal/xattr"
)

// tree is a directory below which names of a tar are resolved as they would be by
// a process that has it for its root: symbolic links, absolute ones too, and ".."
// do not lead out. The kernel does it, with openat2 and RESOLVE_IN_ROOT, for the
// directory that holds a name; the last part of the name is never followed.
type tree struct {
	fd   int
	path string // of fd, as the kernel has it

	// The directory that was resolved last: most entries are beside their predecessor.
	dir   string
	dirFD int    // -1: none
	real  string // dir without symbolic links
}

func openTree(dir string) (*tree, error) {
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	t := &tree{fd: fd, dirFD: -1}
	if t.path, err = os.Readlink(xattr.Path(fd)); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tree) close() {
	t.forget()
	unix.Close(t.fd)
}

// forget drops the directory that was resolved last: something was removed or renamed.
func (t *tree) forget() {
	if t.dirFD >= 0 {
		unix.Close(t.dirFD)
		t.dirFD = -1
	}
}

// cleanName is a tar's name relative to the root, "." for the root itself. A name
// that climbs out of the root is an error.
func cleanName(name string) (string, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return "", errors.New("the name has a NUL byte")
	}
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("the name %q leads out of the layer", name)
	}
	return clean, nil
}

// openat2 resolves name, which may be any path, inside the tree.
func (t *tree) openat2(name string, flags uint64) (int, error) {
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for {
		fd, err := unix.Openat2(t.fd, name, &how)
		if err != unix.EINTR && err != unix.EAGAIN { // EAGAIN: a rename elsewhere raced with ".."
			return fd, err
		}
	}
}

// place is where a name is: an entry base of a directory.
type place struct {
	at   int    // the directory; the descriptor is the tree's and is good until the tree is asked again
	base string // "." for the root itself
	name string // the whole name, without symbolic links
}

// place finds where a cleaned name is, whether or not there is anything. With
// create, missing directories on the way are made, mode 0755.
func (t *tree) place(name string, create bool) (place, error) {
	at, base, err := t.parent(name, create)
	if err != nil {
		return place{}, err
	}
	p := place{at, base, base}
	if at != t.fd {
		p.name = path.Join(t.real, base)
	}
	return p, nil
}

// parent is place without the whole name.
func (t *tree) parent(name string, create bool) (fd int, base string, err error) {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if dir == "" {
		return t.fd, base, nil
	}
	if t.dirFD >= 0 && t.dir == dir {
		return t.dirFD, base, nil
	}
	fd, err = t.openat2(dir, unix.O_PATH|unix.O_DIRECTORY)
	if err == unix.ENOENT && create {
		fd, err = t.mkdirs(dir)
	}
	if err != nil {
		return -1, "", &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	t.forget()
	t.dir, t.dirFD, t.real = dir, fd, dir
	if real, err := os.Readlink(xattr.Path(fd)); err == nil {
		if rest, ok := strings.CutPrefix(real, t.path); ok {
			t.real = strings.TrimPrefix(rest, "/")
		}
	}
	return fd, base, nil
}

// mkdirs makes a directory and those above it.
func (t *tree) mkdirs(dir string) (int, error) {
	for i := 0; i <= len(dir); i++ {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		up, base := path.Split(dir[:i])
		at := t.fd
		if up != "" {
			fd, err := t.openat2(up, unix.O_PATH|unix.O_DIRECTORY)
			if err != nil {
				return -1, err
			}
			at = fd
		}
		err := unix.Mkdirat(at, base, 0o755)
		if err == nil {
			err = unix.Fchmodat(at, base, 0o755, 0) // whatever the umask is
		}
		if at != t.fd {
			unix.Close(at)
		}
		if err != nil && err != unix.EEXIST {
			return -1, err
		}
	}
	return t.openat2(dir, unix.O_PATH|unix.O_DIRECTORY)
}

// open opens what a cleaned name is for reading if it is a regular file.
func (t *tree) open(name string) (*os.File, error) {
	at, base, err := t.parent(name, false)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Openat(at, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is not a regular file any more")}
	}
	return f, nil
}

// lstat tells what base in the directory at is. Nil without an error: nothing.
func lstat(at int, base string) (*unix.Stat_t, error) {
	var st unix.Stat_t
	switch err := unix.Fstatat(at, base, &st, unix.AT_SYMLINK_NOFOLLOW); err {
	case nil:
		return &st, nil
	case unix.ENOENT:
		return nil, nil
	default:
		return nil, &fs.PathError{Op: "lstat", Path: base, Err: err}
	}
}

// isWhiteout tells overlay's mark of a removed file: the character device 0:0.
func isWhiteout(st *unix.Stat_t) bool { return node.Kind(st) == unix.S_IFCHR && st.Rdev == 0 }

// names lists the directory base in at.
func names(at int, base string) ([]string, error) {
	fd, err := unix.Openat(at, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: base, Err: err}
	}
	f := os.NewFile(uintptr(fd), base)
	defer f.Close()
	return f.Readdirnames(-1)
}

// removeAll removes base in at with everything below it, following nothing.
func removeAll(at int, base string) error {
	err := unix.Unlinkat(at, base, 0)
	if err == unix.EISDIR {
		// Root, which may remove anything, needs no other mode; another user made the directory with a mode of its own.
		var list []string
		if list, err = names(at, base); err != nil {
			return err
		}
		fd, err := unix.Openat(at, base, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return &fs.PathError{Op: "open", Path: base, Err: err}
		}
		defer unix.Close(fd)
		for _, name := range list {
			if err := removeAll(fd, name); err != nil {
				return err
			}
		}
		return unix.Unlinkat(at, base, unix.AT_REMOVEDIR)
	}
	if err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "remove", Path: base, Err: err}
	}
	return nil
}
