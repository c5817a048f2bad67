package berth

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
)

// AttachOptions say what [Container.Attach] connects. At least one of Stdin,
// Stdout and Stderr is needed.
type AttachOptions struct {
	// Stdin is copied to the process; at its end the process reads end of file, if
	// the container was made with Spec.StdinOnce, or engine and terminal see to it.
	Stdin io.Reader
	// Stdout and Stderr get the output as it comes. With a terminal all of it is Stdout.
	Stdout, Stderr io.Writer
	// Logs replays what was logged before, as the log driver kept it.
	Logs bool
	// NoStream ends after Logs.
	NoStream bool
	// DetachKeys leave the container when they are read from Stdin, with a terminal;
	// "" is ctrl-p,ctrl-q, or what the user's configuration says.
	DetachKeys string
	// Size of the terminal; zero leaves it.
	Size Size
	// Resizes, called once with a context that ends with the call, yields sizes for
	// the terminal, such as those of the caller's own.
	Resizes func(context.Context) iter.Seq[Size]
}

// AttachConnOptions say what [Container.AttachConn] connects. With none of Stdin,
// Stdout and Stderr it is stdout and stderr. See [engine.AttachOptions].
type AttachConnOptions = engine.AttachOptions

// AttachConn connects to the container's streams and returns the raw connection
// (docker-py's attach_socket), which lives until it or ctx ends. The caller closes
// it. It is there when the call returns: attached before [Container.Start],
// nothing is missed. A container that has ended is [ErrNotRunning] and is not
// disturbed.
func (c *Container) AttachConn(ctx context.Context, opts ...AttachConnOptions) (Stream, error) {
	o, err := atMostOne("Container.AttachConn", opts)
	if err != nil {
		return nil, err
	}
	if o.Created != nil {
		return nil, &engine.InvalidError{Option: "AttachConnOptions.Created", Reason: "it is for this package's own use"}
	}
	return c.cli.e.ContainerAttach(ctx, c.id, o)
}

// Attach connects the caller's streams with the container's and returns when the
// container has ended, when the detach keys were typed ([ErrDetached]), or when
// ctx ends, which leaves the container alone. A created container is waited for
// until it is started and has ended. One that has ended is [ErrNotRunning].
//
// The exit code is [Container.Wait]'s. An output that ends although the process
// goes on is [io.ErrUnexpectedEOF]. What [Containers.Run] says of readers and
// writers that block holds here too.
func (c *Container) Attach(ctx context.Context, opts ...AttachOptions) error {
	o, err := atMostOne("Container.Attach", opts)
	if err != nil {
		return err
	}
	if o.Stdin == nil && o.Stdout == nil && o.Stderr == nil {
		return &engine.InvalidError{Option: "AttachOptions", Reason: "none of Stdin, Stdout and Stderr is set"}
	}
	before, err := c.inspect(ctx, engine.InspectOptions{})
	if err != nil {
		return err
	}
	a := &attachment{c: c, o: o, before: before}
	if before.Config.TTY {
		if o.Stderr != nil {
			return &engine.InvalidError{Option: "AttachOptions.Stderr", Reason: "a terminal has one output, which is Stdout"}
		}
		if a.keys, err = c.cli.detachKeys(o.DetachKeys); err != nil {
			return err
		}
	}
	return a.run(ctx)
}

// attachment is one Container.Attach.
type attachment struct {
	c      *Container
	o      AttachOptions
	before *Attrs
	keys   []byte // detach keys; nil without a terminal
}

func (a *attachment) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := a.c.cli.e.ContainerAttach(ctx, a.c.id, engine.AttachOptions{
		Stdin: a.o.Stdin != nil, Stdout: a.o.Stdout != nil, Stderr: a.o.Stderr != nil,
		Logs: a.o.Logs, NoStream: a.o.NoStream, DetachKeys: a.o.DetachKeys,
	})
	if err != nil {
		return err
	}
	defer stream.Close()
	stdout, stderr := passTo("stdout", a.o.Stdout), passTo("stderr", a.o.Stderr)
	copied := make(chan error, 1)
	go func() { copied <- copyOutput(orNil(stdout), orNil(stderr), stream, stream.Multiplexed()) }()
	var in *pump
	if a.o.Stdin != nil {
		in = startPump(a.o.Stdin, stream, a.before.Config.TTY, a.keys)
	}
	var wg sync.WaitGroup
	if a.before.Config.TTY {
		wg.Go(func() { a.c.followSize(ctx, a.o.Size, a.o.Resizes) })
	}

	done := false
	select {
	case err = <-copied:
		done = true
		if err = firstError(stdout.failure(), stderr.failure(), err); err == nil {
			err = a.ended(ctx, in)
		}
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		err = contextError(ctx)
	}
	cancel()
	wg.Wait()
	stream.Close()
	stdoutBusy, stderrBusy := stdout.stop(), stderr.stop()
	if !done && !stdoutBusy && !stderrBusy {
		<-copied
	}
	if in != nil {
		in.stop()
		err = firstError(err, in.failure())
	}
	return err
}

// ended judges the end of the output: whether it is that of the process.
func (a *attachment) ended(ctx context.Context, in *pump) error {
	if a.o.NoStream {
		return nil
	}
	deadline := time.Now().Add(endGrace)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		attrs, err := a.c.inspect(ctx, engine.InspectOptions{})
		switch {
		case err != nil && a.c.Gone():
			return nil // with AutoRemove
		case err != nil:
			return fmt.Errorf("output of %v ended: %w: %w", a.c, io.ErrUnexpectedEOF, err)
		case !attrs.State.Running():
			return nil
		case a.before.State.Running() && !attrs.State.StartedAt.Equal(a.before.State.StartedAt):
			return nil // it has ended and was started again
		case in.detached(a.keys):
			return ErrDetached
		case !time.Now().Before(deadline):
			return fmt.Errorf("output of %v ended before its process: %w", a.c, io.ErrUnexpectedEOF)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// firstError is the first of errs that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
