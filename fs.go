package berth

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/berthdev/berth/engine"
)

// FS is the container's file system, read-only, whether it runs or not. Names
// are those of package io/fs: "etc/passwd", "." is the root. Symbolic links are
// followed inside the container's root; [fs.ReadLink] and [fs.Lstat] see them
// themselves. ctx governs every call on the value and on what it opens.
//
// Open, Stat, Lstat and ReadLink are one request each, one more for each link that is followed.
// Reading a directory streams its whole subtree once, contents included, since
// engines have no other way, and keeps the names found for the life of the
// value: [fs.WalkDir] is one archive, and later calls in that subtree answer from it. Make a
// new FS to see what has changed. Use Sub with a directory that is not larger than need be.
//
// /proc, /sys, /dev and mounts are as the engine's archive endpoint shows them,
// which may be not at all.
//
// The value is safe for concurrent use. The files that it opens are not.
func (c *Container) FS(ctx context.Context) fs.FS {
	return &containerFS{c: c, ctx: ctx, index: map[string]*node{}, links: map[string]string{}}
}

// containerFS implements fs.FS, StatFS, ReadDirFS and ReadLinkFS.
type containerFS struct {
	c   *Container
	ctx context.Context

	mu    sync.Mutex
	index map[string]*node  // the directories whose subtrees are known, by name
	links map[string]string // links to them
}

// Open opens a file or directory. The contents of a file are streamed.
func (f *containerFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	real, n, err := f.resolve(name, true)
	switch {
	case err != nil:
		return nil, pathError("open", name, err)
	case n != nil && n.info.Mode().IsDir():
		return &openDir{f: f, name: name, info: n.info.named(name)}, nil
	case n != nil && !n.info.Mode().IsRegular():
		return nil, pathError("open", name, errNotRegular)
	}
	a, err := f.c.openFile(f.ctx, "/"+slashed(real))
	if err != nil {
		return nil, pathError("open", name, err)
	}
	info := infoOfStat(name, a.stat)
	if info.IsDir() {
		a.Close()
		return &openDir{f: f, name: name, info: info}, nil
	}
	if n != nil { // one answer for one name
		info = n.info.named(name)
	}
	return &openFile{a: a, name: name, info: info}, nil
}

// Stat tells about what name leads to.
func (f *containerFS) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, true) }

// Lstat tells about name, also when it is a symbolic link.
func (f *containerFS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

func (f *containerFS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	real := name
	for range maxLinks {
		var n *node
		var err error
		if real, n, err = f.resolve(real, follow); err != nil {
			return nil, pathError(op, name, err)
		}
		if n != nil {
			return n.info.named(name), nil
		}
		st, err := f.c.cli.e.ContainerStatPath(f.ctx, f.c.id, "/"+slashed(real))
		if err != nil && !follow && !errors.Is(err, engine.ErrNotFound) && f.ctx.Err() == nil {
			if n, lerr := f.link(real); lerr == nil { // engines fail at a link that leads round in a circle
				return n.info.named(name), nil
			}
		}
		if err != nil {
			return nil, pathError(op, name, err)
		}
		if !follow || st.Mode&fs.ModeSymlink == 0 || st.LinkTarget == "" {
			return infoOfStat(name, st), nil
		}
		real = unslashed(linkTarget("/"+real, st.LinkTarget))
	}
	return nil, pathError(op, name, errTooManyLinks)
}

// ReadLink returns where the symbolic link name leads to, as it is written there.
func (f *containerFS) ReadLink(name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	_, n, err := f.resolve(name, false)
	if err == nil && n == nil {
		n, err = f.link(name)
	}
	switch {
	case err != nil:
		return "", pathError("readlink", name, err)
	case n.info.Mode()&fs.ModeSymlink == 0:
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return n.link, nil
}

// ReadDir lists a directory, sorted by name.
func (f *containerFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	n, err := f.dir(name)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	return n.entries(), nil
}

var errTooManyLinks = errors.New("too many levels of symbolic links")

// pathError is a PathError that is an fs.ErrNotExist where the engine found nothing.
func pathError(op, name string, err error) error {
	if errors.Is(err, engine.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
		err = notExist{err}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// notExist makes an engine's error an fs.ErrNotExist too.
type notExist struct{ error }

func (e notExist) Unwrap() []error { return []error{e.error, fs.ErrNotExist} }

// slashed is an io/fs name without the dot of the root.
func slashed(name string) string {
	if name == "." {
		return ""
	}
	return name
}

// unslashed is the io/fs name of an absolute path.
func unslashed(name string) string {
	name = strings.TrimPrefix(path.Clean(name), "/")
	if name == "" {
		return "."
	}
	return name
}
