package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
