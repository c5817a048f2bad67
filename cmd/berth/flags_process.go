package main

import (
	"time"

	"github.com/berthdev/berth"
)

// processFlags are about what runs and as whom.
func processFlags() []specFlag {
	return []specFlag{
		{"name", "", "NAME", "name of the container", "Name", text(func(d *draft) *string { return &d.spec.Name })},
		{"platform", "", "OS[/ARCH[/VARIANT]]", "platform of the image", "Platform", text(func(d *draft) *string { return &d.spec.Platform })},
		{"entrypoint", "", "COMMAND", "program to run in place of the image's entrypoint (\"\" for none; a JSON array for several words)", "Entrypoint",
			parsed(parseEntrypoint, func(d *draft) *[]string { return &d.spec.Entrypoint })},
		{"env", "e", "KEY[=VALUE]", "environment variable; without a value that of this environment", "Env", texts(func(d *draft) *[]string { return &d.env })},
		{"env-file", "", "FILE", "file of environment variables, a line each", "", texts(func(d *draft) *[]string { return &d.envFiles })},
		{"unsetenv", "", "KEY", "environment variable of the image to leave out", "UnsetEnv", texts(func(d *draft) *[]string { return &d.spec.UnsetEnv })},
		{"http-proxy", "", "", "pass on the proxies of the client's configuration (default true)", "UseConfigProxy", optional(func(d *draft) **bool { return &d.spec.UseConfigProxy })},
		{"workdir", "w", "DIR", "working directory in the container", "WorkingDir", text(func(d *draft) *string { return &d.spec.WorkingDir })},
		{"user", "u", "USER[:GROUP]", "user to run as, by name or number", "User", text(func(d *draft) *string { return &d.spec.User })},
		{"group-add", "", "GROUP", "further group of the process", "GroupAdd", texts(func(d *draft) *[]string { return &d.spec.GroupAdd })},
		{"umask", "", "MODE", "umask of the process in octal (Podman)", "Umask", text(func(d *draft) *string { return &d.spec.Umask })},
		{"tz", "", "ZONE", "time zone, or local (Podman)", "Timezone", text(func(d *draft) *string { return &d.spec.Timezone })},
		{"tty", "t", "", "give the process a terminal", "TTY", toggle(func(d *draft) *bool { return &d.spec.TTY })},
		{"interactive", "i", "", "keep the standard input open and pass it on", "OpenStdin", toggle(func(d *draft) *bool { return &d.spec.OpenStdin })},
		{"rm", "", "", "remove the container when it has ended", "AutoRemove", toggle(func(d *draft) *bool { return &d.spec.AutoRemove })},
		{"restart", "", "POLICY", "restart policy: no, always, unless-stopped, on-failure[:N]", "RestartPolicy",
			parsed(berth.ParseRestartPolicy, func(d *draft) *berth.RestartPolicy { return &d.spec.RestartPolicy })},
		{"init", "", "", "run an init in the container that reaps processes", "Init", optional(func(d *draft) **bool { return &d.spec.Init })},
		{"init-path", "", "PATH", "the init's file on the engine's host (Podman)", "InitPath", text(func(d *draft) *string { return &d.spec.InitPath })},
		{"stop-signal", "", "SIGNAL", "signal that asks the process to end", "StopSignal", text(func(d *draft) *string { return &d.spec.StopSignal })},
		{"stop-timeout", "", "SECONDS", "how long a stop waits before it kills", "StopTimeout", func(d *draft, s string) error {
			t, err := parseSeconds(s)
			d.spec.StopTimeout = &t
			return err
		}},
		{"timeout", "", "SECONDS", "longest time the container may run (Podman)", "Timeout", parsed(parseSeconds, func(d *draft) *time.Duration { return &d.spec.Timeout })},
		{"label", "l", "KEY[=VALUE]", "label of the container", "Labels", texts(func(d *draft) *[]string { return &d.labels })},
		{"label-file", "", "FILE", "file of labels, a line each", "", texts(func(d *draft) *[]string { return &d.labelFiles })},
		{"annotation", "", "KEY=VALUE", "annotation for the OCI runtime", "Annotations", pairs(func(d *draft) *map[string]string { return &d.spec.Annotations })},
		{"log-driver", "", "DRIVER", "log driver", "LogConfig.Driver", text(func(d *draft) *string { return &d.spec.LogConfig.Driver })},
		{"log-opt", "", "KEY=VALUE", "option of the log driver", "LogConfig", pairs(func(d *draft) *map[string]string { return &d.spec.LogConfig.Options })},
		{"runtime", "", "RUNTIME", "OCI runtime", "Runtime", text(func(d *draft) *string { return &d.spec.Runtime })},
		{"pod", "", "POD", "pod to run in (Podman)", "Podman.Pod", text(func(d *draft) *string { return &d.podman().Pod })},
		{"systemd", "", "MODE", "systemd mode: true, false, always (Podman)", "Podman.Systemd", text(func(d *draft) *string { return &d.podman().Systemd })},
		{"secret", "", "NAME[,OPTION]", "secret to mount, or with type=env to set as a variable (Podman)", "Secrets", setSecret},
	}
}

// setSecret takes a secret as a file or as a variable.
func setSecret(d *draft, s string) error {
	variable, name, envErr := berth.ParseSecretEnv(s)
	if envErr == nil {
		if d.spec.SecretEnv == nil {
			d.spec.SecretEnv = map[string]string{}
		}
		d.spec.SecretEnv[variable] = name
		return nil
	}
	m, err := berth.ParseSecret(s)
	if err != nil {
		if hasType(s, "env") {
			return envErr
		}
		return err
	}
	d.spec.Secrets = append(d.spec.Secrets, m)
	return nil
}
