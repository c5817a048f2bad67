package podman

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// Podman, up to 5.8 at least (its issue 28514), sends the head of its answer to a wait, and to a question for events, before it looks for them. What happens in between,
// as the end of a short command does on a busy machine, it does not tell, ever. So the state is looked at too, ever more rarely.

const (
	// firstPause is the time before the first look: the engine has answered nearly all waits for a short command by then. longestPause is the longest between two.
	firstPause   = 2 * time.Second
	longestPause = 30 * time.Second
	// goneGrace is what the engine has to tell of a container that is gone.
	goneGrace = 5 * time.Second
)

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

// looked calls look, ever more rarely, with what inspect tells, until it says that it has seen enough or goneGrace after the container is gone. It is false when ctx is over.
func (e *Engine) looked(ctx context.Context, o op, id string, look func(s engine.State) (enough bool), gone func() (enough bool)) bool {
	var since time.Time // of its absence
	for pause := cmp.Or(e.firstPause, firstPause); e.pause(ctx, o, pause) == nil; pause = min(2*pause, longestPause) {
		w, err := e.inspect(ctx, o, id)
		switch {
		case err == nil:
			if look(e.state(&w.State)) {
				return true
			}
		case isNotFound(err):
			if gone() || !since.IsZero() && time.Since(since) > cmp.Or(e.goneGrace, goneGrace) {
				return ctx.Err() == nil
			}
			if since.IsZero() {
				since, pause = time.Now(), min(pause, pollPause)
			}
		}
	}
	return false
}

// missedExit looks whether the container has ended since the state before. An end before a restart by its policy is not seen.
func (e *Engine) missedExit(ctx context.Context, o op, id string, before engine.State) func() (engine.Exit, error) {
	var exit *engine.Exit
	ran := !before.Ended() // or is about to, for the first time
	found := e.looked(ctx, o, id, func(s engine.State) bool {
		ran = ran || s.Running() || !s.FinishedAt.Equal(before.FinishedAt)
		if s.Ended() && !s.FinishedAt.Equal(before.FinishedAt) {
			exit = &engine.Exit{Code: s.ExitCode, Error: s.Error}
		}
		return exit != nil
	}, func() bool {
		if ran { // what is remembered of another is the end before
			exit = e.remembered(ctx, o, id)
		}
		return exit != nil
	})
	if !found {
		return nil
	}
	return func() (engine.Exit, error) { return known(o, exit) }
}

// missedRemoval looks whether the container is gone, which is true. last becomes its last end, where there is one.
func (e *Engine) missedRemoval(ctx context.Context, o op, id string, last **engine.Exit) bool {
	return e.looked(ctx, o, id, func(s engine.State) bool {
		if s.Ended() {
			*last = &engine.Exit{Code: s.ExitCode, Error: s.Error}
		}
		return false
	}, func() bool {
		exit := e.remembered(ctx, o, id)
		if exit != nil {
			*last = exit
		}
		return exit != nil
	})
}

// known is exit, or an error where nobody has told it.
func known(o op, exit *engine.Exit) (engine.Exit, error) {
	if exit == nil {
		return engine.Exit{}, &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Message: "the container was removed, and its exit code with it", Kind: engine.ErrNotFound}
	}
	return *exit, nil
}

// remembered is the end of a container that is gone, which the engine tells for a while since 5.3; nil is none.
func (e *Engine) remembered(ctx context.Context, o op, id string) *engine.Exit {
	if e.version < vWaitRemoved {
		return nil
	}
	var text string
	if err := e.call(ctx, o, post("/containers/"+id+"/wait"), &text); err != nil {
		return nil
	}
	if code, ok := parseExitCode(text); ok && code >= 0 {
		return &engine.Exit{Code: code}
	}
	return nil
}
