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
	// resizeAgain is when a size is told the second time.
	resizeAgain = 250 * time.Millisecond
	// resizeMemory is how long a terminal is remembered after it was told a size.
	resizeMemory = 10 * time.Second
)

// resizes are the sizes that terminals were last told, by the paths of their endpoints.
//
// What passes the sizes on, conmon, applies the first of several that it reads at once as often as there are, and loses the others. So they are kept apart, and one that has followed another is told a second time,
// which changes nothing where the first time was enough.
type resizes struct {
	mu   sync.Mutex
	told map[string]told
}

// told is a size, when it was last told, and whether nothing was told shortly before it but the same.
type told struct {
	size  engine.Size
	when  time.Time
	alone bool
}

// tell notes that a terminal is told a size now, unless it was told one within the gap: then it says how long to wait.
func (r *resizes) tell(path string, size engine.Size) (now told, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now = told{size, time.Now(), true}
	maps.DeleteFunc(r.told, func(_ string, t told) bool { return now.when.Sub(t.when) > resizeMemory })
	if before, ok := r.told[path]; ok {
		now.alone = before.alone && before.size == size
		if passed := now.when.Sub(before.when); passed < resizeGap {
			return now, resizeGap - passed
		}
	}
	if r.told == nil {
		r.told = map[string]told{}
	}
	r.told[path] = now
	return now, 0
}

// latest tells that the terminal was told nothing after now.
func (r *resizes) latest(path string, now told) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[path].when.Equal(now.when)
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
	now, wait := e.resizes.tell(path, size)
	for wait > 0 {
		if err := e.pause(ctx, o, wait); err != nil {
			return err
		}
		now, wait = e.resizes.tell(path, size)
	}
	if err := e.call(ctx, o, r, nil); err != nil || now.alone {
		return err
	}
	if err := e.pause(ctx, o, resizeAgain); err != nil {
		return err
	}
	if !e.resizes.latest(path, now) {
		return nil // a later size is told twice itself
	}
	if _, wait := e.resizes.tell(path, size); wait == 0 {
		if err := e.call(ctx, o, r, nil); err != nil && ctx.Err() != nil {
			return err
		} // else the process may have ended by now
	}
	return nil
}

func sizeQuery(size engine.Size) url.Values {
	return url.Values{"h": {strconv.Itoa(int(size.Rows))}, "w": {strconv.Itoa(int(size.Cols))}}
}
