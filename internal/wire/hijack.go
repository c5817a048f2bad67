package wire

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Hijack sends r on a connection of its own, asks for it to become a raw stream ("Connection: Upgrade", "Upgrade: tcp"), and returns it once the head of the response is there: 101, or 200 from engines that
// hijack without saying so. Another status is a *StatusError. What came in one packet with the head is the stream's beginning.
//
// ctx governs the connection until Close: when it is done, the connection is closed, and Read and Write return ctx's error.
func (c *Client) Hijack(ctx context.Context, r Request) (*Conn, error) {
	ctx, end := c.trace(ctx, r)
	conn, status, err := c.hijack(ctx, r)
	if err != nil {
		end(status, err)
		return nil, err
	}
	end(status, nil)
	return conn, nil
}

func (c *Client) hijack(ctx context.Context, r Request) (*Conn, int, error) {
	if ctx.Err() != nil {
		return nil, 0, fmt.Errorf("%s %s: %w", r.Method, r.Path, contextError(ctx))
	}
	req, up, err := c.build(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	defer up.close()
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", cmp.Or(r.Upgrade, "tcp"))
	raw, err := c.dial(ctx)
	if err != nil {
		return nil, 0, requestError(ctx, r, nil, err)
	}
	conn := newConn(ctx, raw)
	if err := conn.handshake(req); err != nil {
		conn.Close()
		return nil, 0, requestError(ctx, r, up, err)
	}
	if s := conn.resp.StatusCode; s != http.StatusSwitchingProtocols && s != http.StatusOK {
		err := statusError(r, conn.resp)
		if err == nil {
			err = &StatusError{Method: r.Method, Path: r.Path, Status: s, Header: conn.resp.Header}
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("%s %s: %w", r.Method, r.Path, contextError(ctx))
		}
		conn.Close()
		return nil, s, err
	}
	return conn, conn.resp.StatusCode, nil
}

// handshake writes req and reads the head of its response, past informational ones.
func (c *Conn) handshake(req *http.Request) error {
	if err := req.Write(c.conn); err != nil {
		return err
	}
	br := bufio.NewReader(c.conn)
	for {
		resp, err := http.ReadResponse(br, req)
		if err != nil {
			return err
		}
		if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		c.resp, c.r = resp, br
		if len(resp.TransferEncoding) > 0 || resp.ContentLength > 0 || resp.ContentLength == 0 && resp.StatusCode != http.StatusSwitchingProtocols {
			c.r = resp.Body // what a proxy makes of a 200
		}
		return nil
	}
}

// closeNow closes conn without the courtesies of its protocol, which can block.
func closeNow(conn net.Conn) {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		t.NetConn().Close()
	}
	conn.Close()
}

var _ io.ReadWriteCloser = (*Conn)(nil)
