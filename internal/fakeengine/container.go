package fakeengine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// container is one container. Its fields below mu are guarded by it.
type container struct {
	e    *Engine
	id   string
	name string
	spec *engine.Spec

	mu       sync.Mutex
	state    engine.State
	started  chan struct{} // closed by the first start
	exit     chan struct{} // closed when the current or next run ends
	exitCode *int          // of that run
	removed  chan struct{} // closed by the removal
	killed   chan struct{}
	signals  chan string
	attached []*attachment
	log      []logEntry
	logged   chan struct{} // closed and replaced when the log grows or ends
	health   engine.Health
}

// ContainerCreate implements engine.Engine.
func (e *Engine) ContainerCreate(ctx context.Context, spec *engine.Spec, o engine.CreateOptions) (engine.CreateResult, error) {
	if err := e.enter(ctx, "ContainerCreate", spec.Name); err != nil {
		return engine.CreateResult{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.images[spec.Image] {
		return engine.CreateResult{}, apiError("create container", spec.Name, engine.ErrImageNotFound, "no such image: "+spec.Image)
	}
	id := newID()
	c := &container{
		e: e, id: id, name: spec.Name, spec: new(spec.Clone()),
		state:   engine.State{Status: engine.StatusCreated},
		started: make(chan struct{}), exit: make(chan struct{}), removed: make(chan struct{}), logged: make(chan struct{}),
		health: engine.Health{Status: engine.HealthStarting},
	}
	if c.name == "" {
		c.name = "fake_" + id[:6]
	}
	for _, other := range e.containers {
		if other.name == c.name {
			return engine.CreateResult{}, apiError("create container", c.name, engine.ErrConflict, "the name is in use")
		}
	}
	e.containers[id] = c
	var warnings []string
	if spec.Resources.BlkioWeight != 0 {
		warnings = []string{"Your kernel does not support Block I/O weight. Weight discarded."}
	}
	return engine.CreateResult{ID: id, Warnings: warnings}, nil
}

// Spec is what a container was created with.
func (e *Engine) Spec(id string) *engine.Spec { return e.find(id).spec }

// ContainerInspect implements engine.Engine.
func (e *Engine) ContainerInspect(ctx context.Context, id string, _ engine.InspectOptions) (*engine.Attrs, error) {
	c, err := e.open(ctx, "ContainerInspect", id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &engine.Attrs{
		ID: c.id, Name: c.name, Image: c.spec.Image, ImageID: "sha256:" + c.spec.Image, State: c.state, At: time.Now(),
		Config: engine.Config{
			Labels: maps.Clone(c.spec.Labels), TTY: c.spec.TTY, OpenStdin: c.spec.OpenStdin, StdinOnce: c.spec.StdinOnce,
			Healthcheck: c.spec.Healthcheck, Cmd: slices.Clone(c.spec.Command),
		},
		HostConfig: engine.HostConfig{RestartPolicy: c.spec.RestartPolicy, NetworkMode: c.spec.NetworkMode, AutoRemove: c.spec.AutoRemove},
	}
	if c.spec.Healthcheck != nil && !c.state.StartedAt.IsZero() {
		h := c.health
		h.Log = slices.Clone(h.Log)
		a.State.Health = &h
	}
	for _, p := range c.spec.Ports {
		maps, err := p.Expand()
		if err != nil {
			return nil, err
		}
		for _, m := range maps {
			a.Ports = append(a.Ports, engine.PortBinding{
				Container: fmt.Sprintf("%d/%s", m.ContainerPort, m.Protocol), HostIP: m.HostIP, HostPort: m.HostPort,
			})
		}
	}
	return a, nil
}

// ContainerExists implements engine.Engine.
func (e *Engine) ContainerExists(ctx context.Context, id string) (bool, error) {
	if err := e.enter(ctx, "ContainerExists", id); err != nil {
		return false, err
	}
	return e.find(id) != nil, nil
}

// ContainerList implements engine.Engine.
func (e *Engine) ContainerList(ctx context.Context, o engine.ListOptions) ([]engine.Summary, error) {
	if err := e.enter(ctx, "ContainerList", ""); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []engine.Summary
	for _, c := range e.containers {
		c.mu.Lock()
		if o.All || o.Limit > 0 || c.state.Running() {
			list = append(list, engine.Summary{
				ID: c.id, Names: []string{c.name}, Image: c.spec.Image, ImageID: "sha256:" + c.spec.Image, Status: c.state.Status, Labels: c.spec.Labels,
			})
		}
		c.mu.Unlock()
	}
	return list, nil
}

// ContainerRename implements engine.Engine.
func (e *Engine) ContainerRename(ctx context.Context, id, name string) error {
	c, err := e.open(ctx, "ContainerRename", id)
	if err != nil {
		return err
	}
	if other := e.find(name); other != nil && other != c {
		return apiError("rename container", id, engine.ErrConflict, "the name is in use")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.name = name
	return nil
}

// ContainerRemove implements engine.Engine.
func (e *Engine) ContainerRemove(ctx context.Context, id string, o engine.RemoveOptions) error {
	c, err := e.open(ctx, "ContainerRemove", id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	running, exit := c.state.Running(), c.exit
	c.mu.Unlock()
	if running {
		if !o.Force {
			return apiError("remove container", id, engine.ErrConflict, "container is running")
		}
		c.kill()
		select {
		case <-exit:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.remove()
	return nil
}

// remove takes a stopped container out of the engine.
func (c *container) remove() {
	c.e.mu.Lock()
	_, there := c.e.containers[c.id]
	delete(c.e.containers, c.id)
	c.e.mu.Unlock()
	if there {
		close(c.removed)
		c.dropAttachments()
	}
}

// ContainerResize implements engine.Engine.
func (e *Engine) ContainerResize(ctx context.Context, id string, size engine.Size) error {
	_, err := e.open(ctx, fmt.Sprintf("ContainerResize %dx%d", size.Rows, size.Cols), id)
	return err
}

// ContainerHealthcheck implements engine.Engine.
func (e *Engine) ContainerHealthcheck(ctx context.Context, id string) (engine.HealthResult, error) {
	c, err := e.open(ctx, "ContainerHealthcheck", id)
	if err != nil {
		return engine.HealthResult{}, err
	}
	res := e.Health(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.Log = append(c.health.Log, res)
	c.health.Status = engine.HealthUnhealthy
	if res.Healthy {
		c.health.Status = engine.HealthHealthy
	}
	return res, nil
}

// SetHealth sets what inspect shows of a container's health.
func (e *Engine) SetHealth(id string, h engine.Health) {
	c := e.find(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health = h
}

// ImageInspect implements engine.Engine.
func (e *Engine) ImageInspect(ctx context.Context, ref string) (*engine.ImageAttrs, error) {
	if err := e.enter(ctx, "ImageInspect", ref); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.images[ref] {
		return nil, apiError("inspect image", ref, engine.ErrImageNotFound, "no such image")
	}
	return &engine.ImageAttrs{ID: "sha256:" + ref, OS: "linux", Architecture: "amd64"}, nil
}

// ImagePull implements engine.Engine.
func (e *Engine) ImagePull(ctx context.Context, ref string, o engine.PullOptions) (string, error) {
	if err := e.enter(ctx, "ImagePull", ref); err != nil {
		return "", err
	}
	if e.Pull == nil {
		return "", apiError("pull image", ref, engine.ErrImageNotFound, "no registry")
	}
	if err := e.Pull(ref, o); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[ref] = true
	return "sha256:" + ref, nil
}

var _ io.Closer = (*Engine)(nil)

// ContainerPause implements engine.Engine.
func (e *Engine) ContainerPause(ctx context.Context, id string) error {
	c, err := e.open(ctx, "ContainerPause", id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Status = engine.StatusPaused
	return nil
}
