//go:build linux

package config

import (
	"os"
	"strconv"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// groupsDenied says that this process's user namespace, that of an ordinary user without subordinate IDs, forbids setgroups.
func groupsDenied() bool {
	b, err := os.ReadFile("/proc/self/setgroups")
	return err == nil && string(b) == "deny\n"
}

// haveIDs requires that a container's user namespace has the user and the group of a process.
func haveIDs(cfg *state.Config, option string, id identity) error {
	for _, c := range []struct {
		what string
		id   uint32
		maps []engine.IDMap
	}{{"user", id.user.UID, cfg.UIDMap}, {"group", id.user.GID, cfg.GIDMap}} {
		have := len(c.maps) == 0
		for _, m := range c.maps {
			have = have || c.id >= m.ContainerID && c.id-m.ContainerID < m.Size
		}
		if !have {
			return unsupported(option, strconv.Itoa(int(c.id)), "the container's user namespace has no "+c.what+
				" of that number: an ordinary user has those that /etc/subuid and /etc/subgid give him, where newuidmap and newgidmap are installed")
		}
	}
	return nil
}
