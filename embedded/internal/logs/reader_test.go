//go:build linux

package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

func smallFS(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestTail: entries of both streams are counted, over several files.
func TestTail(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(t, dir, state.Log{MaxSize: 300, MaxFiles: 100})
	var all []string
	for i := range 40 {
		s := frame.Stdout + frame.Stream(i%2)
		write(t, w, s, fmt.Sprintf("%d\n", i))
		all = append(all, fmt.Sprintf("%d\n", i))
	}
	for n := range 45 {
		got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{Tail: &n}))
		if want := all[max(0, 40-n):]; !slices.Equal(got, want) {
			t.Errorf("tail %d: %q, want %q", n, got, want)
		}
	}
	got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{Tail: new(3), NoStdout: true}))
	if want := []string{"37\n", "39\n"}; !slices.Equal(got, want) {
		t.Errorf("of stderr: %q, want %q", got, want)
	}
}

// TestTailBlocks: entries that are larger than the block that is read backwards.
func TestTailBlocks(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(t, dir, state.Log{})
	line := strings.Repeat("\xff", maxPiece-1) + "\n" // some 80 KiB in the file
	for range 5 {
		write(t, w, frame.Stdout, line)
	}
	for n := range 7 {
		got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{Tail: &n}))
		if len(got) != min(n, 5) || n > 0 && got[0] != line {
			t.Errorf("tail %d: %d entries", n, len(got))
		}
	}
}

func TestSelection(t *testing.T) {
	dir := t.TempDir()
	var b []byte
	start := time.Date(2026, 1, 2, 3, 4, 5, 100, time.UTC)
	for i := range 10 {
		b = appendEntry(b, entry{fmt.Appendf(nil, "%d\n", i), frame.Stdout, start.Add(time.Duration(i))})
	}
	b = append(b, "no entry\n{}\n"...)
	b = append(b, strings.Repeat("long ", 100_000)+"\n"...)
	b = appendEntry(b, entry{[]byte("e\n"), frame.Stderr, start.Add(10)})
	b = append(b, `{"log":"cut`...)
	if err := os.WriteFile(Path(dir), b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		opts engine.LogOptions
		want string
	}{
		{engine.LogOptions{}, "0123456789e"},
		{engine.LogOptions{NoStderr: true}, "0123456789"},
		{engine.LogOptions{NoStdout: true}, "e"},
		{engine.LogOptions{Since: start.Add(7)}, "789e"},
		{engine.LogOptions{Until: start.Add(2)}, "012"},
		{engine.LogOptions{Since: start.Add(2), Until: start.Add(3), Follow: true}, "23"},
		{engine.LogOptions{Since: start.Add(100)}, ""},
	} {
		got := strings.ReplaceAll(strings.Join(entries(t, open(t, t.Context(), Source{Dir: dir}, test.opts)), ""), "\n", "")
		if got != test.want {
			t.Errorf("%+v: %q, want %q", test.opts, got, test.want)
		}
	}
	got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{Timestamps: true, Tail: new(1)}))
	if want := "2026-01-02T03:04:05.000000110Z e\n"; len(got) != 1 || got[0] != want {
		t.Errorf("with times: %q", got)
	}
	raw := open(t, t.Context(), Source{Dir: dir, TTY: true}, engine.LogOptions{Until: start.Add(1), Timestamps: true})
	if raw.Multiplexed() {
		t.Error("a terminal's log is multiplexed")
	}
	text, err := io.ReadAll(raw)
	if want := "2026-01-02T03:04:05.000000100Z 0\n2026-01-02T03:04:05.000000101Z 1\n"; err != nil || string(text) != want {
		t.Errorf("raw: %q, %v", text, err)
	}
	for _, opts := range []engine.LogOptions{{NoStdout: true, NoStderr: true}, {Tail: new(-1)}} {
		if _, err := Open(t.Context(), Source{Dir: dir}, opts); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

// TestFollow: a follower gets every line, over rotations, and ends with the container.
func TestFollow(t *testing.T) {
	for _, cfg := range []state.Log{{}, {MaxSize: 20_000, MaxFiles: 1000}} {
		dir := t.TempDir()
		w := newWriter(t, dir, cfg)
		var ended atomic.Bool
		src := Source{Dir: dir, Log: cfg, Ended: ended.Load}
		const lines = 5000
		var wg sync.WaitGroup
		got := make([][]string, 3)
		for i := range got {
			r := open(t, t.Context(), src, engine.LogOptions{Follow: true})
			wg.Go(func() { got[i] = entries(t, bufio.NewReader(r)) })
		}
		for i := range lines {
			write(t, w, frame.Stdout, fmt.Sprintf("%d\n", i))
			if i%1000 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		write(t, w, frame.Stdout, "end")
		w.Flush()
		ended.Store(true)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		for i := range got {
			if len(got[i]) != lines+1 || got[i][lines] != "end" {
				t.Fatalf("%+v: follower %d got %d entries", cfg, i, len(got[i]))
			}
			for j, l := range got[i][:lines] {
				if l != fmt.Sprintf("%d\n", j) {
					t.Fatalf("%+v: follower %d: entry %d is %q", cfg, i, j, l)
				}
			}
		}
	}
}

// TestFollowFast: of a log that is rotated faster than it is read, lines are lost whole and in order.
func TestFollowFast(t *testing.T) {
	dir := t.TempDir()
	cfg := state.Log{MaxSize: 500, MaxFiles: 2}
	w := newWriter(t, dir, cfg)
	var ended atomic.Bool
	r := open(t, t.Context(), Source{Dir: dir, Ended: ended.Load}, engine.LogOptions{Follow: true})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20_000 {
			w.Write(frame.Stdout, fmt.Appendf(nil, "%d\n", i))
		}
		ended.Store(true)
		w.Close()
	})
	last := -1
	for _, l := range entries(t, r) {
		var n int
		if _, err := fmt.Sscanf(l, "%d\n", &n); err != nil || n <= last {
			t.Fatalf("%q after %d", l, last)
		}
		last = n
	}
	wg.Wait()
	if last != 19_999 {
		t.Errorf("the last line is %d", last)
	}
}

