package wire

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/internal/frame"
)

var attach = Request{Method: "POST", Path: "/attach"}

// TestHijackKeepsWhatCameWithTheHead: head and data in one packet, and every other way to cut them.
func TestHijackKeepsWhatCameWithTheHead(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
	} {
		for _, step := range []int{1, 7, len(head), len(head) + 2, 1000} {
			s := serve(t, func(p *peer) {
				p.request()
				for rest := head + "hello"; rest != ""; rest = rest[min(step, len(rest)):] {
					p.send(rest[:min(step, len(rest))])
				}
			})
			conn, err := s.client(t).Hijack(t.Context(), attach)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(conn)
			if string(b) != "hello" || err != nil || conn.Header().Get("Content-Type") != "application/vnd.docker.raw-stream" {
				t.Errorf("in steps of %d after %q: %q, %v", step, head, b, err)
			}
			if want := map[bool]int{true: 200, false: 101}[strings.HasPrefix(head, "HTTP/1.1 200")]; conn.Status() != want {
				t.Errorf("Status = %d, want %d", conn.Status(), want)
			}
			conn.Close()
		}
	}
}

func TestHijackRequest(t *testing.T) {
	got := make(chan string, 1)
	s := serve(t, func(p *peer) {
		req := p.request()
		body, _ := io.ReadAll(req.Body)
		got <- strings.Join([]string{req.Method, req.RequestURI, req.Host, req.Header.Get("Connection"), req.Header.Get("Upgrade"), req.Header.Get("Content-Type"), req.Header.Get("User-Agent"), string(body)}, " ")
		p.send("HTTP/1.1 101 UPGRADED\r\n\r\n")
	})
	c := s.client(t, func(cfg *Config) { cfg.Prefix = "/v1.41"; cfg.Header = map[string][]string{"User-Agent": {"test"}} })
	conn, err := c.Hijack(t.Context(), Request{Method: "POST", Path: "/exec/x/start", JSON: map[string]bool{"Tty": true}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if diff := cmp.Diff(`POST /v1.41/exec/x/start d Upgrade tcp application/json test {"Tty":true}`, <-got); diff != "" {
		t.Error(diff)
	}
}

func TestHijackRefused(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 409 Conflict\r\nContent-Length: 32\r\n\r\n{\"message\":\"is not running\"}\r\n\r\n",
		"HTTP/1.1 409 Conflict\r\n\r\n{\"cause\":\"c\",\"message\":\"is not running\",\"response\":409}",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\n\r\n",
	} {
		conn, err := serve(t, answerAndClose(answer)).client(t).Hijack(t.Context(), attach)
		e, ok := errors.AsType[*StatusError](err)
		if !ok || conn != nil || e.Path != "/attach" || e.Status == 409 && e.Message() != "is not running" {
			t.Errorf("Hijack answered by %q = %v", answer, err)
		}
	}
}

// TestHijackOfAChunkedAnswer: a proxy may have chunked a 200; its framing is not data.
func TestHijackOfAChunkedAnswer(t *testing.T) {
	for answer, want := range map[string]error{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n": nil,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n":          io.ErrUnexpectedEOF,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello":                            nil,
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello":                            io.ErrUnexpectedEOF,
	} {
		conn, err := serve(t, answerAndClose(answer)).client(t).Hijack(t.Context(), attach)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(conn); string(b) != "hello" || !errors.Is(err, want) {
			t.Errorf("%q: %q, %v, want %v", answer, b, err, want)
		}
		conn.Close()
	}
}

func TestHalfWrittenFrame(t *testing.T) {
	conn, err := serve(t, answerAndClose("HTTP/1.1 101 UPGRADED\r\n\r\n\x01\x00\x00\x00\x00\x00\x00\x05he")).client(t).Hijack(t.Context(), attach)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var out strings.Builder
	if n, err := frame.Copy(&out, nil, conn); n != 2 || err != io.ErrUnexpectedEOF || out.String() != "he" {
		t.Errorf("Copy = %d, %v, %q", n, err, &out)
	}
}

// TestHalfClose: either side may end first, over every transport, and the other direction goes on.
func TestHalfClose(t *testing.T) {
	type halfCloser interface{ CloseWrite() error }
	for name, start := range transports {
		t.Run(name+"/client first", func(t *testing.T) {
			dial := start(t, func(p *peer) { // cat, which answers only after the end
				p.request()
				p.send("HTTP/1.1 101 UPGRADED\r\n\r\n")
				b, err := io.ReadAll(p.br)
				if err != nil {
					p.t.Error(err)
				}
				p.send(strings.ToUpper(string(b)))
			})
			conn, err := New(Config{Dial: dial}).Hijack(t.Context(), attach)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "hello"); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second does no harm
				if err := conn.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			if b, err := io.ReadAll(conn); string(b) != "HELLO" || err != nil {
				t.Errorf("read %q, %v", b, err)
			}
		})
		t.Run(name+"/server first", func(t *testing.T) {
			got := make(chan string, 1)
			dial := start(t, func(p *peer) {
				p.request()
				p.send("HTTP/1.1 101 UPGRADED\r\n\r\nbye")
				p.Conn.(halfCloser).CloseWrite()
				b, _ := io.ReadAll(p.br)
				got <- string(b)
			})
			conn, err := New(Config{Dial: dial}).Hijack(t.Context(), attach)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if b, err := io.ReadAll(conn); string(b) != "bye" || err != nil {
				t.Errorf("read %q, %v", b, err)
			}
			if _, err := io.WriteString(conn, "still here"); err != nil {
				t.Error(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Error(err)
			}
			if s := <-got; s != "still here" {
				t.Errorf("server read %q", s)
			}
		})
	}
}

// TestCloseWriteOfATransportThatCannot is an error, not silence.
func TestCloseWriteOfATransportThatCannot(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		theirs.Read(make([]byte, 1000))
		io.WriteString(theirs, "HTTP/1.1 101 UPGRADED\r\n\r\n")
	}()
	conn, err := New(Config{Dial: onceDialer(ours)}).Hijack(t.Context(), attach)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	defer conn.Close()
	if err := conn.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite = %v", err)
	}
}

