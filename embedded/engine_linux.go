package embedded

import (
	"log/slog"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/events"
	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/monitor"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/secrets"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/volume"
	"github.com/berthdev/berth/engine"
)

// Engine is the embedded engine: an [engine.Engine] over one state directory. It
// keeps no goroutine while no call is in progress, and no state of its own: all
// of it is in files that other programs read and write at the same time.
type Engine struct {
	store    *state.Store
	events   *events.Log
	secrets  *secrets.Store
	images   *image.Store
	volumes  *volume.Store
	networks *network.Manager
	monitors *monitor.Client
	accounts config.Accounts

	host    config.Host
	single  bool   // rootless, and the user has no ID but his own
	runtime string // of containers that name none; "" is built in
	source  string
	log     *slog.Logger
}

var _ engine.Engine = (*Engine)(nil)

// Close implements [engine.Engine]. Containers go on running.
func (e *Engine) Close() error { return e.monitors.Close() }

// emit tells of something that happened. That it cannot be told undoes nothing.
func (e *Engine) emit(ev engine.Event) {
	if err := e.events.Emit(ev); err != nil {
		e.log.Warn("emit event", "type", ev.Type, "action", ev.Action, "id", ev.ID, "error", err)
	}
}
