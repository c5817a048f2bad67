//go:build linux

package layer

import (
	"archive/tar"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/xattr"
)

// attributes are an entry's, as they are set on the host.
type attributes struct {
	uid, gid int
	mode     uint32
	mtime    time.Time
	xattrs   map[string]string
}

func (u *unpacker) attributes(hdr *tar.Header) (*attributes, error) {
	a := &attributes{mode: uint32(hdr.Mode) & 0o7777, mtime: hdr.ModTime}
	var err error
	if !u.opts.IgnoreOwners {
		for _, id := range []int{hdr.Uid, hdr.Gid} {
			if id < 0 || int64(id) >= math.MaxUint32 { // -1 would mean: leave it
				return nil, fmt.Errorf("owner %d:%d", hdr.Uid, hdr.Gid)
			}
		}
		if a.uid, err = mapped(u.opts.UIDMap, hdr.Uid); err != nil {
			return nil, fmt.Errorf("owner: %w", err)
		}
		if a.gid, err = mapped(u.opts.GIDMap, hdr.Gid); err != nil {
			return nil, fmt.Errorf("group: %w", err)
		}
	}
	for key, value := range hdr.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattr.PAX); ok {
			if a.xattrs == nil {
				a.xattrs = map[string]string{}
			}
			a.xattrs[name] = value
		}
	}
	return a, nil
}

// setAll sets the attributes of what is at p, in the order that keeps them: a new
// owner clears setuid bits and capabilities, all of it may change the time.
func (u *unpacker) setAll(p place, a *attributes, symlink bool) error {
	if !u.opts.IgnoreOwners {
		if err := unix.Fchownat(p.at, p.base, a.uid, a.gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("change owner to %d:%d: %w", a.uid, a.gid, err)
		}
	}
	if !symlink {
		if err := unix.Fchmodat(p.at, p.base, a.mode, 0); err != nil {
			return fmt.Errorf("change mode: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.xattrs)) {
		if !xattr.Carried(name) {
			u.skip(p.name, "extended attribute "+name)
			continue
		}
		switch err := xattr.Set(p.at, p.base, name, a.xattrs[name]); err {
		case nil:
		case unix.ENOTSUP, unix.EPERM:
			u.skip(p.name, "extended attribute "+name+": "+err.Error())
		default:
			return fmt.Errorf("set extended attribute %s: %w", name, err)
		}
	}
	ts := unix.Timespec{Sec: a.mtime.Unix(), Nsec: int64(a.mtime.Nanosecond())}
	if err := unix.UtimesNanoAt(p.at, p.base, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set time: %w", err)
	}
	return nil
}
