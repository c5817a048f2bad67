package berth

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"
)

// defaultDirMode is that of directories that are made on the way to others.
const defaultDirMode fs.FileMode = 0o755

// packer writes a file system as a tar.
type packer struct {
	fsys   fs.FS
	prefix string // directory in the tar that it goes into, "" is the root
	opts   CopyToOptions
	tw     *tar.Writer
}

func newPacker(fsys fs.FS, prefix string, opts CopyToOptions) *packer {
	return &packer{fsys: fsys, prefix: prefix, opts: opts}
}

// pack writes the tar, but for its end mark.
func (p *packer) pack(w *tar.Writer) error {
	p.tw = w
	for _, dir := range parents(p.prefix) {
		if err := p.parent(dir); err != nil {
			return err
		}
	}
	return p.children(".")
}

// parent writes a directory that leads to the prefix.
func (p *packer) parent(dir string) error {
	mode := defaultDirMode
	if p.opts.DirMode != 0 {
		mode = p.opts.DirMode
	}
	return p.header(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: tarMode(mode), ModTime: time.Now()})
}

// children writes what is in the directory dir of fsys.
func (p *packer) children(dir string) error {
	entries, err := fs.ReadDir(p.fsys, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := p.entry(path.Join(dir, e.Name()), e); err != nil {
			return err
		}
	}
	return nil
}

// entry writes one file, link or directory with all that is in it.
func (p *packer) entry(name string, e fs.DirEntry) error {
	info, err := e.Info()
	if err == nil && p.opts.Follow && e.Type()&fs.ModeSymlink != 0 {
		info, err = fs.Stat(p.fsys, name)
	}
	if err != nil {
		return err
	}
	h := &tar.Header{Name: path.Join(p.prefix, name), Mode: tarMode(info.Mode()), ModTime: info.ModTime()}
	switch info.Mode().Type() {
	case 0:
		return p.file(name, info, h)
	case fs.ModeDir:
		if len(name) > 4096 {
			return &fs.PathError{Op: "copy", Path: name, Err: errors.New("path too long: do links lead round in a circle?")}
		}
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		if p.opts.DirMode != 0 {
			h.Mode = tarMode(p.opts.DirMode)
		}
		if err := p.header(h); err != nil {
			return err
		}
		return p.children(name)
	case fs.ModeSymlink:
		h.Typeflag, h.Mode = tar.TypeSymlink, 0o777
		if h.Linkname, err = fs.ReadLink(p.fsys, name); err != nil {
			return err
		}
		return p.header(h)
	}
	return &fs.PathError{Op: "copy", Path: name, Err: fmt.Errorf("is neither file, directory nor symbolic link (%v)", info.Mode().Type())}
}

// file writes a regular file. One whose size changes meanwhile is an error.
func (p *packer) file(name string, info fs.FileInfo, h *tar.Header) error {
	h.Typeflag, h.Size = tar.TypeReg, info.Size()
	if p.opts.FileMode != 0 {
		h.Mode = tarMode(p.opts.FileMode)
	}
	f, err := p.fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.header(h); err != nil {
		return err
	}
	n, err := io.Copy(p.tw, f)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && n < h.Size {
		return &fs.PathError{Op: "copy", Path: name, Err: fmt.Errorf("its size is not the %d bytes that it had", h.Size)}
	}
	return err
}

func (p *packer) header(h *tar.Header) error {
	h.Uid, h.Gid, h.Format = p.opts.Owner.UID, p.opts.Owner.GID, tar.FormatPAX
	if h.ModTime.Unix() < 0 { // the zero time of embed.FS
		h.ModTime = time.Unix(0, 0)
	}
	return p.tw.WriteHeader(h)
}

// tarMode is the mode of a tar header.
func tarMode(m fs.FileMode) int64 {
	mode := int64(m.Perm())
	for bit, value := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			mode |= value
		}
	}
	return mode
}
