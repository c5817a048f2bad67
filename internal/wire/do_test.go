package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRequestOnTheWire compares what is sent, line by line.
func TestRequestOnTheWire(t *testing.T) {
	got := make(chan string, 1)
	s := serve(t, func(p *peer) {
		for {
			req := p.request()
			if req == nil {
				return
			}
			var b strings.Builder
			fmt.Fprintf(&b, "%s %s\nHost: %s\nContent-Length: %d\n", req.Method, req.RequestURI, req.Host, req.ContentLength)
			req.Header.Del("Content-Length")
			req.Header.Write(&b)
			body, _ := io.ReadAll(req.Body)
			b.Write(body)
			got <- strings.ReplaceAll(b.String(), "\r", "")
			p.send("HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	c := s.client(t, func(cfg *Config) {
		cfg.Prefix = "/v1.41"
		cfg.Header = http.Header{"User-Agent": {"test"}, "x-meta": {"a", "b"}}
	})
	for _, test := range []struct {
		name string
		c    *Client
		r    Request
		want string
	}{
		{"get", c, get("/info"), "GET /v1.41/info\nHost: d\nContent-Length: 0\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n"},
		{"query", c, Request{Method: "GET", Path: "/containers/json", Query: url.Values{"filters": {`{"a":["b c"]}`}, "all": {"1"}}},
			"GET /v1.41/containers/json?all=1&filters=%7B%22a%22%3A%5B%22b+c%22%5D%7D\nHost: d\nContent-Length: 0\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n"},
		{"no prefix", c, Request{Method: "HEAD", Path: "/_ping", NoPrefix: true}, "HEAD /_ping\nHost: d\nContent-Length: 0\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n"},
		{"other prefix", c.WithPrefix("/v5.0.0/libpod"), get("/info"), "GET /v5.0.0/libpod/info\nHost: d\nContent-Length: 0\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n"},
		{"escaped segment", c, get("/images/" + Escape("a/b:c d") + "/json"), "GET /v1.41/images/a%2Fb:c%20d/json\nHost: d\nContent-Length: 0\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n"},
		{"own header wins", c, Request{Method: "GET", Path: "/x", Header: http.Header{"X-Meta": {"own"}, "Accept-Encoding": {"gzip"}}},
			"GET /v1.41/x\nHost: d\nContent-Length: 0\nAccept-Encoding: gzip\nUser-Agent: test\nX-Meta: own\n"},
		{"json", c, Request{Method: "POST", Path: "/x", JSON: map[string]int{"a": 1}},
			"POST /v1.41/x\nHost: d\nContent-Length: 7\nContent-Type: application/json\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n{\"a\":1}"},
		{"empty post", c, Request{Method: "POST", Path: "/x"}, "POST /v1.41/x\nHost: d\nContent-Length: 0\nUser-Agent: test\nX-Meta: a\nX-Meta: b\n"},
		{"raw body", c, Request{Method: "PUT", Path: "/x", Body: strings.NewReader("tar"), JSON: 1, Header: http.Header{"Content-Type": {"application/x-tar"}}},
			"PUT /v1.41/x\nHost: d\nContent-Length: 3\nContent-Type: application/x-tar\nUser-Agent: test\nX-Meta: a\nX-Meta: b\ntar"},
		{"raw body of unknown length", c, Request{Method: "PUT", Path: "/x", Body: io.LimitReader(strings.NewReader("tar"), 3)},
			"PUT /v1.41/x\nHost: d\nContent-Length: -1\nUser-Agent: test\nX-Meta: a\nX-Meta: b\ntar"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.c.Call(t.Context(), test.r, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, <-got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections, want one for all", n)
	}
}

func TestEmptyPostSaysItsLength(t *testing.T) {
	head := make(chan string, 1)
	s := serve(t, func(p *peer) {
		b := make([]byte, 1000)
		n, _ := p.Read(b)
		head <- string(b[:n])
		p.send("HTTP/1.1 204 No Content\r\n\r\n")
	})
	if _, err := s.client(t).Call(t.Context(), Request{Method: "POST", Path: "/x"}, nil); err != nil {
		t.Fatal(err)
	}
	if got := <-head; !strings.Contains(got, "\r\nContent-Length: 0\r\n") || strings.Contains(got, "Content-Type") {
		t.Errorf("request = %q", got)
	}
}

func TestBadRequests(t *testing.T) {
	c := New(Config{Dial: DialUnix("/nonexistent")})
	for _, r := range []Request{
		{Method: "GET", Path: "/%zz"},
		{Method: "G E T", Path: "/x"},
		{Method: "POST", Path: "/x", JSON: make(chan int)},
	} {
		if _, err := c.Do(t.Context(), r); err == nil || Unavailable(err) {
			t.Errorf("Do(%v) = %v", r, err)
		}
		if _, err := c.Hijack(t.Context(), r); err == nil || Unavailable(err) {
			t.Errorf("Hijack(%v) = %v", r, err)
		}
	}
}

func TestCall(t *testing.T) {
	type out struct{ A int }
	for _, test := range []struct {
		name, answer string
		out          any
		status       int
		want         any
		err          string
	}{
		{"value", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"A\":1}", new(out), 200, &out{1}, ""},
		{"two values", "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"A\":1}\n{\"A\":2}", new(out), 200, &out{1}, ""},
		{"value and rubbish", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"A\":1}}{", new(out), 200, &out{1}, ""},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"A\r\n4\r\n\":1}\r\n0\r\n\r\n", new(out), 200, &out{1}, ""},
		{"bytes", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x00\xff{", new([]byte), 200, new([]byte("\x00\xff{")), ""},
		{"string", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", new(string), 200, new("OK"), ""},
		{"raw json", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"A\":1} ", new(json.RawMessage), 200, new(json.RawMessage(`{"A":1}`)), ""},
		{"discarded", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{x}", nil, 200, nil, ""},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", new(out), 204, new(out), ""},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", new(out), 304, new(out), ""},
		{"no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", new(out), 200, new(out), "GET /x: decode response: unexpected EOF"},
		{"half a value", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{\"A\"", new(out), 200, new(out), "GET /x: decode response: unexpected EOF"},
		{"not json", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", new(out), 200, new(out), "GET /x: decode response: invalid character 'o' in literal null (expecting 'u')"},
		{"404", "HTTP/1.1 404 Not Found\r\nContent-Length: 23\r\n\r\n{\"message\":\"no such x\"}", new(out), 404, new(out), "GET /x: 404 Not Found: no such x"},
		{"redirect", "HTTP/1.1 301 Moved Permanently\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", new(out), 301, new(out), "GET /x: 301 Moved Permanently"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := serve(t, answer(test.answer)).client(t)
			status, err := c.Call(t.Context(), get("/x"), test.out)
			if status != test.status || fmt.Sprint(err) != test.err && (err != nil || test.err != "") {
				t.Errorf("Call = %d, %v, want %d, %s", status, err, test.status, test.err)
			}
			if diff := cmp.Diff(test.want, test.out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCallUsesItsConnectionAgain: also after an error, and when only the first value is wanted.
func TestCallUsesItsConnectionAgain(t *testing.T) {
	for _, a := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1\n2\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n2\r\n2\n\r\n0\r\n\r\n",
		"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
	} {
		s := serve(t, answer(a))
		c := s.client(t)
		for range 3 {
			var n int
			c.Call(t.Context(), get("/x"), &n) // its result is TestCall's matter
		}
		if n := s.conns.Load(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	}
}

func TestStream(t *testing.T) {
	s := serve(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	resp, err := s.client(t).Stream(t.Context(), get("/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); string(b) != "ok" || err != nil {
		t.Errorf("body %q, %v", b, err)
	}
	big := strings.Repeat("x", maxErrorBody+10)
	s = serve(t, answerAndClose("HTTP/1.1 409 Conflict\r\nX-A: b\r\n\r\n"+big))
	_, err = s.client(t).Stream(t.Context(), get("/x"))
	e, ok := errors.AsType[*StatusError](err)
	if !ok || e.Status != 409 || e.Method != "GET" || e.Path != "/x" || len(e.Body) != maxErrorBody || e.Header.Get("X-A") != "b" {
		t.Errorf("Stream = %T, want a *StatusError with the first MiB of its body", err)
	}
}

func TestRoundTripperWrapsOrdinaryRequests(t *testing.T) {
	s := serve(t, func(p *peer) {
		for req := p.request(); req != nil; req = p.request() {
			if req.Header.Get("Upgrade") != "" {
				p.send("HTTP/1.1 101 UPGRADED\r\n\r\n" + req.Header.Get("X-Added"))
				return
			}
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(req.Header.Get("X-Added")), req.Header.Get("X-Added")))
		}
	})
	c := s.client(t, func(cfg *Config) {
		cfg.RoundTripper = func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(req *http.Request) (*http.Response, error) {
				if req.URL.Path == "/nothing" {
					return nil, nil
				}
				req = req.Clone(req.Context())
				req.Header.Set("X-Added", "yes")
				return next.RoundTrip(req)
			})
		}
	})
	var text string
	if _, err := c.Call(t.Context(), get("/x"), &text); err != nil || text != "yes" {
		t.Errorf("Call = %q, %v", text, err)
	}
	if _, err := c.Call(t.Context(), get("/nothing"), &text); err == nil {
		t.Error("a RoundTripper that returns nothing is no error")
	}
	conn, err := c.Hijack(t.Context(), Request{Method: "POST", Path: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if b, err := io.ReadAll(conn); len(b) > 0 || err != nil {
		t.Errorf("hijacked request went through the RoundTripper: %q, %v", b, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestTrace(t *testing.T) {
	type key struct{}
	var log []string
	s := serve(t, func(p *peer) {
		switch req := p.request(); req.URL.Path {
		case "/v1/hijack":
			p.send("HTTP/1.1 101 UPGRADED\r\n\r\n")
		case "/v1/ok":
			p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		case "/v1/missing":
			p.send("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
	})
	var seen any
	c := s.client(t, func(cfg *Config) {
		dial := cfg.Dial
		cfg.Prefix = "/v1"
		cfg.Trace = func(ctx context.Context, method, path string) (context.Context, func(int, error)) {
			return context.WithValue(ctx, key{}, "span"), func(status int, err error) {
				log = append(log, fmt.Sprint(method, " ", path, " ", status, " ", err))
			}
		}
		cfg.Dial = func(ctx context.Context) (net.Conn, error) {
			seen = ctx.Value(key{})
			return dial(ctx)
		}
	})
	for _, path := range []string{"/ok", "/missing", "/closed"} {
		c.Call(t.Context(), get(path), nil)
	}
	for _, path := range []string{"/hijack", "/missing"} {
		if conn, err := c.Hijack(t.Context(), Request{Method: "POST", Path: path}); err == nil {
			conn.Close()
		}
	}
	want := []string{
		"GET /ok 200 <nil>", "GET /missing 404 <nil>", "GET /closed 0 GET /closed: engine closed the connection without a response: EOF",
		"POST /hijack 101 <nil>", "POST /missing 404 POST /missing: 404 Not Found",
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Error(diff)
	}
	if seen != "span" {
		t.Errorf("Dial sees %v in its context, want the trace's value", seen)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := serve(t, func(p *peer) {
		for req := p.request(); req != nil; req = p.request() {
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%q", len(req.URL.Path)+2, req.URL.Path))
		}
	})
	c := s.client(t)
	var wg sync.WaitGroup
	var failed atomic.Int32
	for g := range 64 {
		wg.Go(func() {
			for i := range 20 {
				path, got := fmt.Sprintf("/%d/%d", g, i), ""
				if _, err := c.WithPrefix("").Call(t.Context(), get(path), &got); err != nil || got != `"`+path+`"` {
					failed.Add(1)
				}
				if i == 10 {
					c.Close()
				}
			}
		})
	}
	wg.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
}
