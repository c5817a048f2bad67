//go:build linux

package node

import (
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
)

// Node is a file that is held by a descriptor: a container may move it meanwhile, or put a symbolic link in its place.
type Node struct {
	FD   int    // O_PATH
	Name string // in the tar, and in errors
	Stat unix.Stat_t
}

// Open opens base in the directory at, without following it. Nil without an error: it is not there any more. The caller closes it.
func Open(at int, base, name string) (*Node, error) {
	return open(at, base, name, unix.O_NOFOLLOW)
}

// OpenDir opens a directory of the host, which may be a link. The caller closes it. Its Name is "".
func OpenDir(dir string) (*Node, error) {
	n, err := open(unix.AT_FDCWD, dir, "", unix.O_DIRECTORY)
	if err == nil && n == nil {
		err = &fs.PathError{Op: "open", Path: dir, Err: unix.ENOENT}
	}
	return n, err
}

func open(at int, base, name string, flags int) (*Node, error) {
	fd, err := unix.Openat(at, base, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	n := &Node{FD: fd, Name: name}
	if err := n.Restat(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Restat fills in Stat.
func (n *Node) Restat() error {
	if err := unix.Fstat(n.FD, &n.Stat); err != nil {
		return &fs.PathError{Op: "stat", Path: n.Name, Err: err}
	}
	return nil
}

// Close closes the descriptor.
func (n *Node) Close() { unix.Close(n.FD) }

// Kind is the file type of a status: unix.S_IFREG and its like.
func Kind(st *unix.Stat_t) uint32 { return st.Mode & unix.S_IFMT }

// Kind is the file's type.
func (n *Node) Kind() uint32 { return Kind(&n.Stat) }

// IsDir tells whether it is a directory.
func (n *Node) IsDir() bool { return n.Kind() == unix.S_IFDIR }

// Reader opens a regular file or a directory for reading. The caller closes it.
func (n *Node) Reader(flags int) (*os.File, error) {
	fd, err := unix.Open(xattr.Path(n.FD), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: n.Name, Err: err}
	}
	return os.NewFile(uintptr(fd), n.Name), nil
}

// Names are those of what is in a directory, sorted.
func (n *Node) Names() ([]string, error) {
	f, err := n.Reader(unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// Readlink is where a symbolic link leads.
func (n *Node) Readlink() (string, error) {
	target, err := Readlink(n.FD)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: n.Name, Err: err}
	}
	return target, nil
}

// Readlink is where the symbolic link leads that fd, an O_PATH one, refers to.
func Readlink(fd int) (string, error) {
	buf := make([]byte, unix.PathMax)
	size, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", err
	}
	return string(buf[:size]), nil
}

// Links finds the names of one file. The zero value of the map is of no use: make it.
type Links map[inode]string

type inode struct{ dev, ino uint64 }

// First is the name under which the file, which has several, was seen before; "" if it was not, and is noted now, or has one name.
func (l Links) First(n *Node) string {
	if n.IsDir() || n.Stat.Nlink < 2 {
		return ""
	}
	id := inode{uint64(n.Stat.Dev), n.Stat.Ino}
	if first, ok := l[id]; ok {
		return first
	}
	l[id] = n.Name
	return ""
}
