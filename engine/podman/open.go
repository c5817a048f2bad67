package podman

import (
	"context"
	"io"
	"net/http"

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
	DetachKeys string      // where a call has none of its own; "" is the engine's default
}

// Engine is a Podman service. It implements [engine.Engine].
type Engine struct {
	cfg Config
}

// Open asks the server what it is, with at most two requests. A server that is not Podman, or older than 4.0, is an *engine.UnsupportedError. On error cfg.Closer is not closed.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	return nil, &engine.UnsupportedError{Option: "Open", Engine: Name, Reason: "not written yet"}
}
