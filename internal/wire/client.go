package wire

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// idleTimeout is how long a connection without a request is kept. Podman's service, started by a socket unit, ends itself after 5 idle seconds.
	idleTimeout = 3 * time.Second
	// maxIdle is how many such connections are kept: as many as calls may reasonably run at once.
	maxIdle = 64
	// ioBuffer is the size in bytes of a pooled connection's read and write buffers: a chunk of Docker's streams in one system call.
	ioBuffer = 32 << 10
)

// Config says how a Client reaches its engine. Only Dial is required.
type Config struct {
	// Dial opens a fresh connection to the engine, TLS already done where it is wanted.
	Dial func(ctx context.Context) (net.Conn, error)
	// Host is the Host header and the host of request URLs; empty means "d".
	Host string
	// Prefix comes before every path, e.g. "/v1.41". See Client.WithPrefix.
	Prefix string
	// Header is added to every request, key by key where the request does not set the key itself.
	Header http.Header
	// RoundTripper wraps the pooled transport of ordinary requests, not of hijacked ones; nil means no wrapper. Errors that it returns must wrap those of the transport.
	RoundTripper func(http.RoundTripper) http.RoundTripper
	// Trace is called at the start of every request, hijacked ones too, with the path as in Request. What it returns is called once when the head of the response is there or will never be,
	// with its status (0 without one) and the error; a status that is an error for the caller is none here. nil means none.
	Trace func(ctx context.Context, method, path string) (context.Context, func(status int, err error))
	// Logger gets what cannot be returned as an error; nil discards it.
	Logger *slog.Logger
}

// Client sends requests to one engine. It is safe for concurrent use.
type Client struct {
	cfg       Config            // with its defaults filled in
	transport *http.Transport   // the pool
	rt        http.RoundTripper // transport, wrapped by the caller's middleware
}

// New returns a Client. It opens no connection. It panics without a Dial.
func New(cfg Config) *Client {
	if cfg.Dial == nil {
		panic("wire: New without Config.Dial")
	}
	if cfg.Host == "" {
		cfg.Host = "d"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Header = cfg.Header.Clone()
	c := &Client{cfg: cfg}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	c.transport = &http.Transport{
		DialContext:         c.dialPooled,
		DisableCompression:  true,
		IdleConnTimeout:     idleTimeout,
		MaxIdleConnsPerHost: maxIdle,
		ReadBufferSize:      ioBuffer,
		WriteBufferSize:     ioBuffer,
		Protocols:           protocols,
	}
	c.rt = c.transport
	if cfg.RoundTripper != nil {
		c.rt = cfg.RoundTripper(c.transport)
	}
	return c
}

// WithPrefix returns a Client with another path prefix that shares c's connections; closing one closes the other's idle ones.
func (c *Client) WithPrefix(prefix string) *Client {
	d := *c
	d.cfg.Prefix = prefix
	return &d
}

// Prefix returns what comes before every path.
func (c *Client) Prefix() string { return c.cfg.Prefix }

// Close closes idle connections; those in use are closed when their call ends. It is idempotent, and its error is always nil. A Client that is used
// again after it opens new connections.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

// dial opens a connection; its errors are *DialError, but those of a done ctx.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.cfg.Dial(ctx)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	return nil, &DialError{Err: err}
}

// requestContext is the key of a request's own context among its values.
type requestContext struct{}

// dialPooled is dial for the transport, which detaches ctx from the request (so that a later one may use the connection) but keeps its values. A dial that nobody
// waits for any more would be a goroutine left behind, so the request's own context governs it again.
func (c *Client) dialPooled(ctx context.Context, _, _ string) (net.Conn, error) {
	if own, ok := ctx.Value(requestContext{}).(context.Context); ok {
		ctx = own
	}
	return c.dial(ctx)
}
