package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// runFlags are the flags of run that say how to run, not what the container is.
type runFlags struct {
	detach         bool
	detachKeys     string
	sigProxy       bool
	pull           pullPolicy
	tlsVerify      bool
	quiet          bool
	cidFile        string
	allowDiscarded bool
}

func newRun(a *app) *cobra.Command {
	var d draft
	o := runFlags{pull: pullPolicy(berth.PullMissing)}
	cmd := &cobra.Command{
		Use:   "run [flags] IMAGE [COMMAND [ARG]...]",
		Short: "Run a command in a new container",
		Long: `Run a command in a new container.

The image is pulled if it is missing. Without --detach the process is in the
foreground: its output is passed on as it comes, signals are passed on to it,
and its exit code is berth's. The container stays when it has ended, unless
--rm. An option that the engine cannot honour is an error, never left out.

A run that fails, or whose output nobody reads any more, removes its container.
Of signals the process gets HUP, INT, TERM, QUIT, ABRT, USR1, USR2, ALRM and IO;
the third INT or TERM ends berth and leaves the container running.`,
		Example: `  berth run --rm alpine echo hello
  berth run -it --rm -v ./src:/src -w /src golang:1.26 bash
  berth run -d --name web -p 8080:80 nginx`,
		Args: atLeast(1, "IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := d.finish(args[0], args[1:])
			if err != nil {
				return err
			}
			return a.run(cmd.Context(), spec, o, cmd.Flags().Changed("tls-verify"))
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.SortFlags = true
	flags.Bool("help", false, "show this help")
	flags.BoolVarP(&o.detach, "detach", "d", false, "run in the background and print the container's ID")
	flags.StringVar(&o.detachKeys, "detach-keys", "", "`keys` that leave a terminal (default ctrl-p,ctrl-q)")
	flags.BoolVar(&o.sigProxy, "sig-proxy", true, "pass signals on to the process")
	flags.Var(&o.pull, "pull", "when to pull the image: missing, always, never, newer")
	flags.BoolVar(&o.tlsVerify, "tls-verify", true, "check the registry's certificate (Podman)")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "do not show the progress of a pull")
	flags.StringVar(&o.cidFile, "cidfile", "", "`file` to write the container's ID to")
	flags.BoolVar(&o.allowDiscarded, "allow-discarded", false, "accept that the engine leaves out options that its host cannot do")
	register(flags, &d, specFlags())
	return cmd
}

// run runs a container, in the foreground or not.
func (a *app) run(ctx context.Context, spec berth.Spec, o runFlags, tlsVerify bool) (err error) {
	switch {
	case o.detach && o.detachKeys != "":
		return usageError{errors.New("--detach and --detach-keys exclude each other")}
	case !o.detach && spec.RestartPolicy.Name != "" && spec.RestartPolicy.Name != "no":
		return usageError{errors.New("--restart needs --detach: in the foreground a run is over when its process is")}
	case o.detachKeys != "" && !spec.TTY:
		return usageError{errors.New("--detach-keys needs --tty")}
	case !o.detach && spec.TTY && spec.OpenStdin && !isTerminal(a.stdin):
		return usageError{errors.New("--interactive --tty needs a terminal as standard input")}
	}
	id, err := openCIDFile(o.cidFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, id.close()) }()
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	bar := a.newProgress(spec.Image, o.quiet)
	defer bar.clear()
	var tls *bool
	if tlsVerify {
		tls = &o.tlsVerify
	}
	if !o.detach {
		return a.runForeground(ctx, cli, spec, o, tls, bar, id)
	}
	c, err := cli.Containers.Start(ctx, spec, berth.CreateOptions{
		Pull: berth.PullPolicy(o.pull), TLSVerify: tls, Progress: bar.update, AllowDiscarded: o.allowDiscarded,
	})
	if err != nil {
		return startError(err)
	}
	bar.clear()
	return errors.Join(id.write(c.ID()), a.printLines(c.ID()))
}

// startError gives a command that is missing, or is not executable, the code
// that it has in the foreground.
func startError(err error) error {
	switch {
	case errors.Is(err, berth.ErrCommandNotFound):
		return exitError{127, err}
	case errors.Is(err, berth.ErrCommandNotExecutable):
		return exitError{126, err}
	}
	return err
}

// runForeground runs a container to its end.
func (a *app) runForeground(ctx context.Context, cli *berth.Client, spec berth.Spec, o runFlags, tls *bool, bar *progress, id *cidFile) error {
	fg, err := a.foreground(spec.TTY, spec.OpenStdin)
	if err != nil {
		return err
	}
	var idErr error
	stop := func() {}
	opts := berth.RunOptions{
		Stdout: outputFile{a.stdout},
		Pull:   berth.PullPolicy(o.pull), TLSVerify: tls, Progress: bar.update, AllowDiscarded: o.allowDiscarded,
		DetachKeys: o.detachKeys, Keep: !spec.AutoRemove,
		Size: fg.size(), Resizes: fg.resizes(),
		Started: func(c *berth.Container) {
			bar.clear()
			idErr = id.write(c.ID())
			if err := fg.raw(); err != nil {
				a.warn("%v", err)
			}
			if !o.sigProxy {
				stop = a.signals.divert(a.signals.leaveNow)
				return
			}
			stop = a.signals.proxy(ctx, func(ctx context.Context, signal string) error {
				err := c.Kill(ctx, signal)
				if errors.Is(err, berth.ErrNotRunning) || errors.Is(err, berth.ErrNotFound) {
					return nil // it is over
				}
				return err
			}, a.warn)
		},
	}
	if !spec.TTY {
		opts.Stderr = a.stderr
	}
	if spec.OpenStdin {
		opts.Stdin = a.stdin
	}
	_, err = cli.Containers.Run(ctx, spec, opts)
	stop()
	if errors.Is(err, berth.ErrDetached) {
		err = nil
	}
	return errors.Join(err, idErr)
}

// cidFile is the file that the container's ID is written to.
type cidFile struct {
	f       *os.File
	written bool
}

// openCIDFile makes the file, which must not exist; "" is none.
func openCIDFile(name string) (*cidFile, error) {
	if name == "" {
		return &cidFile{}, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	return &cidFile{f: f}, err
}

func (c *cidFile) write(id string) error {
	if c.f == nil {
		return nil
	}
	c.written = true
	_, err := c.f.WriteString(id)
	return err
}

// close removes the file if nothing was written.
func (c *cidFile) close() error {
	if c.f == nil {
		return nil
	}
	err := c.f.Close()
	if !c.written {
		err = errors.Join(err, os.Remove(c.f.Name()))
	}
	return err
}
