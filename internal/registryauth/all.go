package registryauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// add records the credentials of a key unless its registry has some already. Of
// several names for one registry in one place, the one that docker writes wins.
func add(m map[string]Credentials, key string, c Credentials) {
	name := serverOf(key)
	if _, ok := m[name]; c.empty() || ok && key != name {
		return
	}
	m[name] = c
}

// merge takes over what m lacks.
func merge(m, more map[string]Credentials) {
	for name, c := range more {
		if _, ok := m[name]; !ok {
			m[name] = c
		}
	}
}

// all adds the credentials of one place to m, where m has none yet. In one
// place the order is that of lookup.
func (s source) all(ctx context.Context, env Env, m map[string]Credentials) error {
	if err := s.usable(env); err != nil {
		return err
	}
	var ignored error
	for _, part := range []func(context.Context, Env) (map[string]Credentials, error){
		s.allOfHelpers, s.allOfStore, s.allStored,
	} {
		found, err := part(ctx, env)
		if err != nil && !Ignorable(err) {
			return err
		}
		ignored = errors.Join(ignored, err)
		merge(m, found)
	}
	return ignored
}

// allOfHelpers asks the helper of each registry that has its own.
func (s source) allOfHelpers(ctx context.Context, env Env) (map[string]Credentials, error) {
	helpers, err := s.CredHelpers()
	if err != nil {
		return nil, err
	}
	m := make(map[string]Credentials)
	var ignored error
	for key, suffix := range helpers {
		if suffix == "" {
			continue
		}
		c, _, err := s.ask(ctx, env, suffix, serverOf(key))
		if err != nil && !Ignorable(err) {
			return nil, err
		}
		ignored = errors.Join(ignored, err)
		add(m, key, c)
	}
	return m, ignored
}

// allOfStore asks the helper of all other registries for what it lists.
func (s source) allOfStore(ctx context.Context, env Env) (map[string]Credentials, error) {
	suffix, err := s.CredsStore()
	if err != nil || suffix == "" {
		return nil, err
	}
	h, err := newHelper(env, suffix, s.Path())
	if err != nil {
		return nil, err
	}
	servers, err := h.list(ctx)
	if err != nil {
		return nil, err
	}
	m := make(map[string]Credentials)
	for _, server := range servers {
		c, _, err := h.get(ctx, server)
		if err != nil {
			return nil, err
		}
		add(m, server, c)
	}
	return m, nil
}

// allStored takes what the file itself holds.
func (s source) allStored(context.Context, Env) (map[string]Credentials, error) {
	auths, err := s.Auths()
	if err != nil {
		return nil, err
	}
	m := make(map[string]Credentials)
	for _, key := range slices.Sorted(maps.Keys(auths)) {
		c, err := decodeEntry(auths[key], serverOf(key))
		if err != nil {
			return nil, fmt.Errorf("read registry credentials %s: %q: %w", s.Path(), key, err)
		}
		add(m, key, c)
	}
	return m, nil
}

// serverOf is a registry key in its one form.
func serverOf(key string) string {
	host, namespace := canonical(key)
	if namespace != "" {
		return host + "/" + namespace
	}
	return target{host: host}.server()
}
