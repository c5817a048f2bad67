package docker

import (
	"context"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireImageConfig is the configuration of an image. Null lists are the container's.
type wireImageConfig struct {
	User         string              `json:",omitempty"`
	ExposedPorts map[string]struct{} `json:",omitempty"`
	Env          []string            `json:",omitempty"`
	Entrypoint   []string            `json:",omitempty"`
	Cmd          []string            `json:",omitempty"`
	Volumes      map[string]struct{} `json:",omitempty"`
	WorkingDir   string              `json:",omitempty"`
	Labels       map[string]string   `json:",omitempty"`
	StopSignal   string              `json:",omitempty"`
	Healthcheck  *wireHealthcheck    `json:",omitempty"`
}

// ContainerCommit implements [engine.Containers].
func (e *Engine) ContainerCommit(ctx context.Context, id string, opts engine.CommitOptions) (string, error) {
	name, err := checkName("container", id)
	if err != nil {
		return "", err
	}
	r := &refusals{e: e}
	r.unless(opts.Format == "" || opts.Format == "docker", "CommitOptions.Format", opts.Format, "the format is the daemon's image store's")
	r.unless(!opts.Squash, "CommitOptions.Squash", "true", "")
	if opts.Tag != "" && opts.Repository == "" {
		r.invalid("CommitOptions.Tag", opts.Tag, "it needs Repository")
	}
	if err := r.err(); err != nil {
		return "", err
	}
	query := url.Values{"container": {name}}
	set := func(key, value string) {
		if value != "" {
			query.Set(key, value)
		}
	}
	set("repo", opts.Repository)
	set("tag", opts.Tag)
	set("comment", opts.Message)
	set("author", opts.Author)
	if opts.Pause != nil && !*opts.Pause {
		query.Set("pause", "0")
	}
	for _, c := range opts.Changes {
		query.Add("changes", c)
	}
	body := wireImageConfig{}
	if c := opts.Conf; c != nil {
		body = imageConfig(c)
	}
	var out struct {
		ID string `json:"Id"`
	}
	o := op{"commit container", id}
	err = e.call(ctx, o, wire.Request{Method: http.MethodPost, Path: "/commit", Query: query, JSON: body}, &out)
	if err == nil && out.ID == "" {
		err = noID(o)
	}
	return out.ID, err
}

func imageConfig(c *engine.ImageConfig) wireImageConfig {
	return wireImageConfig{
		User:         c.User,
		ExposedPorts: set(c.ExposedPorts),
		Env:          c.Env,
		Entrypoint:   c.Entrypoint,
		Cmd:          c.Cmd,
		Volumes:      set(c.Volumes),
		WorkingDir:   c.WorkingDir,
		Labels:       c.Labels,
		StopSignal:   c.StopSignal,
		Healthcheck:  healthcheck(c.Healthcheck),
	}
}

func set(list []string) map[string]struct{} {
	var m map[string]struct{}
	for _, s := range list {
		if m == nil {
			m = make(map[string]struct{}, len(list))
		}
		m[s] = struct{}{}
	}
	return m
}
