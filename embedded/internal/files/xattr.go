//go:build linux

package files

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// paxXattr is the prefix of extended attributes among a tar's PAX records.
const paxXattr = "SCHILY.xattr."

// carried tells whether an archive has the extended attribute. Overlay's own and those of the host's security modules are nobody's data.
func carried(name string) bool {
	switch {
	case strings.HasPrefix(name, "user.overlay."), strings.HasPrefix(name, "trusted.overlay."):
		return false
	case name == "security.capability", strings.HasPrefix(name, "user."), strings.HasPrefix(name, "trusted."),
		name == "system.posix_acl_access", name == "system.posix_acl_default":
		return true
	}
	return false
}

// xattrs reads the extended attributes of what fd, an O_PATH descriptor of no symbolic link, refers to.
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
	var all map[string]string
	for part := range bytes.SplitSeq(list[:size], []byte{0}) {
		name := string(part)
		if !carried(name) {
			continue
		}
		value := make([]byte, 64<<10) // no attribute is longer
		n, err := unix.Getxattr(file, name, value)
		switch err {
		case nil:
			if all == nil {
				all = map[string]string{}
			}
			all[name] = string(value[:n])
		case unix.ENODATA, unix.ENOTSUP, unix.EPERM:
		default:
			return nil, fmt.Errorf("read extended attribute %s: %w", name, err)
		}
	}
	return all, nil
}

func xattrRecords(fd int) (map[string]string, error) {
	all, err := xattrs(fd)
	var records map[string]string
	for name, value := range all {
		if records == nil {
			records = map[string]string{}
		}
		records[paxXattr+name] = value
	}
	return records, err
}
