//go:build linux

package layer

import (
	"archive/tar"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
)

// create makes what an entry says where nothing is. Of a directory, which may be
// there, the attributes are set at the end.
func (u *unpacker) create(p place, hdr *tar.Header, attr *attributes) error {
	switch hdr.Typeflag {
	case tar.TypeDir:
		if err := unix.Mkdirat(p.at, p.base, 0o700); err != nil && err != unix.EEXIST {
			return err
		}
		u.dirs[p.name] = attr
		return nil
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		if err := u.regular(p, hdr); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if err := unix.Symlinkat(hdr.Linkname, p.at, p.base); err != nil {
			return fmt.Errorf("symbolic link to %q: %w", hdr.Linkname, err)
		}
		u.res.Size += int64(len(hdr.Linkname))
		return u.setAll(p, attr, true)
	case tar.TypeFifo:
		if err := unix.Mknodat(p.at, p.base, unix.S_IFIFO|0o600, 0); err != nil {
			return err
		}
	case tar.TypeChar, tar.TypeBlock:
		mode := uint32(unix.S_IFCHR)
		if hdr.Typeflag == tar.TypeBlock {
			mode = unix.S_IFBLK
		}
		err := unix.Mknodat(p.at, p.base, mode|0o600, int(unix.Mkdev(uint32(hdr.Devmajor), uint32(hdr.Devminor))))
		if err == unix.EPERM && u.opts.NoDevices {
			u.skip(p.name, "device node: not permitted here")
			return nil
		}
		if err != nil {
			return fmt.Errorf("device node %d:%d: %w", hdr.Devmajor, hdr.Devminor, err)
		}
	default:
		return fmt.Errorf("entry of unknown type %q", hdr.Typeflag)
	}
	return u.setAll(p, attr, false)
}

func (u *unpacker) skip(name, why string) {
	u.res.Skipped = append(u.res.Skipped, name+": "+why)
}

// regular writes a regular file's content.
func (u *unpacker) regular(p place, hdr *tar.Header) error {
	fd, err := unix.Openat(p.at, p.base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), p.name)
	if node.Sparse(hdr) { // its data is in the journal as it is in the tar
		err = node.ReadSparse(u.src.ctx, f, u.tr, hdr.Size, u.buf)
	} else if hdr.Size > 0 {
		if u.src.journal != nil {
			u.src.journal.file(u.n, hdr.Size, p.name)
			u.files[p.name] = u.n
		}
		u.src.content = true
		_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{u.tr}, u.buf)
		u.src.content = false
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	u.res.Size += hdr.Size
	return err
}
