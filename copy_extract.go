package berth

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// extractor writes a tar's tree into a directory. All of it goes through an
// os.Root: no name and no link, of the tar's or the directory's, leads out.
type extractor struct {
	root *os.Root
	opts CopyFromOptions
	dirs []*tar.Header // whose modes and times are set last; Name is the name in root
}

// extract writes what a holds. A tar of a directory is written as the directory root
// itself, a tar of a file as base in it.
func (x *extractor) extract(a *openArchive, base string) error {
	rootName, err := entryName(a.first.Name)
	if err != nil {
		return err
	}
	isDir := a.first.Typeflag == tar.TypeDir
	for h := a.first; ; {
		name := base
		if isDir || h != a.first {
			if name, err = treeName(rootName, h.Name); err != nil {
				return err
			}
		}
		if h.Typeflag == tar.TypeLink {
			if h.Linkname, err = treeName(rootName, h.Linkname); err != nil {
				return err
			}
		}
		if err := x.entry(name, h, a.tr); err != nil {
			return err
		}
		switch h, err = a.next(); {
		case errors.Is(err, io.EOF):
			return x.finish()
		case err != nil:
			return fmt.Errorf("read archive: %w", err)
		}
	}
}

// entry writes one entry of the tar as name.
func (x *extractor) entry(name string, h *tar.Header, content io.Reader) error {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return fmt.Errorf("archive has an entry with the unsafe name %q", name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.dir(local, h)
	case tar.TypeReg, tar.TypeLink, tar.TypeSymlink, tar.TypeGNUSparse:
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		if x.opts.SkipSpecial {
			return nil
		}
		return fmt.Errorf("%s is a device or named pipe", name)
	default:
		return fmt.Errorf("%s has the unknown type %q", name, h.Typeflag)
	}
	if err := x.makeRoom(local); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeLink:
		return x.root.Link(filepath.FromSlash(h.Linkname), local)
	case tar.TypeSymlink:
		if err := x.root.Symlink(h.Linkname, local); err != nil {
			return err
		}
		return x.chown(local, h)
	}
	return x.file(local, h, content)
}

// makeRoom makes the parent of local and removes a file that is in its place.
func (x *extractor) makeRoom(local string) error {
	if parent := filepath.Dir(local); parent != "." {
		if err := x.root.MkdirAll(parent, 0o777); err != nil {
			return err
		}
	}
	switch info, err := x.root.Lstat(local); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return &fs.PathError{Op: "replace", Path: local, Err: errors.New("is a directory")}
	}
	return x.root.Remove(local)
}

func (x *extractor) dir(local string, h *tar.Header) error {
	if local != "." {
		info, err := x.root.Lstat(local)
		if err == nil && !info.IsDir() {
			err = x.makeRoom(local)
			info = nil
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return err
		}
		if info == nil {
			if err := x.root.MkdirAll(local, 0o700); err != nil {
				return err
			}
		} else if err := x.root.Chmod(local, 0o700); err != nil { // so that it can be filled
			return err
		}
	}
	d := *h
	d.Name = local
	x.dirs = append(x.dirs, &d)
	return nil
}

func (x *extractor) file(local string, h *tar.Header, content io.Reader) error {
	f, err := x.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, content); err != nil {
		err = fmt.Errorf("copy %s: %w", local, err)
	}
	if err == nil {
		err = x.chown(local, h)
	}
	if err == nil {
		err = f.Chmod(x.mode(h))
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return x.root.Chtimes(local, h.ModTime, h.ModTime)
}

// finish sets the modes and times of the directories, the innermost first.
func (x *extractor) finish() error {
	for i := len(x.dirs) - 1; i >= 0; i-- {
		h := x.dirs[i]
		if h.Name == "." {
			continue // the caller's own directory stays as it is
		}
		if info, err := x.root.Lstat(h.Name); err != nil || !info.IsDir() {
			continue // a later entry has taken its place
		}
		if err := x.chown(h.Name, h); err != nil {
			return err
		}
		if err := x.root.Chmod(h.Name, x.mode(h)); err != nil {
			return err
		}
		if err := x.root.Chtimes(h.Name, h.ModTime, h.ModTime); err != nil {
			return err
		}
	}
	return nil
}

// mode is the mode of the file or directory that is written for h.
func (x *extractor) mode(h *tar.Header) fs.FileMode {
	mode := h.FileInfo().Mode() & (fs.ModePerm | fs.ModeSticky | fs.ModeSetuid | fs.ModeSetgid)
	if !x.opts.Owner {
		mode &^= fs.ModeSetuid | fs.ModeSetgid
	}
	return mode
}

func (x *extractor) chown(local string, h *tar.Header) error {
	if !x.opts.Owner {
		return nil
	}
	return x.root.Lchown(local, h.Uid, h.Gid)
}
