package faults

import (
	"context"
	"errors"
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

var errCause = errors.New("the caller's cause")

// cleanup is how long the calls that own something may take to clean up after
// themselves on an engine that does not answer any more.
const cleanup = 50 * time.Millisecond

// TestStalledBefore: with an engine that does not answer at all, every member
// returns when the deadline of its context has passed, with its error. They are
// called at once: what one costs is no matter.
func TestStalledBefore(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			f.Answer(scripted(f))
			w := newWorld(t, f.Host, berth.WithCleanupTimeout(cleanup))
			callStalled(t, w, func() { f.Stall(true) }, func() { f.Stall(false) })
		})
	}
	t.Run("engine", func(t *testing.T) {
		e := rig.NeedEngine(t)
		leaktest.Check(t)
		rig.NoEnvironment(t)
		p := rig.NewProxy(t, e.Socket)
		w := realWorld(t, e, p.Host(), berth.WithCleanupTimeout(cleanup))
		callStalled(t, w, func() { p.Stall(true) }, func() {
			p.Cut() // so that nothing of it reaches the engine afterwards
			p.Stall(false)
		})
	})
}

// callStalled calls every member while the engine is stalled.
func callStalled(t *testing.T, w *world, stall, resume func()) {
	t.Helper()
	stall()
	defer resume()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	errs := make([]error, len(members))
	if within(t, func() error {
		var wg sync.WaitGroup
		for i, m := range members {
			wg.Go(func() { errs[i] = m.call(ctx, w) })
		}
		wg.Wait()
		return nil
	}) != nil {
		return
	}
	for i, m := range members {
		if err := errs[i]; !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, berth.ErrUnsupported) {
			t.Errorf("%s = %v, want context.DeadlineExceeded", m.name, err)
		}
	}
}

// TestStalledAt: every member is called on an engine that answers its first n
// requests and not the next, for each n; the context ends when that request has
// arrived. The call returns the context's error with its cause; one that owns
// what it made says so when it cannot clean up.
func TestStalledAt(t *testing.T) {
	for _, kind := range rig.Kinds {
		t.Run(kind, func(t *testing.T) {
			leaktest.Check(t)
			rig.NoEnvironment(t)
			f := rig.StartFake(t, kind)
			answer := scripted(f)
			f.Answer(answer)
			w := newWorld(t, f.Host, berth.WithCleanupTimeout(cleanup))
			for _, m := range members {
				for n := 0; stallAt(t, f, answer, w, m, n); n++ {
					if n >= 4 && slices.Contains(polls, m.name) {
						break
					}
					if n > 30 {
						t.Fatalf("%s makes requests without end", m.name)
					}
				}
				f.Answer(answer)
			}
		})
	}
}

// stallAt calls m with the n-th request stalled and tells whether there was one.
func stallAt(t *testing.T, f *rig.Fake, answer http.HandlerFunc, w *world, m member, n int) (reached bool) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var mu sync.Mutex
	count, at := 0, ""
	f.Answer(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		stalled := count >= n
		if count == n {
			at = r.Method + " " + r.URL.Path
		}
		count++
		mu.Unlock()
		if !stalled {
			answer(rw, r)
			return
		}
		cancel(errCause)
		f.Block(r)
		panic(http.ErrAbortHandler)
	})
	err := within(t, func() error { return m.call(ctx, w) })
	mu.Lock()
	defer mu.Unlock()
	switch {
	case at == "":
		return false
	case n > 0 && slices.Contains(refreshes, m.name) && strings.HasSuffix(at, "/json") && !errors.Is(err, context.Canceled):
		return true
	case strings.HasPrefix(at, "DELETE ") && m.name == "Containers.Run": // all was well until then
		if _, ok := errors.AsType[*berth.OrphanError](err); !ok {
			t.Errorf("%s, stalled when it removes its container = %v, want an OrphanError", m.name, err)
		}
		return true
	}
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) {
		t.Errorf("%s, stalled at request %d, %s = %v, want context.Canceled and its cause", m.name, n, at, err)
	}
	return true
}

