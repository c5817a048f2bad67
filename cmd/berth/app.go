package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/term"
)

// app is one run of the program: its standard files, its global flags, and the
// client, once a command has asked for it.
type app struct {
	stdin, stdout, stderr *os.File
	signals               *signals

	host, engine, context string
	debug                 bool

	cli     *berth.Client
	restore func() error // of the terminal; nil while it is as it was
}

// client finds the engine that the global flags and the environment name.
func (a *app) client(ctx context.Context) (*berth.Client, error) {
	opts := []berth.Option{berth.WithLogger(slog.New(newLogHandler(a.stderr, a.debug)))}
	switch {
	case a.host != "" && a.context != "":
		return nil, usageError{errors.New("--host and --context exclude each other")}
	case a.host != "":
		opts = append(opts, berth.WithHost(a.host))
	case a.context != "":
		opts = append(opts, berth.WithContext(a.context))
	case a.engine != "":
		opts = append(opts, berth.WithHost(a.engine))
	}
	cli, err := berth.New(ctx, opts...)
	if err != nil {
		return nil, err
	}
	a.cli = cli
	if id := cli.Engine(); a.engine != "" && id.Name != a.engine {
		return nil, fmt.Errorf("the engine at %s is %s, not %s as --engine says", id.Host, id.Name, a.engine)
	}
	return cli, nil
}

// container looks a container up.
func (a *app) container(ctx context.Context, name string) (*berth.Container, error) {
	cli, err := a.client(ctx)
	if err != nil {
		return nil, err
	}
	return cli.Containers.Get(ctx, name)
}

// rawTerminal makes the user's terminal raw until restoreTerminal, which every
// path out of the program passes.
func (a *app) rawTerminal(t *term.Terminal) error {
	restore, err := t.MakeRaw()
	if err == nil {
		a.signals.guard(func() { restore() })
		a.restore = restore
	}
	return err
}

// restoreTerminal undoes rawTerminal. It may be called at any time, also twice.
func (a *app) restoreTerminal() error {
	if a.restore == nil {
		return nil
	}
	restore := a.restore
	a.restore = nil
	return restore()
}

// close gives back what is held.
func (a *app) close() {
	a.restoreTerminal()
	if a.cli != nil {
		a.cli.Close()
	}
}

// warn tells the user something that is no failure.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.stderr, "berth: "+format+"\n", args...)
}
