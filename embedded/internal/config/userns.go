//go:build linux

package config

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// userns sets the maps of a user namespace; none means the host's. A rootless container always has maps.
func (b *builder) userns() error {
	mode, err := normal.Namespace("Spec.UsernsMode", b.s.UsernsMode)
	if err != nil {
		return err
	}
	uids, gids := b.h.UIDMap, b.h.GIDMap
	switch {
	case mode.Mode == "keep-id":
		uids, gids = keep(uids, uint32(b.h.UID)), keep(gids, uint32(b.h.GID))
	case mode.Mode == "private" && b.s.Podman != nil && b.s.Podman.IDMappings != nil:
		uids, gids = b.s.Podman.IDMappings.UIDMap, b.s.Podman.IDMappings.GIDMap
	}
	b.cfg.UIDMap, b.cfg.GIDMap = uids, gids
	b.oci.Linux.UIDMappings, b.oci.Linux.GIDMappings = ociMap(uids), ociMap(gids)
	return nil
}

func ociMap(list []engine.IDMap) []specs.LinuxIDMapping {
	var out []specs.LinuxIDMapping
	for _, m := range list {
		out = append(out, specs.LinuxIDMapping{ContainerID: m.ContainerID, HostID: m.HostID, Size: m.Size})
	}
	return out
}

// keepable says that there are further IDs beside the user's own.
func keepable(h Host) bool { return len(h.UIDMap) > 1 && len(h.GIDMap) > 1 }

// keep turns a rootless map, in which the user is root, into one in which id is id: what was below it moves up by one place
// in the map. list has the user's own ID first, then subordinate ones from 1 on.
func keep(list []engine.IDMap, id uint32) []engine.IDMap {
	if len(list) < 2 || id == 0 {
		return list
	}
	own, next := list[0].HostID, uint32(0)
	out := []engine.IDMap{}
	for _, m := range list[1:] {
		host, left := m.HostID, m.Size
		for left > 0 {
			n := left
			switch {
			case next < id && next+n > id:
				n = id - next
			case next == id:
				out = append(out, engine.IDMap{ContainerID: id, HostID: own, Size: 1})
				next++
			}
			out = append(out, engine.IDMap{ContainerID: next, HostID: host, Size: n})
			next, host, left = next+n, host+n, left-n
		}
	}
	if next <= id {
		out = append(out, engine.IDMap{ContainerID: id, HostID: own, Size: 1})
	}
	return out
}
