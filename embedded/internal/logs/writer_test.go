//go:build linux

package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

// TestFile: the file is Docker's.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(t, dir, state.Log{Driver: "json-file"})
	write(t, w, frame.Stdout, "one\ntw")
	write(t, w, frame.Stderr, "err \"quoted\" \x01\u00e9\xff\n")
	write(t, w, frame.Stdout, "o\nlast")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ Log, Stream, Raw string }
	var got []line
	for text := range bytes.Lines(data) {
		var l line
		d := json.NewDecoder(bytes.NewReader(text))
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got = append(got, l)
	}
	want := []line{
		{Log: "one\n", Stream: "stdout"},
		{Log: "err \"quoted\" \x01\u00e9\ufffd\n", Stream: "stderr", Raw: "ZXJyICJxdW90ZWQiIAHDqf8K"},
		{Log: "two\n", Stream: "stdout"},
		{Log: "last", Stream: "stdout"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestPieces: long lines are cut after 16 KiB, wherever the writes are cut.
func TestPieces(t *testing.T) {
	line := strings.Repeat("0123456789abcdef", 1<<10)
	for _, test := range []struct {
		text string
		want []int
	}{
		{line[1:] + "\n", []int{16384}},
		{line + "\n", []int{16384, 1}},
		{line + line + "x\ny", []int{16384, 16384, 2, 1}},
		{"\n\n", []int{1, 1}},
	} {
		for _, step := range []int{1 << 20, 1, 1000, 16384, 16385} {
			dir := t.TempDir()
			w := newWriter(t, dir, state.Log{})
			for chunk := range slices.Chunk([]byte(test.text), step) {
				write(t, w, frame.Stdout, string(chunk))
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r := open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{})
			list := entries(t, r)
			var got []int
			for _, e := range list {
				got = append(got, len(e))
			}
			if !slices.Equal(got, test.want) || strings.Join(list, "") != test.text {
				t.Errorf("%d bytes by %d: entries of %v bytes, want %v", len(test.text), step, got, test.want)
			}
		}
	}
}

// TestPieceTimes: the pieces of a line have the time of the first.
func TestPieceTimes(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(t, dir, state.Log{})
	for range 3 {
		write(t, w, frame.Stdout, strings.Repeat("x", maxPiece))
	}
	write(t, w, frame.Stdout, "end\n")
	write(t, w, frame.Stdout, "next\n")
	times := map[string]int{}
	for _, e := range entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{Timestamps: true})) {
		at, _, _ := strings.Cut(e, " ")
		times[at]++
	}
	if len(times) != 2 {
		t.Errorf("times are %v", times)
	}
}

// TestBytes: any bytes come back.
func TestBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, max := range []int64{0, 10_000} {
		dir := t.TempDir()
		w := newWriter(t, dir, state.Log{MaxSize: max, MaxFiles: 1000})
		var want [2]bytes.Buffer
		for range 200 {
			p := make([]byte, rng.IntN(5000))
			for i := range p {
				p[i] = byte(rng.Uint32() >> (rng.IntN(3) * 3))
			}
			i := rng.IntN(2)
			want[i].Write(p)
			write(t, w, frame.Stdout+frame.Stream(i), string(p))
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		stdout, stderr := output(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{}))
		if stdout != want[0].String() || stderr != want[1].String() {
			t.Errorf("max %d: the log differs from what was written", max)
		}
	}
}

// TestRotation: no more files than allowed, none much larger than allowed, the newest lines kept.
func TestRotation(t *testing.T) {
	for _, files := range []int{1, 2, 5} {
		dir := t.TempDir()
		w := newWriter(t, dir, state.Log{MaxSize: 1000, MaxFiles: files})
		for i := range 500 {
			write(t, w, frame.Stdout, fmt.Sprintf("line %d\n", i))
		}
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != files {
			t.Errorf("%d files: there are %v", files, list)
		}
		for _, f := range list {
			if info, err := f.Info(); err != nil || info.Size() > 1100 {
				t.Errorf("%s has %d bytes, %v", f.Name(), info.Size(), err)
			}
		}
		got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{}))
		if got[len(got)-1] != "line 499\n" {
			t.Errorf("the last line is %q", got[len(got)-1])
		}
		for i, l := range got {
			if l != fmt.Sprintf("line %d\n", 500-len(got)+i) {
				t.Fatalf("line %d of %d is %q", i, len(got), l)
			}
		}
	}
}

// TestReopen: a writer goes on after what is there, be it cut short.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	w := newWriter(t, dir, state.Log{})
	write(t, w, frame.Stdout, "one\n")
	w.Close()
	f, err := os.OpenFile(Path(dir), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"log":"tw`)
	f.Close()
	r := open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{})
	if got := entries(t, r); !slices.Equal(got, []string{"one\n"}) {
		t.Errorf("before: %q", got)
	}
	w = newWriter(t, dir, state.Log{})
	write(t, w, frame.Stderr, "three\n")
	if got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{})); !slices.Equal(got, []string{"one\n", "three\n"}) {
		t.Errorf("after: %q", got)
	}
}

// TestFull: a write that the disk takes a part of leaves whole entries, and the log can be written on.
func TestFull(t *testing.T) {
	dir := smallFS(t, 64<<10)
	w := newWriter(t, dir, state.Log{})
	line := strings.Repeat("x", 3000) + "\n"
	if err := w.Write(frame.Stdout, []byte(strings.Repeat(line, 40))); err == nil {
		t.Fatal("a full disk is no error")
	}
	out := w.Stream(frame.Stdout)
	if n, err := out.Write([]byte(line)); n != len(line) || err != nil {
		t.Errorf("a stream's write: %d, %v", n, err)
	}
	for range 30 {
		out.Write([]byte(line))
	}
	if err := w.Err(); err == nil || w.Err() != nil {
		t.Errorf("the kept error is %v", err)
	}
	got := entries(t, open(t, t.Context(), Source{Dir: dir}, engine.LogOptions{}))
	if len(got) < 10 {
		t.Errorf("there are %d entries", len(got))
	}
	for _, l := range got {
		if l != line {
			t.Errorf("an entry is %q", l)
		}
	}
}

func TestDrivers(t *testing.T) {
	w := newWriter(t, "/nonexistent", state.Log{Driver: "none"})
	write(t, w, frame.Stdout, "x\n")
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := NewWriter(t.TempDir(), state.Log{Driver: "syslog"}); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("syslog: %v", err)
	}
	if _, err := Open(t.Context(), Source{Dir: t.TempDir(), Log: state.Log{Driver: "none"}}, engine.LogOptions{}); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("reading none: %v", err)
	}
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte("text\n"), []byte(`{"log":"a\n","stream":"stdout","time":"2026-11-21T22:00:00Z"}`))
	f.Add([]byte("\x00\xff\u2028\"\\"), []byte(`{"raw":"/w==","stream":"stderr"}`))
	f.Fuzz(func(t *testing.T, text, line []byte) {
		b := appendEntry(nil, entry{text: text, stream: frame.Stderr})
		if bytes.IndexByte(b, '\n') != len(b)-1 || !json.Valid(b) {
			t.Fatalf("%q is written as %q", text, b)
		}
		e, err := parseEntry(b)
		if err != nil || !bytes.Equal(e.text, text) || e.stream != frame.Stderr {
			t.Fatalf("%q came back as %q, %v", text, e.text, err)
		}
		if e, err := parseEntry(line); err == nil && e.stream != frame.Stdout && e.stream != frame.Stderr {
			t.Fatalf("%q is of stream %v", line, e.stream)
		}
	})
}
