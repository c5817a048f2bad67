package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func newInfo(a *app) *cobra.Command {
	o := formatTable
	cmd := &cobra.Command{
		Use:   "info [flags]",
		Short: "Tell which engine is used, and about its host",
		Long: `Tell which engine is used, how it was found, and about its host. The exit code
is 125 when no engine answers.`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.info(cmd.Context(), o) },
	}
	cmd.Flags().VarP(&o, "format", "f", "table, or json for a JSON object")
	return cmd
}

// engineInfo is what info shows as JSON.
type engineInfo struct {
	Engine berth.Identity
	Info   *berth.Info
}

func (a *app) info(ctx context.Context, o format) error {
	cli, err := a.client(ctx)
	if err != nil {
		return err
	}
	info, err := cli.Info(ctx)
	if err != nil {
		return err
	}
	e := engineInfo{cli.Engine(), info}
	if o == formatJSON {
		return a.printJSON(view{e})
	}
	return a.output(func(w *bufio.Writer) error {
		for _, line := range e.lines() {
			fmt.Fprintf(w, "%-16s %s\n", line[0]+":", printable(line[1]))
		}
		return nil
	})
}

// lines are the names and values for people; those without a value are left out.
func (e engineInfo) lines() [][2]string {
	id, info := e.Engine, e.Info
	engine := fmt.Sprintf("%s %s (API %s)", id.Name, id.Version, id.APIVersion)
	if id.Rootless {
		engine += ", rootless"
	}
	system := strings.TrimSpace(info.OperatingSystem + ", " + info.KernelVersion)
	cgroups := "version " + id.CgroupVersion
	if id.CgroupVersion == "" {
		cgroups = ""
	} else if info.CgroupDriver != "" {
		cgroups += ", " + info.CgroupDriver
	}
	var lines [][2]string
	for _, line := range [][2]string{
		{"Engine", engine},
		{"Address", id.Host},
		{"Found by", sourceNames(id.Source)},
		{"Host", info.Name},
		{"System", strings.Trim(system, ", ")},
		{"Architecture", id.OS + "/" + id.Arch},
		{"CPUs, memory", fmt.Sprintf("%d, %s", info.NCPU, humanSize(info.MemTotal))},
		{"Containers", fmt.Sprintf("%d (%d running, %d paused, %d stopped)", info.Containers, info.ContainersRunning, info.ContainersPaused, info.ContainersStopped)},
		{"Images", fmt.Sprint(info.Images)},
		{"Storage driver", info.StorageDriver},
		{"Log driver", info.LoggingDriver},
		{"Cgroups", cgroups},
		{"Runtime", info.DefaultRuntime},
		{"Directory", info.RootDir},
	} {
		if line[1] != "" {
			lines = append(lines, line)
		}
	}
	for _, warning := range info.Warnings {
		lines = append(lines, [2]string{"Warning", warning})
	}
	return lines
}
