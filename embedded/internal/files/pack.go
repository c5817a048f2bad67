//go:build linux

package files

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
)

// file is a file that is held by a descriptor: the container may move it
// meanwhile, or put a symbolic link in its place.
type file struct {
	fd    int    // O_PATH
	name  string // in the tar
	mount uint64 // the mount that it is on
	top   bool   // something is mounted on it: it is the root of that
	st    unix.Stat_t
}

// openFile opens base in the directory at. Nil without an error: it is not there any more.
func openFile(at int, base, name string) (*file, error) {
	fd, err := unix.Openat(at, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := &file{fd: fd, name: name}
	if err := f.look(); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return f, nil
}

func (f *file) look() error {
	var x unix.Statx_t
	if err := unix.Statx(f.fd, "", unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &x); err != nil {
		return err
	}
	f.mount, f.top = x.Mnt_id, x.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	return unix.Fstat(f.fd, &f.st)
}

func (f *file) close()      { unix.Close(f.fd) }
func (f *file) isDir() bool { return kind(&f.st) == unix.S_IFDIR }

// open opens the file for reading: a regular one or a directory.
func (f *file) open(flags int) (*os.File, error) {
	fd, err := unix.Open(xattr.Path(f.fd), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: f.name, Err: err}
	}
	return os.NewFile(uintptr(fd), f.name), nil
}

// packer writes a tar of files.
type packer struct {
	ctx      context.Context
	opts     Options
	tw       *tar.Writer
	links    map[inode]string // files with several names: the first one
	buf      []byte
	oneMount bool   // what is on other mounts than mount is left out, but for the mountpoint
	mount    uint64 // the one of the root
}

type inode struct{ dev, ino uint64 }

func (v *View) packer(ctx context.Context) *packer {
	return &packer{ctx: ctx, opts: v.opts, links: map[inode]string{}, buf: make([]byte, 64<<10)}
}

// target writes what an archive is asked of, with all that is in it.
func (p *packer) target(t *target) error {
	f := &file{fd: t.fd, name: t.base}
	if err := f.look(); err != nil {
		return err
	}
	p.mount = f.mount
	return p.file(f)
}

// kernelFS are the file systems that are the kernel's own: their files are not anybody's data, and endless. The numbers are those of statfs(2).
var kernelFS = []int64{
	unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEVPTS_SUPER_MAGIC,
	unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC, unix.BPF_FS_MAGIC, 0x19800202, // the last one is mqueue
}

// shown tells whether what is in a directory belongs into the tar.
func (p *packer) shown(f *file) (bool, error) {
	switch {
	case f.mount == p.mount:
		return true, nil
	case p.oneMount:
		return false, nil
	case f.name == "/dev": // of the root: a tmpfs of the runtime's, which Docker does not show either
		return false, nil
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(f.fd, &st); err != nil {
		return false, &fs.PathError{Op: "statfs", Path: f.name, Err: err}
	}
	return !slices.Contains(kernelFS, int64(st.Type)), nil
}

// dir writes what is in a directory; its own entry is written.
func (p *packer) dir(dir *file) error {
	d, err := dir.open(unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, base := range names {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		name := base
		if dir.name != "" {
			name = rebase(dir.name, base)
		}
		f, err := openFile(dir.fd, base, name)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		err = p.file(f)
		f.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// file writes a file, and what is in it.
func (p *packer) file(f *file) error {
	hdr, err := p.header(f)
	if hdr == nil || err != nil {
		return err
	}
	if !f.isDir() && f.st.Nlink > 1 {
		id := inode{uint64(f.st.Dev), f.st.Ino}
		if first, ok := p.links[id]; ok {
			hdr.Typeflag, hdr.Linkname, hdr.Size, hdr.PAXRecords = tar.TypeLink, first, 0, nil
			return p.tw.WriteHeader(hdr)
		}
		p.links[id] = f.name
	}
	if p.oneMount && f.mount != p.mount {
		hdr.Size = 0
	}
	if hdr.Typeflag == tar.TypeReg && hdr.Size > 0 {
		return p.content(f, hdr)
	}
	if err := p.tw.WriteHeader(hdr); err != nil || !f.isDir() {
		return err
	}
	show, err := p.shown(f)
	if err != nil || !show {
		return err
	}
	return p.dir(f)
}

// header is the entry of a file. Nil without an error: there is none, as of a socket.
func (p *packer) header(f *file) (*tar.Header, error) {
	hdr := &tar.Header{Name: f.name, Mode: int64(f.st.Mode & 0o7777), ModTime: time.Unix(f.st.Mtim.Sec, 0), Format: tar.FormatPAX}
	var err error
	hdr.Uid, hdr.Gid = inContainer(p.opts.UIDMap, f.st.Uid), inContainer(p.opts.GIDMap, f.st.Gid)
	switch kind(&f.st) {
	case unix.S_IFREG:
		hdr.Typeflag, hdr.Size = tar.TypeReg, f.st.Size
	case unix.S_IFDIR:
		hdr.Typeflag = tar.TypeDir
		hdr.Name = strings.TrimSuffix(f.name, "/") + "/"
	case unix.S_IFLNK:
		hdr.Typeflag = tar.TypeSymlink
		if hdr.Linkname, err = readlink(f.fd); err != nil {
			return nil, err
		}
		return hdr, nil
	case unix.S_IFIFO:
		hdr.Typeflag = tar.TypeFifo
	case unix.S_IFCHR, unix.S_IFBLK:
		hdr.Typeflag = tar.TypeChar
		if kind(&f.st) == unix.S_IFBLK {
			hdr.Typeflag = tar.TypeBlock
		}
		hdr.Devmajor, hdr.Devminor = int64(unix.Major(f.st.Rdev)), int64(unix.Minor(f.st.Rdev))
	default:
		return nil, nil
	}
	if hdr.PAXRecords, err = xattr.Records(f.fd); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return hdr, nil
}

// content writes a regular file: as many bytes as the header says, zeros for those that were cut off meanwhile.
func (p *packer) content(f *file, hdr *tar.Header) error {
	r, err := f.open(0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := p.tw.WriteHeader(hdr); err != nil {
		return err
	}
	left := hdr.Size
	for left > 0 {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(p.buf[:min(int64(len(p.buf)), left)])
		if err == io.EOF {
			clear(p.buf)
			n = int(min(int64(len(p.buf)), left))
		} else if err != nil {
			return err
		}
		if _, err := p.tw.Write(p.buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}
