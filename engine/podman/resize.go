package podman

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

const (
	// resizeGap is the least time between two sizes that are told to the same terminal.
	resizeGap = 100 * time.Millisecond
	// resizeMemory is how long a terminal is remembered after it was told a size.
	resizeMemory = 10 * time.Second
)

// resizes are the times at which terminals were last told a size, by the paths of their endpoints.
//
// What passes the sizes on, conmon, applies the first of several that it reads at once as often as there are, and loses the others. So they are kept apart, and one that has followed another is told a second time,
// which changes nothing where the first time was enough.
type resizes struct {
	mu   sync.Mutex
	told map[string]time.Time
}

// tell notes that a terminal is told a size now, unless it was told one within the gap: then it says how long to wait.
func (r *resizes) tell(path string) (when, before time.Time, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(r.told, func(_ string, t time.Time) bool { return now.Sub(t) > resizeMemory })
	before, ok := r.told[path]
	if ok && now.Sub(before) < resizeGap {
		return now, before, resizeGap - now.Sub(before)
	}
	if r.told == nil {
		r.told = map[string]time.Time{}
	}
	r.told[path] = now
	return now, before, 0
}

// latest tells that the terminal was told nothing after when.
func (r *resizes) latest(path string, when time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[path].Equal(when)
}

// ContainerResize implements [engine.Containers].
func (e *Engine) ContainerResize(ctx context.Context, id string, size engine.Size) error {
	path, err := containerPath(id, "/resize")
	if err != nil {
		return err
	}
	return e.resize(ctx, op{"resize container", id}, path, size)
}

// ExecResize implements [engine.Execs].
func (e *Engine) ExecResize(ctx context.Context, id string, size engine.Size) error {
	path, err := objectPath("exec", "/exec/", id, "/resize")
	if err != nil {
		return err
	}
	return e.resize(ctx, op{"resize exec", id}, path, size)
}

func (e *Engine) resize(ctx context.Context, o op, path string, size engine.Size) error {
	r := wire.Request{Method: http.MethodPost, Path: path, Query: sizeQuery(size)}
	for {
		when, before, wait := e.resizes.tell(path)
		if wait > 0 {
			if err := e.pause(ctx, o, wait); err != nil {
				return err
			}
			continue
		}
		if err := e.call(ctx, o, r, nil); err != nil || before.IsZero() {
			return err
		}
		if err := e.pause(ctx, o, resizeGap); err != nil || !e.resizes.latest(path, when) {
			return nil // it was told, and a later size is told twice itself
		}
		if _, _, wait := e.resizes.tell(path); wait == 0 {
			_ = e.call(ctx, o, r, nil) // the process may have ended by now
		}
		return nil
	}
}

func sizeQuery(size engine.Size) url.Values {
	return url.Values{"h": {strconv.Itoa(int(size.Rows))}, "w": {strconv.Itoa(int(size.Cols))}}
}
