package berth

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/berthdev/berth/engine"
)

// CreateOptions say how [Containers.Create] and [Containers.Start] make a
// container.
type CreateOptions struct {
	// Pull says when the image is pulled; "" is PullMissing.
	Pull PullPolicy
	// Auth are credentials for the pull; nil looks them up where docker and podman keep them.
	Auth *RegistryAuth
	// TLSVerify nil is true; false accepts plain HTTP and unknown certificates of the registry. Docker decides by itself: an UnsupportedError, if a pull is needed.
	TLSVerify *bool
	// Progress is called, not concurrently, as a pull goes on.
	Progress func(PullProgress)
	// AllowDiscarded is that option of New for this call.
	AllowDiscarded bool
	// CleanupTimeout replaces that of the client for this call; 0 leaves it.
	CleanupTimeout time.Duration

	size Size // of the terminal, from a run
}

// Create makes a container without starting it. The image is pulled if it is
// missing. The container is the caller's, who removes it.
//
// Every option of spec that is malformed or that this engine cannot honour is an
// error ([InvalidError], [UnsupportedError]) that names it, and no container is
// left behind; if it could not be removed the error is an [OrphanError].
func (s *Containers) Create(ctx context.Context, spec Spec, opts ...CreateOptions) (*Container, error) {
	o, err := atMostOne("Containers.Create", opts)
	if err != nil {
		return nil, err
	}
	c, err := s.cli.create(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	c.refresh(ctx)
	return c, nil
}

// Start makes a container and starts it: docker run -d. It does not wait for
// anything but the start: see [Container.WaitFor]. The container is the caller's,
// who removes it, unless Spec.AutoRemove.
//
// When the start fails the container is removed. A command that is missing in the
// image is [ErrCommandNotFound].
func (s *Containers) Start(ctx context.Context, spec Spec, opts ...CreateOptions) (*Container, error) {
	o, err := atMostOne("Containers.Start", opts)
	if err != nil {
		return nil, err
	}
	c, err := s.cli.create(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	if err := s.cli.e.ContainerStart(ctx, c.id, engine.StartOptions{}); err != nil {
		return nil, c.discard(ctx, o.CleanupTimeout, err)
	}
	c.refresh(ctx)
	return c, nil
}

// create makes a container, with its image pulled as o says. spec is a copy of
// the caller's, whose maps and slices are still the caller's.
func (cli *Client) create(ctx context.Context, spec Spec, o CreateOptions) (*Container, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if err := cli.addProxies(&spec); err != nil {
		return nil, err
	}
	pull := engine.PullOptions{
		Platform: spec.Platform, Auth: o.Auth, TLSVerify: o.TLSVerify, Policy: o.Pull, Progress: o.Progress,
	}
	if pull.Policy == "" {
		pull.Policy = engine.PullMissing
	}
	// Without a platform the engine's answer to the creation tells whether the image is there.
	lazy := spec.Platform == "" && (pull.Policy == engine.PullMissing || pull.Policy == engine.PullNever) || spec.Image == ""
	if !lazy {
		if _, err := cli.pullImage(ctx, spec.Image, pull); err != nil {
			return nil, err
		}
	}
	create := engine.CreateOptions{
		AllowDiscarded: o.AllowDiscarded || cli.allowDiscarded,
		CleanupTimeout: cli.cleanup(o.CleanupTimeout),
		TerminalSize:   o.size,
	}
	res, err := cli.e.ContainerCreate(ctx, &spec, create)
	if errors.Is(err, engine.ErrImageNotFound) && lazy && pull.Policy == engine.PullMissing && spec.Image != "" {
		if _, err := cli.pullNow(ctx, spec.Image, pull); err != nil {
			return nil, err
		}
		res, err = cli.e.ContainerCreate(ctx, &spec, create)
	}
	if err != nil {
		return nil, cli.orphaned(err)
	}
	for _, w := range res.Warnings {
		cli.log.WarnContext(ctx, "create container", "container", res.ID, "warning", w)
	}
	c := cli.container(res.ID)
	c.warnings = res.Warnings
	return c, nil
}

// addProxies adds the proxy variables of the client's config.json to the
// environment, as docker does. What spec says of a variable wins.
func (cli *Client) addProxies(spec *Spec) error {
	if spec.UseConfigProxy != nil && !*spec.UseConfigProxy {
		return nil
	}
	proxies, err := cli.config.ProxyEnv(cli.e.Identity().Host)
	if errors.Is(err, fs.ErrPermission) {
		return nil // another user's configuration
	}
	if err != nil {
		return &engine.InvalidError{Option: "Spec.UseConfigProxy", Err: err}
	}
	if len(proxies) == 0 {
		return nil
	}
	env := maps.Clone(proxies)
	maps.DeleteFunc(env, func(k, _ string) bool { return slices.Contains(spec.UnsetEnv, k) })
	maps.Copy(env, spec.Env)
	spec.Env = env
	return nil
}

// cleanup is how long a removal after a failure may take: d if set, else what the
// client was told.
func (cli *Client) cleanup(d time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return cli.cleanupTimeout
}

// orphaned turns an engine's OrphanError into ours, which carries the container.
func (cli *Client) orphaned(err error) error {
	if o, ok := errors.AsType[*engine.OrphanError](err); ok {
		return &OrphanError{Container: cli.container(o.ID), Cause: o.Cause, Cleanup: o.Cleanup}
	}
	return err
}
