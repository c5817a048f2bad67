package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
)

var errCause = errors.New("the caller's cause")

// TestBodyCutShort: whatever is missing at the end of a body, it is io.ErrUnexpectedEOF.
func TestBodyCutShort(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
	} {
		c := serve(t, answerAndClose(answer)).client(t)
		resp, err := c.Do(t.Context(), get("/x"))
		if err != nil {
			t.Errorf("%q: %v", answer, err)
			continue
		}
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: read error = %v, want io.ErrUnexpectedEOF", answer, err)
		}
		resp.Body.Close()
		var out string
		if _, err := c.Call(t.Context(), get("/x"), &out); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: Call = %v, want io.ErrUnexpectedEOF", answer, err)
		}
	}
}

// TestBodyReset: a connection that is reset in the middle of a body is one that is cut short.
func TestBodyReset(t *testing.T) {
	read := make(chan struct{})
	dial := transports["tcp"](t, func(p *peer) {
		p.request()
		p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
		<-read
		p.Conn.(*net.TCPConn).SetLinger(0)
	})
	c := New(Config{Dial: dial})
	defer c.Close()
	resp, err := c.Do(t.Context(), get("/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	close(read)
	if _, err = io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read error = %v, want io.ErrUnexpectedEOF for a reset", err)
	}
}

// TestHeadCutShort: a connection that ends before the head is complete, whatever the method, is *NoResponseError, and the request is sent once: it was a fresh one.
func TestHeadCutShort(t *testing.T) {
	for _, head := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "HTTP/1.1 100 Continue\r\n\r\n"} {
		for _, method := range []string{"GET", "POST"} {
			s := serve(t, answerAndClose(head))
			c := s.client(t)
			_, err := c.Do(t.Context(), Request{Method: method, Path: "/x"})
			if _, ok := errors.AsType[*NoResponseError](err); !ok || !Unavailable(err) {
				t.Errorf("%s answered by %q: Do = %v, want *NoResponseError", method, head, err)
			}
			if n := s.conns.Load(); n != 1 {
				t.Errorf("%s answered by %q: %d connections, want 1", method, head, n)
			}
			if _, err = c.Hijack(t.Context(), Request{Method: method, Path: "/x"}); !Unavailable(err) {
				t.Errorf("%s answered by %q: Hijack = %v, want *NoResponseError", method, head, err)
			}
		}
	}
}

func TestMalformedResponse(t *testing.T) {
	c := serve(t, answerAndClose("SSH-2.0-OpenSSH_9.2\r\n\r\n")).client(t)
	if _, err := c.Do(t.Context(), get("/x")); err == nil || Unavailable(err) {
		t.Errorf("Do = %v, want an error that is not unavailability", err)
	}
	if _, err := c.Hijack(t.Context(), get("/x")); err == nil || Unavailable(err) {
		t.Errorf("Hijack = %v, want an error that is not unavailability", err)
	}
}

func TestDialErrors(t *testing.T) {
	for name, dial := range map[string]DialFunc{"unix": DialUnix("/nonexistent/sock"), "tcp": DialTCP("127.0.0.1:1"), "tls": DialTLS("127.0.0.1:1", nil), "npipe": DialNpipe(`\\.\pipe\x`)} {
		c := New(Config{Dial: dial})
		for what, do := range map[string]func() error{
			"Do":     func() error { _, err := c.Do(t.Context(), get("/x")); return err },
			"Hijack": func() error { _, err := c.Hijack(t.Context(), get("/x")); return err },
		} {
			err := do()
			if _, ok := errors.AsType[*DialError](err); !ok || !Unavailable(err) {
				t.Errorf("%s over %s = %v, want *DialError", what, name, err)
			}
		}
	}
	if _, err := New(Config{Dial: DialUnix("/nonexistent/sock")}).Do(t.Context(), get("/x")); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v does not say that the socket is missing", err)
	}
	if Unavailable(nil) || Unavailable(io.EOF) || Unavailable(&StatusError{Status: 503}) || Unavailable(context.Canceled) {
		t.Error("Unavailable of something else")
	}
}

