package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func newResume(a *app) *cobra.Command {
	var unit bool
	cmd := &cobra.Command{
		Use:   "resume [flags]",
		Short: "Start what the machine's last stop has ended against its restart policy",
		Long: `Start the containers of the embedded engine that ran when the machine stopped
and whose restart policy is always or unless-stopped. Without a daemon nobody
does that at boot by itself: the first use of the engine after a boot does, and
this command is for a unit that makes it happen at boot. It prints nothing.

With --unit it prints such a unit for systemd, and starts nothing:

  berth resume --unit > /etc/systemd/system/berth-resume.service
  systemctl enable berth-resume`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if unit {
				return a.printUnit()
			}
			if a.host == "" && a.context == "" && a.engine == "" {
				a.engine = "embedded"
			}
			_, err := a.client(cmd.Context()) // opening the engine resumes
			return err
		},
	}
	cmd.Flags().BoolVar(&unit, "unit", false, "print a systemd unit that runs this command at boot")
	return cmd
}

// printUnit prints the unit. Monitors stay when it ends: each has a session and a cgroup of its own.
func (a *app) printUnit() error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return a.printLines(
		"[Unit]",
		"Description=Start Berth's containers by their restart policies",
		"After=network-online.target local-fs.target",
		"Wants=network-online.target",
		"",
		"[Service]",
		"Type=oneshot",
		"ExecStart="+exe+" resume",
		"RemainAfterExit=yes",
		"KillMode=process",
		"",
		"[Install]",
		"WantedBy=multi-user.target",
	)
}
