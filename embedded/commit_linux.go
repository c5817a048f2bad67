package embedded

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/inspect"
	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

const opCommit = "commit container"

// ContainerCommit implements [engine.Containers].
func (e *Engine) ContainerCommit(ctx context.Context, id string, opts engine.CommitOptions) (string, error) {
	switch {
	case opts.Squash:
		return "", unsupported("CommitOptions.Squash", "true", "layers are kept apart")
	case opts.Format != "" && opts.Format != "docker" && opts.Format != "oci":
		return "", &engine.InvalidError{Option: "CommitOptions.Format", Value: opts.Format, Reason: "want docker or oci"}
	case opts.Tag != "" && opts.Repository == "":
		return "", &engine.InvalidError{Option: "CommitOptions.Tag", Value: opts.Tag, Reason: "it needs Repository"}
	}
	s, err := e.snapshot(ctx, opCommit, id)
	if err != nil {
		return "", err
	}
	image, err := e.commit(ctx, s, opts)
	if err != nil {
		return "", because(ctx, opCommit, id, err)
	}
	e.containerEvent("commit", s.Config, map[string]string{"imageID": image})
	return image, nil
}

func (e *Engine) commit(ctx context.Context, s *state.Snapshot, opts engine.CommitOptions) (_ string, err error) {
	release, err := e.images.Lease(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	base, err := e.images.Resolve(s.Config.ImageID)
	if err != nil {
		return "", err
	}
	a, err := inspect.Attrs(s, inspect.Extra{})
	if err != nil {
		return "", err
	}
	if opts.Pause == nil || *opts.Pause {
		resume, err := e.freeze(ctx, s)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, resume()) }()
	}
	img, err := e.images.Commit(ctx, image.CommitOptions{
		Base: base, Upper: filepath.Join(e.store.Dir(s.Config.ID), "upper"), Owners: e.containerLayer(s.Config),
		Config: imageConfig(s.Config, a), Override: opts.Conf, Changes: opts.Changes,
		Message: opts.Message, Author: opts.Author, CreatedBy: strings.Join(append([]string{a.Path}, a.Args...), " "),
		Names: names(opts), OCI: opts.Format == "oci",
	})
	if err != nil {
		return "", err
	}
	return img.ID, nil
}

// freeze pauses a container that runs, and returns what lets it go on.
func (e *Engine) freeze(ctx context.Context, s *state.Snapshot) (resume func() error, err error) {
	none := func() error { return nil }
	if !live(s) || s.Run.Status == engine.StatusPaused {
		return none, nil
	}
	err = e.monitors.Pause(ctx, s.Config.ID)
	if errors.Is(err, engine.ErrConflict) {
		return none, nil // it has ended, or been paused, meanwhile
	}
	if err != nil {
		return nil, err
	}
	return func() error {
		err := e.monitors.Unpause(context.WithoutCancel(ctx), s.Config.ID)
		if errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return err
	}, nil
}

// imageConfig is the container's configuration as an image has it.
func imageConfig(cfg *state.Config, a *engine.Attrs) *engine.ImageConfig {
	c := cfg.ImageConfig
	c.User, c.Env, c.Entrypoint, c.Cmd = a.Config.User, a.Config.Env, a.Config.Entrypoint, a.Config.Cmd
	c.WorkingDir, c.Labels, c.ExposedPorts, c.Volumes = a.Config.WorkingDir, a.Config.Labels, a.Config.ExposedPorts, a.Config.Volumes
	c.Healthcheck = a.Config.Healthcheck
	if cfg.Spec.StopSignal != "" {
		c.StopSignal = a.Config.StopSignal
	}
	return &c
}

func names(opts engine.CommitOptions) []string {
	switch {
	case opts.Repository == "":
		return nil
	case opts.Tag == "":
		return []string{opts.Repository}
	}
	return []string{opts.Repository + ":" + opts.Tag}
}

// containerLayer says how the files of a container are kept on disk.
func (e *Engine) containerLayer(cfg *state.Config) layer.Options {
	o := e.layerOptions()
	if len(cfg.UIDMap) > 0 {
		o.UIDMap, o.GIDMap = cfg.UIDMap, cfg.GIDMap
	}
	return o
}
