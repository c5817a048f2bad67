package podman

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

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

func second[T any](_ T, err error) error { return err }

// cut sends the head of an answer and some of its body, then drops the connection.
func cut(w http.ResponseWriter, body string) {
	w.WriteHeader(200)
	io.WriteString(w, body)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

const runningContainer = `{"Id":"0123","State":{"Status":"running"},"Config":{}}`

// TestStreamsCut loses the engine in mid-stream.
func TestStreamsCut(t *testing.T) {
	leaktest.Check(t)
	var body string
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, "/json") {
			answer(w, 200, runningContainer)
			return
		}
		cut(w, body)
	}}
	e := openFake(t, f)
	ctx := t.Context()
	check := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	body = `{"Type":"container","Action":"start"}{"Type":`
	n, err := lastError(e.Events(ctx, engine.EventOptions{}))
	check("events", err)
	if n != 1 {
		t.Errorf("%d events", n)
	}
	body = `{"Error":null,"Stats":[`
	check("stats", second(lastError(e.ContainerStats(ctx, []string{"x"}, engine.StatsOptions{}))))
	body = `{"stream":"Copying blob 1"}`
	check("pull", second(e.ImagePull(ctx, "x", engine.PullOptions{})))
	check("push", e.ImagePush(ctx, "x", engine.PushOptions{}))
	body = `{"Names":`
	check("load", second(e.ImageLoad(ctx, strings.NewReader(""))))
	body = ``
	for _, cond := range []engine.WaitCondition{engine.WaitNextExit, ""} {
		w, err := e.ContainerWait(ctx, "x", cond)
		if err != nil {
			t.Fatal(err)
		}
		check("wait", second(w.Wait()))
		w.Close()
	}
	body = "\x01\x00\x00\x00\x00\x00\x00\x05ab"
	l, err := e.ContainerLogs(ctx, "x", engine.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = frame.Copy(io.Discard, io.Discard, l); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("logs: %v", err)
	}
	l.Close()
	x, err := e.ContainerExport(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(x); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("export: %v", err)
	}
	x.Close()
}

// TestErrorInside has an error in an answer whose status is 200.
func TestErrorInside(t *testing.T) {
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch p := strings.TrimPrefix(r.URL.Path, "/v5.8.2/libpod"); {
		case p == "/images/pull" && r.URL.Query().Get("compatMode") == "true":
			answer(w, 200, `{"status":"Pulling"}{"errorDetail":{"message":"unauthorized: authentication required"},"error":"unauthorized"}`)
		case p == "/images/pull":
			answer(w, 200, `{"stream":"Trying to pull"}{"error":"reading manifest: manifest unknown"}`)
		case strings.HasSuffix(p, "/push"):
			answer(w, 200, `{"stream":"Copying"}{"error":"access to the resource is denied"}`)
		case p == "/images/remove":
			answer(w, 200, `{"ExitCode":1,"Errors":["nosuch: image not known"]}`)
		case p == "/commit":
			answer(w, 200, `{"cause":"no such container","message":"no such container","response":404}`)
		case p == "/containers/stats":
			answer(w, 200, `{"cause":"container is stopped","message":"container is stopped","response":500}`)
		case p == "/containers/prune":
			answer(w, 200, `[{"Id":"a","Size":5},{"Id":"b","Err":"cannot remove container b as it is running - running or paused containers cannot be removed without force: container state improper"},{"Id":"c","Err":{}}]`)
		case r.Method == "DELETE" && p == "/containers/x":
			answer(w, 200, `[{"Id":"x","Err":"something is wrong","RawInput":"x"}]`)
		case strings.HasSuffix(p, "/top"):
			answer(w, 200, `{"cause":"top can only be used on running containers","message":"top can only be used on running containers","response":500}`)
		case p == "/networks/n":
			answer(w, 200, `[{"Name":"n","Err":"network is being used"}]`)
		case p == "/networks/prune":
			answer(w, 200, `[{"Name":"n","Error":null},{"Name":"m","Error":{}}]`)
		case p == "/events":
			answer(w, 200, `{"cause":"x is an invalid filter","message":"x is an invalid filter","response":500}`)
		case strings.HasSuffix(p, "/json"):
			answer(w, 200, `{"Id":"a"}{"message":"second"}`)
		default:
			fail(w, 404, "", "Not Found")
		}
	}}
	e := openFake(t, f)
	ctx := t.Context()
	wantKind(t, "pull", second(e.ImagePull(ctx, "x", engine.PullOptions{})), engine.ErrImageNotFound)
	wantKind(t, "pull with progress", second(e.ImagePull(ctx, "x", engine.PullOptions{Progress: func(engine.PullProgress) {}})), engine.ErrUnauthorized)
	wantKind(t, "push", e.ImagePush(ctx, "x", engine.PushOptions{}), engine.ErrUnauthorized)
	wantKind(t, "remove image", second(e.ImageRemove(ctx, "nosuch", engine.ImageRemoveOptions{})), engine.ErrImageNotFound)
	wantKind(t, "commit", second(e.ContainerCommit(ctx, "x", engine.CommitOptions{})), engine.ErrNotFound)
	wantKind(t, "stats", second(lastError(e.ContainerStats(ctx, []string{"x"}, engine.StatsOptions{}))), engine.ErrNotRunning)
	wantKind(t, "top", second(e.ContainerTop(ctx, "x", engine.TopOptions{})), engine.ErrNotRunning)
	wantKind(t, "events", second(lastError(e.Events(ctx, engine.EventOptions{}))), engine.ErrInvalid)
	wantKind(t, "remove network", e.NetworkRemove(ctx, "n", false), engine.ErrConflict)
	if err := e.ContainerRemove(ctx, "x", engine.RemoveOptions{}); err == nil || !strings.Contains(err.Error(), "something is wrong") {
		t.Errorf("remove: %v", err)
	}
	report, err := e.ContainerPrune(ctx, nil)
	wantKind(t, "prune", err, engine.ErrConflict)
	if fmt.Sprint(report.Deleted) != "[a]" || report.Reclaimed != 5 || len(report.Errors) != 2 {
		t.Errorf("prune: %+v", report)
	}
	if report, err := e.NetworkPrune(ctx, nil); err == nil || fmt.Sprint(report.Deleted) != "[n]" || len(report.Errors) != 1 {
		t.Errorf("prune networks: %+v, %v", report, err)
	}
	if a, err := e.ContainerInspect(ctx, "a", engine.InspectOptions{}); err != nil || a.ID != "a" {
		t.Errorf("two values: %+v, %v", a, err)
	}
}

