package podman

import (
	"context"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// Podman, up to 5.8 at least (its issue 28514), sends the head of its answer to a wait, and to a question for events, before it looks for them. What happens in between,
// as the end of a short command does on a busy machine, it does not tell, ever. So the state is looked at too, ever more rarely.

// longestPause is the longest time between two looks.
const longestPause = 30 * time.Second

// watched returns the engine's answer, or, if the engine has missed what is waited for, what missed has found: nil when its ctx is over. cancel ends both.
func watched(ctx context.Context, cancel func(), answer func() (engine.Exit, error), missed func(context.Context) func() (engine.Exit, error)) (engine.Exit, error) {
	var found func() (engine.Exit, error)
	var looking sync.WaitGroup
	looks, enough := context.WithCancel(ctx)
	looking.Go(func() {
		if found = missed(looks); found != nil {
			cancel()
		}
	})
	exit, err := answer()
	enough()
	looking.Wait()
	if err != nil && found != nil {
		return found()
	}
	return exit, err
}

// missedExit looks whether the container has ended since the state before.
func (e *Engine) missedExit(ctx context.Context, o op, id string, before engine.State) func() (engine.Exit, error) {
	gone := false
	for pause := pollPause; e.pause(ctx, o, pause) == nil; pause = min(2*pause, longestPause) {
		w, err := e.inspect(ctx, o, id)
		switch {
		case err == nil:
			if s := e.state(&w.State); s.Ended() && !s.FinishedAt.Equal(before.FinishedAt) {
				return ended(s).wait
			}
		case isNotFound(err):
			if exit, ok := e.remembered(ctx, o, id); ok {
				return func() (engine.Exit, error) { return exit, nil }
			}
			if gone { // an answer that was on its way has had its time
				err := &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container was removed, and its exit code with it", Kind: engine.ErrNotFound}
				return func() (engine.Exit, error) { return engine.Exit{}, err }
			}
			gone = true
		}
	}
	return nil
}

// missedRemoval looks whether the container is gone. last is its last end as far as it is known.
func (e *Engine) missedRemoval(ctx context.Context, o op, id string, last engine.Exit) func() (engine.Exit, error) {
	gone := false
	for pause := pollPause; e.pause(ctx, o, pause) == nil; pause = min(2*pause, longestPause) {
		w, err := e.inspect(ctx, o, id)
		switch {
		case err == nil:
			last = engine.Exit{Code: w.State.ExitCode, Error: w.State.Error}
		case isNotFound(err) && gone:
			return func() (engine.Exit, error) { return last, nil }
		case isNotFound(err):
			if exit, ok := e.remembered(ctx, o, id); ok {
				last = exit
			}
			gone = true
		}
	}
	return nil
}

// remembered is the exit code of a container that is gone, which the engine tells for a while since 5.3.
func (e *Engine) remembered(ctx context.Context, o op, id string) (engine.Exit, bool) {
	if e.version < vWaitRemoved {
		return engine.Exit{}, false
	}
	var text string
	if err := e.call(ctx, o, post("/containers/"+id+"/wait"), &text); err != nil {
		return engine.Exit{}, false
	}
	code, ok := parseExitCode(text)
	return engine.Exit{Code: code}, ok && code >= 0
}
