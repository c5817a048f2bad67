package wire

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/url"
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
	// RoundTripper wraps the pooled transport of ordinary requests, not of hijacked ones; nil means no wrapper.
	RoundTripper func(http.RoundTripper) http.RoundTripper
	// Trace is called at the start of every request, hijacked ones too; what it returns is called once at the end of the request's head with the status (0 without one) and the error. nil means none.
	Trace func(ctx context.Context, method, path string) (context.Context, func(status int, err error))
	// Logger gets what cannot be returned as an error; nil discards it.
	Logger *slog.Logger
}

// Client sends requests to one engine. It is safe for concurrent use.
type Client struct{ cfg Config }

// New returns a Client. It opens no connection.
func New(cfg Config) *Client { return &Client{cfg} }

// WithPrefix returns a Client with another path prefix that shares c's connections.
func (c *Client) WithPrefix(prefix string) *Client { panic("not yet") }

// Close closes idle connections. It is idempotent.
func (c *Client) Close() error { return nil }

// Request is one request to the engine.
type Request struct {
	Method string
	Path   string // escaped (see Escape), without the prefix, with a leading slash
	Query  url.Values
	Header http.Header
	Body   io.Reader // raw body
	JSON   any       // encoded as the body when Body is nil and JSON is not
	// NoPrefix leaves the Client's prefix off, e.g. for /_ping.
	NoPrefix bool
}

func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) { panic("not yet") }

func (c *Client) Call(ctx context.Context, r Request, out any) (status int, err error) {
	panic("not yet")
}

func (c *Client) Stream(ctx context.Context, r Request) (*http.Response, error) { panic("not yet") }

func (c *Client) Hijack(ctx context.Context, r Request) (*Conn, error) { panic("not yet") }

// Conn is a hijacked connection.
type Conn struct{}

func (c *Conn) Read(p []byte) (int, error)  { panic("not yet") }
func (c *Conn) Write(p []byte) (int, error) { panic("not yet") }
func (c *Conn) CloseWrite() error           { panic("not yet") }
func (c *Conn) Close() error                { panic("not yet") }
func (c *Conn) Header() http.Header         { panic("not yet") }
func (c *Conn) Status() int                 { panic("not yet") }

// StatusError is an answer with a status that is an error.
type StatusError struct {
	Method, Path string
	Status       int
	Header       http.Header
	Body         []byte
}

func (e *StatusError) Error() string   { panic("not yet") }
func (e *StatusError) Message() string { panic("not yet") }
func (e *StatusError) Cause() string   { panic("not yet") }

// DialError is a connection that could not be opened.
type DialError struct{ Err error }

func (e *DialError) Error() string { return e.Err.Error() }
func (e *DialError) Unwrap() error { return e.Err }

// NoResponseError is a connection that ended before the first byte of a response.
type NoResponseError struct{ Err error }

func (e *NoResponseError) Error() string { return e.Err.Error() }
func (e *NoResponseError) Unwrap() error { return e.Err }

// Unavailable reports whether err says that no engine answered.
func Unavailable(err error) bool { panic("not yet") }

func Escape(segment string) string { panic("not yet") }

func DecodeJSON(r io.Reader, out any) error { panic("not yet") }

func Values[T any](r io.Reader) iter.Seq2[T, error] { panic("not yet") }
