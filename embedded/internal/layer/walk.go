//go:build linux

package layer

import (
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
)

// node is a file of an upper directory, held by a descriptor: the container may
// move it meanwhile, or put a symbolic link in its place.
type node struct {
	fd   int    // O_PATH
	name string // relative to the upper directory
	st   unix.Stat_t
}

// openNode opens base in the directory at. Nil without an error: it is not there any more.
func openNode(at int, base, name string) (*node, error) {
	fd, err := unix.Openat(at, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	n := &node{fd: fd, name: name}
	if err := unix.Fstat(fd, &n.st); err != nil {
		n.close()
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return n, nil
}

func openRoot(dir string) (*node, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	n := &node{fd: fd}
	if err := unix.Fstat(fd, &n.st); err != nil {
		n.close()
		return nil, &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	return n, nil
}

func (n *node) close()      { unix.Close(n.fd) }
func (n *node) isDir() bool { return kind(&n.st) == unix.S_IFDIR }

// open opens the node for reading.
func (n *node) open(flags int) (*os.File, error) {
	fd, err := unix.Open(xattr.Path(n.fd), unix.O_RDONLY|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: n.name, Err: err}
	}
	return os.NewFile(uintptr(fd), n.name), nil
}

// list gives the names in a directory, sorted.
func (n *node) list() ([]string, error) {
	f, err := n.open(unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// whiteout tells whether the node stands for a removed file, in either of overlay's forms.
func (n *node) whiteout(opts *Options) (bool, error) {
	if isWhiteout(&n.st) {
		return true, nil
	}
	if kind(&n.st) != unix.S_IFREG || n.st.Size != 0 {
		return false, nil
	}
	_, ok, err := xattr.Get(n.fd, opts.prefix()+"whiteout")
	return ok, err
}

// opaque tells whether nothing of lower layers is seen in the directory.
func (n *node) opaque(opts *Options) (bool, error) {
	value, _, err := xattr.Get(n.fd, opts.prefix()+"opaque")
	return value == "y", err
}

// plain refuses what overlay keeps elsewhere: Berth mounts with redirect_dir and metacopy off, others may not have.
func (n *node) plain(opts *Options) error {
	for _, name := range []string{"redirect", "metacopy"} {
		_, ok, err := xattr.Get(n.fd, opts.prefix()+name)
		if err != nil {
			return err
		}
		if ok {
			return fmt.Errorf("%s: overlay attribute %q: it was mounted with an option that layers cannot have", n.name, name)
		}
	}
	return nil
}
