package podman

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// TestRunExact: nothing of a short container's output or exit code is lost, with auto-remove too.
func TestRunExact(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, driver := range []string{"none", "k8s-file"} {
			for i := range 3 {
				res, err := runErr(t, e, engine.Spec{AutoRemove: true, LogConfig: engine.LogConfig{Driver: driver}}, fmt.Sprintf("echo out %d; echo err >&2; exit 7", i))
				if err != nil {
					t.Fatal(err)
				}
				if want := (result{fmt.Sprintf("out %d\n", i), "err\n", engine.Exit{Code: 7}}); res != want {
					t.Errorf("%s: %+v, want %+v", driver, res, want)
				}
			}
		}
	})
}

func TestAttachBinaryAndHalfClose(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := made(t, e, engine.Spec{Command: []string{"cat"}, OpenStdin: true})
		s, err := e.ContainerAttach(ctx, id, engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w, err := e.ContainerWait(ctx, id, "next-exit")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		data := make([]byte, 2<<20)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		wrote := make(chan error, 1)
		go func() {
			_, err := s.Write(data)
			wrote <- errors.Join(err, s.CloseWrite())
		}()
		out := sha256.New()
		if _, err := frame.Copy(out, io.Discard, s); err != nil {
			t.Fatal(err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		if want := sha256.Sum256(data); !bytes.Equal(out.Sum(nil), want[:]) {
			t.Error("what came back is not what was sent")
		}
		if exit, err := w.Wait(); err != nil || exit.Code != 0 {
			t.Errorf("exit %+v, %v", exit, err)
		}
	})
}

// TestAttachToEnded: Podman itself would initialize the container anew.
func TestAttachToEnded(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "echo bye; exit 9"}})
		eventually(t, "exited", func() bool { return statusNow(t, e, id).Ended() })
		for _, opts := range []engine.AttachOptions{{}, {Logs: true}, {Stdin: true}} {
			_, err := e.ContainerAttach(ctx, id, opts)
			wantKind(t, fmt.Sprintf("attach %+v", opts), err, engine.ErrNotRunning)
		}
		s, err := e.ContainerAttach(ctx, id, engine.AttachOptions{Logs: true, NoStream: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if out, _, err := read(s); err != nil || out != "bye\n" {
			t.Errorf("logs %q, %v", out, err)
		}
		if st := statusNow(t, e, id); st.Status != engine.StatusExited || st.ExitCode != 9 {
			t.Errorf("state is %+v", st)
		}
	})
}

// TestAttachWithLogs: before 4.4 the frames of logged lines are wrong.
func TestAttachWithLogs(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, tty := range []bool{false, true} {
			id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "echo one; printf part; sleep 0.2; echo; echo two >&2; while ! test -e /go; do sleep 0.05; done; echo three"}, TTY: tty})
			eventually(t, "two logged", func() bool { return strings.Contains(logs(t, e, id), "two") })
			s, err := e.ContainerAttach(t.Context(), id, engine.AttachOptions{Logs: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			execOut(t, e, id, "touch", "/go")
			out, stderr, err := read(s)
			if err != nil {
				t.Fatal(err)
			}
			if s.Multiplexed() == tty {
				t.Errorf("tty %t: multiplexed %t", tty, s.Multiplexed())
			}
			if got := strings.ReplaceAll(out, "\r", "") + stderr; !tty && got != "one\npart\nthree\ntwo\n" || tty && got != "one\npart\ntwo\nthree\n" {
				t.Errorf("tty %t: %q", tty, got)
			}
		}
	})
}

func TestAttachTTYAndResize(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := made(t, e, engine.Spec{Command: []string{"sh", "-c", "read x; until stty size | grep -q '33 77'; do sleep 0.05; done; stty size; exit 3"}, TTY: true, OpenStdin: true})
		s, err := e.ContainerAttach(ctx, id, engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if s.Multiplexed() {
			t.Error("a terminal is multiplexed")
		}
		if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := e.ContainerResize(ctx, id, engine.Size{Rows: 33, Cols: 77}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(s, "go\n"); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(s)
		if err != nil || !strings.Contains(string(out), "33 77\r\n") {
			t.Errorf("output %q, %v", out, err)
		}
	})
}

