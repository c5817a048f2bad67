//go:build linux

package files

import (
	"archive/tar"
	"context"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
)

// file is a file and the mount that it is on.
type file struct {
	*node.Node
	mount uint64
	top   bool // something is mounted on it: it is the root of that
}

// openFile opens base in the directory at. Nil without an error: it is not there any more.
func openFile(at int, base, name string) (*file, error) {
	n, err := node.Open(at, base, name)
	if n == nil || err != nil {
		return nil, err
	}
	f := &file{Node: n}
	if err := f.look(); err != nil {
		n.Close()
		return nil, err
	}
	return f, nil
}

// look fills in what is told of the file.
func (f *file) look() error {
	var x unix.Statx_t
	if err := unix.Statx(f.FD, "", unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &x); err != nil {
		return &fs.PathError{Op: "stat", Path: f.Name, Err: err}
	}
	f.mount, f.top = x.Mnt_id, x.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	return f.Restat()
}

// packer writes a tar of files.
type packer struct {
	ctx      context.Context
	opts     Options
	tw       *tar.Writer
	links    node.Links
	buf      []byte
	oneMount bool   // what is on other mounts than mount is left out, but for the mountpoint
	mount    uint64 // the one of the root
}

func (v *View) packer(ctx context.Context) *packer {
	return &packer{ctx: ctx, opts: v.opts, links: node.Links{}, buf: make([]byte, 64<<10)}
}

// target writes what an archive is asked of, with all that is in it.
func (p *packer) target(t *target) error {
	f := &file{Node: &node.Node{FD: t.fd, Name: t.base}}
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
	case f.Name == "/dev": // of the root: a tmpfs of the runtime's, which Docker does not show either
		return false, nil
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(f.FD, &st); err != nil {
		return false, &fs.PathError{Op: "statfs", Path: f.Name, Err: err}
	}
	return !slices.Contains(kernelFS, int64(st.Type)), nil
}

// dir writes what is in a directory; its own entry is written.
func (p *packer) dir(dir *file) error {
	names, err := dir.Names()
	if err != nil {
		return err
	}
	for _, base := range names {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		name := base
		if dir.Name != "" {
			name = rebase(dir.Name, base)
		}
		f, err := openFile(dir.FD, base, name)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		err = p.file(f)
		f.Close()
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
	if first := p.links.First(f.Node); first != "" {
		node.Link(hdr, first)
		return p.tw.WriteHeader(hdr)
	}
	if p.oneMount && f.mount != p.mount {
		hdr.Size = 0
	}
	if hdr.Typeflag == tar.TypeReg && hdr.Size > 0 {
		return f.WriteTo(p.ctx, p.tw, hdr, p.buf)
	}
	if err := p.tw.WriteHeader(hdr); err != nil || !f.IsDir() {
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
	hdr, err := f.Header()
	if hdr == nil || err != nil {
		return nil, err
	}
	hdr.Uid, hdr.Gid = inContainer(p.opts.UIDMap, f.Stat.Uid), inContainer(p.opts.GIDMap, f.Stat.Gid)
	return hdr, nil
}
