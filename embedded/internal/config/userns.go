//go:build linux

package config

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/userns"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// userns sets the maps of a user namespace; none means the host's. A rootless container always has maps: those of the
// namespace that its monitor is in, each ID as itself unless it keeps the user's.
func (b *builder) userns() error {
	mode, err := normal.Namespace("Spec.UsernsMode", b.s.UsernsMode)
	if err != nil {
		return err
	}
	uids, gids := b.h.UIDMap, b.h.GIDMap
	switch {
	case b.h.Rootless && mode.Mode == "keep-id":
		uid, gid, err := kept(mode.Value, b.h)
		if err != nil {
			return err
		}
		uids, gids = keep(uids, uid), keep(gids, gid)
		if b.s.User == "" { // whoever the image's is, as with Podman
			b.s.User = fmt.Sprintf("%d:%d", uid, gid)
			b.cfg.Spec.User = b.s.User
		}
	case b.h.Rootless:
	case mode.Mode == "private" && b.s.Podman != nil && b.s.Podman.IDMappings != nil:
		uids, gids = b.s.Podman.IDMappings.UIDMap, b.s.Podman.IDMappings.GIDMap
	case mode.Mode == "private", mode.Mode == "auto":
		m, err := b.freeIDs()
		if err != nil {
			return err
		}
		uids, gids = m, m
	}
	b.cfg.UIDMap, b.cfg.GIDMap, b.cfg.Shifted = uids, gids, len(uids) > 0 && !b.h.Rootless
	b.oci.Linux.UIDMappings, b.oci.Linux.GIDMappings = ociMap(uids), ociMap(gids)
	return nil
}

// The IDs of containers whose users the engine chooses: blocks of autoSize in a part of the numbers that no login tool gives away, below 2³¹.
const (
	autoFirst = 0x6000_0000
	autoSize  = 0x1_0000
	autoCount = 0x1fff
)

// freeIDs are IDs that no other container has. Where to begin is the container's ID's to say, so that two that are made at the
// same time hardly ever choose the same.
func (b *builder) freeIDs() ([]engine.IDMap, error) {
	var used []engine.IDMap
	if b.in.UsedIDs != nil {
		var err error
		if used, err = b.in.UsedIDs(); err != nil {
			return nil, err
		}
	}
	h := fnv.New32a()
	h.Write([]byte(b.in.ID))
	begin := h.Sum32() % autoCount
	for i := range uint32(autoCount) {
		m := engine.IDMap{HostID: autoFirst + (begin+i)%autoCount*autoSize, Size: autoSize}
		if !slices.ContainsFunc(used, func(u engine.IDMap) bool { return overlap(u, m) }) {
			return []engine.IDMap{m}, nil
		}
	}
	return nil, failed("create container", b.in.Name, engine.ErrConflict, "all %d ranges of user IDs are in use", autoCount)
}

// overlap says that two maps share IDs of the host.
func overlap(a, b engine.IDMap) bool {
	return uint64(a.HostID) < uint64(b.HostID)+uint64(b.Size) && uint64(b.HostID) < uint64(a.HostID)+uint64(a.Size)
}

// OwnMappings are the IDs of this process's user namespace, each as itself.
func OwnMappings() (uids, gids []specs.LinuxIDMapping, err error) {
	u, g, err := userns.Own()
	return ociMap(u), ociMap(g), err
}

func ociMap(list []engine.IDMap) []specs.LinuxIDMapping {
	var out []specs.LinuxIDMapping
	for _, m := range list {
		out = append(out, specs.LinuxIDMapping{ContainerID: m.ContainerID, HostID: m.HostID, Size: m.Size})
	}
	return out
}
