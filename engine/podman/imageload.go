package podman

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// tarHeader says what a body is: with another type Podman may read it before its handler does.
func tarHeader() http.Header { return http.Header{"Content-Type": {"application/x-tar"}} }

// ImageLoad implements [engine.Images].
func (e *Engine) ImageLoad(ctx context.Context, tar io.Reader) ([]string, error) {
	o := op{verb: "load images"}
	var out struct{ Names []string }
	r := wire.Request{Method: http.MethodPost, Path: "/images/load", Header: tarHeader(), Body: tar}
	if err := e.call(ctx, o, r, &out); err != nil {
		return nil, badArchive(err)
	}
	if len(out.Names) == 0 {
		return nil, &engine.APIError{Engine: Name, Op: o.verb, Message: "the engine's answer names no image"}
	}
	for i, n := range out.Names {
		out.Names[i] = imageID(n)
	}
	return out.Names, nil
}

// badArchive is ErrInvalid for an archive that the engine cannot read.
func badArchive(err error) error {
	if api, ok := err.(*engine.APIError); ok && (strings.Contains(api.Message, "does not match any of the supported image formats") || strings.Contains(api.Message, "unable to import tarball")) {
		api.Kind = engine.ErrInvalid
	}
	return err
}

// ImageSave implements [engine.Images].
func (e *Engine) ImageSave(ctx context.Context, refs []string, opts engine.SaveOptions) (io.ReadCloser, error) {
	if len(refs) == 0 {
		return nil, &engine.InvalidError{Option: "images", Reason: "there is none"}
	}
	format := opts.Format
	switch format {
	case "":
		format = "docker-archive"
	case "docker-archive":
	case "oci-archive":
		if len(refs) > 1 {
			return nil, e.unsupported("SaveOptions.Format", format, "it holds one image")
		}
	default:
		return nil, &engine.InvalidError{Option: "SaveOptions.Format", Value: format, Reason: "want docker-archive or oci-archive"}
	}
	for _, ref := range refs {
		if err := checkReference(ref); err != nil {
			return nil, err
		}
	}
	o := op{"save images", strings.Join(refs, " ")}
	r := wire.Request{Method: http.MethodGet, Path: "/images/export", Query: url.Values{"references": refs, "format": {format}}}
	if len(refs) == 1 {
		path, err := imagePath(refs[0], "/get")
		if err != nil {
			return nil, err
		}
		r = wire.Request{Method: http.MethodGet, Path: path, Query: url.Values{"format": {format}}}
	}
	resp, err := e.stream(ctx, o, r)
	if err != nil {
		return nil, imageNotFound(err)
	}
	return resp.Body, nil
}

// ImageImport implements [engine.Images].
func (e *Engine) ImageImport(ctx context.Context, tar io.Reader, opts engine.ImportOptions) (string, error) {
	query := url.Values{}
	if opts.Reference != "" {
		repo, tag, err := splitTarget("ImportOptions.Reference", opts.Reference)
		if err != nil {
			return "", err
		}
		query.Set("reference", repo+":"+tag)
	}
	if opts.Message != "" {
		query.Set("message", opts.Message)
	}
	if len(opts.Changes) > 0 {
		query["changes"] = opts.Changes
	}
	if opts.Platform != "" {
		if err := e.need(vImportPlatform, "ImportOptions.Platform"); err != nil {
			return "", err
		}
		p, err := engine.ParsePlatform(opts.Platform)
		if err != nil {
			return "", err
		}
		for key, value := range map[string]string{"OS": p.OS, "Architecture": p.Arch, "Variant": p.Variant} {
			if value != "" {
				query.Set(key, value)
			}
		}
	}
	var out struct{ ID string }
	r := wire.Request{Method: http.MethodPost, Path: "/images/import", Query: query, Header: tarHeader(), Body: tar}
	if err := e.call(ctx, op{"import image", opts.Reference}, r, &out); err != nil {
		return "", badArchive(err)
	}
	return imageID(out.ID), nil
}
