package embedded

import (
	"context"
	"errors"
	"strings"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/engine"
)

// ContainerUpdate implements [engine.Containers].
func (e *Engine) ContainerUpdate(ctx context.Context, id string, u engine.Update) (engine.UpdateResult, error) {
	const op = "update container"
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return engine.UpdateResult{}, err
	}
	unlock, err := e.store.Lock(ctx, s.Config.ID)
	if err != nil {
		return engine.UpdateResult{}, because(ctx, op, id, err)
	}
	defer unlock()
	if err := e.update(ctx, s.Config.ID, u); err != nil {
		return engine.UpdateResult{}, because(ctx, op, id, err)
	}
	e.containerEvent("update", s.Config, nil)
	return engine.UpdateResult{}, nil
}

// update changes both configurations, and the container if it runs. The caller holds its lock.
func (e *Engine) update(ctx context.Context, id string, u engine.Update) error {
	cfg, err := e.store.Config(id)
	if err != nil {
		return err
	}
	oci, err := e.store.OCI(id)
	if err != nil {
		return err
	}
	oldCfg, oldOCI := *cfg, oci
	oldCfg.Spec = cfg.Spec.Clone()
	if oci, err = e.store.OCI(id); err != nil { // one of its own, to be changed
		return err
	}
	if err := config.ApplyUpdate(cfg, oci, u, e.host); err != nil {
		return err
	}
	if oci.Linux != nil && oci.Linux.Resources != nil {
		if err := cgroup.SupportedUpdate(oci.Linux.Resources, cgroup.Options{Rootless: e.host.Rootless}); err != nil {
			return err
		}
	}
	back := func(err error) error {
		return errors.Join(err, e.store.WriteConfig(&oldCfg), e.store.WriteOCI(id, oldOCI))
	}
	if err := e.store.WriteConfig(cfg); err != nil {
		return back(err)
	}
	if err := e.store.WriteOCI(id, oci); err != nil {
		return back(err)
	}
	if err := e.monitors.Update(ctx, id); err != nil {
		return back(err)
	}
	return nil
}

// ContainerRename implements [engine.Containers].
func (e *Engine) ContainerRename(ctx context.Context, id, name string) error {
	const op = "rename container"
	name = strings.TrimPrefix(name, "/")
	s, err := e.snapshot(ctx, op, id)
	if err != nil {
		return err
	}
	if err := (&engine.Spec{Image: "x", Name: name}).Validate(); err != nil || name == "" {
		return &engine.InvalidError{Option: "name", Value: name, Reason: "want letters, digits, _ . and -, beginning with a letter or digit"}
	}
	old := s.Config.Name
	if old == name {
		return nil
	}
	unlock, err := e.store.Lock(ctx, s.Config.ID)
	if err != nil {
		return because(ctx, op, id, err)
	}
	err = e.store.Rename(s.Config.ID, name)
	unlock()
	if err != nil {
		return because(ctx, op, id, err)
	}
	renamed := *s.Config
	renamed.Name = name
	e.containerEvent("rename", &renamed, map[string]string{"oldName": old})
	return because(ctx, op, id, e.monitors.Renamed(ctx, s.Config.ID))
}
