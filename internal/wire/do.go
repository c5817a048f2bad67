package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

const (
	maxErrorBody = 1 << 20   // bytes kept of a StatusError's body
	maxDrain     = 256 << 10 // bytes read from a body that is not wanted, to use its connection again
)

// Do sends r and returns the response, whatever its status; the caller closes its Body, until when ctx governs it. Reads of the Body
// fail with ctx's error once ctx is done (errors.Is finds both ctx.Err and context.Cause), and with io.ErrUnexpectedEOF when it is cut short.
//
// A GET or HEAD without a body is sent a second time, on a fresh connection, if the engine closed the pooled one before the first byte of a response; nothing else is ever sent twice. Errors: *DialError, *NoResponseError, ctx's, the body's.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	ctx, end := c.trace(ctx, r)
	resp, err := c.do(ctx, r)
	if err != nil {
		end(0, err)
		return nil, err
	}
	end(resp.StatusCode, nil)
	return resp, nil
}

// trace begins the caller's trace of r.
func (c *Client) trace(ctx context.Context, r Request) (context.Context, func(int, error)) {
	if c.cfg.Trace == nil {
		return ctx, func(int, error) {}
	}
	own, end := c.cfg.Trace(ctx, r.Method, r.Path)
	if own == nil {
		own = ctx
	}
	if end == nil {
		end = func(int, error) {}
	}
	return own, end
}

func (c *Client) do(ctx context.Context, r Request) (*http.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, contextError(ctx))
	}
	req, up, err := c.build(context.WithValue(ctx, requestContext{}, ctx), r)
	if err != nil {
		return nil, err
	}
	resp, err := c.send(req)
	if err != nil {
		up.close()
		return nil, requestError(ctx, r, up, err)
	}
	resp.Body = &body{ReadCloser: resp.Body, ctx: ctx, up: up}
	return resp, nil
}

// send sends req, a second time where that is safe: net/http does so itself but for writes that failed half-way.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead || req.Body != nil {
		return c.roundTrip(req)
	}
	var reused, answered atomic.Bool // the callbacks run on the transport's goroutines
	traced := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:              func(i httptrace.GotConnInfo) { reused.Store(i.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	}))
	resp, err := c.roundTrip(traced)
	if err == nil || !reused.Load() || answered.Load() || req.Context().Err() != nil || Unavailable(err) || !connectionLost(err) {
		return resp, err
	}
	c.cfg.Logger.Debug("send request again: the engine closed an idle connection", "method", req.Method, "path", req.URL.Path, "error", err)
	c.transport.CloseIdleConnections()
	return c.roundTrip(req.Clone(req.Context()))
}

// roundTrip is the middleware's, held to the contract of http.RoundTripper.
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.rt.RoundTrip(req)
	switch {
	case err != nil:
		if resp != nil && resp.Body != nil {
			resp.Body.Close()
		}
		return nil, err
	case resp == nil:
		return nil, errors.New("the RoundTripper returned neither a response nor an error")
	case resp.Body == nil:
		resp.Body = http.NoBody
	}
	return resp, nil
}

// Stream is Do, but a status that is an error is a *StatusError, and the response closed.
func (c *Client) Stream(ctx context.Context, r Request) (*http.Response, error) {
	resp, err := c.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := statusError(r, resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// Call sends r and decodes the first JSON value of its response into out; nil discards, *[]byte and *string get the body as it is. A response that has no body by definition (204, 304) leaves out as it was. A status
// that is an error is a *StatusError. It returns the status whenever there was a response.
func (c *Client) Call(ctx context.Context, r Request, out any) (status int, err error) {
	resp, err := c.Do(ctx, r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := statusError(r, resp); err != nil {
		return resp.StatusCode, err
	}
	if err := readInto(resp, out); err != nil {
		return resp.StatusCode, fmt.Errorf("%s %s: decode response: %w", r.Method, r.Path, err)
	}
	// Only to use the connection again: what happens to the rest is not this call's failure.
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	return resp.StatusCode, nil
}

func readInto(resp *http.Response, out any) (err error) {
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out, err = io.ReadAll(resp.Body)
		return err
	case *string:
		b, err := io.ReadAll(resp.Body)
		*out = string(b)
		return err
	}
	if resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified || resp.Request != nil && resp.Request.Method == http.MethodHead {
		return nil
	}
	if out, ok := out.(firstDecoder); ok {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		return out.decodeFirst(body)
	}
	return DecodeJSON(resp.Body, out)
}

// statusError returns what is wrong with the status of resp, if anything; it reads the body but does not close it.
func statusError(r Request, resp *http.Response) error {
	if s := resp.StatusCode; s < 300 || s == http.StatusNotModified {
		return nil
	}
	e := &StatusError{Method: r.Method, Path: r.Path, Status: resp.StatusCode, Header: resp.Header}
	var err error
	if e.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)); err != nil && len(e.Body) == 0 {
		return fmt.Errorf("%w: read body: %w", e, err)
	}
	return e
}
