package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newPull(a *app) *cobra.Command {
	var o berth.PullOptions
	var quiet, tlsVerify bool
	policy := pullPolicy(berth.PullAlways)
	cmd := &cobra.Command{
		Use:   "pull [flags] IMAGE",
		Short: "Pull an image from a registry",
		Long: `Pull an image from a registry, and print its ID. On a terminal one line on
standard error shows how far it is. Credentials are those of docker login and
podman login.`,
		Args: between(1, 1, "IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("tls-verify") {
				o.TLSVerify = &tlsVerify
			}
			o.Policy = berth.PullPolicy(policy)
			return a.pull(cmd.Context(), args[0], o, quiet)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.AllTags, "all-tags", "a", false, "pull all tags of the repository")
	flags.StringVar(&o.Platform, "platform", "", "`platform` os[/arch[/variant]] of the image")
	flags.Var(&policy, "policy", "when to pull: always, missing, newer, never")
	flags.BoolVar(&tlsVerify, "tls-verify", true, "check the registry's certificate (Podman)")
	flags.BoolVarP(&quiet, "quiet", "q", false, "do not show the progress")
	return cmd
}

func (a *app) pull(ctx context.Context, ref string, o berth.PullOptions, quiet bool) error {
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	bar := a.newProgress(ref, quiet)
	if bar.tty { // else the ID is the one line
		o.Progress = bar.update
	}
	img, err := cli.Images.Pull(ctx, ref, o)
	bar.clear()
	if err != nil {
		return err
	}
	return a.printLines(img.ID())
}
