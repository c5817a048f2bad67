//go:build linux

package files

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/embedded/internal/xattr"
	"github.com/berthdev/berth/engine"
)

// create makes what an entry says where nothing is.
func (u *unpacker) create(at int, base string, hdr *tar.Header) error {
	switch hdr.Typeflag {
	case tar.TypeDir:
		if err := unix.Mkdirat(at, base, 0o700); err != nil {
			return err
		}
		fd, err := unix.Openat(at, base, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		return u.directory(fd, hdr)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.regular(at, base, hdr)
	case tar.TypeLink:
		return u.link(at, base, hdr)
	case tar.TypeSymlink:
		if err := unix.Symlinkat(hdr.Linkname, at, base); err != nil {
			return fmt.Errorf("symbolic link to %q: %w", hdr.Linkname, err)
		}
		return u.made(at, base, unix.S_IFLNK, hdr)
	case tar.TypeFifo:
		if err := unix.Mknodat(at, base, unix.S_IFIFO|0o600, 0); err != nil {
			return err
		}
		return u.made(at, base, unix.S_IFIFO, hdr)
	case tar.TypeChar, tar.TypeBlock:
		mode := uint32(unix.S_IFCHR)
		if hdr.Typeflag == tar.TypeBlock {
			mode = unix.S_IFBLK
		}
		if err := unix.Mknodat(at, base, mode|0o600, int(unix.Mkdev(uint32(hdr.Devmajor), uint32(hdr.Devminor)))); err != nil {
			return fmt.Errorf("device node %d:%d: %w", hdr.Devmajor, hdr.Devminor, err)
		}
		return u.made(at, base, mode, hdr)
	}
	return &engine.InvalidError{Option: "tar", Reason: fmt.Sprintf("entry of unknown type %q", hdr.Typeflag)}
}

// directory sets the attributes of a directory, now, and its time at the end. It takes fd over.
func (u *unpacker) directory(fd int, hdr *tar.Header) error {
	if err := u.attributes(fd, hdr, false); err != nil {
		unix.Close(fd)
		return err
	}
	// Not so many that descriptors run out: the time of directories that come late in a large tar is that of the unpacking only if something is unpacked into them later.
	if len(u.times) >= 256 {
		defer unix.Close(fd)
		return setTime(fd, hdr)
	}
	u.times = append(u.times, dirTime{fd, hdr})
	return nil
}

// finish sets the times of directories.
func (u *unpacker) finish() error {
	for _, d := range slices.Backward(u.times) {
		if err := setTime(d.fd, d.hdr); err != nil {
			return fmt.Errorf("set time of %q: %w", d.hdr.Name, err)
		}
	}
	return nil
}

// link makes a hard link to what the tar calls Linkname.
func (u *unpacker) link(at int, base string, hdr *tar.Header) error {
	old, err := cleanName(hdr.Linkname)
	if err != nil {
		return &engine.InvalidError{Option: "tar", Reason: err.Error()}
	}
	dir, oldBase := path.Split(old)
	from, err := openIn(u.root, path.Join(u.dir, dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("hard link: %w", err)
	}
	defer unix.Close(from)
	if err := unix.Linkat(from, oldBase, at, base, 0); err != nil {
		return fmt.Errorf("hard link to %q: %w", hdr.Linkname, err)
	}
	return nil
}

// made sets the attributes of what was made, if it is still what it was made as.
func (u *unpacker) made(at int, base string, mode uint32, hdr *tar.Header) error {
	f, err := openFile(at, base, hdr.Name)
	if err != nil {
		return err
	}
	if f == nil {
		return unix.ENOENT
	}
	defer f.Close()
	if f.Kind() != mode || f.Stat.Nlink > 1 {
		return errors.New("it was replaced while it was unpacked")
	}
	return u.attributes(f.FD, hdr, true)
}

// regular writes a regular file.
func (u *unpacker) regular(at int, base string, hdr *tar.Header) error {
	fd, err := unix.Openat(at, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), hdr.Name)
	defer f.Close()
	if node.Sparse(hdr) {
		err = node.ReadSparse(u.ctx, f, u.tr, hdr.Size, u.buf)
	} else {
		_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{u.tr}, u.buf)
	}
	if err == nil {
		err = u.attributes(fd, hdr, true)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// attributes sets what an entry says, in the order that keeps it: a new owner clears
// setuid bits and capabilities, all of it may change the time.
func (u *unpacker) attributes(fd int, hdr *tar.Header, withTime bool) error {
	uid, gid := hdr.Uid, hdr.Gid
	if u.opts.CopyUIDGID {
		uid, gid = u.opts.UID, u.opts.GID
	}
	uid, err := onHost(u.ids.UIDMap, uid)
	if err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	if gid, err = onHost(u.ids.GIDMap, gid); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	if err := unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("change owner to %d:%d: %w", uid, gid, err)
	}
	if hdr.Typeflag != tar.TypeSymlink {
		if err := unix.Chmod(xattr.Path(fd), uint32(hdr.Mode)&0o7777); err != nil {
			return fmt.Errorf("change mode: %w", err)
		}
		for _, key := range slices.Sorted(maps.Keys(hdr.PAXRecords)) {
			name, ok := strings.CutPrefix(key, xattr.PAX)
			if !ok || !xattr.Carried(name) {
				continue
			}
			// A file system without them loses them, as on Docker.
			if err := unix.Setxattr(xattr.Path(fd), name, []byte(hdr.PAXRecords[key]), 0); err != nil && err != unix.ENOTSUP && err != unix.EPERM {
				return fmt.Errorf("set extended attribute %s: %w", name, err)
			}
		}
	}
	if !withTime || hdr.ModTime.IsZero() {
		return nil
	}
	return setTime(fd, hdr)
}

func setTime(fd int, hdr *tar.Header) error {
	ts := unix.Timespec{Sec: hdr.ModTime.Unix(), Nsec: int64(hdr.ModTime.Nanosecond())}
	if err := unix.UtimesNanoAt(fd, "", []unix.Timespec{ts, ts}, unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("set time: %w", err)
	}
	return nil
}
