package engine

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// OpenFunc opens an engine that needs no address, such as the embedded one.
type OpenFunc func(ctx context.Context, log *slog.Logger) (Engine, error)

var registry struct {
	sync.Mutex
	open map[string]OpenFunc
}

// Register makes an engine known by name, as database/sql drivers do: it is
// called from the init function of the engine's package. It panics when the
// name is registered twice.
func Register(name string, open OpenFunc) {
	registry.Lock()
	defer registry.Unlock()
	if registry.open == nil {
		registry.open = map[string]OpenFunc{}
	}
	if _, dup := registry.open[name]; dup {
		panic("engine: Register called twice for " + name)
	}
	registry.open[name] = open
}

// Registered returns the names of the registered engines, sorted.
func Registered() []string {
	registry.Lock()
	defer registry.Unlock()
	names := make([]string, 0, len(registry.open))
	for name := range registry.open {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Opener returns the function that was registered under name.
func Opener(name string) (OpenFunc, bool) {
	registry.Lock()
	defer registry.Unlock()
	open, ok := registry.open[name]
	return open, ok
}
