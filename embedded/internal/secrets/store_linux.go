package secrets

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Store is the secrets below a root directory. Its methods are safe for
// concurrent use, by several processes too. There is nothing to close.
type Store struct{ dir string }

// Open opens the store; its directory is made by the first secret.
func Open(root string) *Store { return &Store{filepath.Join(root, "secrets")} }

const (
	engineName = "embedded"
	lockFile   = ".lock"
	suffix     = ".json"
	idDigits   = 25         // as Podman's
	maxData    = 512000 - 1 // bytes; Podman's limit, too
)

// secret is secrets/ID.json.
type secret struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels,omitzero"`
	Created time.Time         `json:"created"`
	Updated time.Time         `json:"updated"`
	Data    []byte            `json:"data"`
}

// Create makes a secret. A taken name is engine.ErrConflict unless opts.Replace: the
// secret then keeps its ID and its time of creation.
func (s *Store) Create(name string, data []byte, opts engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	if err := check(name, data, opts); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	made := &secret{ID: newID(), Name: name, Labels: opts.Labels, Created: now, Updated: now, Data: data}
	err := s.locked(func() error {
		all, err := s.all()
		if err != nil {
			return err
		}
		for _, have := range all {
			switch {
			case have.Name != name:
			case !opts.Replace:
				return &engine.APIError{Engine: engineName, Op: "create secret", Object: name, Message: "the name is in use by secret " + have.ID, Kind: engine.ErrConflict}
			default:
				made.ID, made.Created = have.ID, have.Created
			}
		}
		return s.write(made)
	})
	if err != nil {
		return nil, wrap("create secret", err)
	}
	return attrs(made)
}

func check(name string, data []byte, opts engine.SecretCreateOptions) error {
	switch {
	case !validName(name):
		return &engine.InvalidError{Option: "secret name", Value: name, Reason: "want letters, digits, _ . and -, the first and the last a letter or digit"}
	case len(data) == 0:
		return &engine.InvalidError{Option: "secret data", Reason: "it is empty"}
	case len(data) > maxData:
		return &engine.InvalidError{Option: "secret data", Reason: fmt.Sprintf("it has %d bytes, and at most %d are kept", len(data), maxData)}
	case opts.Driver != "" && opts.Driver != "file":
		return &engine.UnsupportedError{Option: "SecretCreateOptions.Driver", Value: opts.Driver, Engine: engineName, Reason: "it keeps secrets in files"}
	case len(opts.DriverOptions) > 0:
		return &engine.UnsupportedError{Option: "SecretCreateOptions.DriverOptions", Engine: engineName}
	}
	return nil
}

func validName(name string) bool {
	alnum := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }
	if name == "" || len(name) > 253 || !alnum(name[0]) || !alnum(name[len(name)-1]) {
		return false
	}
	for _, c := range []byte(name) {
		if !alnum(c) && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func newID() string {
	var b [(idDigits + 1) / 2]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])[:idDigits]
}

// Inspect finds a secret by name, ID or unique prefix of an ID; else engine.ErrNotFound.
func (s *Store) Inspect(nameOrID string) (*engine.SecretAttrs, error) {
	found, err := s.find("inspect secret", nameOrID)
	if err != nil {
		return nil, err
	}
	return attrs(found)
}

// Data returns a secret's data.
func (s *Store) Data(nameOrID string) ([]byte, *engine.SecretAttrs, error) {
	found, err := s.find("read secret", nameOrID)
	if err != nil {
		return nil, nil, err
	}
	a, err := attrs(found)
	return found.Data, a, err
}

// List returns the secrets that match the filters, by name: name and id by their
// beginning, label as KEY or KEY=VALUE. Another filter is engine.ErrInvalid.
func (s *Store) List(filters engine.Filters) ([]engine.SecretAttrs, error) {
	for key := range filters {
		if key != "name" && key != "id" && key != "label" {
			return nil, &engine.InvalidError{Option: "filter", Value: key, Reason: "there is no such filter of secrets"}
		}
	}
	all, err := s.all()
	if err != nil {
		return nil, wrap("list secrets", err)
	}
	slices.SortFunc(all, func(a, b *secret) int { return cmp.Compare(a.Name, b.Name) })
	list := []engine.SecretAttrs{}
	for _, have := range all {
		if !matches(have, filters) {
			continue
		}
		a, err := attrs(have)
		if err != nil {
			return nil, err
		}
		list = append(list, *a)
	}
	return list, nil
}

func matches(s *secret, filters engine.Filters) bool {
	begins := func(have, key string) bool {
		return len(filters[key]) == 0 || slices.ContainsFunc(filters[key], func(v string) bool { return strings.HasPrefix(have, v) })
	}
	return begins(s.Name, "name") && begins(s.ID, "id") && !slices.ContainsFunc(filters["label"], func(v string) bool {
		key, value, has := strings.Cut(v, "=")
		got, ok := s.Labels[key]
		return !ok || has && got != value
	})
}

// Remove removes a secret. Containers that have it keep their copy.
func (s *Store) Remove(nameOrID string) error {
	const op = "remove secret"
	return wrap(op, s.locked(func() error {
		found, err := s.find(op, nameOrID)
		if err != nil {
			return err
		}
		return os.Remove(filepath.Join(s.dir, found.ID+suffix))
	}))
}

// find looks a secret up: a name wins over an ID, a whole ID over a prefix.
func (s *Store) find(op, ref string) (*secret, error) {
	all, err := s.all()
	if err != nil {
		return nil, wrap(op, err)
	}
	var found []*secret
	for _, have := range all {
		if have.Name == ref {
			return have, nil
		}
		if ref != "" && strings.HasPrefix(have.ID, ref) {
			found = append(found, have)
		}
	}
	switch len(found) {
	case 0:
		return nil, &engine.APIError{Engine: engineName, Op: op, Object: ref, Message: "No such secret: " + ref, Kind: engine.ErrNotFound}
	case 1:
		return found[0], nil
	}
	return nil, &engine.InvalidError{Option: "secret", Value: ref, Reason: "it is a prefix of several IDs"}
}

// all reads all secrets, in no order.
func (s *Store) all() ([]*secret, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []*secret
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), suffix)
		if !ok || strings.HasPrefix(id, ".") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(s.dir, f.Name()))
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		have := &secret{}
		if err := json.Unmarshal(data, have); err != nil || have.ID != id {
			continue // a power cut has left nothing of it
		}
		list = append(list, have)
	}
	return list, nil
}

// write puts the secret's file in place, whole or not at all, and on the disk: nobody else has its data.
func (s *Store) write(v *secret) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	temp := filepath.Join(s.dir, ".tmp") // of a process that died here too: the lock is held
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(temp, filepath.Join(s.dir, v.ID+suffix))
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

// locked calls f while no other process changes secrets.
func (s *Store) locked(f func() error) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(s.dir, lockFile), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	for {
		switch err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err {
		case nil:
			return f()
		case unix.EINTR:
		default:
			return &os.PathError{Op: "flock", Path: lock.Name(), Err: err}
		}
	}
}

// wrap leaves errors that say what they are about as they are.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*engine.APIError](err); ok {
		return err
	}
	if errors.Is(err, engine.ErrInvalid) {
		return err
	}
	return fmt.Errorf("%s: %w", op, err)
}
