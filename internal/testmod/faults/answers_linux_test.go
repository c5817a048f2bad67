package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// badAnswer is an answer that no engine should give, but proxies, full disks and
// killed daemons do.
type badAnswer struct {
	name   string
	answer func(w http.ResponseWriter, _ *http.Request)
	// want checks the error of a call whose first request, with this method, is
	// answered so; nil only demands that the call returns.
	want func(method string, err error) bool
}

// send is rig.Raw, but for the body that no HEAD has.
func send(w http.ResponseWriter, r *http.Request, text string) {
	if head, _, ok := strings.Cut(text, "\r\n\r\n"); ok && r.Method == http.MethodHead {
		text = head + "\r\n\r\n"
	}
	rig.Raw(w, text)
}

func status(code int, kind error, text string) func(string, error) bool {
	return func(method string, err error) bool {
		api, ok := errors.AsType[*berth.APIError](err)
		return ok && api.Status == code && (kind == nil || errors.Is(err, kind)) && (method == "HEAD" || strings.Contains(api.Message, text))
	}
}

func failed(_ string, err error) bool { return err != nil }

// lost: a request that only asks is sent again, since an idle connection may have
// been closed under it.
func lost(method string, err error) bool { return isLost(err) || method == "GET" || method == "HEAD" }

var badAnswers = []badAnswer{
	{"HTML", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(502)
		io.WriteString(w, "<html><body>Bad gateway</body></html>")
	}, status(502, berth.ErrUnavailable, "Bad gateway")},
	{"empty 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, status(500, nil, "")},
	{"redirect", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.test/")
		w.WriteHeader(301)
	}, failed},
	{"no HTTP", func(w http.ResponseWriter, r *http.Request) { send(w, r, "SSH-2.0-OpenSSH_9.2\r\n\r\n") }, failed},
	{"no answer", func(w http.ResponseWriter, r *http.Request) { send(w, r, "") }, lost},
	{"half a head", func(w http.ResponseWriter, r *http.Request) {
		send(w, r, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
	},
		func(_ string, err error) bool { return isLost(err) }},
	{"half a line", func(w http.ResponseWriter, r *http.Request) { send(w, r, "HTTP/1.1 200 OK\r\nContent-Ty") }, failed},
	{"half an error", func(w http.ResponseWriter, r *http.Request) {
		send(w, r, "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"message\":\"bo")
	}, failed},

	// Whether these are errors is the call's matter: some have no use for a body.
	{"chunks cut short", func(w http.ResponseWriter, r *http.Request) {
		send(w, r, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Id\"\r\n")
	}, nil},
	{"half a JSON value", func(w http.ResponseWriter, r *http.Request) {
		send(w, r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"Id\":\"ab")
	}, nil},
	{"no JSON", func(w http.ResponseWriter, _ *http.Request) { rig.JSON(w, 200, "hello there") }, nil},
	{"null", func(w http.ResponseWriter, _ *http.Request) { rig.JSON(w, 200, "null") }, nil},
	{"an empty object", func(w http.ResponseWriter, _ *http.Request) { rig.JSON(w, 200, "{}") }, nil},
	{"another shape", func(w http.ResponseWriter, _ *http.Request) {
		rig.JSON(w, 200, `[{"Id":5,"State":{"Running":"yes"}},null]`)
	}, nil},
	{"another shape yet", func(w http.ResponseWriter, _ *http.Request) {
		rig.JSON(w, 200, `{"Id":"x","State":null,"Config":null,"Stats":[null],"Mounts":[null]}`)
	}, nil},
	{"no body", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, nil},
	{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, nil},
	{"204 with an upgrade", func(w http.ResponseWriter, r *http.Request) { send(w, r, multiplexed) }, nil},
}

// TestBadAnswers: every member is called on an engine that answers one of its
// requests, each in turn, so. It returns, with an error that fits where its first
// request was the one, and without one that says more than is known.
func TestBadAnswers(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			answer := scripted(f)
			f.Answer(answer)
			w := newWorld(t, f.Host, berth.WithCleanupTimeout(cleanup))
			for _, bad := range badAnswers {
				for _, m := range members {
					most := 2
					if slices.Contains(polls, m.name) {
						most = 1
					}
					for n := 0; n < most && answerBadly(t, f, answer, w, m, bad, n); n++ {
					}
				}
			}
		})
	}
}

