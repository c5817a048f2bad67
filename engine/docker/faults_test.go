package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
	"github.com/berthdev/berth/internal/leaktest"
)

// lastError is the error that ends a sequence.
func lastError[T any](seq iter.Seq2[T, error]) (n int, err error) {
	for _, err := range seq {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// cut sends the head of an answer and some of its body, then drops the connection.
func cut(w http.ResponseWriter, body string) {
	w.WriteHeader(200)
	io.WriteString(w, body)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// TestStreamsCut loses the engine in mid-stream.
func TestStreamsCut(t *testing.T) {
	leaktest.Check(t)
	var body string
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) { cut(w, body) }}
	e := openFake(t, f)
	ctx := t.Context()
	check := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	body = `{"Type":"container","Action":"start"}{"Type":`
	n, err := lastError(e.Events(ctx, engine.EventOptions{}))
	check("events", err)
	if n != 1 {
		t.Errorf("%d events", n)
	}
	body = `{"read":"2026-11-21T18:53:01Z"}{"read":`
	_, err = lastError(e.ContainerStats(ctx, []string{"x"}, engine.StatsOptions{Stream: true}))
	check("stats", err)
	body = `{"status":"Downloading","id":"1"}`
	_, err = e.ImagePull(ctx, "x", engine.PullOptions{})
	check("pull", err)
	_, err = e.ImageLoad(ctx, strings.NewReader(""))
	check("load", err)
	body = ``
	w, err := e.ContainerWait(ctx, "x", engine.WaitNextExit)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Wait()
	check("wait", err)
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("wait: got %v", err)
	}
	w.Close()
	body = "\x01\x00\x00\x00\x00\x00\x00\x05ab"
	l, err := e.ContainerLogs(ctx, "x", engine.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = frame.Copy(io.Discard, io.Discard, l)
	check("logs", err)
	l.Close()
	x, err := e.ContainerExport(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(x)
	check("export", err)
	x.Close()
	body = `{"Id":`
	_, err = e.ContainerInspect(ctx, "x", engine.InspectOptions{})
	check("inspect", err)
}

// TestErrorInside has an error in an answer whose status is 200, and answers of two values.
func TestErrorInside(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/images/create"):
			answer(w, 200, `{"status":"Pulling"}{"errorDetail":{"code":401,"message":"no basic auth credentials"},"error":"no basic auth credentials"}`)
		case strings.HasSuffix(r.URL.Path, "/images/load"):
			answer(w, 200, `{"error":"open /manifest.json: no such file or directory"}`)
		case strings.HasSuffix(r.URL.Path, "/push"):
			answer(w, 200, `{"errorDetail":{"message":"denied: requested access to the resource is denied"}}`)
		case strings.HasSuffix(r.URL.Path, "/json"):
			answer(w, 200, `{"Id":"a"}{"message":"second"}`)
		}
	}}
	e := openFake(t, f)
	ctx := t.Context()
	if _, err := e.ImagePull(ctx, "x", engine.PullOptions{}); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("pull: %v", err)
	}
	if _, err := e.ImageLoad(ctx, strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "manifest.json") {
		t.Errorf("load: %v", err)
	}
	if err := e.ImagePush(ctx, "x", engine.PushOptions{}); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("push: %v", err)
	}
	if a, err := e.ContainerInspect(ctx, "a", engine.InspectOptions{}); err != nil || a.ID != "a" {
		t.Errorf("two values: %+v, %v", a, err)
	}
}

// TestSilence has an engine that does not answer; ctx ends each call.
func TestSilence(t *testing.T) {
	leaktest.Check(t)
	f := &fake{handle: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }}
	e := openFake(t, f)
	cause := errors.New("the cause")
	calls := map[string]func(ctx context.Context) error{
		"inspect": func(ctx context.Context) error { return drain2(e.ContainerInspect(ctx, "x", engine.InspectOptions{})) },
		"start":   func(ctx context.Context) error { return e.ContainerStart(ctx, "x", engine.StartOptions{}) },
		"wait":    func(ctx context.Context) error { return drain2(e.ContainerWait(ctx, "x", "")) },
		"logs":    func(ctx context.Context) error { return drain2(e.ContainerLogs(ctx, "x", engine.LogOptions{})) },
		"attach":  func(ctx context.Context) error { return drain2(e.ContainerAttach(ctx, "x", engine.AttachOptions{})) },
		"exec":    func(ctx context.Context) error { return drain2(e.ExecStart(ctx, "x", engine.ExecStartOptions{})) },
		"events":  func(ctx context.Context) error { return drain2(lastError(e.Events(ctx, engine.EventOptions{}))) },
		"stats": func(ctx context.Context) error {
			return drain2(lastError(e.ContainerStats(ctx, []string{"x", "y"}, engine.StatsOptions{Stream: true})))
		},
		"pull": func(ctx context.Context) error { return drain2(e.ImagePull(ctx, "x", engine.PullOptions{})) },
		"put": func(ctx context.Context) error {
			return e.ContainerPutArchive(ctx, "x", "/", strings.NewReader(""), engine.PutArchiveOptions{})
		},
	}
	for name, call := range calls {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- call(ctx) }()
		cancel(cause)
		if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestAttachHead has the first bytes of the stream in one packet with the head of the answer (docker-py #1770), and an end within a frame.
func TestAttachHead(t *testing.T) {
	leaktest.Check(t)
	for _, version := range []string{"1.41", "1.51"} {
		for _, rest := range []string{"", "\x02\x00\x00\x00\x00\x00\x00\x09cut"} {
			f := &fake{api: version, handle: func(w http.ResponseWriter, r *http.Request, _ string) {
				if strings.HasSuffix(r.URL.Path, "/json") {
					answer(w, 200, `{"Id":"a","State":{"Status":"created"}}`)
					return
				}
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					return
				}
				kind := "application/vnd.docker.raw-stream"
				if version == "1.51" {
					kind = multiplexedStream
				}
				fmt.Fprintf(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: %s\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01\x00\x00\x00\x00\x00\x00\x03abc%s", kind, rest)
				conn.Close()
			}}
			e := openFake(t, f)
			s, err := e.ContainerAttach(t.Context(), "a", engine.AttachOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !s.Multiplexed() {
				t.Error("not multiplexed")
			}
			var out, errs bytes.Buffer
			_, err = frame.Copy(&out, &errs, s)
			if out.String() != "abc" || (rest == "") != (err == nil) || rest != "" && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %q, %v", version, out.String(), err)
			}
			s.Close()
			e.Close()
		}
	}
}

// TestAttachEndedBetween attaches to a container that runs when asked first, and not when asked after.
func TestAttachEndedBetween(t *testing.T) {
	leaktest.Check(t)
	asked := 0
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, "/json") {
			asked++
			answer(w, 200, fmt.Sprintf(`{"Id":"a","State":{"Status":%q}}`, []string{"running", "exited"}[asked-1]))
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		io.Copy(io.Discard, conn) // nothing comes, until the client gives up
		conn.Close()
	}}
	e := openFake(t, f)
	if _, err := e.ContainerAttach(t.Context(), "a", engine.AttachOptions{}); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}
