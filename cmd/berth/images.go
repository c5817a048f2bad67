package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// newImage is the group of commands about images.
func newImage(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "List, import, inspect and remove images",
		Args:  between(0, 0, ""),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	ls := newImages(a)
	ls.Use = strings.Replace(ls.Use, "images", "ls", 1)
	ls.Aliases = []string{"list"}
	cmd.AddCommand(ls, newImageImport(a), newImageInspect(a), newImageRm(a), newPull(a), newLoad(a))
	return cmd
}

func newImages(a *app) *cobra.Command {
	var list listFlags
	var o berth.ImageListOptions
	cmd := &cobra.Command{
		Use:   "images [flags] [NAME]",
		Short: "List images",
		Long: `List images: all, or those of a repository or name.

Filters are the engine's own: label, reference, dangling, before, since, …`,
		Args: between(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Name = args[0]
			}
			return a.images(cmd.Context(), list, o)
		},
	}
	list.register(cmd.Flags())
	cmd.Flags().BoolVarP(&o.All, "all", "a", false, "show intermediate images too")
	return cmd
}

func (a *app) images(ctx context.Context, list listFlags, o berth.ImageListOptions) error {
	var err error
	if o.Filters, err = berth.ParseFilters(list.filters); err != nil {
		return usageError{err}
	}
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	images, err := cli.Images.List(ctx, o)
	if err != nil {
		return err
	}
	ids := make([]string, len(images))
	sums := make([]*berth.ImageSummary, len(images))
	for i, img := range images {
		ids[i], sums[i] = img.ID(), img.Summary()
	}
	return list.print(a, ids, views(sums), func() *table { return imageTable(sums, list.full, time.Now()) })
}

// imageTable shows images as docker images does, a row for each tag.
func imageTable(sums []*berth.ImageSummary, full bool, now time.Time) *table {
	t := &table{head: []string{"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"}}
	for _, s := range sums {
		names := s.RepoTags
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			repository, tag := cutTag(name)
			t.add(cmp.Or(repository, "<none>"), cmp.Or(tag, "<none>"), shortID(s.ID, full), humanAge(s.Created, now), humanSize(s.Size))
		}
	}
	return t
}

// cutTag cuts a name at the colon of its tag, which is not that of a registry's port.
func cutTag(name string) (repository, tag string) {
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i], name[i+1:]
	}
	return name, ""
}