// answerBadly calls m with the n-th request answered badly and tells whether there
// was one.
func answerBadly(t *testing.T, f *rig.Fake, answer http.HandlerFunc, w *world, m member, bad badAnswer, n int) (reached bool) {
	t.Helper()
	var mu sync.Mutex
	count, at := 0, ""
	f.Answer(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		hit := count == n
		if hit {
			at = r.Method + " " + r.URL.Path
		}
		count++
		mu.Unlock()
		if !hit {
			answer(rw, r)
			return
		}
		bad.answer(rw, r)
	})
	defer f.Answer(answer)
	limit := guard
	if slices.Contains(polls, m.name) {
		limit = 50 * time.Millisecond
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errGuard)
	defer cancel()
	err := within(t, func() error { return m.call(ctx, w) })
	mu.Lock()
	defer mu.Unlock()
	if at == "" {
		return false
	}
	if errors.Is(err, errGuard) && !slices.Contains(polls, m.name) {
		t.Errorf("%s, %s at request %d, %s: the call hangs: %v", m.name, bad.name, n, at, err)
	}
	method, _, _ := strings.Cut(at, " ")
	if n == 0 && bad.want != nil && !bad.want(method, err) && m.name != "Client.Do" { // of which any status is an answer
		t.Errorf("%s, %s to %s = %v", m.name, bad.name, at, err)
	}
	return true
}

// TestErrorInside: a status of success does not hide an error that is in the body.
func TestErrorInside(t *testing.T) {
	type row struct {
		member string
		kind   string // "" is both
		path   string // the end of the path that is answered
		answer string
	}
	for _, tt := range []row{
		{"Images.Pull", "docker", "/images/create", `{"status":"Pulling"}` + "\r\n" + `{"errorDetail":{"message":"boom"},"error":"boom"}` + "\r\n"},
		{"Images.Pulling", "docker", "/images/create", `{"errorDetail":{"message":"boom"},"error":"boom"}`},
		{"Images.Push", "docker", "/push", `{"status":"Pushing"}{"errorDetail":{"code":1,"message":"boom"},"error":"boom"}`},
		{"Images.Load", "docker", "/images/load", `{"errorDetail":{"message":"boom"},"error":"boom"}`},
		{"Images.Import", "docker", "/images/create", `{"errorDetail":{"message":"boom"},"error":"boom"}`},
		{"Images.Pull", "podman", "/images/pull", `{"stream":"Trying"}` + "\n" + `{"error":"boom"}` + "\n"},
		{"Images.Pulling", "podman", "/images/pull", `{"error":"boom"}`},
		{"Images.Push", "podman", "/push", `{"stream":"Copying"}{"error":"boom"}`},
		{"Images.Load", "podman", "/images/load", `{"cause":"boom","message":"boom","response":500}`},
		{"Images.Remove", "podman", "/images/remove", `{"Deleted":null,"Untagged":null,"Errors":["boom"],"ExitCode":1}`},
		{"Images.Prune", "podman", "/images/prune", `[{"Id":"x","Err":"boom","Size":0}]`},
		{"Container.Commit", "podman", "/commit", `{"cause":"boom","message":"boom","response":500}`},
		{"Container.Stats", "podman", "/containers/stats", `{"cause":"boom","message":"boom","response":500}`},
		{"Container.Stats", "podman", "/containers/stats", `{"Error":{},"Stats":null}`}, // all that Podman 4.3 says
		{"Container.Remove", "podman", "/containers/" + rig.ID, `[{"Id":"` + rig.ID + `","Err":"boom"}]`},
		{"Containers.Remove", "podman", "/containers/" + rig.ID, `[{"Id":"` + rig.ID + `","Err":"boom"}]`},
		{"Containers.Prune", "podman", "/containers/prune", `[{"Id":"` + rig.ID + `","Err":"boom","Size":0}]`},
		{"Networks.Prune", "podman", "/networks/prune", `[{"Name":"n","Error":"boom"}]`},
		{"Containers.Create", "", "/containers/create", `{"message":"boom","cause":"boom","response":500}`},
	} {
		for _, kind := range rig.Kinds {
			if tt.kind != "" && tt.kind != kind {
				continue
			}
			t.Run(kind+" "+tt.member, func(t *testing.T) {
				leaktest.Check(t)
				rig.NoEnvironment(t)
				f := rig.StartFake(t, kind)
				answer := scripted(f)
				f.Answer(answer)
				w := newWorld(t, f.Host, berth.WithCleanupTimeout(cleanup))
				hit := false
				f.Answer(func(rw http.ResponseWriter, r *http.Request) {
					if r.Method != "GET" && strings.HasSuffix(r.URL.Path, tt.path) || strings.HasSuffix(r.URL.Path, "/stats") {
						hit = true
						io.Copy(io.Discard, r.Body)
						rig.JSON(rw, 200, tt.answer)
						return
					}
					answer(rw, r)
				})
				defer f.Answer(answer)
				i := slices.IndexFunc(members, func(m member) bool { return m.name == tt.member })
				err := within(t, func() error { return members[i].call(t.Context(), w) })
				if !hit {
					t.Fatalf("it asked for something else: %q", f.Requests())
				}
				if err == nil {
					t.Fatal("no error")
				}
				if !strings.Contains(err.Error(), "boom") && !slices.Contains(silent, tt.member) && strings.Contains(tt.answer, "boom") {
					t.Errorf("%v does not say boom", err)
				}
			})
		}
	}
}

