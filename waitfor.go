package berth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// defaultPoll is the time between two looks at a container.
const defaultPoll = 100 * time.Millisecond

// Condition is what [Container.WaitFor] waits for: [Healthy], [Listening],
// [LogMatches], [Exited], or several of them in [Any]; or how it waits: [Every].
type Condition struct {
	name  string
	every time.Duration                       // of Every, which is no condition by itself
	wait  func(context.Context, *watch) error // returns when it holds, or never will
	err   error                               // what is wrong with the condition's arguments
}

// String names the condition.
func (c Condition) String() string { return c.name }

// Every looks at the container at this interval instead of every 100 ms. It
// holds at once by itself. Log lines are not polled for.
func Every(interval time.Duration) Condition {
	c := Condition{name: "every " + interval.String(), every: interval}
	if interval <= 0 {
		c.err = &engine.InvalidError{Option: "Every", Value: interval.String(), Reason: "not positive"}
	}
	return c
}

// Any holds as soon as one of conds does. It fails when none can hold any more.
func Any(conds ...Condition) Condition {
	c := Condition{name: "any of " + joinNames(conds)}
	if len(conds) == 0 {
		c.err = &engine.InvalidError{Option: "Any", Reason: "no conditions"}
	}
	for _, cond := range conds {
		c.err = firstError(c.err, cond.err)
		c.every = max(c.every, cond.every)
	}
	c.wait = func(ctx context.Context, w *watch) error { return w.any(ctx, conds) }
	return c
}

// WaitError says that what [Container.WaitFor] waits for can no longer come true.
type WaitError struct {
	Container *Container
	Condition string // what was waited for
	Reason    string // why it cannot be
	// Status and ExitCode are the container's.
	Status   Status
	ExitCode int
	// Health holds the last results of its health check, nil without one.
	Health *Health
}

func (e *WaitError) Error() string {
	s := fmt.Sprintf("wait for %v to be %s: %s", e.Container, e.Condition, e.Reason)
	if e.Health != nil && len(e.Health.Log) > 0 {
		last := e.Health.Log[len(e.Health.Log)-1]
		s += fmt.Sprintf(" (last health check: exit code %d, %q)", last.ExitCode, strings.TrimSpace(last.Output))
	}
	return s
}

// WaitFor waits until each of the conditions has held once. It fails as soon as
// one of them can no longer come true, as when the container has ended, with a
// [WaitError] that has the last results of the health check. ctx bounds it; its
// error then tells how far the wait had come.
//
// A container that was not started yet is waited for.
func (c *Container) WaitFor(ctx context.Context, conds ...Condition) error {
	w := &watch{c: c, poll: defaultPoll}
	wanted := conds[:0:0]
	for _, cond := range conds {
		if cond.err != nil {
			return cond.err
		}
		if cond.every > 0 {
			w.poll = cond.every
		}
		if cond.wait != nil {
			wanted = append(wanted, cond)
		}
	}
	if len(wanted) == 0 {
		return &engine.InvalidError{Option: "Container.WaitFor", Reason: "nothing to wait for"}
	}
	err := w.all(ctx, wanted)
	if err != nil && ctx.Err() != nil {
		err = contextError(ctx)
		if note := w.lastNote(); note != "" {
			err = fmt.Errorf("wait for %v to be %s: %w (%s)", c, joinNames(wanted), err, note)
		} else {
			err = fmt.Errorf("wait for %v to be %s: %w", c, joinNames(wanted), err)
		}
	}
	return err
}

// watch is one WaitFor. It is safe for concurrent use.
type watch struct {
	c    *Container
	poll time.Duration

	mu    sync.Mutex
	notes []string  // how far the conditions have come
	ended time.Time // since when the container has been seen ended; zero: it is not
}

// all waits for all of conds at once. The first failure ends it.
func (w *watch) all(ctx context.Context, conds []Condition) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := w.start(ctx, conds)
	var first error
	for range conds {
		if err := <-results; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

// any waits for one of conds.
func (w *watch) any(ctx context.Context, conds []Condition) error {
	var wanted []Condition
	for _, cond := range conds {
		if cond.wait != nil {
			wanted = append(wanted, cond)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := w.start(ctx, wanted)
	var errs []error
	held := false
	for range wanted {
		err := <-results
		if err == nil {
			held = true
			cancel()
		}
		errs = append(errs, err)
	}
	if held {
		return nil
	}
	return errors.Join(errs...)
}

// start waits for each of conds in a goroutine of its own, which ends with ctx.
func (w *watch) start(ctx context.Context, conds []Condition) <-chan error {
	results := make(chan error, len(conds))
	for _, cond := range conds {
		go func() { results <- cond.wait(ctx, w) }()
	}
	return results
}

// until calls f at every interval until it says that it is done.
func (w *watch) until(ctx context.Context, f func() (done bool, err error)) error {
	for {
		done, err := f()
		if done || err != nil {
			return err
		}
		if err := sleep(ctx, w.poll); err != nil {
			return err
		}
	}
}

// note remembers how far a condition has come, for the error when ctx ends.
func (w *watch) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.notes) == 0 || w.notes[len(w.notes)-1] != s {
		w.notes = append(w.notes, s)
	}
}

func (w *watch) lastNote() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.notes) == 0 {
		return ""
	}
	return w.notes[len(w.notes)-1]
}

// fail is the WaitError of a condition.
func (w *watch) fail(condition, reason string, attrs *Attrs) error {
	return &WaitError{
		Container: w.c, Condition: condition, Reason: reason,
		Status: attrs.State.Status, ExitCode: attrs.State.ExitCode, Health: attrs.State.Health,
	}
}

// restartGrace is how long a container with a restart policy may be seen ended
// before that counts: some engines show it so between two runs.
const restartGrace = 5 * time.Second

// over fails when the container has ended for good.
func (w *watch) over(condition string, attrs *Attrs) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !attrs.State.Ended() {
		w.ended = time.Time{}
		return nil
	}
	policy := attrs.HostConfig.RestartPolicy.Name
	if policy != "" && policy != "no" {
		if w.ended.IsZero() {
			w.ended = time.Now()
		}
		if time.Since(w.ended) < restartGrace {
			return nil
		}
	}
	return w.fail(condition, fmt.Sprintf("it has %s with exit code %d", attrs.State.Status, attrs.State.ExitCode), attrs)
}

func joinNames(conds []Condition) string {
	var names []string
	for _, c := range conds {
		if c.wait != nil {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}
