package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
)

// listFlags are the flags of lists.
type listFlags struct {
	quiet, full bool
	filters     []string
	format      format
}

func (o *listFlags) register(flags *pflag.FlagSet) {
	o.format = formatTable
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print IDs alone")
	flags.BoolVar(&o.full, "no-trunc", false, "do not shorten")
	flags.StringArrayVarP(&o.filters, "filter", "f", nil, "`KEY=VALUE` that an entry must match; of several values of one key any")
	flags.Var(&o.format, "format", "table, or json for a JSON array")
}

// print shows a list: its IDs, its JSON or its table.
func (o *listFlags) print(a *app, ids []string, json any, t func() *table) error {
	switch {
	case o.quiet && o.format == formatJSON:
		return usageError{errors.New("--quiet and --format json exclude each other")}
	case o.quiet:
		short := make([]string, len(ids))
		for i, id := range ids {
			short[i] = shortID(id, o.full)
		}
		return a.printLines(short...)
	case o.format == formatJSON:
		return a.printJSON(json)
	}
	return a.output(func(w *bufio.Writer) error { return t().write(w) })
}

func newPs(a *app) *cobra.Command {
	var list listFlags
	var o berth.ListOptions
	var latest bool
	cmd := &cobra.Command{
		Use:     "ps [flags]",
		Aliases: []string{"ls"},
		Short:   "List containers",
		Long: `List containers: those that run, or all, newest first.

Filters are the engine's own: label, name, status, ancestor, before, since, …`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if latest {
				o.Limit = 1
			}
			if o.Limit < 0 {
				return usageError{errors.New("--last wants a number that is not negative")}
			}
			return a.ps(cmd.Context(), list, o)
		},
	}
	flags := cmd.Flags()
	list.register(flags)
	flags.BoolVarP(&o.All, "all", "a", false, "show stopped containers too")
	flags.IntVarP(&o.Limit, "last", "n", 0, "show the `N` newest containers, stopped ones too")
	flags.BoolVarP(&latest, "latest", "l", false, "show the newest container, stopped or not")
	flags.BoolVarP(&o.Size, "size", "s", false, "show sizes, which is slow")
	return cmd
}

func (a *app) ps(ctx context.Context, list listFlags, o berth.ListOptions) error {
	var err error
	if o.Filters, err = berth.ParseFilters(list.filters); err != nil {
		return usageError{err}
	}
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	containers, err := cli.Containers.List(ctx, o)
	if err != nil {
		return err
	}
	ids := make([]string, len(containers))
	sums := make([]*berth.Summary, len(containers))
	for i, c := range containers {
		ids[i], sums[i] = c.ID(), c.Summary()
	}
	return list.print(a, ids, views(sums), func() *table { return psTable(sums, list.full, o.Size, time.Now()) })
}

// psTable shows containers as docker ps does.
func psTable(sums []*berth.Summary, full, sizes bool, now time.Time) *table {
	t := &table{head: []string{"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"}}
	if sizes {
		t.head = append(t.head, "SIZE")
	}
	for _, s := range sums {
		row := []string{
			shortID(s.ID, full), s.Image, strconv.Quote(shorten(s.Command, 20, full)), humanAge(s.Created, now),
			cmp.Or(s.StatusText, string(s.Status)), portList(s.Ports), strings.Join(s.Names, ","),
		}
		if sizes {
			row = append(row, sizeText(s))
		}
		t.add(row...)
	}
	return t
}

// sizeText is the size of what a container has written, and of all its files.
func sizeText(s *berth.Summary) string {
	var parts []string
	if s.SizeRw != nil {
		parts = append(parts, humanSize(*s.SizeRw))
	}
	if s.SizeRootFs != nil {
		parts = append(parts, "(virtual "+humanSize(*s.SizeRootFs)+")")
	}
	return strings.Join(parts, " ")
}
