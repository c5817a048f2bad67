package registryauth

import (
	"context"
	"errors"
	"fmt"
)

// All returns every stored credential by registry key, as X-Registry-Config
// carries them: Docker Hub is "https://index.docker.io/v1/", others are hosts,
// with a path where Podman's files have one. The first place in Lookup's order
// that has a registry decides. An Ignorable error comes with the credentials of
// the other places; with any other there are none.
func All(ctx context.Context, env Env) (map[string]Credentials, error) {
	all := make(map[string]Credentials)
	var ignored error
	for _, s := range sources(env) {
		err := s.all(ctx, env, all)
		if Ignorable(err) {
			ignored = errors.Join(ignored, err)
		} else if err != nil {
			return nil, err
		}
	}
	return all, ignored
}

// all adds the credentials of one place to m, where m has none yet.
func (s source) all(ctx context.Context, env Env, m map[string]Credentials) error {
	if err := s.usable(); err != nil {
		return err
	}
	found := make(map[string]Credentials)
	ignored, err := s.allOfHelpers(ctx, env, found)
	if err != nil {
		return err
	}
	auths, err := s.Auths()
	if err != nil {
		return err
	}
	for key, entry := range auths {
		name := serverOf(key)
		c, err := decodeEntry(entry, name)
		if err != nil {
			return fmt.Errorf("read registry credentials %s: %q: %w", s.Path(), key, err)
		}
		// Of two names for one registry the one that docker writes wins.
		if _, ok := found[name]; !c.empty() && (!ok || key == name) {
			found[name] = c
		}
	}
	for name, c := range found {
		if _, ok := m[name]; !ok {
			m[name] = c
		}
	}
	return ignored
}

// allOfHelpers adds what the helpers have.
func (s source) allOfHelpers(ctx context.Context, env Env, m map[string]Credentials) (ignored, err error) {
	helpers, err := s.CredHelpers()
	if err != nil {
		return nil, err
	}
	store, err := s.CredsStore()
	if err != nil {
		return nil, err
	}
	add := func(suffix, server string) error {
		c, found, err := s.ask(ctx, env, suffix, server)
		if found {
			m[serverOf(server)] = c
		}
		if Ignorable(err) {
			ignored = errors.Join(ignored, err)
			return nil
		}
		return err
	}
	if store != "" {
		h, err := newHelper(env, store, s.Path())
		if err != nil {
			return nil, err
		}
		servers, err := h.list(ctx)
		if err != nil && !Ignorable(err) {
			return nil, err
		}
		ignored = err
		for _, server := range servers {
			if err := add(store, server); err != nil {
				return nil, err
			}
		}
	}
	for key, suffix := range helpers {
		if suffix == "" {
			continue
		}
		if err := add(suffix, serverOf(key)); err != nil {
			return nil, err
		}
	}
	return ignored, nil
}

// serverOf is a registry key in its one form.
func serverOf(key string) string {
	host, namespace := canonical(key)
	if namespace != "" {
		return host + "/" + namespace
	}
	return target{host: host}.server()
}
