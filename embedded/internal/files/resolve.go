//go:build linux

package files

import (
	"io/fs"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/node"
)

// openIn opens name, any path, as a process whose root directory is root would,
// following links; flags may have O_NOFOLLOW for the last one. The kernel sees to it that nothing leads out.
func openIn(root int, name string, flags uint64) (int, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return -1, &fs.PathError{Op: "open", Path: name, Err: unix.EINVAL}
	}
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for {
		fd, err := unix.Openat2(root, "/"+strings.TrimLeft(name, "/"), &how)
		switch err {
		case nil:
			return fd, nil
		case unix.EINTR, unix.EAGAIN: // EAGAIN: a rename elsewhere raced with ".."
			continue
		}
		return -1, &fs.PathError{Op: "open", Path: name, Err: err}
	}
}

// mkdirsIn opens the directory name, an absolute clean path, and makes what is missing of it, mode 0755 and root's.
func mkdirsIn(root int, name string) (int, error) {
	for i := 1; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		up, base := path.Split(strings.TrimSuffix(name[:i], "/"))
		if base == "" {
			continue
		}
		at, err := openIn(root, up, unix.O_PATH|unix.O_DIRECTORY)
		if err != nil {
			return -1, err
		}
		err = unix.Mkdirat(at, base, 0o755)
		unix.Close(at)
		if err != nil && err != unix.EEXIST {
			return -1, &fs.PathError{Op: "mkdir", Path: name[:i], Err: err}
		}
	}
	return openIn(root, name, unix.O_PATH|unix.O_DIRECTORY)
}

// maxLinks is how many symbolic links are followed, as in the kernel.
const maxLinks = 40

// evaluate tells where the path name leads to, as an absolute path in the root without
// links. What does not exist is taken as it is written.
func evaluate(root int, name string) (string, error) {
	rest := strings.Split(name, "/")
	done := ""
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = strings.TrimSuffix(path.Dir("/"+done), "/")
			continue
		}
		next := strings.TrimSuffix(done, "/") + "/" + part
		target, isLink, err := readlinkIn(root, next)
		if err != nil {
			return "", err
		}
		if !isLink {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "follow", Path: name, Err: unix.ELOOP}
		}
		if path.IsAbs(target) {
			done = ""
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	if done == "" {
		done = "/"
	}
	return done, nil
}

func readlinkIn(root int, name string) (target string, isLink bool, err error) {
	fd, err := openIn(root, name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		if e := err.(*fs.PathError).Err; e == unix.ENOENT || e == unix.ENOTDIR {
			return "", false, nil
		}
		return "", false, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || node.Kind(&st) != unix.S_IFLNK {
		return "", false, err
	}
	target, err = node.Readlink(fd)
	return target, true, err
}