// TestCloseWriteAfterTheEngineHasGone is none.
func TestCloseWriteAfterTheEngineHasGone(t *testing.T) {
	for name, start := range transports {
		conn, err := New(Config{Dial: start(t, answerAndClose("HTTP/1.1 101 UPGRADED\r\n\r\n"))}).Hijack(t.Context(), attach)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(conn); len(b) > 0 || err != nil {
			t.Errorf("%s: read %q, %v", name, b, err)
		}
		if err := conn.CloseWrite(); err != nil {
			t.Errorf("%s: CloseWrite = %v", name, err)
		}
		conn.Close()
	}
}

// TestCloseOfAConn: it is idempotent, and whoever reads or writes meanwhile returns with net.ErrClosed.
func TestCloseOfAConn(t *testing.T) {
	for name, start := range transports {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			dial := start(t, func(p *peer) {
				p.request()
				p.send("HTTP/1.1 101 UPGRADED\r\n\r\nhello")
				<-over
			})
			defer close(over)
			conn, err := New(Config{Dial: dial}).Hijack(t.Context(), attach)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			reading := make(chan struct{})
			for range 3 {
				wg.Go(func() {
					_, err := io.ReadAll(conn) // which of them gets the data is open
					if !errors.Is(err, net.ErrClosed) {
						t.Errorf("Read = %v, want net.ErrClosed", err)
					}
				})
			}
			wg.Go(func() {
				close(reading)
				var err error
				for err == nil {
					_, err = conn.Write(make([]byte, 1<<20))
				}
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("Write = %v, want net.ErrClosed", err)
				}
			})
			<-reading
			for range 3 {
				wg.Go(func() {
					if err := conn.Close(); err != nil {
						t.Errorf("Close = %v", err)
					}
				})
			}
			wg.Wait()
		})
	}
}