// silent are members that see that what they need is missing, not why.
var silent = []string{"Containers.Create", "Images.Load"}

// TestTwoValues: of two JSON values in one body the first is the answer, and the
// connection is good for the next call.
func TestTwoValues(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			p := rig.NewProxy(t, f.Path)
			cli := rig.Connect(t, berth.WithHost(p.Host()))
			f.Answer(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/containers/create") {
					io.Copy(io.Discard, r.Body)
					rig.JSON(w, 201, `{"Id":"`+rig.ID+`","Warnings":[]}`+"\n"+`{"cause":"late","message":"too late","response":500}`+"\n")
					return
				}
				f.Default(w, r)
			})
			before := p.Count()
			for range 10 {
				c, err := cli.Containers.Create(t.Context(), rig.Spec("true"))
				if err != nil || c.ID() != rig.ID {
					t.Fatalf("Create = %v, %v", c, err)
				}
			}
			if n := p.Count() - before; n > 1 {
				t.Errorf("%d connections for ten calls", n)
			}
		})
	}
}

// TestIdleConnections: an engine that closes every connection after its answer,
// without saying so, never makes a call fail that only asks.
func TestIdleConnections(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			p := rig.NewProxy(t, f.Path)
			cli := rig.Connect(t, berth.WithHost(p.Host()))
			c, err := cli.Containers.Get(t.Context(), "c")
			if err != nil {
				t.Fatal(err)
			}
			for i := range 30 {
				p.Cut()
				for what, err := range map[string]error{
					"Ping": cli.Ping(t.Context()), "Status": err2(c.Status(t.Context())), "Reload": c.Reload(t.Context()),
				} {
					if err != nil {
						t.Fatalf("%s %d: %v", what, i, err)
					}
				}
			}
			if p.Count() < 20 {
				t.Errorf("only %d connections were made: nothing was tested", p.Count())
			}
		})
	}
}

// TestHalfFrame: output that ends inside a frame is io.ErrUnexpectedEOF, also when
// the engine says that the process is over.
func TestHalfFrame(t *testing.T) {
	for _, kind := range rig.Kinds {
		for _, cut := range []string{"\x01", "\x01\x00\x00\x00\x00\x00\x00", "\x01\x00\x00\x00\x00\x00\x00\x05", "\x01\x00\x00\x00\x00\x00\x00\x05hel"} {
			t.Run(fmt.Sprintf("%s %d", kind, len(cut)), func(t *testing.T) {
				leaktest.Check(t)
				rig.NoEnvironment(t)
				f := rig.StartFake(t, kind)
				answer := scripted(f)
				const whole = "\x02\x00\x00\x00\x00\x00\x00\x02ok"
				f.Answer(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case strings.HasSuffix(r.URL.Path, "/attach"), strings.HasSuffix(r.URL.Path, "/start") && strings.Contains(r.URL.Path, endedExec):
						rig.Raw(w, multiplexed+whole+cut)
					case strings.HasSuffix(r.URL.Path, "/logs"):
						w.Header().Set("Content-Type", "application/vnd.docker.multiplexed-stream")
						io.WriteString(w, whole+cut)
					default:
						answer(w, r)
					}
				})
				cli := rig.Connect(t, berth.WithHost(f.Host), berth.WithCleanupTimeout(cleanup))
				c, err := cli.Containers.Get(t.Context(), "c")
				if err != nil {
					t.Fatal(err)
				}
				res, err := cli.Containers.Run(t.Context(), rig.Spec("true"))
				if !errors.Is(err, io.ErrUnexpectedEOF) || res == nil || string(res.Stderr) != "ok" {
					t.Errorf("Run = %+v, %v", res, err)
				}
				out, err := c.Command("true").CombinedOutput(t.Context())
				if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(string(out), "ok") {
					t.Errorf("exec = %q, %v", out, err)
				}
				if err := c.Attach(t.Context(), berth.AttachOptions{Stdout: io.Discard, Stderr: io.Discard}); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("Attach = %v", err)
				}
				if err := c.LogsTo(t.Context(), io.Discard, io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("LogsTo = %v", err)
				}
				if err := last(c.Logs(t.Context())); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("Logs = %v", err)
				}
			})
		}
	}
}
