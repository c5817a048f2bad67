package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// execFlags are the flags of exec.
type execFlags struct {
	detach, interactive, tty, privileged bool
	detachKeys, user, workdir            string
	env, envFiles                        []string
}

func newExec(a *app) *cobra.Command {
	var o execFlags
	cmd := &cobra.Command{
		Use:   "exec [flags] CONTAINER COMMAND [ARG]...",
		Short: "Run a command in a running container",
		Long: `Run a command in a running container.

Its exit code is berth's. Signals are passed on to the process; the second
interrupt or termination kills it. Where an engine cannot reach the process,
berth says that it is still running.`,
		Args: atLeast(2, "CONTAINER and COMMAND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.exec(cmd.Context(), args[0], args[1:], o)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.BoolVarP(&o.detach, "detach", "d", false, "run in the background")
	flags.BoolVarP(&o.interactive, "interactive", "i", false, "pass the standard input on")
	flags.BoolVarP(&o.tty, "tty", "t", false, "give the process a terminal")
	flags.BoolVar(&o.privileged, "privileged", false, "give the process all capabilities")
	flags.StringVar(&o.detachKeys, "detach-keys", "", "`keys` that leave a terminal (default ctrl-p,ctrl-q)")
	flags.StringVarP(&o.user, "user", "u", "", "`user`[:group] to run as")
	flags.StringVarP(&o.workdir, "workdir", "w", "", "working `directory`")
	flags.StringArrayVarP(&o.env, "env", "e", nil, "environment `variable` KEY[=VALUE]; without a value that of this environment")
	flags.StringArrayVar(&o.envFiles, "env-file", nil, "`file` of environment variables, a line each")
	return cmd
}

// exec runs a command in a container.
func (a *app) exec(ctx context.Context, name string, command []string, o execFlags) error {
	switch {
	case o.detachKeys != "" && (!o.tty || o.detach):
		return usageError{errors.New("--detach-keys needs --tty, and excludes --detach")}
	case o.interactive && o.detach:
		return usageError{errors.New("--interactive and --detach exclude each other")}
	case o.interactive && o.tty && !isTerminal(a.stdin):
		return usageError{errors.New("--interactive --tty needs a terminal as standard input")}
	}
	env, unset, err := environment(o.envFiles, o.env)
	if err != nil {
		return err
	}
	fg, err := a.foreground(o.tty && !o.detach, o.interactive)
	if err != nil {
		return err
	}
	c, err := a.container(ctx, name)
	if err != nil {
		return err
	}
	cmd := c.Command(command[0], command[1:]...)
	cmd.Env, cmd.UnsetEnv, cmd.Dir, cmd.User = env, unset, o.workdir, o.user
	cmd.Privileged, cmd.TTY, cmd.DetachKeys, cmd.Detach = o.privileged, o.tty, o.detachKeys, o.detach
	if o.detach {
		return cmd.Start(ctx)
	}
	cmd.Size = fg.size()
	cmd.Stdout = outputFile{a.stdout}
	if !o.tty {
		cmd.Stderr = a.stderr
	}
	if o.interactive {
		cmd.Stdin = a.stdin
	}
	return a.execForeground(ctx, cmd, fg)
}

// execForeground runs a command whose streams are ours to its end.
func (a *app) execForeground(ctx context.Context, cmd *berth.Cmd, fg *foreground) error {
	if err := cmd.Start(ctx); err != nil {
		return err
	}
	if err := fg.raw(); err != nil {
		a.warn("%v", err)
	}
	waiting, done := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	if resizes := fg.resizes(); resizes != nil {
		helpers.Go(func() {
			for size := range resizes(waiting) {
				cmd.Resize(waiting, size) // a process that has ended takes none
			}
		})
	}
	asked := false
	kill := func(ctx context.Context, signal string) error { return cmd.Kill(ctx, signal) }
	stop := a.signals.proxyUntil(waiting, kill, a.warn, func(sig os.Signal) bool {
		if again := asked; isEnding(sig) {
			asked = true
			if number, ok := sig.(syscall.Signal); ok && again {
				a.signals.interrupt(number)
				return true
			}
		}
		return false
	})
	err := cmd.Wait()
	stop()
	done()
	helpers.Wait()
	if berth.ErrDetached == err || errors.Is(err, berth.ErrDetached) {
		return nil
	}
	return err
}
