package userns

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Own are the IDs that this process's user namespace has, each as itself.
func Own() (uids, gids []engine.IDMap, err error) {
	if uids, err = ownOf("/proc/self/uid_map"); err == nil {
		gids, err = ownOf("/proc/self/gid_map")
	}
	return uids, gids, err
}

func ownOf(path string) ([]engine.IDMap, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the maps of the user namespace: %w", err)
	}
	var out []engine.IDMap
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		first, err1 := strconv.ParseUint(f[0], 10, 32)
		count, err2 := strconv.ParseUint(f[2], 10, 32)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("read the maps of the user namespace: %s: %q", path, line)
		}
		out = append(out, engine.IDMap{ContainerID: uint32(first), HostID: uint32(first), Size: uint32(count)})
	}
	return out, nil
}

// Initial says that this process is in the machine's own user namespace.
func Initial() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(b)), " ") == "0 0 4294967295"
}
