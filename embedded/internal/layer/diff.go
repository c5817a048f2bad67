//go:build linux

package layer

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
)

// Diff writes the tar of an overlay upper directory as an OCI layer: overlay's
// whiteouts become the OCI's. Entries are sorted, times are whole seconds, and
// sockets are left out, as they are in every engine's layers. A file that is
// written to meanwhile has the length it had at first.
func Diff(ctx context.Context, w io.Writer, upper string, opts Options) error {
	root, err := openRoot(upper)
	if err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	defer root.close()
	d := &differ{ctx: ctx, tw: tar.NewWriter(w), opts: &opts, links: map[inode]string{}, buf: make([]byte, 1<<17)}
	if err := d.dir(root); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	if err := d.tw.Close(); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	return nil
}

type inode struct{ dev, ino uint64 }

// differ is one Diff.
type differ struct {
	ctx   context.Context
	tw    *tar.Writer
	opts  *Options
	links map[inode]string // files with several names: the first one
	buf   []byte
}

// dir writes what is in a directory; its own entry is written.
func (d *differ) dir(dir *node) error {
	names, err := dir.list()
	if err != nil {
		return err
	}
	for _, base := range names {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		n, err := openNode(dir.fd, base, path.Join(dir.name, base))
		if err != nil {
			return err
		}
		if n == nil {
			continue
		}
		err = d.node(n)
		n.close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) node(n *node) error {
	dir, base := path.Split(n.name)
	if strings.HasPrefix(base, whiteoutPrefix) {
		return fmt.Errorf("%s: a layer cannot have a file whose name begins with %q", n.name, whiteoutPrefix)
	}
	gone, err := n.whiteout(d.opts)
	if err != nil {
		return err
	}
	if gone {
		return d.mark(dir+whiteoutPrefix+base, n)
	}
	if err := n.plain(d.opts); err != nil {
		return err
	}
	hdr, err := d.header(n)
	if hdr == nil || err != nil {
		return err
	}
	if !n.isDir() && n.st.Nlink > 1 {
		id := inode{uint64(n.st.Dev), n.st.Ino}
		if first, ok := d.links[id]; ok {
			hdr.Typeflag, hdr.Linkname, hdr.Size, hdr.PAXRecords = tar.TypeLink, first, 0, nil
			return d.tw.WriteHeader(hdr)
		}
		d.links[id] = n.name
	}
	switch {
	case hdr.Typeflag == tar.TypeReg:
		return d.file(n, hdr)
	case !n.isDir():
		return d.tw.WriteHeader(hdr)
	}
	if err := d.tw.WriteHeader(hdr); err != nil {
		return err
	}
	opaque, err := n.opaque(d.opts)
	if err != nil {
		return err
	}
	if opaque {
		if err := d.mark(path.Join(n.name, opaqueName), n); err != nil {
			return err
		}
	}
	return d.dir(n)
}

// mark writes an empty file that means something.
func (d *differ) mark(name string, n *node) error {
	return d.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, ModTime: mtime(&n.st), Format: tar.FormatPAX})
}

func mtime(st *unix.Stat_t) time.Time { return time.Unix(st.Mtim.Sec, 0) }

// header is the entry of a node. Nil without an error: there is none.
func (d *differ) header(n *node) (*tar.Header, error) {
	hdr := &tar.Header{Name: n.name, Mode: int64(n.st.Mode & 0o7777), ModTime: mtime(&n.st), Format: tar.FormatPAX}
	var err error
	if hdr.Uid, err = unmapped(d.opts.UIDMap, int(n.st.Uid)); err != nil {
		return nil, fmt.Errorf("owner of %s: %w", n.name, err)
	}
	if hdr.Gid, err = unmapped(d.opts.GIDMap, int(n.st.Gid)); err != nil {
		return nil, fmt.Errorf("group of %s: %w", n.name, err)
	}
	switch kind(&n.st) {
	case unix.S_IFREG:
		hdr.Typeflag, hdr.Size = tar.TypeReg, n.st.Size
	case unix.S_IFDIR:
		hdr.Typeflag = tar.TypeDir
		hdr.Name += "/"
	case unix.S_IFLNK:
		hdr.Typeflag = tar.TypeSymlink
		if hdr.Linkname, err = n.readlink(); err != nil {
			return nil, err
		}
	case unix.S_IFIFO:
		hdr.Typeflag = tar.TypeFifo
	case unix.S_IFCHR, unix.S_IFBLK:
		hdr.Typeflag = tar.TypeChar
		if kind(&n.st) == unix.S_IFBLK {
			hdr.Typeflag = tar.TypeBlock
		}
		hdr.Devmajor, hdr.Devminor = int64(unix.Major(n.st.Rdev)), int64(unix.Minor(n.st.Rdev))
	default: // a socket
		return nil, nil
	}
	if hdr.PAXRecords, err = xattr.Records(n.fd); err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	return hdr, nil
}

func (n *node) readlink() (string, error) {
	buf := make([]byte, unix.PathMax)
	size, err := unix.Readlinkat(n.fd, "", buf)
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: n.name, Err: err}
	}
	return string(buf[:size]), nil
}

// file writes a regular file: as many bytes as the header says, zeros for those that were cut off meanwhile.
func (d *differ) file(n *node, hdr *tar.Header) error {
	f, err := n.open(0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.tw.WriteHeader(hdr); err != nil {
		return err
	}
	written, err := io.CopyBuffer(struct{ io.Writer }{d.tw}, &contextReader{d.ctx, io.LimitReader(f, hdr.Size)}, d.buf)
	if err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	clear(d.buf)
	for written < hdr.Size {
		part, err := d.tw.Write(d.buf[:min(int64(len(d.buf)), hdr.Size-written)])
		if err != nil {
			return err
		}
		written += int64(part)
	}
	return nil
}
