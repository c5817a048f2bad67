package docker

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// Docker has secrets for Swarm services only.

// SecretCreate implements [engine.Secrets].
func (e *Engine) SecretCreate(context.Context, string, []byte, engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	return nil, unsupportedSecrets()
}

// SecretInspect implements [engine.Secrets].
func (e *Engine) SecretInspect(context.Context, string) (*engine.SecretAttrs, error) {
	return nil, unsupportedSecrets()
}

// SecretList implements [engine.Secrets].
func (e *Engine) SecretList(context.Context, engine.Filters) ([]engine.SecretAttrs, error) {
	return nil, unsupportedSecrets()
}

// SecretRemove implements [engine.Secrets].
func (e *Engine) SecretRemove(context.Context, string) error { return unsupportedSecrets() }

func unsupportedSecrets() error {
	return &engine.UnsupportedError{Option: "Secrets", Engine: Name, Reason: "Docker has secrets for Swarm services only"}
}