// newWorld connects to a fake and makes the handles.
func newWorld(t *testing.T, host string, opts ...berth.Option) *world {
	t.Helper()
	w := &world{cli: rig.Connect(t, append(opts, berth.WithHost(host))...)}
	w.handles(t, rig.ID, "n", "v")
	return w
}

// realWorld makes a container, a network and a volume on the real engine for the
// handles of a client of another address.
func realWorld(t *testing.T, e rig.Engine, host string, opts ...berth.Option) *world {
	t.Helper()
	direct := e.Connect(t)
	c := rig.Start(t, direct, "sleep 1000")
	n, err := direct.Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: rig.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Remove(context.WithoutCancel(t.Context())) })
	v, err := direct.Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: rig.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Remove(context.WithoutCancel(t.Context())) })
	w := &world{cli: rig.Connect(t, append(opts, berth.WithHost(host))...)}
	w.handles(t, c.ID(), n.Name(), v.Name())
	return w
}

// handles gets all that the members need, and starts a command that runs until
// the test's end.
func (w *world) handles(t *testing.T, container, network, volume string) {
	t.Helper()
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	w.c, err = w.cli.Containers.Get(ctx, container)
	check()
	w.image, err = w.cli.Images.Get(ctx, rig.Image)
	check()
	w.network, err = w.cli.Networks.Get(ctx, network)
	check()
	w.volume, err = w.cli.Volumes.Get(ctx, volume)
	check()
	if w.cli.Engine().Name == "podman" && container == rig.ID {
		w.secret, err = w.cli.Secrets.Get(ctx, "s")
		check()
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.cmd = w.c.Command("sleep", "1000")
	w.cmd.TTY = true
	err = w.cmd.Start(own)
	check()
	t.Cleanup(func() {
		cancel()
		w.cmd.Wait() // what comes of it is not this test's matter
	})
}

// The heads of a stream of frames and of one of a terminal.
const (
	multiplexed = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	raw         = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)

// endedExec is the ID of an exec that is over; rig.ID is that of one that runs.
const endedExec = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

// scripted answers what members ask with as little as they go on with, so that
// their later requests come too. Streams end at once, execs run on.
func scripted(f *rig.Fake) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/libpod")
		switch {
		case strings.HasSuffix(path, "/attach"):
			rig.Raw(w, multiplexed+"\x01\x00\x00\x00\x00\x00\x00\x02hi")
		case strings.HasSuffix(path, "/exec"):
			id := endedExec
			if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "sleep") {
				id = rig.ID
			}
			rig.JSON(w, 201, `{"Id":"`+id+`"}`)
		case path == "/exec/"+endedExec+"/start":
			rig.Raw(w, multiplexed+"\x01\x00\x00\x00\x00\x00\x00\x02hi")
		case path == "/exec/"+endedExec+"/json":
			rig.JSON(w, 200, `{"ID":"`+endedExec+`","ContainerID":"`+rig.ID+`","Running":false,"ExitCode":0,"Pid":1,"CanRemove":true}`)
		case path == "/exec/"+rig.ID+"/start":
			conn := rig.TakeOver(w)
			defer conn.Close()
			conn.Write([]byte(raw))
			conn.Read(make([]byte, 1)) // until the client closes it, or writes
		case strings.HasSuffix(path, "/wait"):
			rig.JSON(w, 200, `{"StatusCode":0}`)
		case strings.HasSuffix(path, "/resize"):
			w.WriteHeader(http.StatusOK)
		case strings.HasSuffix(path, "/logs"), strings.HasSuffix(path, "/events"), strings.HasSuffix(path, "/export"), strings.HasSuffix(path, "/get"):
			w.WriteHeader(http.StatusOK)
		case path == "/containers/json":
			rig.JSON(w, 200, `[{"Id":"`+rig.ID+`","Names":["/c"],"Image":"busybox","State":"running"}]`)
		case path == "/commit":
			rig.JSON(w, 201, `{"Id":"sha256:`+rig.ID+`"}`)
		case strings.HasSuffix(path, "/update"):
			rig.JSON(w, 201, `{"Id":"`+rig.ID+`"}`)
		default:
			f.Default(w, r)
		}
	}
}
