package podman

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerInspect implements [engine.Containers].
func (e *Engine) ContainerInspect(ctx context.Context, id string, opts engine.InspectOptions) (*engine.Attrs, error) {
	query := url.Values{}
	if opts.Size {
		query.Set("size", "true")
	}
	var w wire.Raw[wireContainer]
	err := settled(ctx, func() error {
		return e.container(ctx, "inspect container", id, http.MethodGet, "/json", query, nil, &w)
	})
	if err != nil {
		return nil, err
	}
	a := e.attrs(&w.Value)
	if !opts.Size {
		a.SizeRw, a.SizeRootFs = nil, nil
	}
	a.Raw, a.At = w.Text, time.Now()
	return a, nil
}

// inspect is ContainerInspect for this package's own questions.
func (e *Engine) inspect(ctx context.Context, o op, id string) (*wireContainer, error) {
	path, err := containerPath(id, "/json")
	if err != nil {
		return nil, err
	}
	w := new(wireContainer)
	return w, settled(ctx, func() error { return e.call(ctx, o, get(path), w) })
}

// settled asks again while the answer is that a process has just gone: Podman reads /proc/PID of a container that it
// believes to run, and its answer is a 500 when that one ends meanwhile. It gives up after a second.
func settled(ctx context.Context, ask func() error) error {
	const tries, pause = 20, 50 * time.Millisecond
	for try := 1; ; try++ {
		err := ask()
		if api, ok := errors.AsType[*engine.APIError](err); !ok || try == tries || !strings.Contains(api.Message, "/proc/") || !strings.Contains(api.Message, "no such") {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// ContainerExists implements [engine.Containers].
func (e *Engine) ContainerExists(ctx context.Context, id string) (bool, error) {
	path, err := containerPath(id, "/exists")
	if err != nil {
		return false, err
	}
	return e.exists(ctx, op{"look for container", id}, path)
}

func (e *Engine) attrs(w *wireContainer) *engine.Attrs {
	a := &engine.Attrs{
		ID:           w.ID,
		Name:         strings.TrimPrefix(w.Name, "/"),
		Created:      w.Created,
		Image:        w.ImageName,
		ImageID:      imageID(w.Image),
		Platform:     "linux",
		Path:         w.Path,
		Args:         w.Args,
		Driver:       w.Driver,
		LogPath:      w.HostConfig.LogConfig.Path,
		State:        e.state(&w.State),
		RestartCount: w.RestartCount,
		Config:       configOf(w),
		HostConfig:   hostConfigOf(&w.HostConfig),
		Mounts:       mountsOf(w),
		Networks:     map[string]engine.EndpointState{},
		Ports:        portsOf(w.NetworkSettings.Ports),
		ExecIDs:      w.ExecIDs,
		SizeRw:       (*engine.Bytes)(w.SizeRw),
		SizeRootFs:   (*engine.Bytes)(w.SizeRootFs),
		Pod:          w.Pod,
	}
	if !a.State.Running() {
		a.Ports = nil // nothing listens, whatever the engine remembers
	}
	if a.Image == "" {
		a.Image = w.Config.Image
	}
	if w.OCIRuntime != "" {
		a.HostConfig.Runtime = w.OCIRuntime
	}
	for name, n := range w.NetworkSettings.Networks {
		a.Networks[name] = endpointState(n)
	}
	return a
}

// state normalises a container's state.
func (e *Engine) state(w *wireState) engine.State {
	s := engine.State{
		Raw:        w.Status,
		OOMKilled:  e.oomKilled(w),
		PID:        w.Pid,
		ExitCode:   w.ExitCode,
		Error:      w.Error,
		StartedAt:  w.StartedAt,
		FinishedAt: w.FinishedAt,
	}
	s.Status, _ = statusOf(w.Status)
	if h := w.Health; h != nil && h.Status != "" { // 4.x has an empty one where there is no health check
		s.Health = healthOf(h)
	}
	return s
}

// oomKilled is nil where the engine does not tell: 4.x says false of containers that were killed for want of memory.
func (e *Engine) oomKilled(w *wireState) *bool {
	if !w.OOMKilled && w.ExitCode == 137 && e.version < vOOMKilled {
		return nil
	}
	return &w.OOMKilled
}

// statusOf normalises Podman's word for a state; ok is false for one that is not known.
func statusOf(word string) (status engine.Status, ok bool) {
	switch word {
	case "created", "configured":
		return engine.StatusCreated, true
	case "stopped", "exited":
		return engine.StatusExited, true
	case "initialized", "running", "paused", "restarting", "stopping", "removing":
		return engine.Status(word), true
	}
	return engine.StatusUnknown, false
}

func healthOf(w *wireHealth) *engine.Health {
	h := &engine.Health{Status: healthStatus(w.Status), FailingStreak: w.FailingStreak}
	for _, l := range w.Log {
		h.Log = append(h.Log, engine.HealthResult{
			Start: parseTime(l.Start), End: parseTime(l.End), ExitCode: l.ExitCode, Output: l.Output, Healthy: l.ExitCode == 0,
		})
	}
	return h
}

func healthStatus(word string) engine.HealthStatus {
	switch word {
	case "healthy":
		return engine.HealthHealthy
	case "unhealthy":
		return engine.HealthUnhealthy
	case "":
		return engine.HealthNone
	}
	return engine.HealthStarting // starting, and reset of a check that was changed
}

// parseTime reads an RFC 3339 time; what is none is the zero time.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// configOf is the portable half of a container's configuration.
func configOf(w *wireContainer) engine.Config {
	c := &w.Config
	out := engine.Config{
		Hostname:     c.Hostname,
		Domainname:   c.Domainname,
		User:         c.User,
		Env:          c.Env,
		Cmd:          c.Cmd,
		Entrypoint:   entrypointOf(w),
		WorkingDir:   c.WorkingDir,
		Labels:       c.Labels,
		Annotations:  annotationsOf(c.Annotations),
		TTY:          c.Tty,
		OpenStdin:    c.OpenStdin,
		StdinOnce:    c.StdinOnce,
		StopTimeout:  new(time.Duration(c.StopTimeout) * time.Second),
		Healthcheck:  healthcheckOf(c),
		ExposedPorts: exposedOf(w),
		Timezone:     c.Timezone,
		Umask:        c.Umask,
	}
	if _, name, err := normal.Signal(string(c.StopSignal)); err == nil {
		out.StopSignal = name
	}
	out.Volumes = sortedKeys(c.Volumes)
	return out
}

// entrypointOf is the entrypoint; before 5.0 it is told as one string, and its words are found again in the whole command.
func entrypointOf(w *wireContainer) []string {
	e := w.Config.Entrypoint
	if e.text == "" {
		return e.list
	}
	whole := append([]string{w.Path}, w.Args...)
	if n := len(whole) - len(w.Config.Cmd); n > 0 && strings.Join(whole[:n], " ") == e.text {
		return whole[:n]
	}
	return strings.Split(e.text, " ")
}

// annotationsOf leaves out those that Podman makes for itself.
func annotationsOf(all map[string]string) map[string]string {
	var out map[string]string
	for k, v := range all {
		if k == "io.container.manager" || strings.HasPrefix(k, "io.podman.annotations.") || strings.HasPrefix(k, "io.kubernetes.cri-o.") ||
			k == "org.opencontainers.image.stopSignal" || strings.HasPrefix(k, "org.systemd.property.") {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[k] = v
	}
	return out
}

func healthcheckOf(c *wireConfig) *engine.Healthcheck {
	w := c.Healthcheck
	if w == nil || len(w.Test) == 0 {
		return nil
	}
	h := &engine.Healthcheck{
		Test: w.Test, Interval: w.Interval, Timeout: w.Timeout, StartPeriod: w.StartPeriod, StartInterval: w.StartInterval, Retries: w.Retries,
		LogDestination: c.HealthLogDestination, LogMaxCount: c.HealthcheckMaxLogCount, LogMaxSize: c.HealthcheckMaxLogSize,
	}
	if c.HealthcheckOnFailureAction != "none" {
		h.OnFailure = c.HealthcheckOnFailureAction
	}
	if s := c.StartupHealthCheck; s != nil {
		h.Startup = &engine.StartupHealthcheck{Test: s.Test, Interval: s.Interval, Timeout: s.Timeout, Retries: s.Retries, Successes: s.Successes}
	}
	return h
}
