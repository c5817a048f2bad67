//go:build linux

package files

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/engine"
)

// unpacker is one PutArchive. The container's processes may do whatever they like meanwhile with the files that are
// made: every step goes through a descriptor of what is meant, not through a name that is looked up anew.
type unpacker struct {
	ctx  context.Context
	root int
	dir  string // absolute path of the directory that is unpacked into
	opts PutOptions
	ids  Options
	tr   *tar.Reader
	buf  []byte

	parent string // the directory that was opened last, relative to dir
	at     int    // it; -1: none

	times []dirTime // of directories, to be set last
}

type dirTime struct {
	fd  int
	hdr *tar.Header
}

func (u *unpacker) close() {
	u.forget()
	for _, d := range u.times {
		unix.Close(d.fd)
	}
}

// forget drops the directory that was opened last: something was removed.
func (u *unpacker) forget() {
	if u.at >= 0 {
		unix.Close(u.at)
		u.at = -1
	}
}

// cleanName is a tar's name relative to the directory that is unpacked into, "." for
// the directory itself. A name that climbs out of it is an error.
func cleanName(name string) (string, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return "", errors.New("the name has a NUL byte")
	}
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("the name %q leads out of the directory", name)
	}
	return clean, nil
}

// open opens the directory that a cleaned name is in. The descriptor is good until the next call.
func (u *unpacker) open(name string, create bool) (at int, base string, err error) {
	parent, base := path.Split(name)
	if u.at >= 0 && u.parent == parent {
		return u.at, base, nil
	}
	full := path.Join(u.dir, parent)
	fd, err := openIn(u.root, full, unix.O_PATH|unix.O_DIRECTORY)
	if create && errors.Is(err, fs.ErrNotExist) {
		fd, err = u.mkdirs(full)
	}
	if err != nil {
		return -1, "", err
	}
	u.forget()
	u.parent, u.at = parent, fd
	return fd, base, nil
}

// mkdirs makes the directories that the tar has no entries of: mode 0755, root's or the container's user's.
func (u *unpacker) mkdirs(full string) (int, error) {
	for i := len(u.dir); i <= len(full); i++ {
		if i < len(full) && full[i] != '/' || i == 0 {
			continue
		}
		up, base := path.Split(full[:i])
		if base == "" {
			continue
		}
		at, err := openIn(u.root, up, unix.O_PATH|unix.O_DIRECTORY)
		if err != nil {
			return -1, err
		}
		err = unix.Mkdirat(at, base, 0o755)
		if err == nil {
			var f *file
			if f, err = openFile(at, base, full[:i]); err == nil && f != nil {
				err = u.attributes(f.FD, &tar.Header{Typeflag: tar.TypeDir, Mode: 0o755, Format: tar.FormatPAX}, false)
				f.Close()
			}
		}
		unix.Close(at)
		if err != nil && err != unix.EEXIST {
			return -1, &fs.PathError{Op: "mkdir", Path: full[:i], Err: err}
		}
	}
	return openIn(u.root, full, unix.O_PATH|unix.O_DIRECTORY)
}

// entry unpacks one entry.
func (u *unpacker) entry(hdr *tar.Header) error {
	if hdr.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := cleanName(hdr.Name)
	if err != nil {
		return &engine.InvalidError{Option: "tar", Reason: err.Error()}
	}
	if name == "." { // the directory itself is there
		if hdr.Typeflag != tar.TypeDir {
			return &engine.InvalidError{Option: "tar", Reason: "the root of the tar is not a directory"}
		}
		return nil
	}
	at, base, err := u.open(name, true)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	switch err := unix.Fstatat(at, base, &st, unix.AT_SYMLINK_NOFOLLOW); {
	case err == unix.ENOENT:
	case err != nil:
		return err
	default:
		merged, err := u.makeRoom(at, base, &st, hdr)
		if merged || err != nil {
			return err
		}
	}
	return u.create(at, base, hdr)
}

// makeRoom deals with what is there in an entry's place. merged tells that the entry is done with.
func (u *unpacker) makeRoom(at int, base string, st *unix.Stat_t, hdr *tar.Header) (merged bool, err error) {
	isDir, toDir := node.Kind(st) == unix.S_IFDIR, hdr.Typeflag == tar.TypeDir
	switch {
	case isDir && toDir:
		fd, err := unix.Openat(at, base, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return false, err
		}
		return true, u.directory(fd, hdr)
	case u.opts.NoOverwriteDirNonDir && isDir:
		return false, &engine.InvalidError{Option: "PutArchiveOptions.NoOverwriteDirNonDir", Reason: fmt.Sprintf("cannot overwrite directory %q with non-directory", hdr.Name)}
	case u.opts.NoOverwriteDirNonDir && toDir:
		return false, &engine.InvalidError{Option: "PutArchiveOptions.NoOverwriteDirNonDir", Reason: fmt.Sprintf("cannot overwrite non-directory %q with directory", hdr.Name)}
	}
	if err := removeAll(at, base); err != nil {
		return false, err
	}
	return false, nil
}

// removeAll removes base in at with everything below it, following nothing. What something is mounted on stays, and is EBUSY: the
// kernel says so itself only to processes of the container's mount namespace, and takes the mount away for others.
func removeAll(at int, base string) error {
	f, err := openFile(at, base, base)
	if f == nil || err != nil {
		return err
	}
	defer f.Close()
	if f.top {
		return &fs.PathError{Op: "remove", Path: base, Err: unix.EBUSY}
	}
	if err = unix.Unlinkat(at, base, 0); err != unix.EISDIR {
		if err == unix.ENOENT {
			err = nil
		}
		return err
	}
	names, err := f.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := removeAll(f.FD, name); err != nil {
			return err
		}
	}
	return unix.Unlinkat(at, base, unix.AT_REMOVEDIR)
}
