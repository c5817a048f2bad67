//go:build linux

package layer

import (
	"fmt"

	"github.com/berthdev/berth/engine"
)

// Options say how the files of a layer are kept.
type Options struct {
	// UserXattr keeps overlay's marks in user.overlay.* instead of trusted.overlay.*:
	// for an overlay that is mounted with userxattr, in a user namespace.
	UserXattr bool
	// UIDMap and GIDMap give the owner of a file for the owner in the tar; Diff turns
	// them around. Empty maps nothing. An ID outside of them is an error.
	UIDMap, GIDMap []engine.IDMap
	// IgnoreOwners leaves all files to this process's user.
	IgnoreOwners bool
	// NoDevices skips device nodes instead of failing where mknod is not permitted. They are in Result.Skipped.
	NoDevices bool
}

// prefix is that of overlay's extended attributes.
func (o *Options) prefix() string {
	if o.UserXattr {
		return "user.overlay."
	}
	return "trusted.overlay."
}

// Owner gives the owner on the disk of a file that belongs to an owner in the tar.
func (o *Options) Owner(uid, gid int) (int, int, error) {
	u, err := mapped(o.UIDMap, uid)
	if err != nil {
		return 0, 0, err
	}
	g, err := mapped(o.GIDMap, gid)
	return u, g, err
}

// mapped is the ID on the host of an ID in the container.
func mapped(m []engine.IDMap, id int) (int, error) {
	if len(m) == 0 {
		return id, nil
	}
	for _, e := range m {
		if first := int64(e.ContainerID); int64(id) >= first && int64(id) < first+int64(e.Size) {
			return int(int64(e.HostID) + int64(id) - first), nil
		}
	}
	return 0, fmt.Errorf("ID %d is in none of the mapped ranges", id)
}

// unmapped is mapped turned around.
func unmapped(m []engine.IDMap, id int) (int, error) {
	if len(m) == 0 {
		return id, nil
	}
	for _, e := range m {
		if first := int64(e.HostID); int64(id) >= first && int64(id) < first+int64(e.Size) {
			return int(int64(e.ContainerID) + int64(id) - first), nil
		}
	}
	return 0, fmt.Errorf("ID %d of the host is in none of the mapped ranges", id)
}
