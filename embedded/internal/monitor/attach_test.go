//go:build linux

package monitor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

func openStdin(cfg *state.Config, _ *specs.Spec) { cfg.Spec.OpenStdin = true }

func stdinOnce(cfg *state.Config, _ *specs.Spec) { cfg.Spec.OpenStdin, cfg.Spec.StdinOnce = true, true }

func terminal(cfg *state.Config, _ *specs.Spec) { cfg.Spec.OpenStdin, cfg.Spec.TTY = true, true }

var all = engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true}

// TestAttachBinary: megabytes go in and come out unchanged.
func TestAttachBinary(t *testing.T) {
	r := newRig(t)
	data := make([]byte, 3<<20)
	rand.Read(data)
	id := r.create(stdinOnce, "/bin/cat")
	s := r.attach(id, all)
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	go func() {
		s.Write(data)
		s.CloseWrite()
	}()
	out, _ := r.read(s)
	if !bytes.Equal([]byte(out), data) {
		t.Errorf("%d bytes came back of %d, or others", len(out), len(data))
	}
	if code := r.code(w); code != 0 {
		t.Errorf("code %d", code)
	}
}

// TestAttachSeveral: every client gets everything, a slow one slows the container and loses nothing, one that goes away is dropped.
func TestAttachSeveral(t *testing.T) {
	r := newRig(t)
	id := r.sh("seq 1 100000; exit 3", nil)
	slow := r.attach(id, engine.AttachOptions{Stdout: true})
	gone := r.attach(id, engine.AttachOptions{Stdout: true})
	errs := r.attach(id, engine.AttachOptions{Stderr: true})
	fast := r.attach(id, engine.AttachOptions{})
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	gone.Read(make([]byte, 100))
	gone.Close()
	var wg sync.WaitGroup
	outs := make([]string, 3)
	wg.Go(func() { outs[0], _ = r.read(fast) })
	wg.Go(func() {
		time.Sleep(100 * time.Millisecond)
		outs[1], _ = r.read(slow)
	})
	wg.Go(func() { outs[2], _ = r.read(errs) })
	wg.Wait()
	if outs[0] != outs[1] || len(outs[0]) != 588895 || outs[2] != "" {
		t.Errorf("%d, %d and %d bytes", len(outs[0]), len(outs[1]), len(outs[2]))
	}
	if code := r.code(w); code != 3 {
		t.Errorf("code %d", code)
	}
}

// TestAttachStuck: a client that never reads does not keep the end of the container from being known.
func TestAttachStuck(t *testing.T) {
	r := newRig(t)
	id := r.sh("echo ready >&2; exec yes", nil)
	stuck := r.attach(id, engine.AttachOptions{Stdout: true})
	errs := r.attach(id, engine.AttachOptions{Stderr: true})
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	if _, err := io.ReadFull(errs, make([]byte, 14)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if err := r.Kill(t.Context(), id, "KILL"); err != nil {
		t.Fatal(err)
	}
	if code := r.code(w); code != 137 {
		t.Errorf("code %d", code)
	}
	out, _ := r.read(stuck) // what it had not read is there
	if len(out) < 64<<10 || strings.Trim(out, "y\n") != "" {
		t.Errorf("%d bytes", len(out))
	}
}

// TestStdinShared: without StdinOnce the end of one client's input is not the process's.
func TestStdinShared(t *testing.T) {
	r := newRig(t)
	id := r.sh("while read line; do echo got $line; test $line = end && exit 4; done; echo eof", openStdin)
	one, two := r.attach(id, all), r.attach(id, all)
	w := r.waiter(id, engine.WaitNextExit)
	r.start(id)
	io.WriteString(one, "a\n")
	r.lines(one, "got a")
	one.CloseWrite()
	io.WriteString(two, "b\n")
	r.lines(two, "got a", "got b")
	r.lines(one, "got b")
	one.Close()
	io.WriteString(two, "end\n")
	r.lines(two, "got end")
	if code := r.code(w); code != 4 {
		t.Errorf("code %d", code)
	}
}

// lines reads lines of stdout, and nothing more.
func (r *rig) lines(s engine.Stream, want ...string) {
	r.t.Helper()
	for _, line := range want {
		var got strings.Builder
		fr := frame.NewReader(s)
		for got.Len() < len(line)+1 {
			_, n, err := fr.Next()
			if err != nil {
				r.t.Fatalf("read: %v after %q", err, got.String())
			}
			io.CopyN(&got, fr, int64(n))
		}
		if got.String() != line+"\n" {
			r.t.Fatalf("got %q, want %q", got.String(), line)
		}
	}
}

// TestStdinOnce: the first client's end, also by going away, is the end of the input.
func TestStdinOnce(t *testing.T) {
	r := newRig(t)
	for _, way := range []string{"half-close", "close", "before the start"} {
		id := r.sh("cat; exit 6", stdinOnce)
		s := r.attach(id, engine.AttachOptions{Stdin: true})
		w := r.waiter(id, engine.WaitNextExit)
		if way == "before the start" {
			io.WriteString(s, "x")
			s.CloseWrite()
		}
		r.start(id)
		switch way {
		case "half-close":
			s.CloseWrite()
		case "close":
			s.Close()
		}
		if code := r.code(w); code != 6 {
			t.Errorf("%s: code %d", way, code)
		}
	}
}

// TestStdinClosed: when the process closes its input, the client's Write fails, once it has read so.
func TestStdinClosed(t *testing.T) {
	r := newRig(t)
	id := r.sh("exec 0</dev/null; echo closed; sleep 1000", stdinOnce)
	s := r.attach(id, all)
	r.start(id)
	r.lines(s, "closed")
	go io.Copy(io.Discard, s)
	r.eventually("EPIPE", func() bool {
		_, err := s.Write([]byte("x"))
		return err != nil
	})
}

// TestTerminal: one raw stream, its size before the start and after, and its end.
func TestTerminal(t *testing.T) {
	r := newRig(t)
	id := r.sh("stty size; tty; read line; echo got $line; trap 'stty size; exit 2' WINCH; echo ready; while :; do usleep 10000; done", terminal)
	s := r.attach(id, all)
	if s.Multiplexed() {
		t.Error("it is multiplexed")
	}
	w := r.waiter(id, engine.WaitNextExit)
	if err := r.Resize(t.Context(), id, engine.Size{Rows: 33, Cols: 77}); err != nil {
		t.Fatal(err)
	}
	r.start(id)
	io.WriteString(s, "typed\n")
	var out strings.Builder
	buf := make([]byte, 100)
	for !strings.Contains(out.String(), "ready") {
		n, err := s.Read(buf)
		if err != nil {
			t.Fatalf("read: %v after %q", err, out.String())
		}
		out.Write(buf[:n])
	}
	if err := r.Resize(t.Context(), id, engine.Size{Rows: 44, Cols: 88}); err != nil {
		t.Fatal(err)
	}
	rest, _ := r.read(s)
	got := out.String() + rest
	for _, want := range []string{"33 77\r\n", "/dev/pts/0\r\n", "got typed\r\n", "44 88\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the output %q lacks %q", got, want)
		}
	}
	if code := r.code(w); code != 2 {
		t.Errorf("code %d", code)
	}
}

