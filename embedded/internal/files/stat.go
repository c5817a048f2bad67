//go:build linux

package files

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
	"github.com/berthdev/berth/engine"
)

// target is what an archive or a status is asked of: links are followed but for one
// in the last place, unless a "/" or "/." comes after it.
type target struct {
	fd   int    // O_PATH
	name string // absolute
	base string // the last part of the name: "." and "/" may be
	st   unix.Stat_t
}

// absolute is name taken from the root, cleaned, with a "/" or "/." at its end kept: Docker heeds them.
func absolute(name string) string {
	clean := path.Clean("/" + name)
	switch {
	case clean == "/":
	case strings.HasSuffix(name, "/."):
		clean += "/."
	case strings.HasSuffix(name, "/"):
		clean += "/"
	}
	return clean
}

// find opens a target.
func (v *View) find(root int, name string) (*target, error) {
	if name == "" {
		return nil, &engine.InvalidError{Option: "path", Reason: "empty"}
	}
	name = absolute(name)
	// The part after the last "/" is not followed: none there is, or ".", when the name ends so.
	fd, err := openIn(root, name, unix.O_PATH|unix.O_NOFOLLOW)
	if errors.Is(err, unix.ENOTDIR) && !strings.HasSuffix(name, "/") && !strings.HasSuffix(name, "/.") {
		err = &fs.PathError{Op: "open", Path: name, Err: unix.ENOENT} // there is nothing in a file
	}
	if err != nil {
		return nil, err
	}
	t := &target{fd: fd, name: name, base: path.Base(name)}
	if err := unix.Fstat(fd, &t.st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return t, nil
}

// stat is what is told about a target.
func (t *target) stat(root int) (engine.PathStat, error) {
	s := engine.PathStat{
		Name: t.base, Size: t.st.Size, Mode: fileMode(t.st.Mode),
		ModTime: time.Unix(t.st.Mtim.Unix()),
	}
	if node.Kind(&t.st) == unix.S_IFLNK {
		var err error
		if s.LinkTarget, err = evaluate(root, t.name); err != nil {
			return s, err
		}
	}
	return s, nil
}

// fileMode turns the mode of a status into that of package io/fs.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		m |= fs.ModeDir
	case unix.S_IFLNK:
		m |= fs.ModeSymlink
	case unix.S_IFIFO:
		m |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		m |= fs.ModeSocket
	case unix.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		m |= fs.ModeDevice
	}
	for bit, f := range map[uint32]fs.FileMode{unix.S_ISUID: fs.ModeSetuid, unix.S_ISGID: fs.ModeSetgid, unix.S_ISVTX: fs.ModeSticky} {
		if mode&bit != 0 {
			m |= f
		}
	}
	return m
}

// Stat tells about a path; of a symbolic link in the last place about the link
// itself, whose LinkTarget is where it leads to, from the root, through all links. A missing path is ErrNotFound.
func (v *View) Stat(ctx context.Context, name string) (engine.PathStat, error) {
	const op = "stat path"
	if err := ctx.Err(); err != nil {
		return engine.PathStat{}, err
	}
	root, err := v.root.hold()
	if err != nil {
		return engine.PathStat{}, err
	}
	defer root.release()
	t, err := v.find(root.fd, name)
	if err != nil {
		return engine.PathStat{}, fail(op, name, err)
	}
	defer unix.Close(t.fd)
	s, err := t.stat(root.fd)
	if err != nil {
		return engine.PathStat{}, fail(op, name, err)
	}
	return s, nil
}
