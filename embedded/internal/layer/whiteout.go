//go:build linux

package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/embedded/internal/xattr"
)

// The OCI's marks of what a layer removes from those below it.
const (
	whiteoutPrefix = ".wh."         // of the name that is removed
	opaqueName     = ".wh..wh..opq" // in a directory of which nothing of lower layers is seen
	aufsPrefix     = ".wh..wh."     // other names: AUFS's own business, to be ignored
)

// whiteout does what an entry base in dir says that begins with whiteoutPrefix.
func (u *unpacker) whiteout(dir, base string) error {
	if base == opaqueName {
		p, err := u.t.place(path.Join(dir, "x"), true) // the directory is made
		if err != nil {
			return err
		}
		return opaque(p.at, u.opts)
	}
	hidden := base[len(whiteoutPrefix):]
	if len(base) >= len(aufsPrefix) && base[:len(aufsPrefix)] == aufsPrefix {
		return nil
	}
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("whiteout of %q", hidden)
	}
	p, err := u.t.place(path.Join(dir, hidden), true)
	if err != nil {
		return err
	}
	// What this same layer has by that name stays: a whiteout is about lower layers.
	st, err := lstat(p.at, p.base)
	switch {
	case err != nil:
		return err
	case st == nil:
		if err := unix.Mknodat(p.at, p.base, unix.S_IFCHR, 0); err != nil {
			return fmt.Errorf("make whiteout: %w", err)
		}
		return nil
	case node.Kind(st) == unix.S_IFDIR:
		return xattr.Set(p.at, p.base, u.opts.prefix()+"opaque", "y")
	}
	return nil
}

// opaque marks the directory that fd refers to.
func opaque(fd int, opts *Options) error {
	if err := unix.Setxattr(xattr.Path(fd), opts.prefix()+"opaque", []byte("y"), 0); err != nil {
		return fmt.Errorf("mark opaque directory: %w", err)
	}
	return nil
}

// Opaque tells whether a layer's root directory is marked: nothing of the layers
// below it is seen. Overlay heeds the mark in other directories only. Without the directory it is an fs.ErrNotExist.
func Opaque(dir string, opts Options) (bool, error) {
	var value [2]byte
	n, err := unix.Lgetxattr(dir, opts.prefix()+"opaque", value[:])
	if errors.Is(err, fs.ErrNotExist) || err == unix.ENOTDIR {
		return false, &fs.PathError{Op: "lgetxattr", Path: dir, Err: err}
	}
	return err == nil && string(value[:n]) == "y", nil
}

// keep moves a regular file that is about to be removed to where Replay finds it.
func (u *unpacker) keep(name string) error {
	if u.replaced == "" {
		return errors.New("the tar has two entries of this name")
	}
	if err := os.Mkdir(u.replaced, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	p, err := u.t.place(name, false)
	if err != nil {
		return err
	}
	if err := unix.Renameat(p.at, p.base, unix.AT_FDCWD, path.Join(u.replaced, strconv.Itoa(u.files[name]))); err != nil {
		return fmt.Errorf("keep replaced file %q: %w", name, err)
	}
	delete(u.files, name)
	return nil
}
