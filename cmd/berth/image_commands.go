package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newImageImport(a *app) *cobra.Command {
	var o berth.ImportOptions
	cmd := &cobra.Command{
		Use:   "import [flags] FILE|- [NAME[:TAG]]",
		Short: "Make an image of a tar of a root file system",
		Long: `Make an image of a tar of a root file system, plain or compressed, and print
its ID. "-" reads the tar from the standard input.`,
		Args: between(1, 2, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				o.Reference = args[1]
			}
			return a.importImage(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.Changes, "change", "c", nil, "Dockerfile `instruction` to apply: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR")
	flags.StringVarP(&o.Message, "message", "m", "", "commit `message`")
	flags.StringVar(&o.Platform, "platform", "", "`platform` os[/arch[/variant]] of the image")
	return cmd
}

func (a *app) importImage(ctx context.Context, name string, o berth.ImportOptions) error {
	r, err := a.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	img, err := cli.Images.Import(ctx, r, o)
	if err != nil {
		return err
	}
	return a.printLines(img.ID())
}

// open opens a file, or the standard input for "-".
func (a *app) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		if isTerminal(a.stdin) {
			return nil, usageError{errors.New("the standard input is a terminal, not a tar")}
		}
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(name)
}

func newLoad(a *app) *cobra.Command {
	var input string
	cmd := &cobra.Command{
		Use:   "load [flags]",
		Short: "Load images from an archive",
		Long: `Load images from an archive of docker save or podman save, and print their
names, or the ID of one that has none.`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.load(cmd.Context(), input) },
	}
	cmd.Flags().StringVarP(&input, "input", "i", "-", "`file` to read; - is the standard input")
	return cmd
}

func (a *app) load(ctx context.Context, name string) error {
	r, err := a.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	images, err := cli.Images.Load(ctx, r)
	var lines []string
	for _, img := range images {
		if tags := img.Tags(); len(tags) > 0 {
			lines = append(lines, tags...)
		} else {
			lines = append(lines, img.ID())
		}
	}
	return errors.Join(err, a.printLines(lines...))
}

func newImageInspect(a *app) *cobra.Command {
	o := inspectFlags{kind: "image", format: formatJSON}
	cmd := &cobra.Command{
		Use:   "inspect [flags] IMAGE...",
		Short: "Show all about images",
		Long: `Show all about images, as a JSON array.

The members are the same on every engine: the fields of the library's
ImageAttrs. With --raw they are the engine's own.`,
		Args: atLeast(1, "IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.inspect(cmd.Context(), args, o) },
	}
	o.common(cmd)
	return cmd
}

func newImageRm(a *app) *cobra.Command {
	var o berth.ImageRemoveOptions
	cmd := &cobra.Command{
		Use:     "rm [flags] IMAGE...",
		Aliases: []string{"remove"},
		Short:   "Remove images",
		Long:    `Remove images, and print what was untagged and what was deleted.`,
		Args:    atLeast(1, "IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.removeImages(cmd.Context(), args, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Force, "force", "f", false, "remove images that stopped containers use, or that have other names")
	flags.BoolVar(&o.NoPrune, "no-prune", false, "keep parents that have no name")
	return cmd
}

func (a *app) removeImages(ctx context.Context, names []string, o berth.ImageRemoveOptions) error {
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	var errs []error
	err = a.output(func(w *bufio.Writer) error {
		for _, name := range names {
			report, err := cli.Images.Remove(ctx, name, o)
			if err != nil {
				errs = append(errs, err)
			}
			for _, s := range report.Untagged {
				w.WriteString("untagged: " + s + "\n")
			}
			for _, s := range report.Deleted {
				w.WriteString("deleted: " + s + "\n")
			}
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}
