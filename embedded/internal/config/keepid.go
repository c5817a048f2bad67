//go:build linux

package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// kept are the IDs that the user has inside with UsernsMode keep-id: his own, or those of the options ("uid=1,gid=2").
func kept(options string, h Host) (uid, gid uint32, err error) {
	uid, gid = uint32(h.UID), uint32(h.GID)
	if options == "" {
		return uid, gid, nil
	}
	bad := func(reason string) error { return invalid("Spec.UsernsMode", "keep-id:"+options, reason) }
	for o := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(o, "=")
		n, perr := strconv.ParseUint(value, 10, 31)
		switch {
		case name != "uid" && name != "gid":
			return 0, 0, unsupported("Spec.UsernsMode", "keep-id:"+options, "it takes uid=N and gid=N")
		case perr != nil:
			return 0, 0, bad(fmt.Sprintf("%s: want a number below 2³¹", o))
		case name == "uid":
			uid = uint32(n)
		default:
			gid = uint32(n)
		}
	}
	return uid, gid, nil
}

// keep maps an ID to the user's own, which is 0 in the namespace that the monitor is in, and all the others that there are around it, in
// their order. The kernel wants each range that is given on to lie in one.
func keep(have []engine.IDMap, id uint32) []engine.IDMap {
	out := []engine.IDMap{{ContainerID: id, HostID: 0, Size: 1}}
	next := uint32(0)
	add := func(host, size uint32) {
		if size > 0 {
			out = append(out, engine.IDMap{ContainerID: next, HostID: host, Size: size})
			next += size
		}
	}
	for _, m := range have {
		first, size := m.ContainerID, m.Size
		if first == 0 {
			first, size = 1, size-1
		}
		if before := id - next; id >= next && before < size {
			add(first, before)
			next++ // which is id
			first, size = first+before, size-before
		}
		add(first, size)
	}
	slices.SortFunc(out, func(a, b engine.IDMap) int { return int(int64(a.ContainerID) - int64(b.ContainerID)) })
	return out
}

// Renumbered says that files of the container's users have other owners on the disk than the image's have, so that it has copies of the image's
// layers with these owners: an ordinary user cannot mount with shifted owners.
func Renumbered(cfg *state.Config) bool {
	other := func(m engine.IDMap) bool { return m.ContainerID != m.HostID }
	return !cfg.Shifted && (slices.ContainsFunc(cfg.UIDMap, other) || slices.ContainsFunc(cfg.GIDMap, other))
}

// HasRoot says that the container's user namespace has a root; that which keeps the only ID that there is has none.
func HasRoot(cfg *state.Config) bool {
	has := func(list []engine.IDMap) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(m engine.IDMap) bool { return m.ContainerID == 0 && m.Size > 0 })
	}
	return has(cfg.UIDMap) && has(cfg.GIDMap)
}

// renumber takes the copies of the image's layers that the container's maps need.
func (b *builder) renumber() error {
	if !Renumbered(b.cfg) || len(b.cfg.Layers) == 0 {
		return nil
	}
	dirs, ids, err := b.renumbered(b.cfg.Layers)
	if err == nil {
		b.in.LayerDirs, b.cfg.Layers = dirs, ids
	}
	return err
}

// renumbered are the copies of layers that the container's maps need.
func (b *builder) renumbered(diffIDs []string) (dirs, ids []string, err error) {
	if b.in.Renumber == nil {
		return nil, nil, unsupported("Spec.UsernsMode", b.s.UsernsMode, "there is no store of images")
	}
	return b.in.Renumber(diffIDs, b.cfg.UIDMap, b.cfg.GIDMap)
}
