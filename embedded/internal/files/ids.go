//go:build linux

package files

import (
	"fmt"

	"github.com/berthdev/berth/engine"
)

// overflowID is what a container sees of an owner that its user namespace does not have.
const overflowID = 65534

// inContainer is the container's ID for one of the host.
func inContainer(m []engine.IDMap, id uint32) int {
	if len(m) == 0 {
		return int(id)
	}
	for _, e := range m {
		if first := int64(e.HostID); int64(id) >= first && int64(id) < first+int64(e.Size) {
			return int(int64(e.ContainerID) + int64(id) - first)
		}
	}
	return overflowID
}

// onHost is the host's ID for one of the container.
func onHost(m []engine.IDMap, id int) (int, error) {
	if id < 0 || int64(id) >= 1<<32-1 { // -1 would mean: leave it
		return 0, fmt.Errorf("ID %d", id)
	}
	if len(m) == 0 {
		return id, nil
	}
	for _, e := range m {
		if first := int64(e.ContainerID); int64(id) >= first && int64(id) < first+int64(e.Size) {
			return int(int64(e.HostID) + int64(id) - first), nil
		}
	}
	return 0, fmt.Errorf("ID %d is in none of the container's ranges", id)
}