// TestDetachKeys: the keys end the stream and not the container, in one piece or in two; half of them goes to the process.
func TestDetachKeys(t *testing.T) {
	r := newRig(t)
	id := r.create(terminal, "/bin/cat")
	r.start(id)
	for _, keys := range [][]string{{"\x05e"}, {"\x05", "e"}, {"\x05\x05e"}} {
		s := r.attach(id, engine.AttachOptions{Stdin: true, Stdout: true, DetachKeys: "ctrl-e,e"})
		for _, k := range keys {
			io.WriteString(s, k)
		}
		r.read(s)
		if st := r.status(id); st != engine.StatusRunning {
			t.Fatalf("status is %s", st)
		}
	}
	if _, err := r.Attach(t.Context(), id, engine.AttachOptions{DetachKeys: "nonsense"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("malformed keys: %v", err)
	}
}

// TestAttachLogs: what was written before and after, once each.
func TestAttachLogs(t *testing.T) {
	r := newRig(t)
	id := r.sh("echo before; printf part; read x; echo ial; echo after; exit 1", stdinOnce)
	in := r.attach(id, all)
	r.start(id)
	fr := frame.NewReader(in)
	for n := 0; n < len("before\npart"); {
		_, m, err := fr.Next()
		if err != nil {
			t.Fatal(err)
		}
		n += int(m)
		io.CopyN(io.Discard, fr, int64(m))
	}
	s := r.attach(id, engine.AttachOptions{Stdout: true, Logs: true})
	io.WriteString(in, "\n")
	out, _ := r.read(s)
	if out != "before\npartial\nafter\n" {
		t.Errorf("output is %q", out)
	}
	w := r.waiter(id, engine.WaitNotRunning)
	r.code(w)
	// Of a container that has ended the log is all there is.
	s = r.attach(id, engine.AttachOptions{Stdout: true, Logs: true})
	if out, _ = r.read(s); out != "before\npartial\nafter\n" {
		t.Errorf("the log is %q", out)
	}
	if _, err := r.Attach(t.Context(), id, engine.AttachOptions{}); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("attach to a container that has ended: %v", err)
	}
}

// TestAttachCancel: the end of ctx is the end of the stream, and of the monitor where nothing runs.
func TestAttachCancel(t *testing.T) {
	r := newRig(t)
	id := r.create(nil, "/bin/true")
	ctx, cancel := context.WithCancel(t.Context())
	s, err := r.Attach(ctx, id, engine.AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := io.ReadAll(s); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	r.eventually("the monitor's end", func() bool {
		alive, err := r.Store.MonitorAlive(id)
		return err == nil && !alive
	})
	if st := r.status(id); st != engine.StatusCreated {
		t.Errorf("status is %s", st)
	}
}
