package podman

import (
	"context"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerCommit implements [engine.Containers].
func (e *Engine) ContainerCommit(ctx context.Context, id string, opts engine.CommitOptions) (string, error) {
	name, err := checkName("container", id)
	if err != nil {
		return "", err
	}
	r := &refusals{e: e}
	r.when(opts.Conf != nil, "CommitOptions.Conf", "", "Podman takes Changes alone")
	if opts.Tag != "" && opts.Repository == "" {
		r.invalid("CommitOptions.Tag", opts.Tag, "it needs Repository")
	}
	r.needs(opts.Squash, vSquash, "CommitOptions.Squash")
	format := opts.Format
	switch {
	case format != "" && format != "docker" && format != "oci":
		r.invalid("CommitOptions.Format", format, "want docker or oci")
	case format == "oci" && opts.Message != "":
		r.unsupported("CommitOptions.Message", "", "an image of format oci has none")
	case format == "" && opts.Message != "":
		format = "docker"
	}
	if err := r.err(); err != nil {
		return "", err
	}
	query := url.Values{"container": {name}, "pause": {boolean(opts.Pause == nil || *opts.Pause)}}
	for key, value := range map[string]string{"repo": opts.Repository, "tag": opts.Tag, "comment": opts.Message, "author": opts.Author, "format": format} {
		if value != "" {
			query.Set(key, value)
		}
	}
	if opts.Squash {
		query.Set("squash", "true")
	}
	if len(opts.Changes) > 0 {
		query["changes"] = opts.Changes
	}
	o := op{"commit container", id}
	var text []byte
	if err := e.call(ctx, o, wire.Request{Method: http.MethodPost, Path: "/commit", Query: query}, &text); err != nil {
		return "", err
	}
	if err, ok := bodyError(o, text); ok {
		return "", err
	}
	var out struct{ ID string }
	if err := decode(o, text, &out); err != nil {
		return "", err
	}
	if out.ID == "" {
		return "", noID(o)
	}
	return imageID(out.ID), nil
}