func TestAttachCancelled(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{})
		ctx, cancel := context.WithCancel(t.Context())
		s, err := e.ContainerAttach(ctx, id, engine.AttachOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := io.ReadAll(s); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestLogs(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.05; done; printf end"}})
		eventually(t, "exited", func() bool { return statusNow(t, e, id).Ended() })
		get := func(opts engine.LogOptions) (string, string) {
			t.Helper()
			r, err := e.ContainerLogs(ctx, id, opts)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if !r.Multiplexed() {
				t.Fatal("not multiplexed")
			}
			var out, stderr bytes.Buffer
			if _, err := frame.Copy(&out, &stderr, r); err != nil {
				t.Fatal(err)
			}
			return out.String(), stderr.String()
		}
		if out, stderr := get(engine.LogOptions{}); out != "out 1\nout 2\nout 3\nend" || stderr != "err 1\nerr 2\nerr 3\n" {
			t.Errorf("all: %q, %q", out, stderr)
		}
		if out, stderr := get(engine.LogOptions{NoStdout: true, Follow: true}); out != "" || stderr != "err 1\nerr 2\nerr 3\n" {
			t.Errorf("stderr: %q, %q", out, stderr)
		}
		whole := id
		id = started(t, e, engine.Spec{Command: []string{"sh", "-c", "for i in 1 2 3; do echo line $i; done"}})
		eventually(t, "exited", func() bool { return statusNow(t, e, id).Ended() })
		if out, _ := get(engine.LogOptions{Tail: new(2)}); out != "line 2\nline 3\n" {
			t.Errorf("tail: %q", out)
		}
		id = whole
		if out, stderr := get(engine.LogOptions{Tail: new(0)}); out+stderr != "" {
			t.Errorf("tail of 0: %q, %q", out, stderr)
		}
		out, _ := get(engine.LogOptions{Timestamps: true, NoStderr: true})
		stamp, rest, _ := strings.Cut(strings.SplitN(out, "\n", 2)[0], " ")
		if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil || rest != "out 1" {
			t.Errorf("timestamps: %q, %v", out, err)
		}
		if out, stderr := get(engine.LogOptions{Since: time.Now().Add(time.Hour)}); out+stderr != "" {
			t.Errorf("since: %q, %q", out, stderr)
		}
		if out, stderr := get(engine.LogOptions{Until: time.Now().Add(-time.Hour)}); out+stderr != "" {
			t.Errorf("until: %q, %q", out, stderr)
		}
		_, err := e.ContainerLogs(ctx, id, engine.LogOptions{NoStdout: true, NoStderr: true})
		wantKind(t, "neither", err, engine.ErrInvalid)
		_, err = e.ContainerLogs(ctx, id, engine.LogOptions{Tail: new(-1)})
		wantKind(t, "negative tail", err, engine.ErrInvalid)
		_, err = e.ContainerLogs(ctx, "no-such-container", engine.LogOptions{})
		wantKind(t, "missing container", err, engine.ErrNotFound)
		none := started(t, e, engine.Spec{LogConfig: engine.LogConfig{Driver: "none"}})
		_, err = e.ContainerLogs(ctx, none, engine.LogOptions{})
		wantKind(t, "driver none", err, engine.ErrUnsupported)
	})
}

