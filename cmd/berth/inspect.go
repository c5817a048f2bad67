package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// inspectFlags are the flags of inspect.
type inspectFlags struct {
	kind   string // container, image, or "" for either
	size   bool
	raw    bool
	format format
}

func newInspect(a *app) *cobra.Command {
	o := inspectFlags{format: formatJSON}
	cmd := &cobra.Command{
		Use:   "inspect [flags] NAME...",
		Short: "Show all about containers and images",
		Long: `Show all about containers and images, as a JSON array.

The members are the same on every engine: the fields of the library's Attrs and
ImageAttrs. With --raw they are the engine's own.`,
		Args: atLeast(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch o.kind {
			case "", "container", "image":
			default:
				return usageError{fmt.Errorf("--type %s: want container or image", o.kind)}
			}
			return a.inspect(cmd.Context(), args, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.kind, "type", "", "look for this `type` alone: container or image")
	flags.BoolVarP(&o.size, "size", "s", false, "show the sizes of containers, which is slow")
	o.common(cmd)
	return cmd
}

// common registers the flags that image inspect has too.
func (o *inspectFlags) common(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.raw, "raw", false, "show the engine's own JSON")
	cmd.Flags().VarP(&o.format, "format", "f", "json, the only one")
}

// inspect shows what it finds, and says what it does not.
func (a *app) inspect(ctx context.Context, names []string, o inspectFlags) error {
	if o.format != formatJSON {
		return usageError{errors.New("--format: inspect has json alone")}
	}
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	found := []any{}
	var errs []error
	for _, name := range names {
		v, err := inspectOne(ctx, cli, name, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found = append(found, v)
	}
	return errors.Join(a.printJSON(found), errors.Join(errs...))
}

// inspectOne looks for a container, then for an image.
func inspectOne(ctx context.Context, cli *berth.Client, name string, o inspectFlags) (any, error) {
	show := func(v any, raw json.RawMessage) any {
		if o.raw {
			return raw
		}
		return view{v}
	}
	if o.kind != "image" {
		c, err := cli.Containers.Get(ctx, name)
		if err == nil {
			attrs := c.Attrs()
			if o.size {
				if attrs, err = c.Inspect(ctx, berth.InspectOptions{Size: true}); err != nil {
					return nil, err
				}
			}
			return show(attrs, attrs.Raw), nil
		}
		notThere := errors.Is(err, berth.ErrNotFound) || errors.Is(err, berth.ErrInvalid) // no container has a name with a slash
		if o.kind == "container" || !notThere {
			return nil, err
		}
	}
	attrs, err := cli.Images.Inspect(ctx, name)
	if err == nil {
		return show(attrs, attrs.Raw), nil
	}
	if o.kind == "" && errors.Is(err, berth.ErrNotFound) {
		return nil, fmt.Errorf("inspect %s: there is no such container or image: %w", name, berth.ErrNotFound)
	}
	return nil, err
}