// TestOldAnswers are those of 4.3 that are empty.
func TestOldAnswers(t *testing.T) {
	f := &fake{version: oldVersion, handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/stats"):
			answer(w, 200, `{"Error":{},"Stats":null}`)
		case strings.HasSuffix(r.URL.Path, "/exists"):
			fail(w, 404, "no such container", "no such container")
		case strings.HasSuffix(r.URL.Path, "/json"):
			answer(w, 200, `{"Id":"a","Path":"sh","Args":["-c","a b","x"],"State":{"Status":"exited","ExitCode":137,"Health":{"Status":"","FailingStreak":0,"Log":null}},"Config":{"Entrypoint":"sh -c","Cmd":["a b","x"],"StopSignal":15},"HostConfig":{"RestartPolicy":{"Name":""},"LogConfig":{"Size":"0B"}}}`)
		}
	}}
	e := openFake(t, f)
	ctx := t.Context()
	wantKind(t, "top", second(e.ContainerTop(ctx, "x", engine.TopOptions{})), engine.ErrNotRunning)
	wantKind(t, "stats", second(lastError(e.ContainerStats(ctx, []string{"x"}, engine.StatsOptions{}))), engine.ErrNotFound)
	a, err := e.ContainerInspect(ctx, "a", engine.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%q", a.Config.Entrypoint) != `["sh" "-c"]` || a.Config.StopSignal != "SIGTERM" || a.State.Health != nil || a.State.OOMKilled != nil || a.HostConfig.RestartPolicy.Name != "no" || a.HostConfig.LogConfig.Options != nil {
		t.Errorf("attrs are %+v", a)
	}
	wantUnsupported(t, second(e.ContainerUpdate(ctx, "x", engine.Update{RestartPolicy: &engine.RestartPolicy{Name: "always"}})), "Update.RestartPolicy")
}

// TestSilence has an engine that does not answer; ctx ends each call.
func TestSilence(t *testing.T) {
	leaktest.Check(t)
	f := &fake{handle: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }}
	e := openFake(t, f)
	cause := errors.New("the cause")
	calls := map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error {
			return second(e.ContainerCreate(ctx, &engine.Spec{Image: "x"}, engine.CreateOptions{}))
		},
		"inspect": func(ctx context.Context) error { return second(e.ContainerInspect(ctx, "x", engine.InspectOptions{})) },
		"start":   func(ctx context.Context) error { return e.ContainerStart(ctx, "x", engine.StartOptions{}) },
		"restart": func(ctx context.Context) error { return e.ContainerRestart(ctx, "x", engine.StopOptions{}) },
		"wait":    func(ctx context.Context) error { return second(e.ContainerWait(ctx, "x", "")) },
		"logs":    func(ctx context.Context) error { return second(e.ContainerLogs(ctx, "x", engine.LogOptions{})) },
		"attach":  func(ctx context.Context) error { return second(e.ContainerAttach(ctx, "x", engine.AttachOptions{})) },
		"exec":    func(ctx context.Context) error { return second(e.ExecStart(ctx, "x", engine.ExecStartOptions{})) },
		"kill":    func(ctx context.Context) error { return e.ExecKill(ctx, "x", "") },
		"events":  func(ctx context.Context) error { return second(lastError(e.Events(ctx, engine.EventOptions{}))) },
		"stats": func(ctx context.Context) error {
			return second(lastError(e.ContainerStats(ctx, []string{"x", "y"}, engine.StatsOptions{Stream: true})))
		},
		"pull": func(ctx context.Context) error { return second(e.ImagePull(ctx, "x", engine.PullOptions{})) },
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

