//go:build linux

package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// ipcSysctls are the settings of an IPC namespace; fs.mqueue. belongs to it too.
var ipcSysctls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// checkSysctls lets settings of the container's own namespaces through: the others are the host's.
func checkSysctls(f *faults, s *engine.Spec) {
	for _, key := range slices.Sorted(maps.Keys(s.Sysctls)) {
		option := `Spec.Sysctls["` + key + `"]`
		dotted := strings.ReplaceAll(key, "/", ".")
		host := func(mode string) bool { return mode == "host" }
		mode, err := normal.NetworkMode(s.NetworkMode)
		switch {
		case strings.Contains(dotted, ".."):
			f.invalid(true, option, "", "there is no such setting")
		case strings.HasPrefix(dotted, "net."):
			f.invalid(err == nil && host(mode.Mode), option, "", "the container has the host's network: NetworkMode host excludes it")
		case strings.HasPrefix(dotted, "fs.mqueue.") || slices.Contains(ipcSysctls, dotted):
			f.invalid(host(s.IPCMode), option, "", "the container has the host's IPC namespace: IPCMode host excludes it")
		case dotted == "kernel.domainname":
			f.invalid(host(s.UTSMode), option, "", "the container has the host's name: UTSMode host excludes it")
			f.invalid(s.Domainname != "", option, "", "Domainname is the same setting")
		case strings.HasPrefix(dotted, "user."):
			f.invalid(s.UsernsMode == "" || host(s.UsernsMode), option, "", "the container has no user namespace of its own")
		default:
			f.invalid(true, option, "", "it does not belong to a namespace: it would change the host's")
		}
	}
}

// networkSysctls sets what Docker sets in a network namespace of the container's own, unless the
// Spec says otherwise: every user may listen on every port, and send ICMP echo requests without
// a raw socket. Group numbers of a user namespace are not all there, so that the second is for root's group alone in that
// of an ordinary user, and left alone in others.
func (b *builder) networkSysctls() error {
	if !b.owns(specs.NetworkNamespace) {
		return nil
	}
	set := func(key, value string) {
		for own := range b.s.Sysctls {
			if strings.ReplaceAll(own, "/", ".") == key {
				return
			}
		}
		b.sysctl(key, value)
	}
	set("net.ipv4.ip_unprivileged_port_start", "0")
	if b.h.Rootless {
		if b.mapped(b.cfg.GIDMap, 0) {
			set("net.ipv4.ping_group_range", "0 0")
		}
	} else if len(b.oci.Linux.UIDMappings) == 0 {
		set("net.ipv4.ping_group_range", "0 2147483647")
	}
	return nil
}
