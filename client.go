package berth

import (
	"log/slog"
	"time"

	"github.com/berthdev/berth/engine"
)

// Client speaks to one container engine. Its fields are the services; make one
// with [New].
//
// A Client is safe for concurrent use, and so is everything that is made with it
// unless its comment says otherwise.
type Client struct {
	Containers *Containers
	Images     *Images
	Volumes    *Volumes
	Networks   *Networks
	Secrets    *Secrets

	e              engine.Engine
	log            *slog.Logger  // never nil
	cleanupTimeout time.Duration // > 0
	noRefresh      bool
}

// newClient wires the services to an engine.
func newClient(e engine.Engine) *Client {
	cli := &Client{e: e, log: slog.New(slog.DiscardHandler), cleanupTimeout: 10 * time.Second}
	cli.Containers = &Containers{cli}
	cli.Images = &Images{cli}
	cli.Volumes = &Volumes{cli}
	cli.Networks = &Networks{cli}
	cli.Secrets = &Secrets{cli}
	return cli
}

// container makes the handle of a container by its ID.
func (cli *Client) container(id string) *Container { return &Container{cli: cli, id: id} }
