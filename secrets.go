package berth

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// Secrets makes, finds and removes secrets, which Spec.Secrets and Spec.SecretEnv
// refer to. It is [Client].Secrets, and safe for concurrent use. Docker has secrets for Swarm services only: there every
// call is an [UnsupportedError]. See [FeatureSecrets].
type Secrets struct{ cli *Client }

// Create makes a secret of 1 to 512,000 bytes. A taken name is an [ErrConflict].
func (s *Secrets) Create(ctx context.Context, name string, data []byte, opts ...SecretCreateOptions) (*Secret, error) {
	o, err := atMostOne("Secrets.Create", opts)
	if err == nil {
		err = checkName("Secrets.Create", name)
	}
	if err != nil {
		return nil, err
	}
	return s.cli.secret(s.cli.e.SecretCreate(ctx, name, data, o))
}

// Get looks a secret up, by name or ID. A missing one is an [ErrNotFound].
func (s *Secrets) Get(ctx context.Context, name string) (*Secret, error) {
	if err := checkName("Secrets.Get", name); err != nil {
		return nil, err
	}
	return s.cli.secret(s.cli.e.SecretInspect(ctx, name))
}

// List lists secrets with one request, at most one Filters value choosing some (name, id).
func (s *Secrets) List(ctx context.Context, filters ...Filters) ([]*Secret, error) {
	f, err := atMostOne("Secrets.List", filters)
	if err != nil {
		return nil, err
	}
	attrs, err := s.cli.e.SecretList(ctx, f)
	if err != nil {
		return nil, err
	}
	list := make([]*Secret, len(attrs))
	for i := range attrs {
		list[i], _ = s.cli.secret(&attrs[i], nil)
	}
	return list, nil
}

// Remove removes a secret, by name or ID. Containers that have it keep it.
func (s *Secrets) Remove(ctx context.Context, name string) error {
	if err := checkName("Secrets.Remove", name); err != nil {
		return err
	}
	return s.cli.e.SecretRemove(ctx, name)
}

// Secret is a handle of one secret, without its data. It is immutable, need not be closed, and is safe for concurrent use.
type Secret struct {
	cli   *Client
	attrs *SecretAttrs
}

// secret makes the handle of what an engine returned.
func (cli *Client) secret(attrs *engine.SecretAttrs, err error) (*Secret, error) {
	if err != nil {
		return nil, err
	}
	return &Secret{cli, attrs}, nil
}

// ID is the secret's ID.
func (s *Secret) ID() string { return s.attrs.ID }

// Name is the secret's name.
func (s *Secret) Name() string { return s.attrs.Name }

// Labels are the secret's labels. The map must not be written to.
func (s *Secret) Labels() map[string]string { return s.attrs.Labels }

// Attrs is what the engine told when the handle was made. It is immutable.
func (s *Secret) Attrs() *SecretAttrs { return s.attrs }

// Remove removes the secret. Containers that have it keep it.
func (s *Secret) Remove(ctx context.Context) error { return s.cli.Secrets.Remove(ctx, s.attrs.ID) }

// Equal tells whether both are handles of the same secret of the same engine.
func (s *Secret) Equal(o *Secret) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.attrs.ID == o.attrs.ID && s.cli.sameEngine(o.cli)
}

// String is Secret(name).
func (s *Secret) String() string { return "Secret(" + s.attrs.Name + ")" }
