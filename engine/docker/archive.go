package docker

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// pathStatHeader describes the path of an archive request: JSON in base64.
const pathStatHeader = "X-Docker-Container-Path-Stat"

// ContainerDiff implements [engine.Containers].
func (e *Engine) ContainerDiff(ctx context.Context, id string) ([]engine.Change, error) {
	var list []struct {
		Path string
		Kind int
	}
	if err := e.container(ctx, "compare container", id, http.MethodGet, "/changes", nil, nil, &list); err != nil {
		return nil, err
	}
	out := make([]engine.Change, 0, len(list))
	for _, c := range list {
		out = append(out, engine.Change{Path: c.Path, Kind: engine.ChangeKind(c.Kind)})
	}
	return out, nil
}

// ContainerExport implements [engine.Containers].
func (e *Engine) ContainerExport(ctx context.Context, id string) (io.ReadCloser, error) {
	path, err := containerPath(id, "/export")
	if err != nil {
		return nil, err
	}
	resp, err := e.openBody(ctx, op{"export container", id}, get(path))
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// ContainerStatPath implements [engine.Containers].
func (e *Engine) ContainerStatPath(ctx context.Context, id, path string) (engine.PathStat, error) {
	o := op{"stat in container", id + ":" + path}
	r, err := archiveRequest(http.MethodHead, id, path)
	if err != nil {
		return engine.PathStat{}, err
	}
	resp, err := e.stream(ctx, o, r)
	if err != nil {
		return engine.PathStat{}, headError(err)
	}
	resp.Body.Close()
	return pathStat(o, resp.Header)
}

// headError gives words to the answer of a HEAD request, which has none: 404 is that of the path, or of the container.
func headError(err error) error {
	if a, ok := err.(*engine.APIError); ok && a.Message == "" && a.Status == http.StatusNotFound {
		a.Message = "no such path, or no such container"
	}
	return err
}

// ContainerGetArchive implements [engine.Containers].
func (e *Engine) ContainerGetArchive(ctx context.Context, id, path string, opts engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	o := op{"get archive of container", id + ":" + path}
	r, err := archiveRequest(http.MethodGet, id, path)
	if err != nil {
		return nil, engine.PathStat{}, err
	}
	r.Header = http.Header{"Accept-Encoding": {"identity"}}
	if opts.Compress {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := e.openBody(ctx, o, r)
	if err != nil {
		return nil, engine.PathStat{}, err
	}
	stat, err := pathStat(o, resp.Header)
	if err != nil {
		resp.Body.Close()
		return nil, engine.PathStat{}, err
	}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		return &gunzip{body: resp.Body}, stat, nil
	}
	return resp.Body, stat, nil
}

// ContainerPutArchive implements [engine.Containers]. The target is asked for first: the body of a request that fails early is sent to nobody, and which of the two errors the caller sees is a matter of luck.
func (e *Engine) ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts engine.PutArchiveOptions) error {
	if _, err := e.ContainerStatPath(ctx, id, path); err != nil {
		return err
	}
	r, err := archiveRequest(http.MethodPut, id, path)
	if err != nil {
		return err
	}
	if opts.NoOverwriteDirNonDir {
		r.Query.Set("noOverwriteDirNonDir", "1")
	}
	if opts.CopyUIDGID {
		r.Query.Set("copyUIDGID", "1")
	}
	r.Header = http.Header{"Content-Type": {"application/x-tar"}}
	r.Body = tar
	return e.call(ctx, op{"put archive into container", id + ":" + path}, r, nil)
}

func archiveRequest(method, id, path string) (wire.Request, error) {
	if path == "" {
		return wire.Request{}, &engine.InvalidError{Option: "path", Reason: "empty"}
	}
	p, err := containerPath(id, "/archive")
	return wire.Request{Method: method, Path: p, Query: url.Values{"path": {path}}}, err
}

func pathStat(o op, h http.Header) (engine.PathStat, error) {
	s, err := normal.StatHeader(h.Get(pathStatHeader))
	if err != nil {
		return s, fmt.Errorf("%s %s: %w", o.verb, o.object, err)
	}
	return s, nil
}

// openBody is stream for a body that the caller reads to its end or closes early: closing it ends its request.
func (e *Engine) openBody(ctx context.Context, o op, r wire.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	resp, err := e.stream(ctx, o, r)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &cancelBody{resp.Body, cancel}
	return resp, nil
}

type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements [io.Closer].
func (b *cancelBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}

// gunzip is the plain content of a compressed body. The head of it is read with the first byte that is asked for.
type gunzip struct {
	body io.ReadCloser
	r    *gzip.Reader
	err  error
}

// Read implements [io.Reader].
func (g *gunzip) Read(p []byte) (int, error) {
	if g.r == nil && g.err == nil {
		if g.r, g.err = gzip.NewReader(g.body); g.err == io.EOF {
			g.err = io.ErrUnexpectedEOF
		}
	}
	if g.err != nil {
		return 0, g.err
	}
	return g.r.Read(p)
}

// Close implements [io.Closer].
func (g *gunzip) Close() error { return g.body.Close() }
