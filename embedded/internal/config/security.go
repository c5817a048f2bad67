//go:build linux

package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/seccomp"
	"github.com/berthdev/berth/engine"
)

// maskedPaths and readonlyPaths are Docker's (moby, oci/defaults.go).
var (
	maskedPaths = []string{
		"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	}
	readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// security sets what the process may do, but its capabilities.
func (b *builder) security() error {
	sec, p, l := b.sec, b.oci.Process, b.oci.Linux
	p.NoNewPrivileges = deref(sec.NoNewPrivileges)
	if sec.AppArmor != "unconfined" || b.h.AppArmor { // unconfined is a profile too: whoever starts the container may be confined
		p.ApparmorProfile = sec.AppArmor
	}
	var err error
	if l.Seccomp, err = seccompOf(sec.Seccomp, b.s.Privileged, p.Capabilities.Bounding); err != nil {
		return err
	}
	if !b.s.Privileged {
		l.MaskedPaths, l.ReadonlyPaths = b.masks()
	}
	return nil
}

// masks are the masked and the read-only paths.
func (b *builder) masks() (masked, readonly []string) {
	sec := b.sec
	if sec.SystemPathsUnconfined || slices.ContainsFunc(sec.Unmask, isAll) {
		return slices.Clone(sec.Mask), nil
	}
	masked, readonly = slices.Clone(maskedPaths), slices.Clone(readonlyPaths)
	masked = append(masked, b.h.MaskedPaths...)
	for _, m := range sec.Mask {
		if !slices.Contains(masked, m) {
			masked = append(masked, m)
		}
	}
	un := func(p string) bool {
		return slices.ContainsFunc(sec.Unmask, func(u string) bool { return matches(u, p) })
	}
	return slices.DeleteFunc(masked, un), slices.DeleteFunc(readonly, un)
}

// matches: a path of unmask may end in a star, as Podman has it.
func matches(pattern, p string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(p, prefix)
	}
	return strings.TrimRight(pattern, "/") == p
}

// DefaultSeccomp is the profile of a container for which nothing is asked.
func DefaultSeccomp() (*specs.LinuxSeccomp, error) { return seccomp.Default(defaultCapabilities) }

// seccompOf is the filter: a privileged container has none unless a profile is given, as with Docker.
func seccompOf(profile string, privileged bool, bounding []string) (*specs.LinuxSeccomp, error) {
	switch {
	case profile == "unconfined", privileged && profile == "":
		return nil, nil
	case profile == "", profile == "builtin":
		return seccomp.Default(bounding)
	}
	text, err := seccompProfile(profile)
	if err != nil {
		return nil, err
	}
	l, err := seccomp.Load(text, bounding)
	if err != nil {
		return nil, &engine.InvalidError{Option: "Spec.SecurityOpt", Value: "seccomp", Err: err}
	}
	return l, nil
}

// seccompProfile is the JSON of a profile, read from the file that it names if it is none itself.
func seccompProfile(profile string) (string, error) {
	if strings.HasPrefix(strings.TrimSpace(profile), "{") {
		return profile, nil
	}
	b, err := os.ReadFile(profile)
	if err != nil {
		return "", &engine.InvalidError{Option: "Spec.SecurityOpt", Value: "seccomp=" + profile, Reason: "read the profile", Err: err}
	}
	return string(b), nil
}

// thermalThrottle are the counters that tell one container of another's load (moby issue 47834): Docker masks them.
func thermalThrottle() []string {
	list, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle")
	return list
}
