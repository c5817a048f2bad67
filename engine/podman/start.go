package podman

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
)

// ContainerStart implements [engine.Containers].
func (e *Engine) ContainerStart(ctx context.Context, id string, opts engine.StartOptions) error {
	if opts.DetachKeys != "" {
		return e.unsupported("StartOptions.DetachKeys", opts.DetachKeys, "Podman takes them with each attach")
	}
	return e.startAgain(ctx, func() error {
		return e.container(ctx, "start container", id, http.MethodPost, "/start", nil, nil, nil)
	})
}

const (
	// leakedPort is how long the ports of a container whose start failed may stay bound in Podman's service: until its next garbage collection, which Go forces every two minutes.
	leakedPort = 2 * time.Minute
	// startTries and startPause bound the wait for them: some 10 s in all.
	startTries = 20
	startPause = 50 * time.Millisecond
)

// startAgain calls start, and again where a port is said to be in use shortly after a start of this Engine's failed, whose ports may be what is in use.
func (e *Engine) startAgain(ctx context.Context, start func() error) error {
	var err error
	for try := range startTries {
		if err = start(); err == nil || ctx.Err() != nil {
			return err
		}
		if !isAddressInUse(err) {
			if _, answered := errors.AsType[*engine.APIError](err); answered && !isNotFound(err) {
				e.failedStart.Store(time.Now().UnixNano())
			}
			return err
		}
		if time.Since(time.Unix(0, e.failedStart.Load())) > leakedPort {
			return err
		}
		// A service that is asked for something collects its garbage sooner: this question costs it the most memory.
		_ = e.call(ctx, op{verb: "start container"}, get("/info"), nil)
		if err := e.pause(ctx, op{verb: "start container"}, startPause*time.Duration(try+1)); err != nil {
			return err
		}
	}
	return err
}

// isAddressInUse reports whether a container was not started because a port of it is taken.
func isAddressInUse(err error) bool {
	api, ok := errors.AsType[*engine.APIError](err)
	return ok && (api.Cause == "address already in use" || strings.Contains(api.Message, "address already in use"))
}
