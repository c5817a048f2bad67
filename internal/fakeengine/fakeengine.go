package fakeengine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"slices"
	"sync"

	"github.com/berthdev/berth/engine"
)

// Program is what a container or an exec runs. It returns the exit code. When its
// process is killed, p.Killed is closed and its streams fail; the exit code is then 137 whatever it returns.
type Program func(p *Proc) int

// Proc is a running program's view of the world.
type Proc struct {
	Args   []string
	Env    map[string]string
	Stdin  io.Reader // at its end without an attached input
	Stdout io.Writer
	Stderr io.Writer
	Killed <-chan struct{}
	// Signals gets those that are sent by name, but for SIGKILL.
	Signals <-chan string
	// Detach closes the connections of the clients, as an engine does at their detach keys.
	Detach func()
}

// Engine is the engine. Set its fields before its first use. It is safe for
// concurrent use.
type Engine struct {
	engine.Engine // nil: what is not written here panics

	ID       engine.Identity
	Features map[engine.Feature]bool
	// Programs by name: Args[0]. A command that is not there cannot be found.
	Programs map[string]Program
	// Hook, when set, is called at the start of every call with the method's name
	// and the object's; an error is the call's.
	Hook func(ctx context.Context, op, object string) error
	// Pull tells whether an image may be pulled.
	Pull func(ref string, o engine.PullOptions) error
	// WaitError, when set, is what waits end with once the container has.
	WaitError error
	// Health is what a health check returns.
	Health func(id string) engine.HealthResult

	mu         sync.Mutex
	images     map[string]bool
	containers map[string]*container
	execs      map[string]*exec
	calls      []string
	closed     bool
}

// New makes an engine with an image "busybox" and these programs.
func New(programs map[string]Program) *Engine {
	return &Engine{
		ID:         engine.Identity{Name: "fake", Version: "1.0", Host: "fake", Source: "WithEngine", OS: "linux", Arch: "amd64"},
		Features:   map[engine.Feature]bool{engine.FeatureHealthTimer: true},
		Programs:   programs,
		images:     map[string]bool{"busybox": true},
		containers: map[string]*container{},
		execs:      map[string]*exec{},
	}
}

// Identity implements engine.Engine.
func (e *Engine) Identity() engine.Identity { return e.ID }

// Supports implements engine.Engine.
func (e *Engine) Supports(f engine.Feature) bool { return e.Features[f] }

// Close implements engine.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}

// Closed tells whether Close was called.
func (e *Engine) Closed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// Calls are the names of the calls so far, in order.
func (e *Engine) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

// ResetCalls forgets the calls so far.
func (e *Engine) ResetCalls() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = nil
}

// Left are the containers that exist, by ID.
func (e *Engine) Left() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for id := range e.containers {
		ids = append(ids, id)
	}
	return ids
}

// Drop closes a container's attach connections as a network failure would.
func (e *Engine) Drop(id string) {
	if c := e.find(id); c != nil {
		c.dropAttachments()
	}
}

// Ping implements engine.Engine.
func (e *Engine) Ping(ctx context.Context) error { return e.enter(ctx, "Ping", "") }

// enter begins a call.
func (e *Engine) enter(ctx context.Context, op, object string) error {
	e.mu.Lock()
	e.calls = append(e.calls, op)
	hook := e.Hook
	e.mu.Unlock()
	if hook != nil {
		if err := hook(ctx, op, object); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// open begins a call on a container.
func (e *Engine) open(ctx context.Context, op, id string) (*container, error) {
	if err := e.enter(ctx, op, id); err != nil {
		return nil, err
	}
	c := e.find(id)
	if c == nil {
		return nil, apiError(op, id, engine.ErrNotFound, "no such container")
	}
	return c, nil
}

func (e *Engine) find(id string) *container {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.containers[id]; c != nil {
		return c
	}
	for _, c := range e.containers {
		if c.name == id {
			return c
		}
	}
	return nil
}

func apiError(op, object string, kind error, text string) error {
	return &engine.APIError{Engine: "fake", Op: op, Object: object, Message: text, Kind: kind}
}

func newID() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
