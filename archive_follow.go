package berth

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/berthdev/berth/engine"
)

// maxLinks is how many symbolic links in a row are followed, as Linux does.
const maxLinks = 40

// openArchive is a tar that was opened for what a path leads to.
type openArchive struct {
	io.ReadCloser
	tr    *tar.Reader
	first *tar.Header // the root's own entry
	stat  PathStat    // of path
	path  string      // what the path given led to
}

// follow opens the tar of what name, an absolute clean path, leads to: a symbolic link is
// followed inside the container's root. Some engines do that themselves, and some describe the link.
func (c *Container) follow(ctx context.Context, name string) (*openArchive, error) {
	given := name
	for range maxLinks {
		rc, stat, err := c.getArchive(ctx, name, engine.ArchiveOptions{})
		if err != nil {
			return nil, err
		}
		a := &openArchive{ReadCloser: rc, tr: tar.NewReader(rc), stat: stat, path: name}
		if a.first, err = a.next(); err != nil {
			rc.Close()
			return nil, fmt.Errorf("read archive of %s: %w", name, noEOF(err))
		}
		isLink := stat.Mode&fs.ModeSymlink != 0
		if a.first.Typeflag != tar.TypeSymlink {
			if isLink { // the engine has followed it
				a.stat = statOfHeader(a.first)
				a.path = linkTarget(name, stat.LinkTarget)
			}
			return a, nil
		}
		rc.Close()
		target := a.first.Linkname
		if stat.LinkTarget != "" {
			target = stat.LinkTarget
		}
		name = linkTarget(name, target)
	}
	return nil, &InvalidError{Option: "path", Value: given, Reason: "too many levels of symbolic links"}
}

// next is tar.Reader.Next without the headers that describe no file.
func (a *openArchive) next() (*tar.Header, error) {
	for {
		h, err := a.tr.Next()
		if err != nil || h.Typeflag != tar.TypeXGlobalHeader {
			return h, err
		}
	}
}

// linkTarget is where a link at the absolute path name leads to. What climbs over the root stays there.
func linkTarget(name, target string) string {
	if path.IsAbs(target) {
		return path.Clean(target)
	}
	return path.Join("/", path.Dir(name), target)
}

// noEOF makes an end where more is needed an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// statOfHeader is what a tar tells about a file.
func statOfHeader(h *tar.Header) PathStat {
	info := h.FileInfo()
	st := PathStat{Name: info.Name(), Size: h.Size, Mode: info.Mode(), ModTime: h.ModTime}
	if h.Typeflag == tar.TypeSymlink {
		st.LinkTarget = h.Linkname
		st.Size = int64(len(h.Linkname))
	}
	return st
}

// treeName is the name of a tar's entry below the tar's root, whose own name is
// root: "." for the root itself. It fails for names that are not below it.
func treeName(root, name string) (string, error) {
	clean, err := entryName(name)
	switch {
	case err != nil:
		return "", err
	case clean == root:
		return ".", nil
	case root == ".":
		return clean, nil
	}
	below, ok := strings.CutPrefix(clean, root+"/")
	if !ok {
		return "", fmt.Errorf("archive has the entry %q outside of its root %q", name, root)
	}
	return below, nil
}

// entryName is the name of a tar's entry as a path of package io/fs.
func entryName(name string) (string, error) {
	trimmed := strings.Trim(name, "/")
	for strings.HasPrefix(trimmed, "./") {
		trimmed = strings.TrimLeft(trimmed[2:], "/")
	}
	if trimmed == "" {
		return ".", nil
	}
	if clean := path.Clean(trimmed); fs.ValidPath(clean) && !hasDotDot(trimmed) && !strings.Contains(clean, "\x00") {
		return clean, nil
	}
	return "", fmt.Errorf("archive has an entry with the unsafe name %q", name)
}

func hasDotDot(name string) bool {
	for element := range strings.SplitSeq(name, "/") {
		if element == ".." {
			return true
		}
	}
	return false
}
