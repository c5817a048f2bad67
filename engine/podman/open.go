package podman

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// Name is the engine's name, in Identity and in errors.
const Name = "podman"

// Config says how to open an Engine. Only Wire.Dial is required.
type Config struct {
	Wire       wire.Config // Prefix is set by Open
	Host       string      // for Identity
	Source     string      // for Identity
	APIVersion string      // of the paths, e.g. "5.0.0"; "" is the server's Libpod-Api-Version
	Ping       http.Header // of the server's answer to /_ping, where the caller has it; nil: Open asks
	Local      bool        // the engine's process IDs are ours
	Closer     io.Closer   // closed with the engine; may be nil
	DetachKeys string      // of attach and exec calls that have none of their own; "" is the engine's default
}

// Engine is a Podman service, as it was found by Open. It implements [engine.Engine] and is safe for concurrent use.
type Engine struct {
	wire        *wire.Client // of libpod's endpoints
	conns       *wire.Tracker
	version     version // of the server: what it can do
	api         string  // of the paths: the shape of some answers
	info        wireInfo
	host        string
	source      string
	local       bool
	keys        string
	failedStart atomic.Int64 // when a start failed, in nanoseconds: see startAgain
	resizes     resizes
	closing     func() error

	firstPause, goneGrace time.Duration // of tests; 0 are the constants: see looked
}

var _ engine.Engine = (*Engine)(nil)

// Open asks the server what it is. It makes at most two requests: /_ping, unless cfg.Ping is its answer, and /info. A server that is not Podman, or older than 4.0, is
// an UnsupportedError. On error cfg.Closer is not closed.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	conns := wire.Track(cfg.Wire.Dial)
	cfg.Wire.Dial = conns.Dial
	cfg.Wire.Prefix = ""
	e := &Engine{wire: wire.New(cfg.Wire), conns: conns, host: cfg.Host, source: cfg.Source, local: cfg.Local, keys: cfg.DetachKeys}
	if err := e.open(ctx, cfg); err != nil {
		e.wire.Close()
		conns.Close()
		return nil, err
	}
	e.closing = sync.OnceValue(func() error {
		e.wire.Close()
		conns.Close()
		if cfg.Closer == nil {
			return nil
		}
		if err := cfg.Closer.Close(); err != nil {
			return fmt.Errorf("close engine: %w", err)
		}
		return nil
	})
	return e, nil
}

func (e *Engine) open(ctx context.Context, cfg Config) error {
	o := op{"open engine", cfg.Host}
	ping := cfg.Ping
	if ping == nil {
		r := get("/_ping")
		r.NoPrefix = true
		resp, err := e.stream(ctx, o, r)
		if err != nil {
			return err
		}
		resp.Body.Close()
		ping = resp.Header
	}
	server := ping.Get("Libpod-Api-Version")
	if server == "" {
		return &engine.UnsupportedError{Option: "engine", Value: ping.Get("Server"), Engine: Name, Reason: "the server is not Podman: its answers have no Libpod-Api-Version"}
	}
	var err error
	if e.version, err = parseVersion("engine's Libpod-Api-Version", server); err != nil {
		return err
	}
	if e.version < minVersion {
		return &engine.UnsupportedError{Option: "engine", Engine: Name, Have: e.version.String(), Need: minVersion.String(), Reason: "it is too old"}
	}
	e.api = e.version.String()
	if cfg.APIVersion != "" {
		v, err := parseVersion("APIVersion", cfg.APIVersion)
		if err != nil {
			return err
		}
		if v < minVersion || v > e.version {
			return &engine.UnsupportedError{Option: "APIVersion", Value: cfg.APIVersion, Engine: Name, Have: e.version.String(), Reason: "want " + minVersion.String() + " to the server's own"}
		}
		e.api = v.String()
	}
	e.wire = e.wire.WithPrefix("/v" + e.api + "/libpod")
	return e.call(ctx, o, get("/info"), &e.info)
}

// Close implements [engine.Engine]. Calls in progress fail.
func (e *Engine) Close() error { return e.closing() }

// Do implements [engine.System]. A path without a version is one of libpod's ("/containers/json", "/libpod/containers/json"); with one it is taken as it is ("/v1.41/containers/json"). It may have a query.
func (e *Engine) Do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	r, err := rawRequest(path)
	if err != nil {
		return nil, err
	}
	r.Method, r.Body, r.Header = method, body, header
	resp, err := e.wire.Do(ctx, r)
	return resp, e.fail(op{method, path}, err)
}

func rawRequest(path string) (wire.Request, error) {
	if !strings.HasPrefix(path, "/") {
		return wire.Request{}, &engine.InvalidError{Option: "path", Value: path, Reason: "it does not begin with a slash"}
	}
	path, rawQuery, _ := strings.Cut(path, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return wire.Request{}, &engine.InvalidError{Option: "path", Value: path, Err: err}
	}
	first, _, _ := strings.Cut(path[1:], "/")
	if rest, ok := strings.CutPrefix(path, "/libpod/"); ok {
		path = "/" + rest
	}
	return wire.Request{Path: path, Query: query, NoPrefix: isPathVersion(first) || first == "_ping"}, nil
}

// isPathVersion reports whether a path's first segment is a version, as in /v5.0.0/libpod/info.
func isPathVersion(segment string) bool {
	return len(segment) > 1 && segment[0] == 'v' && '0' <= segment[1] && segment[1] <= '9'
}
