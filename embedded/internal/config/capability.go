//go:build linux

package config

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

// defaultCapabilities are Docker's (moby, oci/caps/defaults.go).
var defaultCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// allCapabilities are the kernel's, by their numbers (linux/capability.h).
var allCapabilities = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID
	CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK
	CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT
	CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL
	CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF
	CAP_CHECKPOINT_RESTORE`)

// capability is a capability's full name: it may be given in any case and without CAP_.
func capability(name string) string {
	name = strings.ToUpper(name)
	if !strings.HasPrefix(name, "CAP_") {
		name = "CAP_" + name
	}
	return name
}

func isAll(name string) bool {
	return strings.EqualFold(strings.TrimPrefix(strings.ToUpper(name), "CAP_"), "ALL")
}
func knownCapability(name string) bool { return slices.Contains(allCapabilities, capability(name)) }

// canGive says that a container of this process can have a capability. A rootless one has all in its user namespace.
func (h Host) canGive(name string) bool { return h.Rootless || slices.Contains(h.Capabilities, name) }

// possible are all capabilities that a container can be given, by their numbers.
func (h Host) possible() []string {
	return slices.DeleteFunc(slices.Clone(allCapabilities), func(c string) bool { return !h.canGive(c) })
}

// bounding is the set of capabilities that the container may ever have, by Docker's rules: ALL in CapAdd is
// all of them but those of CapDrop; ALL in CapDrop is those of CapAdd only.
func bounding(s *engine.Spec, h Host) []string {
	if s.Privileged {
		return h.possible()
	}
	add, addAll := named(s.CapAdd)
	drop, dropAll := named(s.CapDrop)
	var set []string
	switch {
	case addAll:
		set = h.possible()
	case !dropAll:
		set = append(set, defaultCapabilities...)
	}
	set = slices.DeleteFunc(set, func(c string) bool { return slices.Contains(drop, c) || !h.canGive(c) })
	for _, c := range add {
		if !slices.Contains(drop, c) && !slices.Contains(set, c) {
			set = append(set, c)
		}
	}
	return set
}

func named(list []string) (names []string, all bool) {
	for _, c := range list {
		if isAll(c) {
			all = true
		} else {
			names = append(names, capability(c))
		}
	}
	return names, all
}

// capabilitySets are those of a process: only root's are effective, as execve would have it.
func capabilitySets(bounding []string, uid uint32) *specs.LinuxCapabilities {
	c := &specs.LinuxCapabilities{Bounding: bounding}
	if uid == 0 {
		c.Effective, c.Permitted = bounding, bounding
	}
	return c
}
