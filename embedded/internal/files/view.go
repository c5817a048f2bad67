//go:build linux

package files

import (
	"context"
	"errors"
	"io"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/engine"
)

// View is the root of a container's file system. Its methods may be called concurrently. What they return
// is good after Close too.
type View struct{}

// Options of a View.
type Options struct {
	// UIDMap and GIDMap are those of the container's user namespace: tars have the container's IDs.
	UIDMap, GIDMap []engine.IDMap
}

// Running is the view of a container whose first process is pid. startTime is that of the process, in clock ticks
// since boot, 0 for not checking it; a process that is not there (any more) is ErrNotRunning.
func Running(pid int, startTime uint64, opts Options) (*View, error) {
	return nil, errors.New("not implemented")
}

// Stopped describes a container that does not run.
type Stopped struct {
	LayerDirs []string // the topmost layer first
	Upper     string   // its overlay's upper directory
	Work      string   // its overlay's work directory; another one beside it is used
	Root      string   // an empty directory to mount on: containers/ID/root
	Mounts    []Mount  // in the order in which they are mounted
	ReadOnly  bool     // the container's root file system is read-only
	UserXattr bool
	// Write: the view is for PutArchive. The caller holds the container's lock until Close, so that it is not started meanwhile. A view without it leaves the container's directories alone.
	Write bool
	// Prepare runs in the private mount namespace before anything is mounted, on its thread; nil is nothing.
	Prepare func() error
	Options
}

// Mount is a bind mount of a stopped container.
type Mount struct {
	Source    string // absolute, on the host
	Target    string // absolute, in the container; it is made where it is missing
	ReadOnly  bool
	Recursive bool
}

// Mounts are those of an OCI configuration that a stopped container's view has: its binds. A
// tmpfs does not exist before the container runs; what is under it is seen, as on Docker.
func Mounts(oci *specs.Spec) []Mount { return nil }

// OpenStopped makes the view of a stopped container.
func OpenStopped(ctx context.Context, s Stopped) (*View, error) {
	return nil, errors.New("not implemented")
}

// Close lets go of the view.
func (v *View) Close() error { return nil }

// Stat tells about a path; of a symbolic link in the last place about the link itself, whose
// LinkTarget is where it leads to, from the root. A missing path is ErrNotFound.
func (v *View) Stat(ctx context.Context, path string) (engine.PathStat, error) {
	return engine.PathStat{}, nil
}

// GetArchive streams a tar of path, with path's base name as its root. The caller closes it.
func (v *View) GetArchive(ctx context.Context, path string, opts engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	return nil, engine.PathStat{}, nil
}

// PutOptions say how PutArchive unpacks.
type PutOptions struct {
	engine.PutArchiveOptions
	// UID and GID own everything with CopyUIDGID: the container's user.
	UID, GID int
}

// PutArchive unpacks a tar, plain or compressed, into the directory path; a missing one is ErrNotFound.
func (v *View) PutArchive(ctx context.Context, path string, tar io.Reader, opts PutOptions) error {
	return nil
}

// Export streams the whole root file system as a tar, as Docker does: without what is mounted on it.
func (v *View) Export(ctx context.Context) (io.ReadCloser, error) { return nil, nil }

// Diff lists what a container has changed of its image: layer.Changes without the paths in hide, which the engine itself has made (mountpoints).
func Diff(ctx context.Context, upper string, layerDirs []string, opts layer.Options, hide []string) ([]engine.Change, error) {
	return layer.Changes(ctx, upper, layerDirs, opts)
}
