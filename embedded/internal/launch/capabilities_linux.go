package launch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// capabilityNames are the capabilities in the order of their numbers.
var capabilityNames = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
	"CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
	"CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// capabilities are a process's sets, as bit masks.
type capabilities struct {
	bounding, effective, permitted, inheritable, ambient uint64
}

// capabilitySets reads the sets; nil is none at all.
func capabilitySets(c *specs.LinuxCapabilities) (capabilities, error) {
	var s capabilities
	if c == nil {
		return s, nil
	}
	for _, x := range []struct {
		set  *uint64
		list []string
	}{
		{&s.bounding, c.Bounding}, {&s.effective, c.Effective}, {&s.permitted, c.Permitted},
		{&s.inheritable, c.Inheritable}, {&s.ambient, c.Ambient},
	} {
		for _, name := range x.list {
			n := slices.Index(capabilityNames, name)
			if n < 0 {
				return s, invalid("process.capabilities", name+" is no capability")
			}
			*x.set |= 1 << n
		}
	}
	return s, nil
}

// Available are the capabilities that this process can give to a container without a
// user namespace: its own permitted ones.
func Available() ([]string, error) {
	have, err := permitted()
	if err != nil {
		return nil, fmt.Errorf("read the capabilities of this process: %w", err)
	}
	return namesOf(have), nil
}

// permitted is the permitted set of this process.
func permitted() (uint64, error) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&head, &data[0])
	return uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted), err
}

// looksInto says that this process may look into others that forbid it.
func looksInto() bool {
	have, err := permitted()
	return err == nil && have>>unix.CAP_SYS_PTRACE&1 != 0
}

func namesOf(set uint64) []string {
	var names []string
	for n, name := range capabilityNames {
		if set>>n&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// available requires that the sets hold nothing that this process does not have.
func (s capabilities) available() error {
	have, err := permitted()
	if missing := (s.permitted | s.effective | s.ambient) &^ have; err == nil && missing != 0 {
		return &Error{Step: "set the capabilities", Errno: unix.EPERM, Detail: "this process does not have " + strings.Join(namesOf(missing), ", ")}
	}
	return nil
}

// dropBounding takes away what no program may gain any more. Numbers that the kernel does
// not know yet are dropped too: EINVAL.
func (b *builder) dropBounding(keep uint64) {
	for n := range 64 {
		if keep>>n&1 == 0 {
			name := "drop a capability"
			if n < len(capabilityNames) {
				name = "drop " + capabilityNames[n]
			}
			b.ignore(b.add(name, "prctl", num(unix.PR_CAPBSET_DROP), num(n)), unix.EINVAL)
		}
	}
}

// capset sets the three sets of a thread.
func (b *builder) capset(name string, effective, permitted, inheritable uint64) {
	head := b.halves(unix.LINUX_CAPABILITY_VERSION_3, 0)
	data := b.halves(uint32(effective), uint32(permitted), uint32(inheritable), uint32(effective>>32), uint32(permitted>>32), uint32(inheritable>>32))
	b.add(name, "capset", head, data)
}

// raiseAmbient gives what a program without file capabilities inherits.
func (b *builder) raiseAmbient(set uint64) {
	b.ignore(b.add("clear the ambient capabilities", "prctl", num(unix.PR_CAP_AMBIENT), num(unix.PR_CAP_AMBIENT_CLEAR_ALL), num(0), num(0), num(0)), unix.EINVAL)
	for n, name := range capabilityNames {
		if set>>n&1 != 0 {
			b.add("raise "+name, "prctl", num(unix.PR_CAP_AMBIENT), num(unix.PR_CAP_AMBIENT_RAISE), num(n), num(0), num(0))
		}
	}
}
