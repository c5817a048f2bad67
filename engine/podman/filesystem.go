package podman

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// ContainerDiff implements [engine.Containers].
func (e *Engine) ContainerDiff(ctx context.Context, id string) ([]engine.Change, error) {
	var list []struct {
		Path string
		Kind engine.ChangeKind
	}
	if err := e.container(ctx, "list changes of container", id, http.MethodGet, "/changes", nil, nil, &list); err != nil {
		return nil, err
	}
	out := make([]engine.Change, 0, len(list))
	for _, c := range list {
		out = append(out, engine.Change{Path: c.Path, Kind: c.Kind})
	}
	return out, nil
}

// ContainerExport implements [engine.Containers].
func (e *Engine) ContainerExport(ctx context.Context, id string) (io.ReadCloser, error) {
	path, err := containerPath(id, "/export")
	if err != nil {
		return nil, err
	}
	resp, err := e.stream(ctx, op{"export container", id}, get(path))
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// statHeader is the header that tells about a path.
const statHeader = "X-Docker-Container-Path-Stat"

// archive is a request for a path in a container.
func (e *Engine) archive(ctx context.Context, o op, method, id, path string) (*http.Response, error) {
	if path == "" {
		return nil, &engine.InvalidError{Option: "path", Reason: "it is empty"} // Podman answers 200
	}
	if strings.ContainsRune(path, 0) {
		return nil, &engine.InvalidError{Option: "path", Value: path, Reason: "it has a NUL byte"}
	}
	endpoint, err := containerPath(id, "/archive")
	if err != nil {
		return nil, err
	}
	resp, err := e.wire.Stream(ctx, wire.Request{Method: method, Path: endpoint, Query: url.Values{"path": {path}}})
	if s, ok := errors.AsType[*wire.StatusError](err); ok && s.Status == http.StatusNotFound {
		message := s.Message()
		if method == http.MethodHead { // it has no body, so neither has its error words
			message = "no such container or path " + path
		}
		api := &engine.APIError{Engine: Name, Op: o.verb, Object: o.object, Status: s.Status, Message: message, Cause: s.Cause(), Kind: engine.ErrNotFound}
		if st, err := pathStat(s.Header, path); err == nil && st.LinkTarget != "" {
			return nil, &danglingError{api, st}
		}
		return nil, api
	}
	return resp, e.fail(o, err)
}

// danglingError is the answer for a symbolic link that leads nowhere.
type danglingError struct {
	*engine.APIError
	link engine.PathStat
}

func (e *danglingError) Unwrap() error { return e.APIError }

// pathStat is what an answer tells about a path. Podman names what a link leads to, and gives every path a link target.
func pathStat(h http.Header, name string) (engine.PathStat, error) {
	st, err := normal.StatHeader(h.Get(statHeader))
	if err != nil {
		return st, err
	}
	if st.Mode&fs.ModeSymlink == 0 {
		st.LinkTarget = ""
	}
	st.Name = path.Base(path.Clean("/" + name))
	return st, nil
}

// ContainerStatPath implements [engine.Containers].
func (e *Engine) ContainerStatPath(ctx context.Context, id, path string) (engine.PathStat, error) {
	resp, err := e.archive(ctx, op{"stat path in container", id}, http.MethodHead, id, path)
	if dangling, ok := errors.AsType[*danglingError](err); ok {
		return dangling.link, nil
	}
	if err != nil {
		return engine.PathStat{}, err
	}
	resp.Body.Close()
	return pathStat(resp.Header, path)
}

// ContainerGetArchive implements [engine.Containers]. Podman gives everything in the archive to the container's user, whoever owns it, and follows a path that is a symbolic link: the archive then holds the link's name, and what it
// points to.
func (e *Engine) ContainerGetArchive(ctx context.Context, id, path string, opts engine.ArchiveOptions) (io.ReadCloser, engine.PathStat, error) {
	if opts.Compress {
		return nil, engine.PathStat{}, e.unsupported("ArchiveOptions.Compress", "", "Podman sends plain archives only")
	}
	o := op{"get archive from container", id}
	// Podman answers before it reads the files. It finds none when the container ends in between, which takes its file system away for a moment.
	const tries, pause = 5, 100 * time.Millisecond
	for try := 1; ; try++ {
		resp, err := e.archive(ctx, o, http.MethodGet, id, path)
		if err != nil {
			return nil, engine.PathStat{}, err
		}
		stat, err := pathStat(resp.Header, path)
		if err != nil {
			resp.Body.Close()
			return nil, engine.PathStat{}, err
		}
		body := bufio.NewReader(resp.Body)
		if _, err := body.Peek(1); err != io.EOF || try == tries {
			return readCloser{body, resp.Body}, stat, nil
		}
		resp.Body.Close()
		if err := e.pause(ctx, o, pause); err != nil {
			return nil, engine.PathStat{}, err
		}
	}
}

// readCloser reads from one and closes another.
type readCloser struct {
	io.Reader
	io.Closer
}

// ContainerPutArchive implements [engine.Containers]. Podman would make a missing directory, so that it is looked for first.
func (e *Engine) ContainerPutArchive(ctx context.Context, id, path string, tar io.Reader, opts engine.PutArchiveOptions) error {
	o := op{"put archive into container", id}
	resp, err := e.archive(ctx, o, http.MethodHead, id, path)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if stat, err := pathStat(resp.Header, path); err == nil && !stat.Mode.IsDir() && stat.LinkTarget == "" {
		return &engine.InvalidError{Option: "path", Value: path, Reason: "it is not a directory"}
	}
	endpoint, err := containerPath(id, "/archive")
	if err != nil {
		return err
	}
	return e.call(ctx, o, wire.Request{
		Method: http.MethodPut,
		Path:   endpoint,
		Query: url.Values{
			"path":                 {path},
			"copyUIDGID":           {boolean(opts.CopyUIDGID)}, // Podman's default is true, and then it is the container's user that everything is given to
			"noOverwriteDirNonDir": {boolean(opts.NoOverwriteDirNonDir)},
		},
		Header: http.Header{"Content-Type": {"application/x-tar"}},
		Body:   tar,
	}, nil)
}
