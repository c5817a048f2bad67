//go:build linux

package config

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// ExecProcess is a further process in a running container. root is its root file system as
// this process sees it, "/proc/PID/root", where users are looked up.
func ExecProcess(cfg *state.Config, oci *specs.Spec, root string, spec engine.ExecSpec) (*specs.Process, error) {
	return &specs.Process{}, nil
}