// TestFollowLater: there is no file yet, and the writer dies before it is known to have.
func TestFollowLater(t *testing.T) {
	dir := t.TempDir()
	var ended atomic.Bool
	r := open(t, t.Context(), Source{Dir: dir, Ended: ended.Load}, engine.LogOptions{Follow: true, Tail: new(0)})
	got := make(chan []string)
	go func() { got <- entries(t, r) }()
	w := newWriter(t, dir, state.Log{})
	write(t, w, frame.Stdout, "one\n")
	w.close() // as by a kill
	time.Sleep(5 * time.Millisecond)
	ended.Store(true)
	if l := <-got; !slices.Equal(l, []string{"one\n"}) {
		t.Errorf("got %q", l)
	}
}

// TestFollowEnds: cancelling, closing, Until and the log's removal end a Read.
func TestFollowEnds(t *testing.T) {
	running := func() bool { return false }
	for _, test := range []struct {
		name string
		opts engine.LogOptions
		end  func(dir string, r engine.LogReader, cancel func())
		want error
	}{
		{"cancel", engine.LogOptions{}, func(_ string, _ engine.LogReader, cancel func()) { cancel() }, context.Canceled},
		{"close", engine.LogOptions{}, func(_ string, r engine.LogReader, _ func()) { r.Close() }, os.ErrClosed},
		{"until", engine.LogOptions{Until: time.Now()}, func(string, engine.LogReader, func()) {}, io.EOF},
		{"removal", engine.LogOptions{}, func(dir string, _ engine.LogReader, _ func()) { os.RemoveAll(dir) }, io.EOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			w := newWriter(t, dir, state.Log{})
			write(t, w, frame.Stdout, "one\n")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			test.opts.Follow = true
			if !test.opts.Until.IsZero() {
				test.opts.Until = time.Now().Add(500 * time.Millisecond)
			}
			r := open(t, ctx, Source{Dir: dir, TTY: true, Ended: running}, test.opts)
			buf := make([]byte, 100)
			if n, err := r.Read(buf); string(buf[:n]) != "one\n" || err != nil {
				t.Fatalf("%q, %v", buf[:n], err)
			}
			done := make(chan error)
			go func() {
				_, err := r.Read(buf)
				done <- err
			}()
			test.end(dir, r, cancel)
			if err := <-done; !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}
