package launch

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// writeMaps writes the id maps of the new user namespace of pid. Without privilege
// the kernel takes one line with the caller's own id, and wants setgroups forbidden first.
func writeMaps(pid int, l *specs.Linux, privileged bool) error {
	if !privileged {
		if err := writeFile(fmt.Sprintf("/proc/%d/setgroups", pid), "deny"); err != nil {
			return err
		}
	}
	if err := writeFile(fmt.Sprintf("/proc/%d/gid_map", pid), mapText(l.GIDMappings)); err != nil {
		return err
	}
	return writeFile(fmt.Sprintf("/proc/%d/uid_map", pid), mapText(l.UIDMappings))
}

func mapText(list []specs.LinuxIDMapping) string {
	var b strings.Builder
	for _, m := range list {
		fmt.Fprintf(&b, "%d %d %d\n", m.ContainerID, m.HostID, m.Size)
	}
	return b.String()
}
