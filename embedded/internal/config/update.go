//go:build linux

package config

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Resources are r as the cgroup limits of an OCI configuration. What this host cannot limit is an UnsupportedError.
func Resources(r engine.Resources, h Host) (*specs.LinuxResources, error) {
	return &specs.LinuxResources{}, nil
}

// ApplyUpdate changes cfg and oci, or neither when it fails. A zero takes a limit away. What concerns a running
// container is in oci.Linux.Resources (all limits, not only the changed ones), for cgroup.Set; Env and Ulimits
// take effect at the next start.
func ApplyUpdate(cfg *state.Config, oci *specs.Spec, u engine.Update, h Host) error { return nil }
