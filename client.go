package berth

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/clientconfig"
	"github.com/berthdev/berth/internal/connect"
)

// Client speaks to one container engine. Its fields are the services; make one
// with [New] and close it when done.
//
// A Client is safe for concurrent use, and so is everything that is made with it
// unless its comment says otherwise. It keeps no goroutine while no call is in
// progress, but for those of pooled connections, which end after some idle
// seconds or with Close.
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
	allowDiscarded bool
	noLocal        bool   // do not read /proc nor signal processes
	publishedHost  string // "" derives it from the engine's address
	env            connect.Env
	config         *clientconfig.Config // Docker's config.json as of New
	close          func() error
}

// newClient wires the services to an engine.
func newClient(e engine.Engine, o *options) *Client {
	cli := &Client{
		e: e, log: o.logger, cleanupTimeout: o.cleanup,
		noRefresh: o.noRefresh, allowDiscarded: o.discard, noLocal: o.noLocal, publishedHost: o.publishedHost,
		env: o.env, config: clientconfig.Load(o.env),
		close: sync.OnceValue(e.Close),
	}
	cli.Containers = &Containers{cli}
	cli.Images = &Images{cli}
	cli.Volumes = &Volumes{cli}
	cli.Networks = &Networks{cli}
	cli.Secrets = &Secrets{cli}
	return cli
}

// container makes the handle of a container by its ID.
func (cli *Client) container(id string) *Container { return &Container{cli: cli, id: id} }

// local tells that the engine's process IDs are ours, and that they may be used.
func (cli *Client) local() bool { return !cli.noLocal && cli.e.Identity().Local }

// Close releases the connections, and the ssh processes, of the client. Calls in
// progress fail. It is idempotent.
func (cli *Client) Close() error { return cli.close() }

// Engine tells which engine this is, its version, where it is and how it was
// found. It makes no request.
func (cli *Client) Engine() Identity {
	id := cli.e.Identity()
	id.Local = id.Local && !cli.noLocal
	return id
}

// Supports tells whether the engine, as it was found, has a feature. It makes no
// request.
func (cli *Client) Supports(f Feature) bool { return cli.e.Supports(f) }

// Ping asks the engine whether it is there.
func (cli *Client) Ping(ctx context.Context) error { return cli.e.Ping(ctx) }

// Version asks the engine for its versions.
func (cli *Client) Version(ctx context.Context) (*Version, error) { return cli.e.Version(ctx) }

// Info asks the engine about itself and its host.
func (cli *Client) Info(ctx context.Context) (*Info, error) { return cli.e.Info(ctx) }

// DiskUsage asks the engine what it keeps on disk, which is slow.
func (cli *Client) DiskUsage(ctx context.Context) (*DiskUsage, error) { return cli.e.DiskUsage(ctx) }

// Events yields what happens on the engine, from EventOptions.Since or now on,
// until EventOptions.Until, the end of ctx or of the engine. The subscription is
// made when the iteration starts.
//
// The iterator is single use. An error comes at most once and last; a stream
// that ends without Until is [io.ErrUnexpectedEOF]. Leaving the loop closes the
// connection.
func (cli *Client) Events(ctx context.Context, opts ...EventOptions) iter.Seq2[Event, error] {
	o, err := atMostOne("Client.Events", opts)
	if err != nil {
		return failed[Event](err)
	}
	return cli.e.Events(ctx, o)
}

// Do sends a request of the engine's own API, for what Berth does not have. A
// path without a version gets the one in use. Any HTTP status is an answer, not
// an error. The caller closes the body. The embedded engine has no such API: an
// [UnsupportedError].
func (cli *Client) Do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	return cli.e.Do(ctx, method, path, body, header)
}

// failed is an iterator that yields nothing but err.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}
