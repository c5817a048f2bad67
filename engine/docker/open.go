package docker

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// Name is the engine's name in identities and errors.
const Name = "docker"

// MaxAPIVersion is the newest version of the API that this package speaks.
const MaxAPIVersion = "1.51"

// Config says which engine to open and how it is reached.
type Config struct {
	Wire       wire.Config // Dial etc.; Prefix is set by Open
	Host       string      // for Identity
	Source     string      // for Identity
	APIVersion string      // forced version ("1.41"); "" negotiates
	Ping       http.Header // header of the /_ping answer if the caller has it; nil: Open asks
	Local      bool        // the engine's pids are ours
	Closer     io.Closer   // closed with the engine; may be nil
	DetachKeys string      // default detach keys from the client's config.json
}

// Engine is a Docker Engine.
type Engine struct{ engine.Engine }

// Open connects.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	return nil, errors.New("not yet")
}