// hijacked answers with the head of a raw stream and what follows it, in one packet.
func hijacked(w http.ResponseWriter, rest string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	fmt.Fprintf(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n%s", rest)
	conn.Close()
}

// TestAttachHead has the first bytes of the stream in one packet with the head of the answer, an end within a frame, and a Content-Type that is wrong.
func TestAttachHead(t *testing.T) {
	leaktest.Check(t)
	for _, version := range []string{oldVersion, newVersion} {
		for _, rest := range []string{"", "\x02\x00\x00\x00\x00\x00\x00\x09cut"} {
			f := &fake{version: version, handle: func(w http.ResponseWriter, r *http.Request, _ string) {
				if strings.HasSuffix(r.URL.Path, "/json") {
					answer(w, 200, `{"Id":"a","State":{"Status":"created"}}`)
					return
				}
				hijacked(w, "\x01\x00\x00\x00\x00\x00\x00\x03abc"+rest)
			}}
			e := openFake(t, f)
			s, err := e.ContainerAttach(t.Context(), "a", engine.AttachOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !s.Multiplexed() {
				t.Error("not multiplexed")
			}
			out, _, err := read(s)
			if out != "abc" || (rest == "") != (err == nil) || rest != "" && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %q, %v", version, out, err)
			}
			s.Close()
			e.Close()
		}
	}
}

// TestCreateWarnings removes a container of which the engine says that it lacks an option.
func TestCreateWarnings(t *testing.T) {
	f := goldenFake(newVersion)
	handle := f.handle
	failRemove := false
	f.handle = func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/create"):
			answer(w, 201, `{"Id":"0123","Warnings":["Your kernel does not support block I/O weight or the cgroup is not mounted. Weight discarded."]}`)
		case r.Method == "DELETE" && failRemove:
			fail(w, 500, "busy", "busy")
		case r.Method == "DELETE":
			answer(w, 200, `[{"Id":"0123"}]`)
		default:
			handle(w, r, body)
		}
	}
	e := openFake(t, f)
	spec := engine.Spec{Image: "x", Resources: engine.Resources{BlkioWeight: 300}}
	_, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
	wantUnsupported(t, err, "Spec.Resources.BlkioWeight")
	last := f.requests()
	if got := last[len(last)-1].String(); got != "DELETE /v5.8.2/libpod/containers/0123?force=true&timeout=0&volumes=true" {
		t.Errorf("last request %s", got)
	}
	if res, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{AllowDiscarded: true}); err != nil || len(res.Warnings) != 1 {
		t.Errorf("allowed: %+v, %v", res, err)
	}
	failRemove = true
	_, err = e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
	orphan, ok := errors.AsType[*engine.OrphanError](err)
	if !ok || orphan.ID != "0123" || !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("left behind: %v", err)
	}
}

// TestCreateCancelledLate cancels while the engine makes the container: it is removed.
func TestCreateCancelledLate(t *testing.T) {
	leaktest.Check(t)
	ctx, cancel := context.WithCancel(t.Context())
	f := goldenFake(newVersion)
	handle := f.handle
	f.handle = func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.HasSuffix(r.URL.Path, "/containers/create") {
			cancel()
			time.Sleep(20 * time.Millisecond)
		}
		if r.Method == "DELETE" {
			answer(w, 200, `[]`)
			return
		}
		handle(w, r, body)
	}
	e := openFake(t, f)
	_, err := e.ContainerCreate(ctx, &engine.Spec{Image: "x"}, engine.CreateOptions{})
	wantKind(t, "create", err, context.Canceled)
	if list := f.requests(); list[len(list)-1].Method != "DELETE" {
		t.Errorf("requests %v", list)
	}
}

// TestStartAgain tries again where a port may still be bound by a start of ours that failed, and nowhere else.
func TestStartAgain(t *testing.T) {
	inUse := 0
	f := &fake{handle: func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case strings.Contains(r.URL.Path, "/bad/"):
			fail(w, 500, "OCI runtime error", "runc: it failed: OCI runtime error")
		case inUse > 0:
			inUse--
			fail(w, 500, "address already in use", "cannot listen on the TCP port: listen tcp4 :80: bind: address already in use")
		default:
			w.WriteHeader(204)
		}
	}}
	e := openFake(t, f)
	ctx := t.Context()
	inUse = 1
	if err := e.ContainerStart(ctx, "good", engine.StartOptions{}); err == nil || len(f.requests()) != 1 {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := e.ContainerStart(ctx, "bad", engine.StartOptions{}); err == nil {
		t.Fatal("started")
	}
	f.requests()
	inUse = 2
	if err := e.ContainerStart(ctx, "good", engine.StartOptions{}); err != nil || len(f.requests()) != 3 {
		t.Errorf("a port that leaked: %v", err)
	}
	inUse = 1
	if err := e.ContainerInit(ctx, "good"); err != nil || len(f.requests()) != 2 {
		t.Errorf("a port that leaked, at init: %v", err)
	}
	inUse = 1 << 30
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	wantKind(t, "cancelled", e.ContainerStart(short, "good", engine.StartOptions{}), context.DeadlineExceeded)
}
