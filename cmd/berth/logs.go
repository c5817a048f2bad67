package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newLogs(a *app) *cobra.Command {
	var o berth.LogOptions
	var tail, since, until string
	cmd := &cobra.Command{
		Use:   "logs [flags] CONTAINER",
		Short: "Show the log of a container",
		Long: `Show the log of a container: what its log driver kept, standard output and
standard error each on berth's own.

A time is RFC 3339 (2026-01-02T15:04:05Z), a date, seconds since 1970, or a
duration such as 10m for ten minutes ago.`,
		Args: between(1, 1, "CONTAINER"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Tail, err = berth.ParseTail(tail); err != nil {
				return usageError{err}
			}
			if since != "" {
				if o.Since, err = berth.ParseTime(since); err != nil {
					return usageError{err}
				}
			}
			if until != "" {
				if o.Until, err = berth.ParseTime(until); err != nil {
					return usageError{err}
				}
			}
			return a.logs(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Follow, "follow", "f", false, "go on until the container ends")
	flags.StringVarP(&tail, "tail", "n", "all", "show the last `N` lines, or all")
	flags.StringVar(&since, "since", "", "show what was logged since this `time`")
	flags.StringVar(&until, "until", "", "show what was logged until this `time`")
	flags.BoolVarP(&o.Timestamps, "timestamps", "t", false, "show the time of each line")
	return cmd
}

func (a *app) logs(ctx context.Context, name string, o berth.LogOptions) error {
	c, err := a.container(ctx, name)
	if err != nil {
		return err
	}
	return c.LogsTo(ctx, outputFile{a.stdout}, a.stderr, o)
}
