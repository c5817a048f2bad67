package registryauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/berthdev/berth/internal/clientconfig"
)

// Env is the process's surroundings; see clientconfig.Env.
type Env = clientconfig.Env

// Lookup finds the credentials for the registry of an image reference. Found is
// false when there are none; err is then nil or Ignorable. Any other error is a
// configuration that must be mended: a file that does not parse, an entry that
// is not base64, a helper that fails.
//
// The first of these that has them decides: DOCKER_AUTH_CONFIG (the content of
// a config.json); REGISTRY_AUTH_FILE, or in its absence Podman's auth.json of
// XDG_RUNTIME_DIR and of the user's configuration; Docker's config.json;
// ~/.dockercfg. In each: credHelpers of the registry, credsStore, auths. In
// Podman's files a key may name a part of a registry; the longest that fits
// is used.
//
// A helper runs until ctx is done.
func Lookup(ctx context.Context, env Env, image string) (c Credentials, found bool, err error) {
	t := targetOf(image)
	var ignored error
	for _, s := range sources(env) {
		c, found, err := s.lookup(ctx, env, t)
		switch {
		case found:
			return c, true, nil
		case Ignorable(err):
			ignored = errors.Join(ignored, err)
		case err != nil:
			return Credentials{}, false, err
		}
	}
	return Credentials{}, false, ignored
}

// source is one place that holds credentials.
type source struct {
	*clientconfig.Config
	podman bool // keys are Podman's
	named  bool // somebody said to use this file
	must   bool // it is an error if it is not there
}

// sources lists the places in order.
func sources(env Env) []source {
	var l []source
	if content := env.Var("DOCKER_AUTH_CONFIG"); content != "" {
		l = append(l, source{Config: clientconfig.Parse("DOCKER_AUTH_CONFIG", []byte(content)), named: true})
	}
	if file := env.Var("REGISTRY_AUTH_FILE"); file != "" {
		l = append(l, source{Config: clientconfig.LoadFile(env, file), podman: true, named: true, must: true})
	} else {
		for _, file := range podmanFiles(env) {
			l = append(l, source{Config: clientconfig.LoadFile(env, file), podman: true})
		}
	}
	return append(l,
		source{Config: clientconfig.Load(env), named: env.Var("DOCKER_CONFIG") != ""},
		source{Config: clientconfig.LoadLegacy(env)},
	)
}

// podmanFiles are the places of auth.json.
func podmanFiles(env Env) []string {
	var l []string
	if dir := env.Var("XDG_RUNTIME_DIR"); dir != "" {
		l = append(l, env.Join(dir, "containers", "auth.json"))
	} else if env.GOOS == "linux" && env.UID >= 0 {
		l = append(l, env.Join("/run/containers", fmt.Sprint(env.UID), "auth.json"))
	}
	if dir := env.ContainersDir(); dir != "" {
		l = append(l, env.Join(dir, "auth.json"))
	}
	return l
}

// usable is nil if the place can be read.
func (s source) usable(env Env) error {
	err := s.Err()
	if err == nil && s.must && !env.Exists(s.Path()) {
		return fmt.Errorf("read REGISTRY_AUTH_FILE: %w", &fs.PathError{Op: "open", Path: s.Path(), Err: fs.ErrNotExist})
	}
	if err != nil && !s.named && errors.Is(err, fs.ErrPermission) {
		return &UnreadableFileError{s.Path(), err}
	}
	return err
}

// lookup finds the credentials in one place.
func (s source) lookup(ctx context.Context, env Env, t target) (c Credentials, found bool, err error) {
	if err := s.usable(env); err != nil {
		return Credentials{}, false, err
	}
	var ignored error
	suffix, err := s.helperFor(t)
	if err != nil {
		return Credentials{}, false, err
	}
	if suffix != "" {
		c, found, err = s.ask(ctx, env, suffix, t.server())
		switch {
		case found:
			return c, true, nil
		case Ignorable(err):
			ignored = err
		case err != nil:
			return Credentials{}, false, err
		}
	}
	c, found, err = s.stored(t)
	if !found && err == nil {
		err = ignored
	}
	return c, found, err
}

// ask asks a helper.
func (s source) ask(ctx context.Context, env Env, suffix, server string) (Credentials, bool, error) {
	h, err := newHelper(env, suffix, s.Path())
	if err != nil {
		return Credentials{}, false, err
	}
	return h.get(ctx, server)
}

// helperFor is the suffix of the helper for a registry, "" for none. Helpers
// are per registry; a key with a path does not count.
func (s source) helperFor(t target) (string, error) {
	helpers, err := s.CredHelpers()
	if err != nil {
		return "", err
	}
	for _, key := range best(target{host: t.host}, helpers, true) {
		return helpers[key], nil // "" says: this file
	}
	return s.CredsStore()
}

// stored finds the credentials that the file itself holds.
func (s source) stored(t target) (c Credentials, found bool, err error) {
	auths, err := s.Auths()
	if err != nil {
		return Credentials{}, false, err
	}
	for _, key := range best(t, auths, s.podman) {
		c, err := decodeEntry(auths[key], t.server())
		if err != nil {
			return Credentials{}, false, fmt.Errorf("read registry credentials %s: %q: %w", s.Path(), key, err)
		}
		if !c.empty() {
			return c, true, nil
		}
	}
	return Credentials{}, false, nil
}
