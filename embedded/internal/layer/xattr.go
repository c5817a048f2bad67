//go:build linux

package layer

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// paxXattr is the prefix of extended attributes among a tar's PAX records.
const paxXattr = "SCHILY.xattr."

// carried tells whether a layer may have the extended attribute. Overlay's own are
// never taken from a tar: they would tell the kernel where to look for files.
func carried(name string) bool {
	switch {
	case strings.HasPrefix(name, "user.overlay."), strings.HasPrefix(name, "trusted.overlay."):
		return false
	case name == "security.capability",
		strings.HasPrefix(name, "user."),
		strings.HasPrefix(name, "trusted."),
		name == "system.posix_acl_access", name == "system.posix_acl_default":
		return true
	}
	return false // security.selinux and its like are the host's business
}

// fdPath names what a descriptor, which may be an O_PATH one, refers to.
func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// xattrs reads the extended attributes of what fd refers to. A file system without any has none.
func xattrs(fd int) (map[string]string, error) {
	file := fdPath(fd)
	size, err := unix.Listxattr(file, nil)
	if err == unix.ENOTSUP || err == nil && size == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes: %w", err)
	}
	list := make([]byte, size+1024) // it may have grown
	if size, err = unix.Listxattr(file, list); err != nil {
		return nil, fmt.Errorf("list extended attributes: %w", err)
	}
	all := map[string]string{}
	for name := range bytes.SplitSeq(list[:size], []byte{0}) {
		if len(name) == 0 {
			continue
		}
		value, ok, err := xattr(fd, string(name))
		if err != nil {
			return nil, err
		}
		if ok {
			all[string(name)] = value
		}
	}
	return all, nil
}

// xattr reads one extended attribute; ok is false when there is none.
func xattr(fd int, name string) (value string, ok bool, err error) {
	buf := make([]byte, 256)
	for {
		n, err := unix.Getxattr(fdPath(fd), name, buf)
		switch err {
		case nil:
			return string(buf[:n]), true, nil
		case unix.ENODATA, unix.ENOTSUP, unix.EPERM: // EPERM: user.* of a symbolic link
			return "", false, nil
		case unix.ERANGE:
			buf = make([]byte, 4*len(buf))
			if len(buf) > 1<<18 {
				return "", false, fmt.Errorf("extended attribute %s is too long", name)
			}
		default:
			return "", false, fmt.Errorf("read extended attribute %s: %w", name, err)
		}
	}
}

// setXattr sets an extended attribute of base in at, without following it.
func setXattr(at int, base, name, value string) error {
	return unix.Lsetxattr(fdPath(at)+"/"+base, name, []byte(value), 0)
}
