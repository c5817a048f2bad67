package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot makes the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "berth",
		Short: "Run containers, on Docker, on Podman or without either",
		Long: `berth runs containers and looks after them, on Docker, on Podman, or on the
engine that is linked into it.

The engine is found by DOCKER_HOST, CONTAINER_HOST, the current context or
connection, or its well-known socket, in this order, unless a flag names it.
Where none answers it is the linked one, which needs Linux and nothing else.

Exit codes: that of the process for run and exec, 127 if its command does not
exist, 126 if it cannot be executed, 125 for every failure of berth or the
engine.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.host, "host", "H", "", "`address` of the engine: unix:///path, tcp://host:port, ssh://user@host")
	flags.StringVar(&a.engine, "engine", "", "kind of `engine` to use: docker, podman or embedded")
	flags.StringVar(&a.context, "context", "", "Docker `context` to use")
	flags.BoolVar(&a.debug, "debug", false, "tell on standard error what the library does")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nSee '%s --help'", err, cmd.CommandPath())}
	})
	root.AddCommand(
		newRun(a), newExec(a), newPs(a), newLogs(a), newStop(a), newRm(a), newInspect(a),
		newImage(a), newImages(a), newPull(a), newLoad(a), newInfo(a), newDemo(a), newResume(a),
	)
	return root
}

// args wraps a check of the arguments so that its error shows the usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, list []string) error {
		if err := check(cmd, list); err != nil {
			return usageError{fmt.Errorf("%w\nUsage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

// atLeast is n arguments or more; what says which.
func atLeast(n int, what string) cobra.PositionalArgs {
	return args(func(_ *cobra.Command, list []string) error {
		if len(list) < n {
			return errors.New("missing " + what)
		}
		return nil
	})
}

// between is from least to most arguments; what says which.
func between(least, most int, what string) cobra.PositionalArgs {
	return args(func(_ *cobra.Command, list []string) error {
		switch {
		case len(list) < least:
			return errors.New("missing " + what)
		case len(list) > most:
			return fmt.Errorf("unexpected argument %q", list[most])
		}
		return nil
	})
}

// version is the module's version, or the commit that the program was built of.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v += "-" + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return strings.TrimSpace(v)
}
