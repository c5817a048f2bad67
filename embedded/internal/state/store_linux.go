package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Store is the containers below a root directory. Its methods are safe for
// concurrent use, by several processes too. There is nothing to close.
type Store struct {
	root string
	run  string // with the boot ID

	cache cache

	mu    sync.Mutex
	locks map[string]*turn // of Lock, for this process's own goroutines

	writing sync.Mutex // temporary files have fixed names

	// step, if set, is called before each step of a change: tests die in it.
	step func(name string)
}

// The directories below root, and the files in that of a container.
const (
	containersDir = "containers"
	namesDir      = "names"
	newDir        = ".new"  // in containersDir: being made
	deadDir       = ".dead" // in containersDir: being removed

	configFile   = "container.json"
	ociFile      = "config.json"
	exitFile     = "exit.json"
	lockFile     = "lock"     // holds the ID; its time is that of the last start, see WriteRun
	renamingFile = "renaming" // see Rename
	filesDir     = "files"

	runFile     = "run.json"
	monitorLock = "monitor.lock"
	socketFile  = "sock"
)

// format is what the file version says: that of package embedded's page.
const format = "1"

// Root is the directory of what outlives a reboot.
func (s *Store) Root() string { return s.root }

// RunRoot is the directory of what does not: it has the boot ID in its path.
func (s *Store) RunRoot() string { return s.run }

// Dir is a container's directory, whether or not there is one.
func (s *Store) Dir(id string) string { return s.path(containersDir, id) }

// RunDir is a container's directory below RunRoot. It is there while the container
// has a monitor, or had one that was killed.
func (s *Store) RunDir(id string) string { return filepath.Join(s.run, id) }

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.root}, parts...)...)
}

// Open opens the store, making it if it is not there. What dead processes have left
// half-made is removed, and so is what earlier boots have left below run. A store
// that cannot be written to is opened all the same if it is complete: it can be read. Nor
// is it an error that something of that cannot be removed for lack of permission or for mounts.
// Another version's format is engine.ErrUnsupported.
func Open(root, run string) (*Store, error) {
	s := &Store{root: root, locks: map[string]*turn{}}
	boot, err := bootID()
	if err != nil {
		return nil, fmt.Errorf("open state directory: %w", err)
	}
	s.run = filepath.Join(run, boot)
	if err := s.init(); err != nil {
		return nil, fmt.Errorf("open state directory %s: %w", root, err)
	}
	if err := makeDir(s.run, 0o700); err != nil {
		return nil, fmt.Errorf("open run directory: %w", err)
	}
	if err := errors.Join(sweepRun(run, boot), s.sweep(), s.sweepStrays()); err != nil && !unwritable(err) {
		return nil, fmt.Errorf("open state directory %s: %w", root, err)
	}
	return s, nil
}

func (s *Store) init() error {
	// Nobody else may list what is in there, as volumes and layers hold setuid programs;
	// a container's own user has to get through.
	for _, dir := range []string{s.root, s.path(containersDir)} {
		if err := makeDir(dir, 0o711); err != nil {
			return err
		}
	}
	for _, dir := range []string{s.path(namesDir), s.path(containersDir, newDir), s.path(containersDir, deadDir)} {
		if err := makeDir(dir, 0o700); err != nil {
			return err
		}
	}
	have, err := os.ReadFile(s.path("version"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeNew(s.root, "version", format+"\n")
	case err != nil:
		return err
	}
	if have := string(bytes.TrimSpace(have)); have != format {
		return &engine.UnsupportedError{
			Option: "state directory", Value: s.root, Engine: engineName, Have: "format " + have,
			Reason: "this program has format " + format + ": use another directory, or the program that made this one",
		}
	}
	return nil
}

// makeDir is os.MkdirAll that makes no system call but one when the directory is there, which a read-only file system allows.
func makeDir(dir string, mode fs.FileMode) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	return os.MkdirAll(dir, mode)
}

func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(b))
	if len(id) != 36 {
		return "", fmt.Errorf("boot ID %q", id)
	}
	return id, nil
}

// unwritable tells that err comes of a store that this process may only read.
func unwritable(err error) bool {
	return errors.Is(err, unix.EROFS) || errors.Is(err, fs.ErrPermission)
}

func (s *Store) at(step string) {
	if s.step != nil {
		s.step(step)
	}
}
