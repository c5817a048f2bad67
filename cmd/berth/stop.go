package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newStop(a *app) *cobra.Command {
	var o berth.StopOptions
	var seconds int
	cmd := &cobra.Command{
		Use:   "stop [flags] CONTAINER...",
		Short: "Stop containers",
		Long: `Ask the processes of containers to end, and kill those that have not after a
while: the container's own stop timeout, or else --time. Print the names as
they were given.`,
		Args: atLeast(1, "CONTAINER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("time") {
				o.Timeout = new(time.Duration(seconds) * time.Second)
			}
			return a.stop(cmd.Context(), args, o)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&seconds, "time", "t", 0, "`seconds` to wait before the kill; negative for ever")
	flags.StringVarP(&o.Signal, "signal", "s", "", "`signal` to send instead of the container's stop signal")
	return cmd
}

func (a *app) stop(ctx context.Context, names []string, o berth.StopOptions) error {
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	return a.each(names, func(name string) error {
		c, err := cli.Containers.Get(ctx, name)
		if err != nil {
			return err
		}
		return c.Stop(ctx, o)
	})
}
