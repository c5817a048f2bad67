//go:build linux

package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/embedded/internal/xattr"
)

// CopyTree copies what is in the directory name of the view into the directory dst of the host, which is
// empty, with owners, modes, times, extended attributes, links, holes and devices; dst gets the
// attributes of the directory too. Links in name are followed. A directory that is not there, or is none, is
// an error that is fs.ErrNotExist or unix.ENOTDIR; after any error dst is empty again.
func (v *View) CopyTree(ctx context.Context, name, dst string) (err error) {
	root, err := v.root.hold()
	if err != nil {
		return err
	}
	defer root.release()
	from, err := openIn(root.fd, absolute(name), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	src := &file{Node: &node.Node{FD: from, Name: name}}
	defer src.Close()
	if err := src.look(); err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	to, err := unix.Open(dst, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, &fs.PathError{Op: "open", Path: dst, Err: err})
	}
	defer unix.Close(to)
	c := &copier{ctx: ctx, top: to, links: node.Links{}, buf: make([]byte, 64<<10)}
	if err = c.dir(src, to, ""); err == nil {
		err = c.attributes(src, to)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", name, err), clearDir(to))
	}
	return nil
}

// clearDir removes what is in a directory.
func clearDir(fd int) error {
	names, err := (&node.Node{FD: fd}).Names()
	for _, name := range names {
		err = errors.Join(err, removeAll(fd, name))
	}
	return err
}

// copier is one CopyTree.
type copier struct {
	ctx   context.Context
	top   int        // the directory that is copied into
	links node.Links // the first names are the copy's, from top
	buf   []byte
}

func (c *copier) dir(src *file, to int, name string) error {
	names, err := src.Names()
	if err != nil {
		return err
	}
	for _, base := range names {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		f, err := openFile(src.FD, base, name+base)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		err = c.file(f, to, base)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name+base, err)
		}
	}
	return nil
}

func (c *copier) file(f *file, to int, base string) error {
	if first := c.links.First(f.Node); first != "" {
		return c.link(first, to, base)
	}
	var err error
	switch f.Kind() {
	case unix.S_IFREG:
		return c.regular(f, to, base)
	case unix.S_IFDIR:
		err = unix.Mkdirat(to, base, 0o700)
	case unix.S_IFLNK:
		var target string
		if target, err = f.Readlink(); err == nil {
			err = unix.Symlinkat(target, to, base)
		}
	default:
		err = unix.Mknodat(to, base, f.Kind()|0o600, int(f.Stat.Rdev))
	}
	if err != nil {
		return err
	}
	fd, err := unix.Openat(to, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if f.IsDir() {
		if err := c.dir(f, fd, f.Name+"/"); err != nil {
			return err
		}
	}
	return c.attributes(f, fd)
}

// link makes a further name of a copy. Others may write to where the copies are: no link is followed on the way.
func (c *copier) link(first string, to int, base string) error {
	dir, firstBase := path.Split(first)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
	from, err := unix.Openat2(c.top, "./"+dir, &how)
	if err != nil {
		return err
	}
	defer unix.Close(from)
	return unix.Linkat(from, firstBase, to, base, 0)
}

// regular copies a file and keeps its holes.
func (c *copier) regular(f *file, to int, base string) error {
	r, err := f.Reader(0)
	if err != nil {
		return err
	}
	defer r.Close()
	fd, err := unix.Openat(to, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	w := os.NewFile(uintptr(fd), f.Name)
	defer w.Close()
	if err := w.Truncate(f.Stat.Size); err != nil {
		return err
	}
	for at := int64(0); at < f.Stat.Size; {
		data, err := r.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // a hole up to the end
			break
		}
		if err != nil {
			return err
		}
		hole, err := r.Seek(data, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := c.bytes(r, w, data, min(hole, f.Stat.Size)); err != nil {
			return err
		}
		at = hole
	}
	if err := c.attributes(f, fd); err != nil {
		return err
	}
	return w.Close()
}

func (c *copier) bytes(r, w *os.File, from, to int64) error {
	for from < to {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, err := r.ReadAt(c.buf[:min(int64(len(c.buf)), to-from)], from)
		if _, werr := w.WriteAt(c.buf[:n], from); werr != nil {
			return werr
		}
		from += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// attributes gives the copy the attributes of the file.
func (c *copier) attributes(f *file, fd int) error {
	if err := unix.Fchownat(fd, "", int(f.Stat.Uid), int(f.Stat.Gid), unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("change owner: %w", err)
	}
	if f.Kind() != unix.S_IFLNK {
		if err := unix.Chmod(xattr.Path(fd), f.Stat.Mode&0o7777); err != nil {
			return fmt.Errorf("change mode: %w", err)
		}
		all, err := xattr.All(f.FD)
		if err != nil {
			return err
		}
		for name, value := range all {
			if err := unix.Setxattr(xattr.Path(fd), name, []byte(value), 0); err != nil && err != unix.ENOTSUP {
				return fmt.Errorf("set extended attribute %s: %w", name, err)
			}
		}
	}
	times := []unix.Timespec{f.Stat.Atim, f.Stat.Mtim}
	if err := unix.UtimesNanoAt(fd, "", times, unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("set time: %w", err)
	}
	return nil
}
