//go:build linux

package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "emit" { // ROOT N: emits N events
		l, n := Open(os.Args[2]), 0
		fmt.Sscan(os.Args[3], &n)
		l.max = 64 << 10 // cut once or twice: who has the first file open, or what comes after it, misses nothing
		for i := range n {
			if err := l.Emit(engine.Event{Type: "container", Action: "start", ID: strconv.Itoa(os.Getpid()), Attributes: map[string]string{"n": strconv.Itoa(i)}}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func emit(t testing.TB, l *Log, ids ...string) {
	t.Helper()
	for _, id := range ids {
		must(t, l.Emit(engine.Event{Type: "container", Action: "start", ID: id}))
	}
}

// long ago is a Since that leaves nothing out.
var longAgo = time.Unix(1, 0)

// history is the IDs of all events.
func history(t testing.TB, l *Log) (ids []string) {
	t.Helper()
	for ev, err := range l.Events(t.Context(), engine.EventOptions{Since: longAgo, Until: time.Now()}) {
		must(t, err)
		ids = append(ids, ev.ID)
	}
	return ids
}

func TestEvent(t *testing.T) {
	l := Open(t.TempDir())
	before := time.Now()
	must(t, l.Emit(engine.Event{
		Type: "container", Action: "die", ID: "id", Name: "one", Image: "busybox", ExitCode: new(3), Attributes: map[string]string{"label": "v"},
	}))
	must(t, l.Emit(engine.Event{Type: "volume", Action: "create", ID: "vol", Name: "vol", Attributes: map[string]string{"driver": "local"}, Time: time.Unix(5, 6)}))
	var got []engine.Event
	for ev, err := range l.Events(t.Context(), engine.EventOptions{Since: longAgo, Until: time.Now()}) {
		must(t, err)
		if !json.Valid(ev.RawJSON) {
			t.Errorf("raw: %s", ev.RawJSON)
		}
		ev.RawJSON = nil
		got = append(got, ev)
	}
	if len(got) != 2 || got[0].Time.Before(before) || got[0].Time.After(time.Now()) {
		t.Fatalf("%+v", got)
	}
	got[0].Time = time.Time{}
	want := []engine.Event{
		{
			Type: "container", Action: "die", Raw: "die", ID: "id", Name: "one", Image: "busybox", ExitCode: new(3), Scope: "local",
			Attributes: map[string]string{"label": "v", "name": "one", "image": "busybox", "exitCode": "3"},
		},
		{Type: "volume", Action: "create", Raw: "create", ID: "vol", Name: "vol", Scope: "local", Attributes: map[string]string{"driver": "local"}, Time: time.Unix(5, 6)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFollow(t *testing.T) {
	l := Open(t.TempDir())
	for _, exists := range []bool{false, true} { // the file
		t.Run(fmt.Sprint(exists), func(t *testing.T) {
			n := 0
			started := false
			go func() { // as soon as the subscription is there
				for !watching() {
					runtime.Gosched()
				}
				emit(t, l, "0")
			}()
			for ev, err := range l.Events(t.Context(), engine.EventOptions{}) {
				must(t, err)
				started = true
				if ev.ID != strconv.Itoa(n) {
					t.Fatalf("got %s, want %d", ev.ID, n)
				}
				if n++; n == 50 {
					break
				}
				emit(t, l, strconv.Itoa(n))
			}
			if !started {
				t.Error("nothing came")
			}
		})
	}
}

// watching tells that this process has an inotify watch.
func watching() bool {
	fds, _ := os.ReadDir("/proc/self/fdinfo")
	for _, fd := range fds {
		if b, _ := os.ReadFile("/proc/self/fdinfo/" + fd.Name()); strings.Contains(string(b), "inotify wd:") {
			return true
		}
	}
	return false
}

// A reader that keeps up sees every event once, however often the file is cut.
func TestCut(t *testing.T) {
	l := Open(t.TempDir())
	l.max = 2000
	emit(t, l, "first")
	n := 0
	files := map[uint64]bool{}
	for ev, err := range l.Events(t.Context(), engine.EventOptions{Since: longAgo}) {
		must(t, err)
		if n > 0 && ev.ID != strconv.Itoa(n) {
			t.Fatalf("got %s, want %d", ev.ID, n)
		}
		if n++; n == 300 {
			break
		}
		emit(t, l, strconv.Itoa(n))
		var st unix.Stat_t
		must(t, unix.Stat(l.path(file), &st))
		files[st.Ino] = true
		if st.Size > l.max {
			t.Fatalf("it has %d bytes", st.Size)
		}
	}
	if len(files) < 2 {
		t.Error("it was never cut")
	}
	ids := history(t, l)
	if len(ids) == 0 || len(ids) > 20 || ids[len(ids)-1] != "299" {
		t.Errorf("history: %v", ids)
	}
	if names, _ := filepath.Glob(l.root + "/*"); len(names) != 2 {
		t.Errorf("files: %v", names)
	}
}

// A reader that is overtaken is told so: it sees all events up to a point, then an error, and never a gap. What was written before
// the file was cut for the first time is read to its end.
func TestOvertaken(t *testing.T) {
	for _, exists := range []bool{false, true} { // the file, when the reader comes
		l := Open(t.TempDir())
		l.max = 2000
		if exists {
			emit(t, l, "0")
		}
		next, pull := iter.Pull2(l.Events(t.Context(), engine.EventOptions{Since: longAgo}))
		defer pull()
		n := 0
		if exists {
			if ev, err, _ := next(); err != nil || ev.ID != "0" {
				t.Fatal(ev, err)
			}
			n++
		} else {
			go func() {
				for !watching() {
					runtime.Gosched()
				}
				emit(t, l, "0")
			}()
			if ev, err, _ := next(); err != nil || ev.ID != "0" {
				t.Fatal(ev, err)
			}
			n++
		}
		// The file that the reader has open takes some events more, and is then replaced again and again.
		cuts, inode := 0, uint64(0)
		kept := 0 // events up to the first cut
		for i := 1; cuts < 4; i++ {
			emit(t, l, strconv.Itoa(i))
			var st unix.Stat_t
			must(t, unix.Stat(l.path(file), &st))
			if st.Ino != inode && inode != 0 {
				if cuts++; cuts == 1 {
					kept = i
				}
			}
			inode = st.Ino
		}
		for {
			ev, err, ok := next()
			if !ok {
				t.Fatal("it ends without an error")
			}
			if err != nil {
				if !strings.Contains(err.Error(), "lost") || n <= kept {
					t.Errorf("after %d events, of %d before the first cut: %v", n, kept, err)
				}
				break
			}
			if ev.ID != strconv.Itoa(n) {
				t.Fatalf("got %s, want %d: a gap", ev.ID, n)
			}
			n++
		}
		if _, _, ok := next(); ok {
			t.Error("it goes on after the error")
		}
	}
}

// A reader that comes while there is no file, and finds one that was cut already, has missed events too.
func TestOvertakenAtOnce(t *testing.T) {
	l := Open(t.TempDir())
	l.max = 2000
	r := &reader{log: l, want: func(*engine.Event) bool { return true }, yield: func(engine.Event) bool { return true }}
	defer r.close()
	must(t, r.open())
	for i := range 50 {
		emit(t, l, strconv.Itoa(i))
	}
	if err := r.catchUp(t.Context()); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("got %v", err)
	}
	must(t, os.Remove(l.path(file))) // what somebody has removed is not missed
	emit(t, l, "new")
	r = &reader{log: l, want: r.want, yield: r.yield, pos: 1 << 20}
	defer r.close()
	must(t, r.catchUp(t.Context()))
}

// Several processes write, and several readers follow: nobody sees an event twice or out of order, and the last comes to all.
func TestProcesses(t *testing.T) {
	root := t.TempDir()
	const writers, each = 3, 200
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := map[string]int{}
			for ev, err := range Open(root).Events(t.Context(), engine.EventOptions{Since: longAgo}) {
				if err != nil {
					t.Error(err)
					return
				}
				if ev.Type == "end" {
					return
				}
				n, _ := strconv.Atoi(ev.Attributes["n"])
				if prev, ok := last[ev.ID]; ok && n <= prev {
					t.Errorf("%s: %d after %d", ev.ID, n, prev)
				}
				last[ev.ID] = n
			}
		})
	}
	var procs sync.WaitGroup
	for range writers {
		procs.Go(func() {
			if out, err := exec.Command(os.Args[0], "emit", root, strconv.Itoa(each)).CombinedOutput(); err != nil {
				t.Errorf("%v %s", err, out)
			}
		})
	}
	procs.Wait()
	must(t, Open(root).Emit(engine.Event{Type: "end", Action: "end"}))
	readers.Wait()
	got := map[string]int{}
	for ev, err := range Open(root).Events(t.Context(), engine.EventOptions{Since: longAgo, Until: time.Now()}) {
		must(t, err)
		got[ev.ID]++
	}
	if len(got) < 2 {
		t.Errorf("history: %v", got)
	}
}

// What a process that died in a write has left, and what a power cut has, is passed over.
func TestTorn(t *testing.T) {
	l := Open(t.TempDir())
	emit(t, l, "a")
	for _, torn := range []string{`{"Type":"contai`, "\x00\x00\x00", `{"Type":5}`, "\n\n", `{"base":7}` + "\n"} {
		f, err := os.OpenFile(l.path(file), os.O_WRONLY|os.O_APPEND, 0)
		must(t, err)
		f.WriteString(torn)
		f.Close()
		emit(t, l, "b")
	}
	if ids := strings.Join(history(t, l), ""); ids != "abbbbb" {
		t.Errorf("history: %s", ids)
	}
}

func TestUntil(t *testing.T) {
	l := Open(t.TempDir())
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	for n := range 5 {
		must(t, l.Emit(engine.Event{Type: "container", Action: "start", ID: strconv.Itoa(n), Time: at(n)}))
	}
	ids := func(opts engine.EventOptions) (s string) {
		for ev, err := range l.Events(t.Context(), opts) {
			must(t, err)
			s += ev.ID
		}
		return s
	}
	if got := ids(engine.EventOptions{Since: at(1), Until: at(3)}); got != "123" {
		t.Errorf("between two times: %s", got)
	}
	if got := ids(engine.EventOptions{Until: at(3)}); got != "" {
		t.Errorf("until a time that is past: %s", got)
	}
	if got := ids(engine.EventOptions{Since: at(3), Until: time.Now().Add(10 * time.Millisecond)}); got != "34" {
		t.Errorf("until a time that is to come: %s", got)
	}
	if got := ids(engine.EventOptions{Until: time.Now().Add(5 * time.Millisecond)}); got != "" {
		t.Errorf("from now until a time that is to come: %s", got)
	}
}

func TestCancel(t *testing.T) {
	l := Open(t.TempDir())
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("cause")
	go func() {
		for !watching() {
			runtime.Gosched()
		}
		cancel(cause)
	}()
	n := 0
	for _, err := range l.Events(ctx, engine.EventOptions{}) {
		if n++; !errors.Is(err, cause) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d values", n)
	}
	for _, err := range l.Events(ctx, engine.EventOptions{}) { // cancelled before
		if n++; !errors.Is(err, cause) {
			t.Error(err)
		}
	}
	for runtime.NumGoroutine() > before {
		runtime.Gosched() // else the test times out
	}
	if watching() {
		t.Error("the watch is still there")
	}
}

func TestFaults(t *testing.T) {
	l := Open(filepath.Join(t.TempDir(), "nosuch"))
	if err := l.Emit(engine.Event{Type: "x"}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, err := range l.Events(t.Context(), engine.EventOptions{}) {
		if !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
	done := make(chan struct{})
	dir := t.TempDir()
	go func() { // a full disk
		defer close(done)
		runtime.LockOSThread()
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k")); err != nil {
			t.Error(err)
			return
		}
		l := Open(dir)
		n := 0
		var err error
		for ; err == nil; n++ {
			err = l.Emit(engine.Event{Type: "container", ID: strconv.Itoa(n), Attributes: map[string]string{"x": strings.Repeat("y", 900)}})
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Error(err)
		}
		ids := history(t, l)
		if len(ids) != n-1 || !slices.Contains(ids, "0") {
			t.Errorf("%d events of %d", len(ids), n-1)
		}
		if b, _ := os.ReadFile(l.path(file)); len(b) == 0 || b[len(b)-1] != '\n' {
			t.Error("a part of an event is left")
		}
	}()
	<-done
}

func FuzzDecode(f *testing.F) {
	line, _ := encode(&engine.Event{Type: "container", Action: "die", ID: "x", ExitCode: new(3)})
	f.Add(line)
	f.Add([]byte(`{"base":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		ev, ok := decode(line)
		if !ok {
			return
		}
		again, err := encode(&ev)
		if err != nil {
			t.Fatal(err)
		}
		back, ok := decode(again)
		if !ok || back.Type != ev.Type || back.ID != ev.ID || back.Action != ev.Action {
			t.Errorf("%s became %s", line, again)
		}
	})
}

func BenchmarkEmit(b *testing.B) {
	l := Open(b.TempDir())
	for b.Loop() {
		emit(b, l, "x")
	}
}
