//go:build linux

package xattr

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// PAX is the prefix of extended attributes among a tar's PAX records.
const PAX = "SCHILY.xattr."

// Carried tells whether an archive or a layer has the extended attribute. Overlay's own are
// never taken from a tar, where they would tell the kernel where to look for files, nor given in one.
func Carried(name string) bool {
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

// Path names what a descriptor, which may be an O_PATH one, refers to.
func Path(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// All reads those extended attributes of what fd refers to that an archive carries. A file system without any has none.
func All(fd int) (map[string]string, error) {
	file := Path(fd)
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
	for part := range bytes.SplitSeq(list[:size], []byte{0}) {
		name := string(part)
		if !Carried(name) {
			continue
		}
		value, ok, err := Get(fd, name)
		if err != nil {
			return nil, err
		}
		if ok {
			all[name] = value
		}
	}
	return all, nil
}

// Get reads one extended attribute; ok is false when there is none.
func Get(fd int, name string) (value string, ok bool, err error) {
	buf := make([]byte, 256)
	for {
		n, err := unix.Getxattr(Path(fd), name, buf)
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

// Set sets an extended attribute of base in the directory at, without following it.
func Set(at int, base, name, value string) error {
	return unix.Lsetxattr(Path(at)+"/"+base, name, []byte(value), 0)
}

// Records are All as PAX records; nil if there are none.
func Records(fd int) (map[string]string, error) {
	all, err := All(fd)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	records := map[string]string{}
	for name, value := range all {
		records[PAX+name] = value
	}
	return records, nil
}
