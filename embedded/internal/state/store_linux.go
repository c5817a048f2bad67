package state

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Store is the containers below a root directory. Its methods are safe for
// concurrent use, by several processes too. There is nothing to close.
type Store struct {
	root string
	run  string // with the boot ID

	mu    sync.Mutex
	cache map[string]*entry
	locks map[string]*inner
}

// Root is the directory of what outlives a reboot.
func (s *Store) Root() string { return s.root }

// RunRoot is the directory of what does not: it has the boot ID in its path.
func (s *Store) RunRoot() string { return s.run }

// Dir is a container's directory, whether or not there is one.
func (s *Store) Dir(id string) string { return filepath.Join(s.root, containers, id) }

// RunDir is a container's directory below RunRoot. It is there while the container has a monitor, or had one that was killed.
func (s *Store) RunDir(id string) string { return filepath.Join(s.run, id) }

// Open opens the store, making it if it is not there. What dead processes have left
// half-made is removed.
func Open(root, run string) (*Store, error) { panic("TODO") }

// Create makes the directory of a container that is complete: container.json,
// config.json, files/NAME for each of files (NAME may have directories), and the
// empty directories upper, work, root and log. A taken name or ID is engine.ErrConflict.
func (s *Store) Create(cfg *Config, oci *specs.Spec, files map[string]File) error { panic("TODO") }

// Find returns the ID of the container that ref means: a full ID, a name, or a
// unique prefix of an ID, in this order. Otherwise it is engine.ErrNotFound, or
// engine.ErrInvalid for a prefix of several.
func (s *Store) Find(ref string) (id string, err error) { panic("TODO") }

// IDs returns the IDs of all containers, in no order.
func (s *Store) IDs() ([]string, error) { panic("TODO") }

// Config reads container.json. The result is the caller's own.
func (s *Store) Config(id string) (*Config, error) { panic("TODO") }

// WriteConfig replaces container.json. The caller holds the container's lock.
func (s *Store) WriteConfig(cfg *Config) error { panic("TODO") }

// OCI reads config.json.
func (s *Store) OCI(id string) (*specs.Spec, error) { panic("TODO") }

// WriteOCI replaces config.json. The caller holds the container's lock.
func (s *Store) WriteOCI(id string, oci *specs.Spec) error { panic("TODO") }

// Lock takes the container's lock for a transition, waiting for it as long as ctx
// allows. A container that is removed meanwhile is engine.ErrNotFound. The kernel
// releases it with the process. unlock may be called more than once.
func (s *Store) Lock(ctx context.Context, id string) (unlock func(), err error) { panic("TODO") }

// Rename gives the container another name; a taken one is engine.ErrConflict. The caller holds the container's lock.
func (s *Store) Rename(id, name string) error { panic("TODO") }

// Remove removes the container's directories and its name. It must not run. The
// caller holds the container's lock. Once the directory has been renamed the
// container is gone, whatever becomes of the rest: an error after that is about files that could not be removed.
func (s *Store) Remove(id string) error { panic("TODO") }

// HoldMonitor makes the container's run directory and takes monitor.lock, which is held until the file is closed or
// the process ends. Another living monitor is engine.ErrConflict. The monitor alone calls it.
func (s *Store) HoldMonitor(id string) (*os.File, error) { panic("TODO") }

// MonitorAlive tells whether somebody holds monitor.lock. It disturbs nobody who wants to take it.
func (s *Store) MonitorAlive(id string) (bool, error) { panic("TODO") }

// ReadRun reads run.json; nil without an error when there is none.
func (s *Store) ReadRun(id string) (*Run, error) { panic("TODO") }

// WriteRun replaces run.json. The monitor alone calls it, while it holds monitor.lock. The first run.json of
// a start (by StartedAt) also leaves a mark in the container's directory, so that after a reboot the container counts as exited.
func (s *Store) WriteRun(id string, r *Run) error { panic("TODO") }

// RemoveRun removes the container's run directory: run.json first. The monitor calls it
// before it ends, after WriteExit; recovery calls it for a monitor that is dead. None is no error.
func (s *Store) RemoveRun(id string) error { panic("TODO") }

// ReadExit reads exit.json; nil without an error when there is none.
func (s *Store) ReadExit(id string) (*Exit, error) { panic("TODO") }

// WriteExit replaces exit.json.
func (s *Store) WriteExit(id string, e *Exit) error { panic("TODO") }

// State reads everything about one container. It is engine.ErrNotFound when there is none.
func (s *Store) State(id string) (*Snapshot, error) { panic("TODO") }

// List reads everything about all containers, in no order. Containers that come or go meanwhile may be in it or not.
func (s *Store) List() ([]*Snapshot, error) { panic("TODO") }

type entry struct{}

type inner struct{}

const containers = "containers"
