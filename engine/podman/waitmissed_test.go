package podman

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// TestWaitMissed: an engine that has missed an end, or a removal, and waits for ever, is not waited for.
func TestWaitMissed(t *testing.T) {
	const (
		created = `{"Id":"x","State":{"Status":"created"}}`
		running = `{"Id":"x","State":{"Status":"running","Running":true,"FinishedAt":"2026-01-01T00:00:00Z"}}`
		before  = `{"Id":"x","State":{"Status":"exited","ExitCode":9,"FinishedAt":"2026-01-01T00:00:00Z"}}`
		ended   = `{"Id":"x","State":{"Status":"exited","ExitCode":3,"FinishedAt":"2026-01-02T00:00:00Z"}}`
		gone    = ``
	)
	for _, test := range []struct {
		name    string
		version string
		cond    engine.WaitCondition
		states  []string // what inspect tells, one after the other; the last for ever
		code    int
		err     error
	}{
		{"created", newVersion, engine.WaitNextExit, []string{created, created, ended}, 3, nil},
		{"again", newVersion, engine.WaitNextExit, []string{before, before, running, ended}, 3, nil},
		{"running", newVersion, engine.WaitNotRunning, []string{running, running, running, ended}, 3, nil},
		{"removes itself", newVersion, engine.WaitNextExit, []string{created, created, gone}, 5, nil},
		{"removes itself at once", newVersion, engine.WaitExited, []string{running, gone}, 5, nil},
		{"removes itself, old", oldVersion, engine.WaitNextExit, []string{created, gone}, 0, engine.ErrNotFound},
		{"removed", newVersion, engine.WaitRemoved, []string{running, running, ended, gone}, 5, nil},
		{"removed, old", oldVersion, engine.WaitRemoved, []string{running, running, ended, gone}, 3, nil},
		{"removed while it ran, old", oldVersion, engine.WaitRemoved, []string{running, running, running, gone}, 0, engine.ErrNotFound},
		{"removed before it ran again", newVersion, engine.WaitNextExit, []string{before, before, gone}, 0, engine.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var looks atomic.Int32
			f := &fake{version: test.version, handle: func(w http.ResponseWriter, r *http.Request, _ string) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/json"):
					n := int(looks.Add(1)) - 1
					if state := test.states[min(n, len(test.states)-1)]; state != gone {
						answer(w, 200, state)
						return
					}
					answer(w, 404, `{"message":"no such container"}`)
				case strings.HasPrefix(r.URL.Path, "/v1.41/") || strings.HasSuffix(r.URL.Path, "/events"):
					w.WriteHeader(200)
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				case strings.HasSuffix(r.URL.Path, "/libpod/containers/x/wait"):
					answer(w, 200, "5")
				default:
					answer(w, 500, fmt.Sprintf(`{"message":"%s is not expected"}`, r.URL))
				}
			}}
			e := openFake(t, f)
			e.firstPause, e.goneGrace = 10*time.Millisecond, 100*time.Millisecond
			w, err := e.ContainerWait(t.Context(), "x", test.cond)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			exit, err := w.Wait()
			if !errors.Is(err, test.err) || err == nil && exit.Code != test.code {
				t.Errorf("%+v, %v", exit, err)
			}
		})
	}
}
