//go:build linux

package volume

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// AnonymousLabel marks volumes that the engine has named.
const AnonymousLabel = "com.docker.volume.anonymous"

// The names in a volume's directory. Volumes' own names begin with a letter or
// digit; those that begin with a dot are the store's.
const (
	dataDir    = "data"
	configFile = "volume.json"
	newPrefix  = ".new-"
	deadPrefix = ".dead-"
)

// InUse gives the IDs of the containers, running or not, that use volumes, by
// volume name. It is asked while nobody holds a Lease.
type InUse func() (map[string][]string, error)

// Store is the volumes in one directory. It is safe for concurrent use, also by several processes.
type Store struct{ root string }

// Open opens the store in the directory root, which is made when something is to be kept in it.
func Open(root string) (*Store, error) {
	if !filepath.IsAbs(root) {
		return nil, fmt.Errorf("open volumes: %s is not an absolute path", root)
	}
	return &Store{filepath.Clean(root)}, nil
}

// Path is the directory with the volume's files: its mountpoint. The volume need not exist.
func (s *Store) Path(name string) string { return filepath.Join(s.root, name, dataDir) }

// config is a volume's volume.json.
type config struct {
	Name      string            `json:"name"`
	Driver    string            `json:"driver"`
	Created   time.Time         `json:"created"`
	Labels    map[string]string `json:"labels,omitzero"`
	Options   map[string]string `json:"options,omitzero"`
	Anonymous bool              `json:"anonymous,omitzero"`
}

// Create makes a volume, or finds the one that is there: one with other driver options, if
// any are given, is ErrConflict. created tells which. An empty name makes an
// anonymous volume, named with 64 hex digits.
func (s *Store) Create(ctx context.Context, opts engine.VolumeCreateOptions) (v *engine.VolumeAttrs, created bool, err error) {
	if opts.Driver != "" && opts.Driver != "local" {
		return nil, false, &engine.UnsupportedError{Option: "VolumeCreateOptions.Driver", Value: opts.Driver, Engine: engineName, Reason: "the only driver is local"}
	}
	if err := checkOptions(opts.DriverOptions); err != nil {
		return nil, false, err
	}
	c := &config{Name: opts.Name, Driver: "local", Created: time.Now().UTC(), Labels: maps.Clone(opts.Labels), Options: maps.Clone(opts.DriverOptions)}
	if c.Name == "" {
		var id [32]byte
		rand.Read(id[:])
		c.Name = hex.EncodeToString(id[:])
		c.Anonymous = true
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		c.Labels[AnonymousLabel] = ""
	} else if !validName(c.Name) {
		return nil, false, &engine.InvalidError{Option: "volume name", Value: c.Name, Reason: "want letters, digits, _, . and -, a letter or digit first"}
	}
	if have, err := s.load(c.Name); err == nil {
		return s.found(have, opts)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("create volume %s: %w", c.Name, err)
	}
	if err := os.MkdirAll(s.root, 0o711); err != nil {
		return nil, false, fmt.Errorf("create volume: %w", err)
	}
	release, err := s.Lease(ctx)
	if err != nil {
		return nil, false, err
	}
	defer release()
	switch err := s.make(c); {
	case errors.Is(err, fs.ErrExist):
		have, err := s.load(c.Name)
		if err != nil {
			return nil, false, fmt.Errorf("create volume %s: %w", c.Name, err)
		}
		return s.found(have, opts)
	case err != nil:
		return nil, false, fmt.Errorf("create volume %s: %w", c.Name, err)
	}
	return s.attrs(c), true, nil
}

// found is a volume that was to be made and is there.
func (s *Store) found(c *config, opts engine.VolumeCreateOptions) (*engine.VolumeAttrs, bool, error) {
	if len(opts.DriverOptions) > 0 && !maps.Equal(c.Options, opts.DriverOptions) {
		return nil, false, fail("create volume", c.Name, engine.ErrConflict, "a volume of this name with other options exists")
	}
	return s.attrs(c), false, nil
}

// make makes the volume's directory beside its place and renames it.
func (s *Store) make(c *config) (err error) {
	tmp, err := os.MkdirTemp(s.root, newPrefix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(tmp)
		}
	}()
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, configFile), text, 0o600); err != nil {
		return err
	}
	data := filepath.Join(tmp, dataDir)
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(data, 0o755); err != nil { // whatever the umask is
		return err
	}
	if err := os.Chmod(tmp, 0o711); err != nil {
		return err
	}
	return unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, filepath.Join(s.root, c.Name), unix.RENAME_NOREPLACE)
}

// load reads a volume's volume.json; without one the error is an fs.ErrNotExist.
func (s *Store) load(name string) (*config, error) {
	if !validName(name) {
		return nil, fs.ErrNotExist
	}
	text, err := os.ReadFile(filepath.Join(s.root, name, configFile))
	if err != nil {
		return nil, err
	}
	c := &config{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("read volume %s: %w", name, err)
	}
	c.Name = name
	return c, nil
}

// get is load with the engine's errors.
func (s *Store) get(op, name string) (*config, error) {
	c, err := s.load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fail(op, name, engine.ErrNotFound, "get %s: no such volume", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return c, nil
}

// Inspect returns a volume; a missing one is ErrNotFound.
func (s *Store) Inspect(ctx context.Context, name string) (*engine.VolumeAttrs, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := s.get("inspect volume", name)
	if err != nil {
		return nil, err
	}
	return s.attrs(c), nil
}

// attrs is what is shown of a volume; Raw has Docker's shape.
func (s *Store) attrs(c *config) *engine.VolumeAttrs {
	v := &engine.VolumeAttrs{
		Name: c.Name, Driver: c.Driver, Mountpoint: s.Path(c.Name), Created: c.Created,
		Labels: c.Labels, Options: c.Options, Scope: "local", Anonymous: c.Anonymous,
	}
	v.Raw, _ = json.Marshal(struct { // of strings and a time: it cannot fail
		CreatedAt  time.Time
		Driver     string
		Labels     map[string]string
		Mountpoint string
		Name       string
		Options    map[string]string
		Scope      string
	}{v.Created, v.Driver, v.Labels, v.Mountpoint, v.Name, v.Options, v.Scope})
	return v
}

func validName(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case i > 0 && (c == '_' || c == '.' || c == '-'):
		default:
			return false
		}
	}
	return name != "" && len(name) <= 255
}

const engineName = "embedded"

func fail(op, object string, kind error, format string, args ...any) error {
	return &engine.APIError{Engine: engineName, Op: op, Object: object, Message: fmt.Sprintf(format, args...), Kind: kind}
}
