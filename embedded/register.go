package embedded

import (
	"context"
	"log/slog"

	"github.com/berthdev/berth/engine"
)

// name is the engine's, in the registry and in errors.
const name = "embedded"

func init() {
	engine.Register(name, func(ctx context.Context, log *slog.Logger) (engine.Engine, error) {
		return Open(ctx, WithLogger(log), func(o *options) { o.source = "linked into the program" })
	})
}
