package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Flags of the operation walk.
const (
	walkMkdir  = 1 << iota // create what is missing as directories
	walkMkfile             // create what is missing, the last component as an empty file
	walkStrict             // a symbolic link anywhere is ELOOP
	walkDir                // it must be a directory: ENOTDIR
	walkFile               // it must not be a directory: EISDIR
)

const (
	pathMax  = 4096
	maxLinks = 40
)

// walker resolves a path in the container's root while the image and, through
// shared volumes, other containers may change what it walks over.
//
// It opens one component at a time with O_PATH|O_NOFOLLOW. What it opened is
// pinned by the descriptor: renaming it afterwards changes nothing. A symbolic link
// is read through its descriptor and its text is walked in turn, an absolute one
// from the container's root; the kernel follows no link, so that the magic ones in
// procfs lead nowhere but where their text says. ".." is the kernel's: it cannot leave
// the process's root, above which nothing is mounted any more, nor a mount whose
// directory was moved away (ENOENT). The result is a descriptor, and mounts
// are attached to it: nobody resolves the path a second time.
type walker struct {
	path  [2*pathMax + 1]byte // what is left, at the end of the array: link targets are put before it
	link  [pathMax]byte
	statx unix.Statx_t
	at    int // where what is left begins

	root, cur, fd uintptr // the directory to start from, the one that was reached, what was opened in it
	flags         uintptr
	name          int  // where a component begins, with a NUL after it; 0 is the end
	last          bool // it is the last one
	links         int
	e             syscall.Errno
}

var (
	empty = [1]byte{}
	dot   = [2]byte{'.'}
)

// resolve does the operation walk: root, path, flags; the result is a descriptor with O_PATH.
//
//go:norace
//go:nosplit
func (w *walker) resolve(m *machine) {
	w.root, w.flags = m.a[0], m.a[2]
	w.links, w.e = 0, 0
	w.take(m.arena[m.a[1]:])
	w.toRoot()
	for w.e == 0 {
		w.next()
		if w.name == 0 {
			break
		}
		w.open()
		if w.create() {
			w.open()
		}
		w.stat()
		w.descend()
		if w.follow() {
			w.closeCur()
			w.toRoot()
		}
	}
	if w.e == 0 {
		w.check()
	}
	m.r, m.e = w.cur, w.e
}

// take starts with a path that ends in NUL.
//
//go:norace
//go:nosplit
func (w *walker) take(path []byte) {
	n := 0
	for path[n] != 0 {
		n++
	}
	w.at = len(w.path) - 1
	w.path[w.at] = 0
	w.prepend(path, n)
}

// prepend puts n bytes of s and a slash before what is left.
//
//go:norace
//go:nosplit
func (w *walker) prepend(s []byte, n int) {
	if w.at < n+1 {
		w.e = syscall.ENAMETOOLONG
		return
	}
	w.at--
	w.path[w.at] = '/'
	for n--; n >= 0; n-- {
		w.at--
		w.path[w.at] = s[n]
	}
}

