package berth

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/berthdev/berth/engine"
)

// RunOptions say how [Containers.Run] runs a container.
type RunOptions struct {
	// Stdin is what the process reads; nil is nothing. At its end the process reads
	// end of file. It implies Spec.OpenStdin and StdinOnce.
	Stdin io.Reader
	// Stdout and Stderr get the output as it comes. Nil collects it in the Result.
	// With a terminal (Spec.TTY) all of it is Stdout. A Write that fails ends the run.
	Stdout, Stderr io.Writer
	// DiscardStdout and DiscardStderr leave a stream out altogether.
	DiscardStdout, DiscardStderr bool
	// MaxOutput bounds what is collected of each stream: what comes after it is
	// passed over and Result.Truncated set. 0 is 64 MiB, negative is no bound.
	MaxOutput Bytes

	// Size of the terminal at the start; zero is the engine's default.
	Size Size
	// Resizes, called once with a context that ends with the run, yields sizes for
	// the terminal, such as those of the caller's own.
	Resizes func(context.Context) iter.Seq[Size]
	// DetachKeys leave the container alone when they are read from Stdin, with a
	// terminal; "" is ctrl-p,ctrl-q. The run is then ErrDetached.
	DetachKeys string

	// Pull, Auth, TLSVerify and Progress are about the image, as in CreateOptions.
	Pull      PullPolicy
	Auth      *RegistryAuth
	TLSVerify *bool
	Progress  func(PullProgress)
	// AllowDiscarded is that option of New for this call.
	AllowDiscarded bool

	// Keep leaves the container, ended, to the caller: Result.Container. A run that
	// fails or is cancelled removes it all the same.
	Keep bool
	// CleanupTimeout replaces that of the client for this call; 0 leaves it.
	CleanupTimeout time.Duration
	// Started is called once, when the container has started, for those who want to
	// signal it meanwhile. It must not block.
	Started func(*Container)
}

// Result is what a run leaves.
type Result struct {
	// Stdout and Stderr are the collected output, nil when there was none or it went to a writer.
	Stdout, Stderr []byte
	// Truncated tells that there was more output than RunOptions.MaxOutput.
	Truncated bool
	// ExitCode is -1 when it is not known, because the run failed.
	ExitCode int
	// OOMKilled is nil where it is not known; it is asked for when ExitCode is not 0.
	OOMKilled *bool
	// Container is the container with RunOptions.Keep, and after ErrDetached; else nil.
	Container *Container
}

// Run runs a container to its end: it pulls the image if it is missing, creates
// the container, attaches to it, starts it, passes its streams on, waits for it
// and removes it with its anonymous volumes.
//
// A code other than 0 is an [ExitError], beside the Result; so is a command that
// could not be started, as 127 or 126. The Result is not nil whenever the
// container was to be started: after another error it holds the output until
// then.
//
// The output is what the process wrote, byte for byte, whatever the log driver.
// After its end Run asks the engine whether the process is over; if not, within
// some seconds, the connection was lost: [io.ErrUnexpectedEOF].
//
// When ctx ends the container is killed and removed before Run returns ctx's
// error. If a removal fails the error is an [OrphanError]. A Stdin that blocks in
// a Read when the process ends is left alone: what it reads afterwards is lost,
// and its goroutine ends with that Read, at once if it has a SetReadDeadline that
// works. The same goes for a Write of Stdout or Stderr that blocks when ctx ends.
//
// A Spec.RestartPolicy is an [InvalidError]: a run is over when its process is.
// For containers that live on there is [Containers.Start].
func (s *Containers) Run(ctx context.Context, spec Spec, opts ...RunOptions) (*Result, error) {
	o, err := atMostOne("Containers.Run", opts)
	if err != nil {
		return nil, err
	}
	if err := o.check(&spec); err != nil {
		return nil, err
	}
	var keys []byte
	if spec.TTY {
		if keys, err = s.cli.detachKeys(o.DetachKeys); err != nil {
			return nil, err
		}
	}
	if o.Stdin != nil {
		spec.OpenStdin, spec.StdinOnce = true, true
	}
	c, err := s.cli.create(ctx, spec, CreateOptions{
		Pull: o.Pull, Auth: o.Auth, TLSVerify: o.TLSVerify, Progress: o.Progress,
		AllowDiscarded: o.AllowDiscarded, CleanupTimeout: o.CleanupTimeout, size: o.Size,
	})
	if err != nil {
		return nil, err
	}
	r := &run{
		c: c, o: o, spec: &spec, tty: spec.TTY, autoRemove: spec.AutoRemove, keys: keys,
		stdout: newOutput("stdout", o.Stdout, o.MaxOutput),
		stderr: newOutput("stderr", o.Stderr, o.MaxOutput),
	}
	return r.result(ctx, r.attached(ctx))
}

// check refuses options that contradict each other or the Spec.
func (o *RunOptions) check(spec *Spec) error {
	invalid := func(option, reason string) error {
		return &engine.InvalidError{Option: option, Reason: reason}
	}
	switch {
	case spec.RestartPolicy.Name != "" && spec.RestartPolicy.Name != "no":
		return invalid("Spec.RestartPolicy", "a run is over when its process is: use Containers.Start")
	case o.DiscardStdout && o.Stdout != nil:
		return invalid("RunOptions.DiscardStdout", "given together with Stdout")
	case o.DiscardStderr && o.Stderr != nil:
		return invalid("RunOptions.DiscardStderr", "given together with Stderr")
	case spec.TTY && o.Stderr != nil:
		return invalid("RunOptions.Stderr", "a terminal has one output, which is Stdout")
	case !spec.TTY && (o.Size != Size{} || o.Resizes != nil):
		return invalid("RunOptions.Size", "without Spec.TTY there is no terminal")
	case o.Keep && spec.AutoRemove:
		return invalid("RunOptions.Keep", "given together with Spec.AutoRemove")
	case o.CleanupTimeout < 0:
		return invalid("RunOptions.CleanupTimeout", "negative")
	case o.DetachKeys != "" && !spec.TTY:
		return invalid("RunOptions.DetachKeys", "without Spec.TTY there is no terminal")
	}
	return nil
}
