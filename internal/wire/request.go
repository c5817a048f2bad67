package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Request is one request to the engine.
type Request struct {
	Method string
	Path   string // escaped (see Escape), without the prefix, with its leading slash
	Query  url.Values
	Header http.Header
	// Body is sent as it is. It is never closed; no Read of it begins after the call has failed, or the response's Body is closed, but one that blocks
	// then goes on until it returns, in a goroutine of its own.
	Body io.Reader
	// JSON is encoded as the body, with its Content-Type, when Body is nil and JSON is not.
	JSON any
	// Upgrade is the protocol that Hijack asks for; "" is tcp.
	Upgrade string
	// NoPrefix leaves the Client's prefix off, e.g. for /_ping.
	NoPrefix bool
}

// Escape escapes one segment of a path: what it returns is never more or less than one segment, and neither "." nor ".." after
// a server has resolved the path (but one that unescapes first does see them: it answers with a redirect, which is an error here).
func Escape(segment string) string {
	switch segment {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return url.PathEscape(segment)
}

// build returns r as net/http wants it. upload is what reads a caller's body, nil when nothing has to be stopped.
func (c *Client) build(ctx context.Context, r Request) (req *http.Request, up *upload, err error) {
	path := r.Path
	if !r.NoPrefix {
		path = c.cfg.Prefix + path
	}
	u := &url.URL{Scheme: "http", Host: c.cfg.Host, RawPath: path, RawQuery: r.Query.Encode()}
	if u.Path, err = url.PathUnescape(path); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	body := r.Body
	if body == nil && r.JSON != nil {
		b, err := json.Marshal(r.JSON)
		if err != nil {
			return nil, nil, fmt.Errorf("%s %s: encode request: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(b)
	}
	if body != nil && !inMemory(body) {
		up = newUpload(ctx, body)
		body = up
	}
	if req, err = http.NewRequestWithContext(ctx, r.Method, "http://d", body); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	req.URL, req.Host = u, c.cfg.Host
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if r.Body == nil && r.JSON != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.cfg.Header {
		if k = http.CanonicalHeaderKey(k); req.Header[k] == nil {
			req.Header[k] = v
		}
	}
	return req, up, nil
}

// inMemory says whether reading r never blocks. net/http knows the length of these types and can send them again.
func inMemory(r io.Reader) bool {
	switch r.(type) {
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return true
	}
	return false
}
