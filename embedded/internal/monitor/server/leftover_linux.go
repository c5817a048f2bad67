package server

import (
	"path/filepath"

	"github.com/berthdev/berth/embedded/internal/leftover"
)

// killLeft kills what the first process of a container without a PID namespace of its own has left behind: what is in its cgroup, and
// without root, where there may be none, what is in its mount namespace or sees its root.
func (m *monitor) killLeft(r *run) {
	if r.group != nil {
		r.group.Kill()
	}
	if !m.hello.Rootless {
		return
	}
	is := leftover.Rooted(filepath.Join(m.store.Dir(m.id), "upper"))
	if r.mountNS != nil {
		defer r.mountNS.Close()
		if beside, err := leftover.Sharing(r.mountNS, "mnt"); err == nil {
			rooted := is
			is = func(pid int) bool { return beside(pid) || rooted(pid) }
		}
	}
	if err := leftover.Kill(is); err != nil {
		m.log.Warn("kill what the container has left behind", "error", err)
	}
}
