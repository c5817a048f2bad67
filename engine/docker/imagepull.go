package docker

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ImagePull implements [engine.Images].
func (e *Engine) ImagePull(ctx context.Context, ref string, opts engine.PullOptions) (string, error) {
	r := &refusals{e: e}
	refuseTLS(r, "PullOptions.TLSVerify", opts.TLSVerify)
	name, err := parseReference("image", ref)
	if opts.Policy != engine.PullNever && opts.Policy != engine.PullMissing {
		r.add(err) // an ID is fine where nothing is pulled
	}
	if err := r.err(); err != nil {
		return "", err
	}
	switch opts.Policy {
	case "", engine.PullAlways, engine.PullNewer:
	case engine.PullMissing, engine.PullNever:
		id, found, ferr := e.localImage(ctx, ref, opts.Platform)
		if ferr != nil || found {
			return id, ferr
		}
		o := op{"pull image", ref}
		if opts.Policy == engine.PullNever {
			return "", &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "it is not there, and the policy is never to pull", Kind: engine.ErrImageNotFound}
		}
		if err != nil {
			return "", &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "it is not there, and an ID cannot be pulled", Kind: engine.ErrImageNotFound}
		}
	default:
		return "", &engine.InvalidError{Option: "PullOptions.Policy", Value: string(opts.Policy), Reason: "none of missing, always, never, newer"}
	}
	err = e.pull(ctx, ref, name, opts)
	if err != nil {
		if opts.Policy == engine.PullNewer && registryUnreachable(err) {
			if id, found, ferr := e.localImage(ctx, ref, opts.Platform); ferr == nil && found {
				return id, nil
			}
		}
		return "", err
	}
	return e.pulledID(ctx, ref, name, opts)
}

func refuseTLS(r *refusals, option string, verify *bool) {
	r.unless(verify == nil || *verify, option, "false", "Docker's daemon is configured for insecure registries")
}

// registryUnreachable tells whether the engine failed to speak to the registry, rather than got an answer of it.
func registryUnreachable(err error) bool {
	a, ok := errors.AsType[*engine.APIError](err)
	return ok && (a.Kind == nil || errors.Is(a.Kind, engine.ErrUnavailable))
}

// localImage looks for an image here; one for another platform than the one that is wanted is not it.
func (e *Engine) localImage(ctx context.Context, ref, platform string) (id string, found bool, err error) {
	img, err := e.ImageInspect(ctx, ref)
	if isNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if platform != "" {
		p, err := engine.ParsePlatform(platform)
		if err != nil {
			return "", false, err
		}
		if p.OS != "" && p.OS != img.OS || p.Arch != "" && p.Arch != img.Architecture || p.Variant != "" && img.Variant != "" && p.Variant != img.Variant {
			return "", false, nil
		}
	}
	return img.ID, true, nil
}

func (e *Engine) pull(ctx context.Context, ref string, name reference, opts engine.PullOptions) error {
	query := url.Values{"fromImage": {name.name}}
	switch {
	case opts.AllTags && name.tag != "":
		return &engine.InvalidError{Option: "PullOptions.AllTags", Value: "true", Reason: "the reference has a tag: " + name.tag}
	case !opts.AllTags:
		query.Set("tag", cmp.Or(name.tag, "latest")) // none would be all of them
	}
	if opts.Platform != "" {
		query.Set("platform", opts.Platform)
	}
	r := wire.Request{Method: http.MethodPost, Path: "/images/create", Query: query, Header: http.Header{}}
	if opts.Auth != nil && !opts.Auth.IsZero() {
		r.Header.Set("X-Registry-Auth", authHeader(opts.Auth))
	}
	return e.transfer(ctx, op{"pull image", ref}, r, opts.Progress)
}

// transfer sends a request that is answered with a stream of progress.
func (e *Engine) transfer(ctx context.Context, o op, r wire.Request, report func(engine.PullProgress)) error {
	resp, err := e.openBody(ctx, o, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var l layers
	return e.progress(o, resp.Body, func(m *wireProgress) {
		if p := l.add(m); report != nil && m.Status != "" {
			report(p)
		}
	})
}

// pulledID is the ID of what was pulled; of all tags, the newest image's.
func (e *Engine) pulledID(ctx context.Context, ref string, name reference, opts engine.PullOptions) (string, error) {
	if !opts.AllTags {
		img, err := e.ImageInspect(ctx, ref)
		if err != nil {
			return "", err
		}
		return img.ID, nil
	}
	list, err := e.ImageList(ctx, engine.ImageListOptions{Name: name.name})
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", &engine.APIError{Engine: Name, Op: "pull image", Object: ref, Message: "the registry has no tags", Kind: engine.ErrImageNotFound}
	}
	return list[0].ID, nil
}

// authHeader is credentials as the engine reads them: JSON in URL-safe base64.
func authHeader(a *engine.RegistryAuth) string {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // a struct of strings
	}
	return base64.URLEncoding.EncodeToString(b)
}

// ImagePush implements [engine.Images].
func (e *Engine) ImagePush(ctx context.Context, ref string, opts engine.PushOptions) error {
	r := &refusals{e: e}
	refuseTLS(r, "PushOptions.TLSVerify", opts.TLSVerify)
	name, err := parseReference("image", ref)
	r.add(err)
	if err := r.err(); err != nil {
		return err
	}
	path, err := imagePath(name.name, "/push")
	if err != nil {
		return err
	}
	query := url.Values{}
	switch {
	case opts.AllTags && name.tag != "":
		return &engine.InvalidError{Option: "PushOptions.AllTags", Value: "true", Reason: "the reference has a tag: " + name.tag}
	case !opts.AllTags:
		query.Set("tag", cmp.Or(name.tag, "latest"))
	}
	auth := &engine.RegistryAuth{}
	if opts.Auth != nil {
		auth = opts.Auth
	}
	req := wire.Request{Method: http.MethodPost, Path: path, Query: query, Header: http.Header{"X-Registry-Auth": {authHeader(auth)}}}
	return e.transfer(ctx, op{"push image", ref}, req, opts.Progress)
}
