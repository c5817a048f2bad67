package secrets

import "github.com/berthdev/berth/engine"

// Store is the secrets below a root directory. Its methods are safe for
// concurrent use, by several processes too. There is nothing to close.
type Store struct{ root string }

// Open opens the store; its directory is made by the first secret.
func Open(root string) *Store { return &Store{root} }

// Create makes a secret. A taken name is engine.ErrConflict unless opts.Replace.
func (s *Store) Create(name string, data []byte, opts engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	panic("TODO")
}

// Inspect finds a secret by name, ID or unique prefix of an ID; else engine.ErrNotFound.
func (s *Store) Inspect(nameOrID string) (*engine.SecretAttrs, error) { panic("TODO") }

// List returns the secrets that match the filters (name, id), by name.
func (s *Store) List(filters engine.Filters) ([]engine.SecretAttrs, error) { panic("TODO") }

// Remove removes a secret. Containers that have it keep their copy.
func (s *Store) Remove(nameOrID string) error { panic("TODO") }

// Data returns a secret's data.
func (s *Store) Data(nameOrID string) ([]byte, *engine.SecretAttrs, error) { panic("TODO") }
