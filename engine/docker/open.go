package docker

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// Name is the engine's name in identities and errors.
const Name = "docker"

// Config says which engine to open and how it is reached.
type Config struct {
	// Wire reaches the engine. Prefix is set by Open.
	Wire wire.Config
	// Host and Source are for Identity.
	Host, Source string
	// APIVersion is the version of the API to speak ("1.41"). Empty takes the newest that both the engine and this package have.
	APIVersion string
	// Ping is the header of an answer to /_ping, if the caller has one. Nil: Open asks the engine for its version.
	Ping http.Header
	// Local tells that the engine's process IDs are ours.
	Local bool
	// Closer is closed with the engine; it may be nil.
	Closer io.Closer
	// DetachKeys are the default detach keys of the client's configuration, for attach, exec and start calls without keys of their own.
	DetachKeys string
}

// Engine is a Docker Engine, as it was found by Open. It is safe for concurrent use.
type Engine struct {
	wire    *wire.Client
	conns   *wire.Tracker
	api     apiVersion
	info    wireInfo // as of Open: what the host and the engine's configuration can do
	host    string
	source  string
	local   bool
	keys    string
	closing func() error
}

var _ engine.Engine = (*Engine)(nil)

// Open asks the engine what it is and returns it. It makes at most two requests: /version, unless cfg.Ping tells the version of the API, and /info. An engine
// whose newest API is older than 1.40 (Docker 19.03), or whose oldest is newer than MaxAPIVersion, is an UnsupportedError. On error cfg.Closer is not closed.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	conns := wire.Track(cfg.Wire.Dial)
	cfg.Wire.Dial = conns.Dial
	cfg.Wire.Prefix = ""
	e := &Engine{
		wire:   wire.New(cfg.Wire),
		conns:  conns,
		host:   cfg.Host,
		source: cfg.Source,
		local:  cfg.Local,
		keys:   cfg.DetachKeys,
	}
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
	var err error
	if e.api, err = e.negotiate(ctx, cfg); err != nil {
		return err
	}
	e.wire = e.wire.WithPrefix("/v" + e.api.String())
	return e.call(ctx, op{"open engine", cfg.Host}, get("/info"), &e.info)
}

// Close implements [engine.Engine].
func (e *Engine) Close() error { return e.closing() }
