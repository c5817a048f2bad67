//go:build linux

package node

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
)

// ModTime is a status's time in whole seconds, which is what entries of a tar have.
func ModTime(st *unix.Stat_t) time.Time { return time.Unix(st.Mtim.Sec, 0) }

// Header is the file's entry, with the owner that it has on the host. Nil without an error: it has none, as a socket.
func (n *Node) Header() (*tar.Header, error) {
	hdr := &tar.Header{
		Name: n.Name, Mode: int64(n.Stat.Mode & 0o7777), Uid: int(n.Stat.Uid), Gid: int(n.Stat.Gid), ModTime: ModTime(&n.Stat), Format: tar.FormatPAX,
	}
	var err error
	switch n.Kind() {
	case unix.S_IFREG:
		hdr.Typeflag, hdr.Size = tar.TypeReg, n.Stat.Size
	case unix.S_IFDIR:
		hdr.Typeflag = tar.TypeDir
		hdr.Name = strings.TrimSuffix(n.Name, "/") + "/"
	case unix.S_IFLNK:
		hdr.Typeflag = tar.TypeSymlink
		if hdr.Linkname, err = n.Readlink(); err != nil {
			return nil, err
		}
	case unix.S_IFIFO:
		hdr.Typeflag = tar.TypeFifo
	case unix.S_IFCHR, unix.S_IFBLK:
		hdr.Typeflag = tar.TypeChar
		if n.Kind() == unix.S_IFBLK {
			hdr.Typeflag = tar.TypeBlock
		}
		hdr.Devmajor, hdr.Devminor = int64(unix.Major(n.Stat.Rdev)), int64(unix.Minor(n.Stat.Rdev))
	default:
		return nil, nil
	}
	if hdr.PAXRecords, err = xattr.Records(n.FD); err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	return hdr, nil
}

// Link makes hdr the entry of a further name of the file whose entry is first.
func Link(hdr *tar.Header, first string) {
	hdr.Typeflag, hdr.Linkname, hdr.Size, hdr.PAXRecords = tar.TypeLink, first, 0, nil
}

// WriteTo writes hdr and the regular file's bytes: as many as the header says, zeros for those that were cut off meanwhile. buf is what it copies through.
func (n *Node) WriteTo(ctx context.Context, tw *tar.Writer, hdr *tar.Header, buf []byte) error {
	r, err := n.Reader(0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := tw.WriteHeader(hdr); err != nil {
		return err
	}
	for left := hdr.Size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buf[:min(int64(len(buf)), left)]
		size, err := r.Read(part)
		if err == io.EOF {
			clear(part)
			size = len(part)
		} else if err != nil {
			return err
		}
		if _, err := tw.Write(part[:size]); err != nil {
			return err
		}
		left -= int64(size)
	}
	return nil
}

// Sparse tells whether a file in a tar has holes.
func Sparse(hdr *tar.Header) bool {
	if hdr.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// zeros is what a hole reads as.
var zeros [4096]byte

// ReadSparse writes size bytes of r into the empty file f, and leaves holes where there are zeros. buf is what it copies through.
func ReadSparse(ctx context.Context, f *os.File, r io.Reader, size int64, buf []byte) error {
	if err := f.Truncate(size); err != nil { // first: a size that cannot be must not be read
		return err
	}
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil { // a hole is read without reading the source
			return err
		}
		n, err := io.ReadFull(r, buf[:min(int64(len(buf)), size-at)])
		if err != nil {
			return err
		}
		for from := 0; from < n; from += len(zeros) {
			part := buf[from:min(n, from+len(zeros))]
			if bytes.Equal(part, zeros[:len(part)]) {
				continue
			}
			if _, err := f.WriteAt(part, at+int64(from)); err != nil {
				return err
			}
		}
		at += int64(n)
	}
	return nil
}
