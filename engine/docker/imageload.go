package docker

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// ImageLoad implements [engine.Images]. The engine tells what it has loaded in words only.
func (e *Engine) ImageLoad(ctx context.Context, tar io.Reader) ([]string, error) {
	o := op{"load images", ""}
	resp, err := e.openBody(ctx, o, wire.Request{
		Method: http.MethodPost,
		Path:   "/images/load",
		Query:  url.Values{"quiet": {"1"}},
		Header: http.Header{"Content-Type": {"application/x-tar"}},
		Body:   tar,
	})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	names := []string{}
	err = e.progress(o, resp.Body, func(m *wireProgress) {
		for line := range strings.Lines(m.Stream) {
			line = strings.TrimRight(line, "\r\n")
			if id, ok := strings.CutPrefix(line, "Loaded image ID: "); ok {
				names = append(names, id)
			} else if name, ok := strings.CutPrefix(line, "Loaded image: "); ok {
				names = append(names, name)
			}
		}
	})
	return names, err
}

// ImageSave implements [engine.Images].
func (e *Engine) ImageSave(ctx context.Context, refs []string, opts engine.SaveOptions) (io.ReadCloser, error) {
	if opts.Format != "" && opts.Format != "docker-archive" {
		return nil, &engine.UnsupportedError{Option: "SaveOptions.Format", Value: opts.Format, Engine: Name}
	}
	if len(refs) == 0 {
		return nil, &engine.InvalidError{Option: "images", Reason: "none"}
	}
	for _, ref := range refs {
		if _, err := imagePath(ref, ""); err != nil {
			return nil, err
		}
	}
	resp, err := e.openBody(ctx, op{"save images", strings.Join(refs, " ")}, wire.Request{Method: http.MethodGet, Path: "/images/get", Query: url.Values{"names": refs}})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// ImageImport implements [engine.Images].
func (e *Engine) ImageImport(ctx context.Context, tar io.Reader, opts engine.ImportOptions) (string, error) {
	query := url.Values{"fromSrc": {"-"}}
	if opts.Reference != "" {
		name, err := parseReference("ImportOptions.Reference", opts.Reference)
		if err != nil {
			return "", err
		}
		query.Set("repo", name.name)
		if name.tag != "" {
			query.Set("tag", name.tag)
		}
	}
	if opts.Message != "" {
		query.Set("message", opts.Message)
	}
	if opts.Platform != "" {
		query.Set("platform", opts.Platform)
	}
	for _, c := range opts.Changes {
		query.Add("changes", c)
	}
	o := op{"import image", opts.Reference}
	resp, err := e.openBody(ctx, o, wire.Request{
		Method: http.MethodPost,
		Path:   "/images/create",
		Query:  query,
		Header: http.Header{"Content-Type": {"application/x-tar"}},
		Body:   tar,
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var id string
	err = e.progress(o, resp.Body, func(m *wireProgress) {
		if strings.HasPrefix(m.Status, "sha256:") {
			id = m.Status
		}
	})
	if err == nil && id == "" {
		err = e.fail(o, io.ErrUnexpectedEOF)
	}
	return id, err
}
