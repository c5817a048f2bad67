package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
)

// ownEngine opens the embedded engine on a temporary directory; remove removes it.
func (a *app) ownEngine(ctx context.Context) (_ *berth.Client, remove func(context.Context) error, err error) {
	dir, err := os.MkdirTemp("", "berth-demo-")
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	log := slog.New(newLogHandler(a.stderr, a.debug))
	e, err := embedded.Open(ctx, embedded.WithRoot(filepath.Join(dir, "root")), embedded.WithRunRoot(filepath.Join(dir, "run")), embedded.WithLogger(log))
	if err != nil {
		return nil, nil, err
	}
	a.cli, err = berth.New(ctx, berth.WithEngine(e), berth.WithLogger(log))
	if err != nil {
		e.Close()
		return nil, nil, err
	}
	return a.cli, func(context.Context) error { return os.RemoveAll(dir) }, nil
}
