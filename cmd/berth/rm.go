package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newRm(a *app) *cobra.Command {
	var o berth.RemoveOptions
	cmd := &cobra.Command{
		Use:   "rm [flags] CONTAINER...",
		Short: "Remove containers",
		Long: `Remove containers, and print their names as they were given.

One that runs is an error without --force; with --force one that does not exist
is none.`,
		Args: atLeast(1, "CONTAINER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rm(cmd.Context(), args, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Force, "force", "f", false, "kill containers that run")
	flags.BoolVarP(&o.Volumes, "volumes", "v", false, "remove their anonymous volumes too")
	return cmd
}

func (a *app) rm(ctx context.Context, names []string, o berth.RemoveOptions) error {
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	return a.each(names, func(name string) error {
		err := cli.Containers.Remove(ctx, name, o)
		if o.Force && errors.Is(err, berth.ErrNotFound) {
			return nil
		}
		return err
	})
}
