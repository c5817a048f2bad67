package berth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// endGrace is how long the engine may take, after the end of a container's
// output, to find that its process is over. Engines keep the output open until
// then, also when the process closes it; the rest is their bookkeeping.
const endGrace = 10 * time.Second

// run is one Containers.Run, from the created container on.
type run struct {
	c          *Container
	o          RunOptions
	spec       *Spec
	tty        bool
	autoRemove bool
	keys       []byte // detach keys; nil without a terminal

	stdout, stderr *output
	exit           *engine.Exit // how the process ended; nil as long as that is not known
	notStarted     string       // the engine's words when the command could not be started
	kind           error        // then, why
}

// waited is what a waiter says.
type waited struct {
	exit engine.Exit
	err  error
}

// attached attaches to the container, starts it, and serves its streams to the
// end. Its error is nil if and only if r.exit is set.
func (r *run) attached(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := r.c.cli.e
	var stream engine.Stream
	attach := engine.AttachOptions{
		Stdin: r.o.Stdin != nil, Stdout: !r.o.DiscardStdout, Stderr: !r.o.DiscardStderr && !r.tty, DetachKeys: r.o.DetachKeys, Created: r.spec,
	}
	if attach.Stdin || attach.Stdout || attach.Stderr {
		var err error
		if stream, err = e.ContainerAttach(ctx, r.c.id, attach); err != nil {
			return r.startFailed(err) // Podman prepares the container for it
		}
		defer stream.Close()
	}
	w, err := e.ContainerWait(ctx, r.c.id, engine.WaitNextExit)
	if err != nil {
		return err
	}
	defer w.Close()
	if r.tty && stream != nil && e.Supports(engine.FeatureInit) {
		if r.c.tryResize(ctx, r.o.Size) { // the attach has made the terminal: the process never sees another size
			r.o.Size = Size{}
		}
	}
	if err := e.ContainerStart(ctx, r.c.id, engine.StartOptions{}); err != nil {
		return r.startFailed(err)
	}
	if r.o.Started != nil {
		r.o.Started(r.c)
	}
	return r.serve(ctx, cancel, stream, w)
}

// startFailed turns the engine's answer that there is no such command into the
// exit code that a shell gives for it.
func (r *run) startFailed(err error) error {
	code := 0
	switch {
	case errors.Is(err, engine.ErrCommandNotFound):
		code, r.kind = 127, engine.ErrCommandNotFound
	case errors.Is(err, engine.ErrCommandNotExecutable):
		code, r.kind = 126, engine.ErrCommandNotExecutable
	default:
		return err
	}
	r.notStarted = err.Error()
	if api, ok := errors.AsType[*engine.APIError](err); ok {
		r.notStarted = api.Message
	}
	r.exit = &engine.Exit{Code: code}
	return nil
}

// serve passes the streams on until the process is over. All that it starts has
// ended when it returns, but for a Read or Write of the caller's that blocks.
func (r *run) serve(ctx context.Context, cancel context.CancelFunc, stream engine.Stream, w engine.Waiter) error {
	var in *pump
	var copied chan error
	if stream != nil {
		copied = make(chan error, 1)
		go func() { copied <- copyOutput(r.writer(r.stdout), r.writer(r.stderr), stream, stream.Multiplexed()) }()
	}
	if r.o.Stdin != nil {
		in = startPump(r.o.Stdin, stream, r.tty, r.keys)
	}
	exited := make(chan waited, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		exit, err := w.Wait()
		exited <- waited{exit, err}
	})
	if r.tty {
		wg.Go(func() { r.c.followSize(ctx, r.o.Size, r.o.Resizes) })
	}
	done, err := r.follow(ctx, copied, exited, in)

	cancel()
	w.Close()
	wg.Wait()
	if stream != nil {
		stream.Close()
		stdoutBusy, stderrBusy := r.stdout.stop(), r.stderr.stop()
		if !done && !stdoutBusy && !stderrBusy {
			<-copied
		}
	}
	if in != nil {
		in.stop()
		if err == nil {
			err = in.failure()
		}
	}
	return err
}

// writer is where a stream goes, nil when nobody wants it.
func (r *run) writer(o *output) io.Writer {
	if r.o.DiscardStdout && o == r.stdout || r.o.DiscardStderr && o == r.stderr {
		return nil
	}
	return o
}

// follow waits until the process and its output have ended. done tells that the
// output has.
func (r *run) follow(ctx context.Context, copied <-chan error, exited <-chan waited, in *pump) (done bool, err error) {
	var grace <-chan time.Time
	for output, process := copied, exited; output != nil || process != nil; {
		select {
		case err := <-output:
			output, done = nil, true
			if err := r.outputEnded(ctx, err, in); err != nil {
				return true, err
			}
			grace = time.After(endGrace)
		case w := <-process:
			process, grace = nil, nil
			if err := r.processEnded(ctx, w); err != nil {
				return done, err
			}
		case <-grace:
			attrs, err := r.c.inspect(ctx, engine.InspectOptions{})
			if err != nil {
				return done, err
			}
			if attrs.State.Running() {
				return done, fmt.Errorf("output of %v ended before its process: %w", r.c, io.ErrUnexpectedEOF)
			}
		case <-ctx.Done():
			return done, contextError(ctx)
		}
	}
	return done, nil
}

// outputEnded judges the end of the output.
func (r *run) outputEnded(ctx context.Context, err error, in *pump) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	for _, o := range []*output{r.stdout, r.stderr} {
		if err := o.failure(); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("read output of %v: %w", r.c, err)
	}
	if r.exit == nil && in.detached(r.keys) {
		if attrs, err := r.c.inspect(ctx, engine.InspectOptions{}); err == nil && attrs.State.Running() {
			return ErrDetached
		}
	}
	return nil
}

// processEnded takes the exit code from the waiter or, where that has failed, from
// the container's state.
func (r *run) processEnded(ctx context.Context, w waited) error {
	switch {
	case w.err == nil:
		r.exit = &w.exit
		return nil
	case ctx.Err() != nil:
		return contextError(ctx)
	}
	attrs, err := r.c.inspect(ctx, engine.InspectOptions{})
	if err != nil || !attrs.State.Ended() {
		return fmt.Errorf("wait for %v: %w", r.c, w.err)
	}
	r.exit = &engine.Exit{Code: attrs.State.ExitCode, Error: attrs.State.Error}
	return nil
}
