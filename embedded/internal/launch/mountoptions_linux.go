package launch

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountOptions are the options of an OCI mount, sorted by who takes them.
type mountOptions struct {
	bind, recursive bool
	set, clear      uint64   // MOUNT_ATTR_… of the mount
	allSet          uint64   // MOUNT_ATTR_… of the mount and all below it
	allClear        uint64   //
	propagation     uint64   // MS_SHARED…, with MS_REC; 0 leaves it
	flags           []string // flags of the file system
	data            []string // its own options
}

const (
	attrNosymfollow = 0x200000 // MOUNT_ATTR_NOSYMFOLLOW, Linux 5.14
	attrAtime       = unix.MOUNT_ATTR__ATIME
)

// attrs are the options that are attributes of a mount: set, and cleared first.
var attrs = map[string]struct{ set, clear uint64 }{
	"ro":            {unix.MOUNT_ATTR_RDONLY, 0},
	"rw":            {0, unix.MOUNT_ATTR_RDONLY},
	"nosuid":        {unix.MOUNT_ATTR_NOSUID, 0},
	"suid":          {0, unix.MOUNT_ATTR_NOSUID},
	"nodev":         {unix.MOUNT_ATTR_NODEV, 0},
	"dev":           {0, unix.MOUNT_ATTR_NODEV},
	"noexec":        {unix.MOUNT_ATTR_NOEXEC, 0},
	"exec":          {0, unix.MOUNT_ATTR_NOEXEC},
	"noatime":       {unix.MOUNT_ATTR_NOATIME, attrAtime},
	"atime":         {0, attrAtime},
	"relatime":      {0, attrAtime},
	"norelatime":    {0, attrAtime},
	"strictatime":   {unix.MOUNT_ATTR_STRICTATIME, attrAtime},
	"nostrictatime": {0, attrAtime},
	"nodiratime":    {unix.MOUNT_ATTR_NODIRATIME, 0},
	"diratime":      {0, unix.MOUNT_ATTR_NODIRATIME},
	"nosymfollow":   {attrNosymfollow, 0},
	"symfollow":     {0, attrNosymfollow},
}

// superFlags are the options that every file system takes.
var superFlags = []string{"sync", "async", "dirsync", "mand", "nomand", "lazytime", "nolazytime"}

// propagations are the options that say how mounts below spread.
var propagations = map[string]uint64{
	"shared":      unix.MS_SHARED,
	"rshared":     unix.MS_SHARED | unix.MS_REC,
	"slave":       unix.MS_SLAVE,
	"rslave":      unix.MS_SLAVE | unix.MS_REC,
	"private":     unix.MS_PRIVATE,
	"rprivate":    unix.MS_PRIVATE | unix.MS_REC,
	"unbindable":  unix.MS_UNBINDABLE,
	"runbindable": unix.MS_UNBINDABLE | unix.MS_REC,
}

// parseMountOptions sorts the options of a mount. Later ones win.
func parseMountOptions(list []string) (mountOptions, error) {
	var o mountOptions
	for _, s := range list {
		if a, ok := attrs[s]; ok {
			o.set, o.clear = o.set&^a.clear|a.set, (o.clear|a.clear)&^a.set
			if a.clear&attrAtime != 0 {
				o.clear |= attrAtime // the kernel wants the whole field named
			}
			continue
		}
		if a, ok := attrs[strings.TrimPrefix(s, "r")]; ok { // rro, rnosuid…
			o.allSet, o.allClear = o.allSet&^a.clear|a.set, (o.allClear|a.clear)&^a.set
			if a.clear&attrAtime != 0 {
				o.allClear |= attrAtime
			}
			continue
		}
		if p, ok := propagations[s]; ok {
			o.propagation = p
			continue
		}
		switch s {
		case "bind":
			o.bind = true
		case "rbind":
			o.bind, o.recursive = true, true
		case "", "defaults", "loud", "noiversion":
		case "remount", "tmpcopyup", "idmap", "ridmap", "silent", "iversion":
			return o, unsupported("mounts.options", s, "")
		default:
			if slices.Contains(superFlags, s) {
				o.flags = append(o.flags, s)
			} else {
				o.data = append(o.data, s)
			}
		}
	}
	return o, nil
}

// legacy are MS_… flags for mount(2) that say the same as attributes. MS_ flags
// of a remount are all of them: have are those that the mount has already.
func legacy(have, set, clear uint64) uint64 {
	table := []struct{ attr, ms uint64 }{
		{unix.MOUNT_ATTR_RDONLY, unix.MS_RDONLY},
		{unix.MOUNT_ATTR_NOSUID, unix.MS_NOSUID},
		{unix.MOUNT_ATTR_NODEV, unix.MS_NODEV},
		{unix.MOUNT_ATTR_NOEXEC, unix.MS_NOEXEC},
		{unix.MOUNT_ATTR_NODIRATIME, unix.MS_NODIRATIME},
		{unix.MOUNT_ATTR_NOATIME, unix.MS_NOATIME},
		{unix.MOUNT_ATTR_STRICTATIME, unix.MS_STRICTATIME},
	}
	flags := have
	for _, t := range table {
		if clear&t.attr != 0 {
			flags &^= t.ms
		}
	}
	for _, t := range table {
		if set&t.attr != 0 {
			flags |= t.ms
		}
	}
	return flags
}
