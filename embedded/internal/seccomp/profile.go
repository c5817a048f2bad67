//go:build linux

package seccomp

import (
	"fmt"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Default is Docker's default profile for a process with these capabilities (CAP_…) in its bounding set.
func Default(capabilities []string) (*specs.LinuxSeccomp, error) {
	p, err := seccomp.GetDefaultProfile(withCapabilities(capabilities))
	if err != nil {
		return nil, fmt.Errorf("load the default seccomp profile: %w", err)
	}
	return p, nil
}

// Load reads a profile in Docker's form, with its conditions on capabilities,
// architectures and kernels resolved for this machine.
func Load(json string, capabilities []string) (*specs.LinuxSeccomp, error) {
	p, err := seccomp.LoadProfile(json, withCapabilities(capabilities))
	if err != nil {
		return nil, fmt.Errorf("load seccomp profile: %w", err)
	}
	return p, nil
}

func withCapabilities(c []string) *specs.Spec {
	return &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: c}}}
}
