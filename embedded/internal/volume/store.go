//go:build linux

package volume

import (
	"context"
	"path/filepath"

	"github.com/berthdev/berth/engine"
)

// AnonymousLabel marks volumes that the engine has named.
const AnonymousLabel = "com.docker.volume.anonymous"

// InUse gives the IDs of the containers, running or not, that use the volumes, by volume name. It is asked under
// the store's lock: nobody makes or removes a volume meanwhile, so a container's creator that holds a Lease is seen.
type InUse func() (map[string][]string, error)

// Store is the volumes in one directory. It is safe for concurrent use, also by several processes.
type Store struct{ root string }

// Open opens the store in root, which is made when it is needed.
func Open(root string) (*Store, error) { return &Store{root}, nil }

// Path is the directory with the volume's files: its mountpoint. The volume need not exist.
func (s *Store) Path(name string) string { return filepath.Join(s.root, name, "data") }

// Lease keeps volumes from being removed until release is called: take it before volumes are created or found for a new
// container, release it when the container is where InUse sees it.
func (s *Store) Lease(ctx context.Context) (release func(), err error) { return func() {}, nil }

// Create makes a volume, or finds the one that is there: with other options it is ErrConflict, as on Docker.
// created tells which. An empty name makes an anonymous volume, named with 64 hex digits.
func (s *Store) Create(ctx context.Context, opts engine.VolumeCreateOptions) (v *engine.VolumeAttrs, created bool, err error) {
	return nil, false, nil
}

// Inspect returns a volume; a missing one is ErrNotFound.
func (s *Store) Inspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) { return nil, nil }

// List returns the volumes that match the filters name, label, label!, driver, dangling, sorted by name.
func (s *Store) List(ctx context.Context, filters engine.Filters, inUse InUse) ([]engine.VolumeAttrs, error) {
	return nil, nil
}

// Remove removes a volume. One that is in use is ErrConflict, force or not; a missing one with force is a success.
func (s *Store) Remove(ctx context.Context, name string, force bool, inUse InUse) error { return nil }

// Prune removes the unused anonymous volumes; with the filter all=true named ones too.
func (s *Store) Prune(ctx context.Context, filters engine.Filters, inUse InUse) (engine.PruneReport, error) {
	return engine.PruneReport{}, nil
}

// Size is the disk space that the volume's files take, in bytes.
func (s *Store) Size(ctx context.Context, name string) (engine.Bytes, error) { return 0, nil }

// NeedsMount tells that the volume has to be mounted before its use: it has the options type or device.
func (s *Store) NeedsMount(name string) bool { return false }

// Mount mounts the volume's options on Path(name) on behalf of user, a container's ID, unless it is
// mounted already. For a volume without such options it does nothing.
func (s *Store) Mount(ctx context.Context, name, user string) error { return nil }

// MountPrivate mounts the volume in the calling thread's mount namespace, where it is not mounted yet, without a trace elsewhere.
func (s *Store) MountPrivate(name string) error { return nil }

// Unmount takes user's use of the volume back and unmounts it with the last. It is idempotent.
func (s *Store) Unmount(ctx context.Context, name, user string) error { return nil }

// CopyUp fills the volume's directory mountpoint, if it is empty, from the directory pathInImage of an image whose layer
// directories are given, topmost first, with owners, modes, times, extended attributes, links and devices; the directory gets the owner and mode of pathInImage too.
// Where the image has no such directory it does nothing.
func CopyUp(ctx context.Context, mountpoint string, layerDirs []string, pathInImage string) error {
	return nil
}
