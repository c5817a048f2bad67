package server

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/reaper"
)

// addInit puts the reaper before the command, on a copy of its arguments.
func (m *monitor) addInit(r *run) error {
	name := filepath.Join(m.store.Dir(m.id), "init")
	if err := writeNew(name, reaper.Program(), 0o755); err != nil {
		return fmt.Errorf("write the init program: %w", err)
	}
	r.oci.Process.Args = append([]string{reaper.Path}, r.oci.Process.Args...)
	r.oci.Mounts = append(slices.Clip(r.oci.Mounts), specs.Mount{
		Destination: reaper.Path, Type: "bind", Source: name, Options: []string{"bind", "ro", "nosuid", "nodev"},
	})
	return nil
}

// writeNew writes a file that nobody executes or reads while it is half there.
func writeNew(name string, data []byte, mode os.FileMode) error {
	tmp := name + ".tmp"
	if err := os.WriteFile(tmp, data, mode); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
