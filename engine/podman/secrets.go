package podman

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireSecret is a secret, without its data.
type wireSecret struct {
	ID        string
	CreatedAt time.Time
	UpdatedAt time.Time
	Spec      struct {
		Name   string
		Driver struct {
			Name    string
			Options map[string]string
		}
		Labels map[string]string
	}
}

func secretAttrs(w *wire.Raw[wireSecret]) *engine.SecretAttrs {
	s := w.Value
	return &engine.SecretAttrs{
		ID: s.ID, Name: s.Spec.Name, Driver: s.Spec.Driver.Name, Options: s.Spec.Driver.Options, Labels: s.Spec.Labels, Created: s.CreatedAt, Updated: s.UpdatedAt, Raw: w.Text,
	}
}

// SecretCreate implements [engine.Secrets].
func (e *Engine) SecretCreate(ctx context.Context, name string, data []byte, opts engine.SecretCreateOptions) (*engine.SecretAttrs, error) {
	if _, err := checkName("secret", name); err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, &engine.InvalidError{Option: "secret data", Reason: "it is empty"}
	}
	r := &refusals{e: e}
	r.needs(len(opts.Labels) > 0, vUpdate, "SecretCreateOptions.Labels")
	r.needs(opts.Replace, vSecretReplace, "SecretCreateOptions.Replace")
	if err := r.err(); err != nil {
		return nil, err
	}
	query := url.Values{"name": {name}}
	if opts.Driver != "" {
		query.Set("driver", opts.Driver)
	}
	for key, m := range map[string]map[string]string{"driveropts": opts.DriverOptions, "labels": opts.Labels} {
		if len(m) == 0 {
			continue
		}
		b, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		query.Set(key, string(b))
	}
	if opts.Replace {
		query.Set("replace", "true")
	}
	var out struct{ ID string }
	err := e.call(ctx, op{"create secret", name}, wire.Request{
		Method: http.MethodPost, Path: "/secrets/create", Query: query,
		Header: http.Header{"Content-Type": {"application/octet-stream"}}, Body: bytes.NewReader(data),
	}, &out)
	if err != nil {
		return nil, err
	}
	return e.SecretInspect(ctx, out.ID)
}

// SecretInspect implements [engine.Secrets].
func (e *Engine) SecretInspect(ctx context.Context, name string) (*engine.SecretAttrs, error) {
	path, err := objectPath("secret", "/secrets/", name, "/json")
	if err != nil {
		return nil, err
	}
	var w wire.Raw[wireSecret]
	if err := e.call(ctx, op{"inspect secret", name}, get(path), &w); err != nil {
		return nil, err
	}
	return secretAttrs(&w), nil
}

// SecretList implements [engine.Secrets]. Before 5.0 the list leaves labels out, so that every secret is inspected.
func (e *Engine) SecretList(ctx context.Context, filters engine.Filters) ([]engine.SecretAttrs, error) {
	query, err := filterQuery(filters)
	if err != nil {
		return nil, err
	}
	var list []wire.Raw[wireSecret]
	if err := e.call(ctx, op{verb: "list secrets"}, wire.Request{Method: http.MethodGet, Path: "/secrets/json", Query: query}, &list); err != nil {
		return nil, err
	}
	out := make([]engine.SecretAttrs, 0, len(list))
	for i := range list {
		s := secretAttrs(&list[i])
		if s.Labels == nil && e.version < vSecretListLabels {
			full, err := e.SecretInspect(ctx, s.ID)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			s = full
		}
		out = append(out, *s)
	}
	return out, nil
}

// SecretRemove implements [engine.Secrets].
func (e *Engine) SecretRemove(ctx context.Context, name string) error {
	path, err := objectPath("secret", "/secrets/", name, "")
	if err != nil {
		return err
	}
	return e.call(ctx, op{"remove secret", name}, wire.Request{Method: http.MethodDelete, Path: path}, nil)
}