// TestTLSRefusesUnknownServers: the dialer checks certificates.
func TestTLSRefusesUnknownServers(t *testing.T) {
	dial := transports["tls"](t, answer("HTTP/1.1 204 No Content\r\n\r\n"))
	conn, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	addr := conn.RemoteAddr().String()
	conn.Close()
	if _, err := DialTLS(addr, nil)(t.Context()); err == nil || !strings.Contains(err.Error(), "tls handshake with "+addr) {
		t.Errorf("DialTLS without its authority = %v", err)
	}
}

// TestIdleConnectionClosedByServer: a server that closes each connection after its answer, without saying so, never makes a GET fail; a POST is never sent twice.
func TestIdleConnectionClosedByServer(t *testing.T) {
	var gets, posts atomic.Int32
	s := serve(t, func(p *peer) {
		if req := p.request(); req != nil {
			if req.Method == "GET" {
				gets.Add(1)
			} else {
				posts.Add(1)
			}
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	c := s.client(t)
	const n = 300
	failed := 0
	for i := range n {
		if _, err := c.Call(t.Context(), get("/x"), nil); err != nil {
			t.Fatalf("GET %d: %v", i, err)
		}
		if _, err := c.Call(t.Context(), Request{Method: "POST", Path: "/x"}, nil); err != nil {
			if failed++; !Unavailable(err) {
				t.Fatalf("POST %d: %v, want *NoResponseError if anything", i, err)
			}
		}
	}
	if g, p := gets.Load(), posts.Load(); g != n || p > n || int(p) < n-failed {
		t.Errorf("server saw %d GET and %d POST of %d, with %d failed", g, p, n, failed)
	}
}

// TestRetry: the server reads the second request of each connection and closes it without an answer. GET and HEAD are sent again, on a fresh connection, once; nothing else is.
func TestRetry(t *testing.T) {
	for _, test := range []struct {
		method string
		body   io.Reader
		fails  bool
		seen   int32 // requests besides the first
	}{
		{"GET", nil, false, 2},
		{"HEAD", nil, false, 2},
		{"GET", iotest.OneByteReader(strings.NewReader("body")), true, 1},
		{"POST", nil, true, 1},
		{"POST", strings.NewReader("body"), true, 1},
		{"PUT", nil, true, 1},
		{"DELETE", nil, true, 1},
	} {
		t.Run(test.method+fmt.Sprintf("%T", test.body), func(t *testing.T) {
			var seen atomic.Int32
			s := serve(t, func(p *peer) {
				p.request()
				seen.Add(1)
				p.send("HTTP/1.1 204 No Content\r\n\r\n")
				if p.request() != nil {
					seen.Add(1)
				}
			})
			c := s.client(t)
			if _, err := c.Call(t.Context(), get("/first"), nil); err != nil {
				t.Fatal(err)
			}
			_, err := c.Call(t.Context(), Request{Method: test.method, Path: "/x", Body: test.body}, nil)
			if (err != nil) != test.fails || err != nil && !Unavailable(err) {
				t.Errorf("second request: %v", err)
			}
			if n := seen.Load() - 1; n != test.seen {
				t.Errorf("it was seen %d times, want %d", n, test.seen)
			}
		})
	}
}

// brokenWrites is a connection whose writes fail half-way once broken is set, which net/http does not repeat.
type brokenWrites struct {
	net.Conn
	broken *atomic.Bool
}

func (c brokenWrites) Write(p []byte) (int, error) {
	if c.broken.CompareAndSwap(true, false) {
		return 1, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

func TestRetryAfterHalfAWrite(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		var broken atomic.Bool
		s := serve(t, answer("HTTP/1.1 204 No Content\r\n\r\n"))
		c := s.client(t, func(cfg *Config) {
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context) (net.Conn, error) {
				conn, err := dial(ctx)
				return brokenWrites{conn, &broken}, err
			}
		})
		c.Call(t.Context(), get("/x"), nil)
		broken.Store(true)
		_, err := c.Call(t.Context(), Request{Method: method, Path: "/x"}, nil)
		if method == "GET" && err != nil {
			t.Errorf("GET: %v", err)
		}
		if method == "POST" && !Unavailable(err) {
			t.Errorf("POST: %v, want *NoResponseError", err)
		}
	}
}

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