// toRoot opens the root as the directory that was reached.
//
//go:norace
//go:nosplit
func (w *walker) toRoot() {
	if w.e == 0 {
		w.cur, _, w.e = syscall.RawSyscall6(unix.SYS_OPENAT, w.root, uintptr(unsafe.Pointer(&dot)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, 0, 0)
	}
}

// next takes the next component from what is left.
//
//go:norace
//go:nosplit
func (w *walker) next() {
	w.name = 0
	for w.slashes(); w.path[w.at] != 0; w.slashes() {
		start := w.at
		for w.path[w.at] != '/' { // one follows: prepend puts it there
			w.at++
		}
		w.path[w.at] = 0
		w.at++
		if w.at == start+2 && w.path[start] == '.' {
			continue
		}
		w.slashes()
		w.name, w.last = start, w.path[w.at] == 0
		return
	}
}

//go:norace
//go:nosplit
func (w *walker) slashes() {
	for w.path[w.at] == '/' {
		w.at++
	}
}

// open opens the component.
//
//go:norace
//go:nosplit
func (w *walker) open() {
	w.fd, _, w.e = syscall.RawSyscall6(unix.SYS_OPENAT, w.cur, uintptr(unsafe.Pointer(&w.path[w.name])), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, 0, 0)
}

// create makes the component if it is missing and that is asked for; then it is to be opened. Who
// creates it at the same time is no error (EEXIST): what it is will be seen.
//
//go:norace
//go:nosplit
func (w *walker) create() (again bool) {
	if w.e != syscall.ENOENT || w.flags&(walkMkdir|walkMkfile) == 0 {
		return false
	}
	if w.last && w.flags&walkMkfile != 0 {
		_, _, w.e = syscall.RawSyscall6(unix.SYS_MKNODAT, w.cur, uintptr(unsafe.Pointer(&w.path[w.name])), unix.S_IFREG|0o644, 0, 0, 0)
	} else {
		_, _, w.e = syscall.RawSyscall6(unix.SYS_MKDIRAT, w.cur, uintptr(unsafe.Pointer(&w.path[w.name])), 0o755, 0, 0, 0)
	}
	return w.e == 0 || w.e == syscall.EEXIST
}

// stat tells what was opened.
//
//go:norace
//go:nosplit
func (w *walker) stat() {
	if w.e != 0 {
		w.closeCur()
		return
	}
	_, _, w.e = syscall.RawSyscall6(unix.SYS_STATX, w.fd, uintptr(unsafe.Pointer(&empty)), unix.AT_EMPTY_PATH, unix.STATX_TYPE, uintptr(unsafe.Pointer(&w.statx)), 0)
	if w.e != 0 {
		w.closeCur()
		w.cur = w.fd
		w.closeCur()
	}
}

// descend makes what was opened the directory that was reached, if it is no link.
//
//go:norace
//go:nosplit
func (w *walker) descend() {
	if w.e == 0 && w.statx.Mode&unix.S_IFMT != unix.S_IFLNK {
		w.closeCur()
		w.cur = w.fd
	}
}

// follow puts the text of a link before what is left, and says whether that is to be walked from the root, or not at all.
//
//go:norace
//go:nosplit
func (w *walker) follow() (toRoot bool) {
	if w.e != 0 || w.statx.Mode&unix.S_IFMT != unix.S_IFLNK {
		return false
	}
	var n uintptr
	n, _, w.e = syscall.RawSyscall6(unix.SYS_READLINKAT, w.fd, uintptr(unsafe.Pointer(&empty)), uintptr(unsafe.Pointer(&w.link)), pathMax, 0, 0)
	syscall.RawSyscall6(unix.SYS_CLOSE, w.fd, 0, 0, 0, 0, 0)
	w.links++
	switch {
	case w.e != 0:
	case w.links > maxLinks || w.flags&walkStrict != 0:
		w.e = syscall.ELOOP
	case n == pathMax:
		w.e = syscall.ENAMETOOLONG
	default:
		w.prepend(w.link[:], int(n))
	}
	return w.e != 0 || w.link[0] == '/'
}

// check requires that what was found is what was asked for.
//
//go:norace
//go:nosplit
func (w *walker) check() {
	_, _, w.e = syscall.RawSyscall6(unix.SYS_STATX, w.cur, uintptr(unsafe.Pointer(&empty)), unix.AT_EMPTY_PATH, unix.STATX_TYPE, uintptr(unsafe.Pointer(&w.statx)), 0)
	dir := w.statx.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case w.e != 0:
	case w.flags&walkDir != 0 && !dir:
		w.e = syscall.ENOTDIR
	case w.flags&walkFile != 0 && dir:
		w.e = syscall.EISDIR
	}
	if w.e != 0 {
		w.closeCur()
	}
}

//go:norace
//go:nosplit
func (w *walker) closeCur() {
	syscall.RawSyscall6(unix.SYS_CLOSE, w.cur, 0, 0, 0, 0, 0)
}
