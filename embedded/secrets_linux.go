package embedded

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// SecretCreate implements [engine.Secrets].
func (e *Engine) SecretCreate(ctx context.Context, name string, data []byte, opts engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "create secret", name, err)
	}
	s, err := e.secrets.Create(name, data, opts)
	if err != nil {
		return nil, because(ctx, "create secret", name, err)
	}
	e.secretEvent("create", s.ID, s.Name)
	return s, nil
}

// SecretInspect implements [engine.Secrets].
func (e *Engine) SecretInspect(ctx context.Context, name string) (*engine.SecretAttrs, error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "inspect secret", name, err)
	}
	s, err := e.secrets.Inspect(name)
	return s, because(ctx, "inspect secret", name, err)
}

// SecretList implements [engine.Secrets].
func (e *Engine) SecretList(ctx context.Context, filters engine.Filters) ([]engine.SecretAttrs, error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "list secrets", "", err)
	}
	list, err := e.secrets.List(filters)
	return list, because(ctx, "list secrets", "", err)
}

// SecretRemove implements [engine.Secrets].
func (e *Engine) SecretRemove(ctx context.Context, name string) error {
	s, err := e.SecretInspect(ctx, name)
	if err == nil {
		err = e.secrets.Remove(s.ID)
	}
	if err != nil {
		return because(ctx, "remove secret", name, err)
	}
	e.secretEvent("remove", s.ID, s.Name)
	return nil
}

func (e *Engine) secretEvent(action, id, name string) {
	e.emit(engine.Event{Type: "secret", Action: action, ID: id, Name: name, Attributes: map[string]string{"name": name}})
}
