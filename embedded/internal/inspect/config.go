package inspect

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// config is the portable part: what was asked for, completed from the image as the engine did it.
func config(cfg *state.Config) engine.Config {
	s, img := &cfg.Spec, &cfg.ImageConfig
	c := engine.Config{
		Hostname:     hostname(cfg),
		Domainname:   s.Domainname,
		User:         s.User,
		Env:          env(cfg),
		Cmd:          s.Command,
		Entrypoint:   s.Entrypoint,
		WorkingDir:   s.WorkingDir,
		Labels:       cfg.Labels(),
		Annotations:  s.Annotations,
		TTY:          s.TTY,
		OpenStdin:    s.OpenStdin,
		StdinOnce:    s.StdinOnce,
		StopSignal:   signalName(cfg.StopSignal),
		StopTimeout:  s.StopTimeout,
		Healthcheck:  cfg.Healthcheck,
		Volumes:      slices.Sorted(slices.Values(img.Volumes)),
		ExposedPorts: cfg.Exposed,
		Timezone:     s.Timezone,
		Umask:        s.Umask,
	}
	if c.User == "" {
		c.User = img.User
	}
	if c.WorkingDir == "" {
		c.WorkingDir = img.WorkingDir
	}
	if s.Command == nil && s.Entrypoint == nil { // an entrypoint of its own takes the image's command away
		c.Cmd = img.Cmd
	}
	if s.Entrypoint == nil {
		c.Entrypoint = img.Entrypoint
	}
	if h := s.Healthcheck; c.Healthcheck == nil && h != nil && len(h.Test) > 0 && h.Test[0] == "NONE" {
		c.Healthcheck = h
	}
	return c
}

// hostname is the container's own: the Spec's, the host's in its namespace, or the ID's first twelve digits.
func hostname(cfg *state.Config) string {
	switch {
	case cfg.Spec.Hostname != "":
		return cfg.Spec.Hostname
	case cfg.Spec.UTSMode == "host", cfg.Netns == "host":
		if name, err := os.Hostname(); err == nil {
			return name
		}
	}
	return cfg.ID[:min(12, len(cfg.ID))]
}

// env is the Spec's environment by name and what the image adds to it.
func env(cfg *state.Config) []string {
	s := &cfg.Spec
	var list []string
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		list = append(list, k+"="+s.Env[k])
	}
	if s.Podman != nil && s.Podman.UnsetEnvAll {
		return list
	}
	for _, e := range cfg.ImageConfig.Env {
		k, _, _ := strings.Cut(e, "=")
		if _, ok := s.Env[k]; !ok && !slices.Contains(s.UnsetEnv, k) {
			list = append(list, e)
		}
	}
	return list
}
