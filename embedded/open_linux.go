package embedded

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/events"
	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/embedded/internal/monitor"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/secrets"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/userns"
	"github.com/berthdev/berth/embedded/internal/volume"
	"github.com/berthdev/berth/engine"
)

// Open opens the engine: it makes its directories where they are missing. The
// first one after a boot starts the containers that ran before it and whose
// restart policy wants them to run. The caller closes it: calls in progress end then,
// streams, waits and events too, with an ErrUnavailable; containers go on running.
func Open(ctx context.Context, opts ...Option) (engine.Engine, error) {
	o := options{source: "embedded.Open"}
	for _, opt := range opts {
		opt(&o)
	}
	if err := ctx.Err(); err != nil {
		return nil, because(ctx, "open engine", name, err)
	}
	e, err := open(&o)
	if err != nil {
		return nil, because(ctx, "open engine", name, err)
	}
	if err := e.resume(ctx); err != nil {
		return nil, because(ctx, "open engine", name, errors.Join(err, e.Close()))
	}
	if e.monitors.User != nil {
		return newGuard(&rootless{Engine: e, opts: o}), nil
	}
	return newGuard(e), nil
}

func open(o *options) (_ *Engine, err error) {
	e := &Engine{runtime: o.runtime, source: o.source, log: o.log}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.runtime == builtin {
		e.runtime = ""
	}
	if err := runtimeThere("WithRuntime", e.runtime); err != nil {
		return nil, err
	}
	if e.host, err = config.DetectHost(); err != nil {
		return nil, err
	}
	ids, err := e.users(o)
	if err != nil {
		return nil, err
	}
	root, run, err := directories(o, e.host.Rootless)
	if err != nil {
		return nil, err
	}
	if e.store, err = state.Open(root, run); err != nil {
		return nil, err
	}
	if e.images, err = image.Open(root, image.Options{Layer: e.layerOptions(), LayersInUse: e.layersInUse}); err != nil {
		return nil, err
	}
	if e.volumes, err = volume.Open(filepath.Join(root, "volumes")); err != nil {
		return nil, err
	}
	e.networks, err = network.Open(root, e.store.RunRoot(), network.Options{NoForwardCheck: o.noForwardCheck, Rootless: e.host.Rootless, Log: e.log})
	if err != nil {
		return nil, err
	}
	e.events, e.secrets = events.Open(root), secrets.Open(root)
	e.monitors = &monitor.Client{Store: e.store, Exe: o.monitor, NoForwardCheck: o.noForwardCheck, Rootless: e.host.Rootless, User: ids, Log: e.log}
	return e, nil
}

// layerOptions say how the files of images and containers are kept on disk.
func (e *Engine) layerOptions() layer.Options {
	return layer.Options{UserXattr: e.host.Rootless, IgnoreOwners: e.single, NoDevices: e.host.Rootless}
}

// users finds the IDs of an ordinary user's containers; nil where this process is root, of whatever user namespace.
func (e *Engine) users(o *options) (*userns.Maps, error) {
	if o.user != nil {
		e.host.Rootless, e.host.UID, e.host.GID, e.single = true, o.user.UID, o.user.GID, o.user.Single
		return nil, e.ownIDs()
	}
	if !e.host.Rootless {
		return nil, nil
	}
	ids, err := userns.Detect()
	if err != nil {
		return nil, err
	}
	e.single = ids.Single()
	if e.single {
		e.log.Info("files of containers have one owner", "reason", ids.Reason)
	}
	e.host.UIDMap, e.host.GIDMap = ids.Inside()
	return ids, nil
}

// ownIDs are the maps of containers: all IDs that this user namespace has, each as itself.
func (e *Engine) ownIDs() (err error) {
	e.host.UIDMap, e.host.GIDMap, err = userns.Own()
	return err
}

// directories are the root and the run root.
func directories(o *options, rootless bool) (root, run string, err error) {
	root, run = "/var/lib/berth", "/run/berth"
	if rootless && (o.root == "" || o.runRoot == "") {
		if root, run, err = userDirectories(); err != nil {
			return "", "", err
		}
	}
	if o.root != "" && o.runRoot == "" {
		sum := sha256.Sum256([]byte(filepath.Clean(o.root)))
		run += "-" + hex.EncodeToString(sum[:6])
	}
	root, run = cmp.Or(o.root, root), cmp.Or(o.runRoot, run)
	for option, dir := range map[string]string{"WithRoot": root, "WithRunRoot": run} {
		// Both are put into lists that these separate.
		if !filepath.IsAbs(dir) || strings.ContainsAny(dir, ":,\\\n\"") {
			return "", "", &engine.InvalidError{Option: option, Value: dir, Reason: `want an absolute path without : , " \ and line breaks`}
		}
	}
	return filepath.Clean(root), filepath.Clean(run), nil
}

// userDirectories are those of a user without privileges (XDG Base Directory Specification).
func userDirectories() (root, run string, err error) {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", fmt.Errorf("find the state directory: %w", err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("berth-run-%d", os.Getuid()))
	}
	return filepath.Join(data, "berth"), filepath.Join(dir, "berth"), nil
}
