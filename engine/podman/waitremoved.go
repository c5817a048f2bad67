package podman

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// waitRemoved waits for a container's removal by the engine's events, and learns its exit code on the way: the engine's own wait tells 0 for any (before 4.6), or that there is no such container.
func (e *Engine) waitRemoved(ctx context.Context, o op, id string, state engine.State) (engine.Waiter, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := get("/events")
	r.Query = url.Values{"stream": {"true"}, "filters": {`{"container":["` + id + `"],"event":["died","remove"]}`}}
	resp, err := e.stream(ctx, o, r)
	if err != nil {
		cancel()
		return nil, err
	}
	exit := engine.Exit{Code: state.ExitCode, Error: state.Error}
	// What happened before the engine listened for us is looked up, now that it does.
	w, err := e.inspect(ctx, o, id)
	switch {
	case isNotFound(err):
		cancel()
		resp.Body.Close()
		return &waiter{cancel: func() {}, wait: func() (engine.Exit, error) { return exit, nil }}, nil
	case err != nil:
		cancel()
		resp.Body.Close()
		return nil, err
	}
	exit.Code, exit.Error = w.State.ExitCode, w.State.Error
	var last, told *engine.Exit // the last end, as known now, and by the events
	if e.state(&w.State).Ended() {
		last = &engine.Exit{Code: exit.Code, Error: exit.Error}
	}
	events := func() (engine.Exit, error) {
		for text, err := range wire.Values[json.RawMessage](resp.Body) {
			if err != nil {
				return exit, e.fail(o, err)
			}
			var ev wireEvent
			if json.Unmarshal(text, &ev) != nil {
				continue
			}
			switch action(&ev) {
			case "died":
				if code, ok := exitCode(&ev); ok {
					exit.Code = code
					told = &exit
				}
			case "remove":
				return exit, nil
			}
		}
		if ctx.Err() != nil {
			return exit, e.fail(o, contextError(ctx))
		}
		if found, err := e.ContainerExists(ctx, id); err == nil && !found {
			return exit, nil
		}
		return exit, e.fail(o, io.ErrUnexpectedEOF)
	}
	missed := func(ctx context.Context) func() (engine.Exit, error) {
		if !e.missedRemoval(ctx, o, id, &last) {
			return nil
		}
		return func() (engine.Exit, error) { return known(o, cmp.Or(told, last)) }
	}
	return &waiter{cancel: cancel, body: resp.Body, wait: sync.OnceValues(func() (engine.Exit, error) { return watched(ctx, cancel, events, missed) })}, nil
}

// parseExitCode reads the answer of libpod's wait.
func parseExitCode(text string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil
}
