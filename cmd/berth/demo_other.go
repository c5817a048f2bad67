//go:build !linux

package main

import (
	"context"

	"github.com/berthdev/berth"
)

// ownEngine is the engine that is found, since the one in berth is for Linux.
func (a *app) ownEngine(ctx context.Context) (*berth.Client, func(context.Context) error, error) {
	cli, err := a.client(ctx)
	return cli, func(context.Context) error { return nil }, err
}
