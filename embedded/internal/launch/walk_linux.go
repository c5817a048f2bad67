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
	at    int
}

var (
	empty  = [1]byte{}
	dotdot = [3]byte{'.', '.'}
)

// resolve walks path (ending in NUL) from the directory root and returns a descriptor with O_PATH.
//
//go:norace
//go:nosplit
func (w *walker) resolve(path []byte, root, flags uintptr) (uintptr, syscall.Errno) {
	n := 0
	for path[n] != 0 {
		n++
	}
	w.at = len(w.path) - 1
	w.path[w.at] = 0
	if !w.prepend(path, n) {
		return 0, syscall.ENAMETOOLONG
	}
	cur, _, e := syscall.RawSyscall6(unix.SYS_OPENAT, root, uintptr(unsafe.Pointer(&dotdot[1])), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, 0, 0)
	if e != 0 {
		return 0, e
	}
	for links := 0; ; {
		name, last := w.next()
		if name == nil {
			return w.finish(cur, flags)
		}
		next, e := w.step(cur, name, last, flags)
		if e != 0 {
			syscall.RawSyscall(unix.SYS_CLOSE, cur, 0, 0)
			return 0, e
		}
		if w.statx.Mode&unix.S_IFMT != unix.S_IFLNK {
			syscall.RawSyscall(unix.SYS_CLOSE, cur, 0, 0)
			cur = next
			continue
		}
		links++
		k, _, e := syscall.RawSyscall6(unix.SYS_READLINKAT, next, uintptr(unsafe.Pointer(&empty)), uintptr(unsafe.Pointer(&w.link)), pathMax, 0, 0)
		syscall.RawSyscall(unix.SYS_CLOSE, next, 0, 0)
		switch {
		case e != 0:
		case links > maxLinks || flags&walkStrict != 0:
			e = syscall.ELOOP
		case k == pathMax || !w.prepend(w.link[:], int(k)):
			e = syscall.ENAMETOOLONG
		case w.link[0] == '/':
			syscall.RawSyscall(unix.SYS_CLOSE, cur, 0, 0)
			cur, _, e = syscall.RawSyscall6(unix.SYS_OPENAT, root, uintptr(unsafe.Pointer(&dotdot[1])), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, 0, 0)
			if e != 0 {
				return 0, e
			}
		}
		if e != 0 {
			syscall.RawSyscall(unix.SYS_CLOSE, cur, 0, 0)
			return 0, e
		}
	}
}

// prepend puts n bytes of s and a slash before what is left.
//
//go:norace
//go:nosplit
func (w *walker) prepend(s []byte, n int) bool {
	if w.at < n+1 {
		return false
	}
	w.at--
	w.path[w.at] = '/'
	for n--; n >= 0; n-- {
		w.at--
		w.path[w.at] = s[n]
	}
	return true
}

// next takes the next component from what is left, with a NUL after it; nil is
// the end. last says that it is the last one.
//
//go:norace
//go:nosplit
func (w *walker) next() (name *byte, last bool) {
	for {
		for w.path[w.at] == '/' {
			w.at++
		}
		if w.path[w.at] == 0 {
			return nil, true
		}
		start := w.at
		for w.path[w.at] != '/' {
			w.at++
		}
		w.path[w.at] = 0
		w.at++
		if w.at == start+2 && w.path[start] == '.' {
			continue
		}
		for w.path[w.at] == '/' {
			w.at++
		}
		return &w.path[start], w.path[w.at] == 0
	}
}

// step opens the component name of the directory cur, creates it if it is missing
// and that is asked for, and leaves its type in statx.
//
//go:norace
//go:nosplit
func (w *walker) step(cur uintptr, name *byte, last bool, flags uintptr) (uintptr, syscall.Errno) {
	for tries := 0; ; tries++ {
		fd, _, e := syscall.RawSyscall6(unix.SYS_OPENAT, cur, uintptr(unsafe.Pointer(name)), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, 0, 0)
		if e == 0 {
			_, _, e = syscall.RawSyscall6(unix.SYS_STATX, fd, uintptr(unsafe.Pointer(&empty)), unix.AT_EMPTY_PATH, unix.STATX_TYPE, uintptr(unsafe.Pointer(&w.statx)), 0)
			if e != 0 {
				syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
			}
			return fd, e
		}
		if e != syscall.ENOENT || flags&(walkMkdir|walkMkfile) == 0 || tries == 2 {
			return 0, e
		}
		// EEXIST: somebody else created it meanwhile, and what it is will be seen.
		if last && flags&walkMkfile != 0 {
			_, _, e = syscall.RawSyscall6(unix.SYS_MKNODAT, cur, uintptr(unsafe.Pointer(name)), unix.S_IFREG|0o644, 0, 0, 0)
		} else {
			_, _, e = syscall.RawSyscall6(unix.SYS_MKDIRAT, cur, uintptr(unsafe.Pointer(name)), 0o755, 0, 0, 0)
		}
		if e != 0 && e != syscall.EEXIST {
			return 0, e
		}
	}
}

// finish checks that what was found is what was asked for.
//
//go:norace
//go:nosplit
func (w *walker) finish(fd, flags uintptr) (uintptr, syscall.Errno) {
	_, _, e := syscall.RawSyscall6(unix.SYS_STATX, fd, uintptr(unsafe.Pointer(&empty)), unix.AT_EMPTY_PATH, unix.STATX_TYPE, uintptr(unsafe.Pointer(&w.statx)), 0)
	dir := w.statx.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case e != 0:
	case flags&walkDir != 0 && !dir:
		e = syscall.ENOTDIR
	case flags&walkFile != 0 && dir:
		e = syscall.EISDIR
	}
	if e != 0 {
		syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	}
	return fd, e
}
