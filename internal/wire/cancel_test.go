package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// TestCancel: whatever the engine keeps us waiting for, a cancelled context ends it with its error and its cause, and nothing is left behind (serve checks that).
func TestCancel(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
	for name, test := range map[string]struct {
		answer string
		do     func(*Client, context.Context, func()) error // the func cancels; the server does where the name says nothing of a body or a hijacked connection
	}{
		"Do": {"", func(c *Client, ctx context.Context, cancel func()) error { _, err := c.Do(ctx, get("/x")); return err }},
		"Do, POST": {"", func(c *Client, ctx context.Context, cancel func()) error {
			_, err := c.Do(ctx, Request{Method: "POST", JSON: 1})
			return err
		}},
		"half a head": {"HTTP/1.1 200", func(c *Client, ctx context.Context, cancel func()) error { _, err := c.Do(ctx, get("/x")); return err }},
		"Call": {head, func(c *Client, ctx context.Context, cancel func()) error {
			_, err := c.Call(ctx, get("/x"), new(string))
			return err
		}},
		"Call's rest": {"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n", func(c *Client, ctx context.Context, cancel func()) error {
			_, err := c.Call(ctx, get("/x"), nil)
			return err
		}},
		"Hijack": {"", func(c *Client, ctx context.Context, cancel func()) error {
			_, err := c.Hijack(ctx, get("/x"))
			return err
		}},
		"Hijack error": {"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\noops", func(c *Client, ctx context.Context, cancel func()) error {
			_, err := c.Hijack(ctx, get("/x"))
			return err
		}},
		"reading a body": {head, func(c *Client, ctx context.Context, cancel func()) error {
			resp, err := c.Do(ctx, get("/x"))
			if err != nil {
				return fmt.Errorf("Do: %v", err)
			}
			defer resp.Body.Close()
			cancel()
			_, err = io.ReadAll(resp.Body)
			if _, again := resp.Body.Read(make([]byte, 1)); !errors.Is(again, context.Canceled) {
				return fmt.Errorf("second Read: %v", again)
			}
			return err
		}},
		"hijacked": {"HTTP/1.1 101 UPGRADED\r\n\r\nhello", func(c *Client, ctx context.Context, cancel func()) error {
			conn, err := c.Hijack(ctx, get("/x"))
			if err != nil {
				return fmt.Errorf("Hijack: %v", err)
			}
			defer conn.Close()
			cancel()
			_, err = io.ReadAll(conn)
			if _, err := conn.Write([]byte("x")); !errors.Is(err, errCause) {
				return fmt.Errorf("Write: %v", err)
			}
			if err := conn.CloseWrite(); !errors.Is(err, errCause) {
				return fmt.Errorf("CloseWrite: %v", err)
			}
			return err
		}},
		"hijacked, writing": {"HTTP/1.1 101 UPGRADED\r\n\r\n", func(c *Client, ctx context.Context, cancel func()) error {
			conn, err := c.Hijack(ctx, get("/x"))
			if err != nil {
				return fmt.Errorf("Hijack: %v", err)
			}
			defer conn.Close()
			go cancel()
			for err == nil {
				_, err = conn.Write(make([]byte, 1<<20)) // nobody reads it
			}
			return err
		}},
		"uploading": {"", func(c *Client, ctx context.Context, cancel func()) error {
			_, err := c.Do(ctx, Request{Method: "PUT", Body: endless{}})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ready, over := make(chan struct{}), make(chan struct{})
			cancel := func() { close(ready) } // for the server, or for those who must have read the head first
			s := serve(t, func(p *peer) {
				if name != "uploading" {
					p.request()
				}
				p.send(test.answer)
				if !strings.Contains(name, "body") && !strings.Contains(name, "hijacked") {
					cancel()
				}
				<-over
			})
			defer close(over)
			err := test.do(s.client(t), cancelWhen(t, ready, errCause), cancel)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) || Unavailable(err) {
				t.Errorf("error = %v, want context.Canceled and its cause", err)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestCancelledBefore: nothing is sent.
func TestCancelledBefore(t *testing.T) {
	s := serve(t, answer("HTTP/1.1 204 No Content\r\n\r\n"))
	c := s.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Do(ctx, get("/x"))
	if _, herr := c.Hijack(ctx, get("/x")); !errors.Is(err, context.Canceled) || !errors.Is(herr, context.Canceled) || s.conns.Load() != 0 {
		t.Errorf("Do = %v, Hijack = %v with %d connections", err, herr, s.conns.Load())
	}
}

// TestCancelWhileDialling: the dial ends with the request, though net/http would let it go on.
func TestCancelWhileDialling(t *testing.T) {
	for _, hijack := range []bool{false, true} {
		dialling, ended := make(chan struct{}), make(chan error, 1)
		c := New(Config{Dial: func(ctx context.Context) (net.Conn, error) {
			close(dialling)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, ctx.Err()
		}})
		ctx := cancelWhen(t, dialling, errCause)
		var err error
		if hijack {
			_, err = c.Hijack(ctx, get("/x"))
		} else {
			_, err = c.Do(ctx, get("/x"))
		}
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) || Unavailable(err) {
			t.Errorf("error = %v, want context.Canceled and its cause", err)
		}
		if cause := <-ended; cause != errCause {
			t.Errorf("the dial ended with %v", cause)
		}
	}
}

// TestBlockedBody: the caller's body blocks in Read. A cancelled request returns all the same; so does one that is answered, and closed, early.
func TestBlockedBody(t *testing.T) {
	for name, answer := range map[string]string{"cancelled": "", "answered": "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"} {
		t.Run(name, func(t *testing.T) {
			over, sent := make(chan struct{}), make(chan struct{})
			s := serve(t, func(p *peer) {
				http.ReadRequest(p.br)
				p.send(answer)
				close(sent)
				<-over
			})
			defer close(over)
			ctx := t.Context()
			if answer == "" {
				ctx = cancelWhen(t, sent, nil)
			}
			r, w := io.Pipe() // its Read blocks
			defer w.Close()
			status, err := s.client(t).Call(ctx, Request{Method: "PUT", Path: "/x", Body: struct{ io.Reader }{r}}, nil)
			if answer == "" && !errors.Is(err, context.Canceled) || answer != "" && status != 404 {
				t.Errorf("Call = %d, %v", status, err)
			}
		})
	}
}

// TestUpload: the body arrives as it is, whatever its pieces; its own error is the request's.
func TestUpload(t *testing.T) {
	var got []byte
	s := serve(t, func(p *peer) {
		for req := p.request(); req != nil; req = p.request() {
			got, _ = io.ReadAll(req.Body)
			p.send("HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	c := s.client(t)
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	for name, body := range map[string]io.Reader{
		"in memory": bytes.NewReader(want), "buffered": bytes.NewBuffer(want), "halves": iotest.HalfReader(bytes.NewReader(want)),
		"with its end": iotest.DataErrReader(bytes.NewReader(want)), "any": struct{ io.Reader }{bytes.NewReader(want)},
	} {
		if _, err := c.Call(t.Context(), Request{Method: "PUT", Path: "/x", Body: body}, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, %d bytes of %d", name, err, len(got), len(want))
		}
	}
	_, err := c.Call(t.Context(), Request{Method: "PUT", Path: "/x", Body: io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errCause))}, nil)
	if !errors.Is(err, errCause) || Unavailable(err) || !strings.Contains(err.Error(), "PUT /x: read request body: ") {
		t.Errorf("error = %v, want the body's", err)
	}
}

// TestErrorInMidUpload: an engine that refuses a large body before it has read it is heard.
func TestErrorInMidUpload(t *testing.T) {
	s := serve(t, func(p *peer) {
		http.ReadRequest(p.br)
		p.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{\"message\":\"bad\"}")
		p.br.Discard(8 << 20) // engines written in Go go on for a while too
	})
	_, err := s.client(t).Call(t.Context(), Request{Method: "PUT", Path: "/x", Body: io.LimitReader(endless{}, 1<<30)}, nil)
	if e, ok := errors.AsType[*StatusError](err); !ok || e.Status != 400 || e.Message() != "bad" {
		t.Errorf("error = %v, want the 400", err)
	}
}
