//go:build linux

package config

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// layers are directories of an overlay, the topmost first, read as overlay would show them, with whiteouts
// and opaque directories. Links in them lead nowhere but into them.
type layers struct {
	dirs []string
	// linked, if there is one, is set when a link is followed.
	linked *bool
}

// maxLinks is how many links a path may have, as in the kernel.
const maxLinks = 40

// found is what is at a path: a file of one layer, or the directories of several.
type found struct {
	file string
	info fs.FileInfo // of file, or of the topmost directory
	dirs []string
}

// lookup finds p, following links if follow says so for the last one too.
func (l layers) lookup(p string, follow bool) (found, error) {
	notFound := &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
	stack := []found{{dirs: l.dirs}}
	rest := split(p)
	links := 0
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
			continue
		}
		next, ok := entry(stack[len(stack)-1].dirs, name)
		if !ok {
			return found{}, notFound
		}
		if next.info.Mode()&fs.ModeSymlink != 0 && (follow || len(rest) > 0) {
			target, err := os.Readlink(next.file)
			if err != nil {
				return found{}, err
			}
			if l.linked != nil {
				*l.linked = true
			}
			if links++; links > maxLinks {
				return found{}, &fs.PathError{Op: "open", Path: p, Err: syscall.ELOOP}
			}
			if path.IsAbs(target) {
				stack = stack[:1]
			}
			rest = append(split(target), rest...)
			continue
		}
		if next.dirs == nil && len(rest) > 0 {
			return found{}, notFound
		}
		stack = append(stack, next)
	}
	return stack[len(stack)-1], nil
}

// split is a path in components, without empty ones and ".".
func split(p string) []string {
	var out []string
	for c := range strings.SplitSeq(p, "/") {
		if c != "" && c != "." {
			out = append(out, c)
		}
	}
	return out
}

// entry finds a name in a merged directory.
func entry(dirs []string, name string) (found, bool) {
	var f found
	for _, d := range dirs {
		p := filepath.Join(d, name)
		info, err := os.Lstat(p)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			if f.dirs == nil && !isWhiteout(info) {
				return found{file: p, info: info}, true
			}
			break
		}
		if f.dirs == nil {
			f.info = info
		}
		f.dirs = append(f.dirs, p)
		if isOpaque(p) {
			break
		}
	}
	return f, f.dirs != nil
}

func isWhiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0
}

func isOpaque(dir string) bool {
	var b [1]byte
	for _, name := range []string{"trusted.overlay.opaque", "user.overlay.opaque"} {
		if n, err := unix.Lgetxattr(dir, name, b[:]); err == nil && n == 1 && b[0] == 'y' {
			return true
		}
	}
	return false
}

// open opens a regular file for reading.
func (l layers) open(p string) (*os.File, error) {
	f, err := l.lookup(p, true)
	if err != nil {
		return nil, err
	}
	if f.dirs != nil || !f.info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrInvalid}
	}
	return openRegular(f.file, unix.AT_FDCWD, nil)
}

// openRegular opens a file that must be a regular one: a pipe would block, a device act.
func openRegular(p string, dir int, how *unix.OpenHow) (*os.File, error) {
	if how == nil {
		how = &unix.OpenHow{}
	}
	h := *how
	h.Flags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	if h.Resolve == 0 {
		h.Flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat2(dir, p, &h)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: p, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrInvalid}
	}
	return os.NewFile(uintptr(fd), p), nil
}

// root is a directory whose files are opened as a process sees them that has it as its root.
type root struct{ fd int }

func (r root) open(p string) (*os.File, error) {
	return openRegular(strings.TrimPrefix(p, "/"), r.fd, &unix.OpenHow{Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
}
