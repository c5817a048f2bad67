package docker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/berthdev/berth/engine"
)

// createBody is spec in the engine's terms. What the request cannot hold is in req.
func (e *Engine) createBody(r *refusals, s *engine.Spec, req *createRequest) (*wireCreate, error) {
	b := &wireCreate{
		Hostname:     s.Hostname,
		Domainname:   s.Domainname,
		User:         s.User,
		AttachStdin:  s.OpenStdin,
		AttachStdout: true,
		AttachStderr: true,
		Tty:          s.TTY,
		OpenStdin:    s.OpenStdin,
		StdinOnce:    s.StdinOnce,
		Env:          envList(s.Env, s.UnsetEnv),
		Cmd:          s.Command,
		Healthcheck:  healthcheck(s.Healthcheck),
		Image:        s.Image,
		WorkingDir:   s.WorkingDir,
		Entrypoint:   s.Entrypoint,
		Labels:       s.Labels,
		StopSignal:   s.StopSignal,

		NetworkDisabled: s.NetworkDisabled,
	}
	if s.StopTimeout != nil {
		seconds, err := wholeSeconds("Spec.StopTimeout", *s.StopTimeout)
		r.add(err)
		b.StopTimeout = &seconds
	}
	h := &b.HostConfig
	h.AutoRemove = s.AutoRemove
	h.VolumesFrom = s.VolumesFrom
	h.Annotations = s.Annotations
	h.CapAdd, h.CapDrop = s.CapAdd, s.CapDrop
	h.GroupAdd = s.GroupAdd
	h.OomScoreAdj = s.OOMScoreAdj
	h.Privileged = s.Privileged
	h.ReadonlyRootfs = s.ReadOnly
	h.StorageOpt = s.StorageOpt
	h.ShmSize = int64(s.ShmSize)
	h.Sysctls = s.Sysctls
	h.Runtime = s.Runtime
	h.Init = s.Init
	h.CgroupParent = s.CgroupParent
	h.DeviceCgroupRules = s.DeviceCgroupRules
	if l := s.LogConfig; l.Driver != "" || len(l.Options) > 0 {
		h.LogConfig = &wireLogConfig{Type: l.Driver, Config: l.Options}
	}
	if p := s.RestartPolicy; p != (engine.RestartPolicy{}) {
		h.RestartPolicy = &wireRestartPolicy{Name: p.Name, MaximumRetryCount: p.MaximumRetryCount}
	}
	namespaces(h, s)
	devices(h, s)
	security(r, h, s)
	resources(r, &h.wireResources, &s.Resources)
	windows(h, s.Windows)
	e.mounts(r, b, s)
	ports(r, b, s)
	e.network(r, b, s, req)
	return b, nil
}

// envList is KEY=VALUE, and KEY alone for what is to be removed from the image's, in a fixed order.
func envList(env map[string]string, unset []string) []string {
	list := make([]string, 0, len(env)+len(unset))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return append(list, unset...)
}

func healthcheck(h *engine.Healthcheck) *wireHealthcheck {
	if h == nil {
		return nil
	}
	return &wireHealthcheck{
		Test:          h.Test,
		Interval:      h.Interval.Nanoseconds(),
		Timeout:       h.Timeout.Nanoseconds(),
		StartPeriod:   h.StartPeriod.Nanoseconds(),
		StartInterval: h.StartInterval.Nanoseconds(),
		Retries:       h.Retries,
	}
}

// wholeSeconds is d for a field that has seconds. A fraction would be lost.
func wholeSeconds(option string, d time.Duration) (int64, error) {
	if d%time.Second != 0 {
		return 0, &engine.InvalidError{Option: option, Value: d.String(), Reason: "not whole seconds"}
	}
	return int64(d / time.Second), nil
}

// clearCommand gives effect to a Command that is empty on purpose. The engine takes the image's CMD for an empty one, unless the request has an entrypoint: it gets the image's own.
func (e *Engine) clearCommand(ctx context.Context, s *engine.Spec, b *wireCreate) error {
	if s.Command == nil || len(s.Command) > 0 || len(s.Entrypoint) > 0 {
		return nil
	}
	if s.Entrypoint == nil {
		img, err := e.ImageInspect(ctx, s.Image)
		if err != nil {
			return err
		}
		b.Entrypoint = img.Config.Entrypoint
	}
	if len(b.Entrypoint) == 0 {
		return &engine.InvalidError{Option: "Spec.Command", Reason: "it is empty, and there is no entrypoint: nothing to run"}
	}
	return nil
}