func TestWait(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		wait := func(id string, cond engine.WaitCondition) engine.Waiter {
			t.Helper()
			w, err := e.ContainerWait(ctx, id, cond)
			if err != nil {
				t.Fatalf("%s: %v", cond, err)
			}
			t.Cleanup(func() { w.Close() })
			return w
		}
		want := func(what string, w engine.Waiter, code int) {
			t.Helper()
			for range 2 {
				if exit, err := w.Wait(); err != nil || exit.Code != code {
					t.Errorf("%s: %+v, %v, want %d", what, exit, err, code)
				}
			}
		}
		id := made(t, e, engine.Spec{Command: []string{"sh", "-c", "while ! test -e /go; do sleep 0.05; done; exit 5"}})
		want("not running of a created one", wait(id, ""), 0)
		want("created", wait(id[:12], engine.WaitCreated), -1)
		running, exited, next := wait(id, engine.WaitRunning), wait(id, engine.WaitExited), wait(id, engine.WaitNextExit)
		if err := e.ContainerStart(ctx, id, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		want("running", running, -1)
		stopped := wait(id, engine.WaitNotRunning)
		if err := e.ContainerPause(ctx, id); err != nil {
			t.Fatal(err)
		}
		want("paused", wait(id, engine.WaitPaused), -1)
		if err := e.ContainerUnpause(ctx, id); err != nil {
			t.Fatal(err)
		}
		removed := wait(id, engine.WaitRemoved)
		execOut(t, e, id, "touch", "/go")
		want("exited", exited, 5)
		want("next exit", next, 5)
		want("not running", stopped, 5)
		want("exited of an exited one", wait(id, engine.WaitExited), 5)
		if err := e.ContainerRemove(ctx, id, engine.RemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		want("removed", removed, 5)
		_, err := e.ContainerWait(ctx, id, "")
		wantKind(t, "wait for a missing one", err, engine.ErrNotFound)
		_, err = e.ContainerWait(ctx, made(t, e, engine.Spec{}), "no-such-condition")
		wantKind(t, "condition", err, engine.ErrUnsupported)
		_, err = e.ContainerWait(ctx, made(t, e, engine.Spec{}), engine.WaitHealthy)
		wantKind(t, "healthy without a check", err, engine.ErrInvalid)

		auto := made(t, e, engine.Spec{Command: []string{"sh", "-c", "sleep 0.3; exit 6"}, AutoRemove: true})
		gone := wait(auto, engine.WaitRemoved)
		if err := e.ContainerStart(ctx, auto, engine.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		late := wait(auto, engine.WaitNotRunning)
		want("not running of one that removes itself", late, 6)
		want("removal of one that removes itself", gone, 6)
	})
}

func TestWaitCancelled(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		id := started(t, e, engine.Spec{Healthcheck: &engine.Healthcheck{Test: engine.Cmd("false"), Retries: 1000}})
		for _, cond := range []engine.WaitCondition{"", engine.WaitNextExit, engine.WaitRemoved, engine.WaitPaused, engine.WaitHealthy} {
			ctx, cancel := context.WithCancel(t.Context())
			w, err := e.ContainerWait(ctx, id, cond)
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(30*time.Millisecond, cancel)
			if _, err := w.Wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("%q: %v", cond, err)
			}
			w.Close()

			w, err = e.ContainerWait(t.Context(), id, cond)
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(30*time.Millisecond, func() { w.Close() })
			if _, err := w.Wait(); err == nil {
				t.Errorf("%q: a closed wait succeeds", cond)
			}
		}
	})
}

func TestWaitHealthy(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Healthcheck: &engine.Healthcheck{Test: engine.CmdShell("test -e /well"), Interval: time.Second, Retries: 2}})
		w, err := e.ContainerWait(ctx, id, engine.WaitUnhealthy)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.Wait(); err != nil {
			t.Fatal(err)
		}
		if s := statusNow(t, e, id); s.Health.Status != engine.HealthUnhealthy {
			t.Errorf("health is %+v", s.Health)
		}
		execOut(t, e, id, "touch", "/well")
		w, err = e.ContainerWait(ctx, id, engine.WaitHealthy)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.Wait(); err != nil {
			t.Fatal(err)
		}
		w, err = e.ContainerWait(ctx, id, engine.WaitUnhealthy)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := e.ContainerKill(ctx, id, ""); err != nil {
			t.Fatal(err)
		}
		_, err = w.Wait()
		wantKind(t, "health of one that has ended", err, engine.ErrNotRunning)
	})
}
