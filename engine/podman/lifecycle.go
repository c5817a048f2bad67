package podman

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// ContainerStop implements [engine.Containers]. A paused container is resumed, as on Docker: Podman refuses to stop it.
func (e *Engine) ContainerStop(ctx context.Context, id string, opts engine.StopOptions) error {
	query, err := e.stopQuery("Container.Stop", opts)
	if err != nil {
		return err
	}
	err = e.container(ctx, "stop container", id, http.MethodPost, "/stop", query, nil, nil)
	if !isPaused(err) {
		return err
	}
	if e.ContainerUnpause(ctx, id) != nil {
		return err
	}
	return e.container(ctx, "stop container", id, http.MethodPost, "/stop", query, nil, nil)
}

// ContainerRestart implements [engine.Containers]. It asks for the container's StopTimeout first, unless opts has one: without a timeout Podman restarts with a SIGKILL.
func (e *Engine) ContainerRestart(ctx context.Context, id string, opts engine.StopOptions) error {
	query, err := e.stopQuery("Container.Restart", opts)
	if err != nil {
		return err
	}
	if opts.Timeout == nil {
		w, err := e.inspect(ctx, op{"restart container", id}, id)
		if err != nil {
			return err
		}
		query.Set("timeout", strconv.FormatUint(uint64(w.Config.StopTimeout), 10))
	}
	restart := func() error {
		return e.container(ctx, "restart container", id, http.MethodPost, "/restart", query, nil, nil)
	}
	err = e.startAgain(ctx, restart)
	if !isPaused(err) {
		return err
	}
	if e.ContainerUnpause(ctx, id) != nil {
		return err
	}
	return restart()
}

// isPaused reports whether err says that a container is paused.
func isPaused(err error) bool {
	api, ok := errors.AsType[*engine.APIError](err)
	return ok && (strings.Contains(api.Message, "refusing to clean up") || strings.Contains(api.Message, "in a paused or unknown state"))
}

// stopQuery is the query of stop and restart.
func (e *Engine) stopQuery(call string, opts engine.StopOptions) (url.Values, error) {
	if opts.Signal != "" {
		return nil, e.unsupported("StopOptions.Signal", opts.Signal, "Podman stops with the container's own StopSignal: use Container.Kill")
	}
	query := url.Values{}
	if opts.Timeout == nil {
		return query, nil
	}
	seconds, err := timeoutSeconds("StopOptions.Timeout", *opts.Timeout)
	if err != nil {
		return nil, err
	}
	query.Set("timeout", seconds)
	return query, nil
}

// timeoutSeconds is a timeout before a kill as a number of seconds; negative, never, is the largest that Podman counts in.
func timeoutSeconds(option string, d time.Duration) (string, error) {
	if d < 0 {
		return strconv.Itoa(math.MaxInt32), nil // 68 years; more overflows when Podman counts it in nanoseconds
	}
	if d%time.Second != 0 {
		return "", &engine.InvalidError{Option: option, Value: d.String(), Reason: "it is no whole number of seconds"}
	}
	return strconv.FormatInt(int64(d/time.Second), 10), nil
}

// killNotice bounds the wait for the end of a container that was sent SIGKILL, as Docker does.
const killNotice = 10 * time.Second

// ContainerKill implements [engine.Containers]. It returns once the signal was sent, and for SIGKILL once the container has ended, as on Docker: Podman itself does not wait.
func (e *Engine) ContainerKill(ctx context.Context, id, signal string) error {
	if signal == "" {
		signal = "SIGKILL"
	}
	num, _, err := normal.Signal(signal)
	if err != nil {
		return err
	}
	if err := e.container(ctx, "kill container", id, http.MethodPost, "/kill", url.Values{"signal": {strconv.Itoa(num)}}, nil, nil); err != nil {
		return err
	}
	const sigkill = 9
	if num != sigkill {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, killNotice)
	defer cancel()
	// However this ends, the container may have removed itself, or be started again by now: the signal was sent.
	_ = e.container(wait, "kill container", id, http.MethodPost, "/wait", url.Values{"interval": {"20ms"}}, nil, nil)
	if ctx.Err() != nil {
		return e.fail(op{"kill container", id}, contextError(ctx))
	}
	return nil
}

const (
	// pauseTries and pausePause bound the tries to pause a container that is not frozen at once.
	pauseTries = 5
	pausePause = 50 * time.Millisecond
)

// ContainerPause implements [engine.Containers]. On cgroup v1 runc gives up, and thaws what is frozen, where processes are made faster than it freezes them. Its words ("unable to freeze") are in the service's log alone; another try is as good
// as the first.
func (e *Engine) ContainerPause(ctx context.Context, id string) error {
	for try := 1; ; try++ {
		err := e.container(ctx, "pause container", id, http.MethodPost, "/pause", nil, nil, nil)
		api, ok := errors.AsType[*engine.APIError](err)
		if !ok || try == pauseTries || !strings.Contains(api.Message, " pause ") || !strings.Contains(api.Message, "failed: exit status 1") {
			return err
		}
		if err := e.pause(ctx, op{"pause container", id}, pausePause); err != nil {
			return err
		}
	}
}

// ContainerUnpause implements [engine.Containers].
func (e *Engine) ContainerUnpause(ctx context.Context, id string) error {
	return e.container(ctx, "unpause container", id, http.MethodPost, "/unpause", nil, nil, nil)
}

// ContainerInit implements [engine.Containers].
func (e *Engine) ContainerInit(ctx context.Context, id string) error {
	return e.startAgain(ctx, func() error {
		return e.container(ctx, "initialize container", id, http.MethodPost, "/init", nil, nil, nil)
	})
}

// ContainerRename implements [engine.Containers].
func (e *Engine) ContainerRename(ctx context.Context, id, name string) error {
	name, err := checkName("name", name)
	if err != nil {
		return err
	}
	return e.container(ctx, "rename container", id, http.MethodPost, "/rename", url.Values{"name": {name}}, nil, nil)
}
