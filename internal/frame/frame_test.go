package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// f returns one frame, written by hand: not with the package's own Writer.
func f(stream byte, payload string) string {
	b := make([]byte, 8, 8+len(payload))
	b[0] = stream
	binary.BigEndian.PutUint32(b[4:], uint32(len(payload)))
	return string(append(b, payload...))
}

// outcome is what a stream holds, however it is read.
type outcome struct {
	Stdout, Stderr string
	N              int64
	Err            string
}

var errSource = errors.New("source failed")

var streams = []struct {
	name   string
	stream string
	source func(io.Reader) io.Reader // wraps the stream; nil does not
	want   outcome
}{
	{name: "empty"},
	{name: "one of each", stream: f(1, "out") + f(2, "err") + f(0, "in") + f(1, "more"), want: outcome{"outinmore", "err", 12, ""}},
	{name: "zero-length frames", stream: f(1, "") + f(2, "") + f(1, "a") + f(0, "") + f(1, ""), want: outcome{"a", "", 1, ""}},
	{name: "larger than any buffer", stream: f(1, strings.Repeat("x", 300<<10)) + f(2, "e"), want: outcome{strings.Repeat("x", 300<<10), "e", 300<<10 + 1, ""}},
	{name: "binary", stream: f(1, "\x00\xff\x01\x00\x00\x00\x00\x00\x00\x02"), want: outcome{"\x00\xff\x01\x00\x00\x00\x00\x00\x00\x02", "", 10, ""}},
	{name: "header cut short", stream: f(1, "a") + "\x01\x00\x00", want: outcome{"a", "", 1, "unexpected EOF"}},
	{name: "payload cut short", stream: f(1, "a") + f(2, "error")[:10], want: outcome{"a", "er", 3, "unexpected EOF"}},
	{name: "payload missing", stream: f(1, "a") + f(2, "error")[:8], want: outcome{"a", "", 1, "unexpected EOF"}},
	{name: "system error", stream: f(1, "a") + f(3, "no such exec\r\n") + f(1, "b"), want: outcome{"a", "", 1, "engine error in stream: no such exec"}},
	{name: "empty system error", stream: f(3, "") + f(1, "b"), want: outcome{Err: "engine error in stream: "}},
	{name: "system error cut short", stream: f(3, "no such exec")[:10], want: outcome{Err: "engine error in stream: no"}},
	{name: "system error without text", stream: f(3, "no such exec")[:8], want: outcome{Err: "unexpected EOF"}},
	{name: "huge system error", stream: f(3, strings.Repeat("x", maxSystemError+10)), want: outcome{Err: "engine error in stream: " + strings.Repeat("x", maxSystemError)}},
	{name: "unknown stream", stream: f(1, "a") + f(4, "b"), want: outcome{"a", "", 1, `invalid frame header "\x04\x00\x00\x00\x00\x00\x00\x01" at offset 9 (is it the stream of a TTY?)`}},
	{name: "byte 1 not zero", stream: "\x01\x01\x00\x00\x00\x00\x00\x00", want: outcome{Err: `invalid frame header "\x01\x01\x00\x00\x00\x00\x00\x00" at offset 0 (is it the stream of a TTY?)`}},
	{name: "byte 2 not zero", stream: "\x01\x00\x01\x00\x00\x00\x00\x00", want: outcome{Err: `invalid frame header "\x01\x00\x01\x00\x00\x00\x00\x00" at offset 0 (is it the stream of a TTY?)`}},
	{name: "byte 3 not zero", stream: "\x01\x00\x00\x01\x00\x00\x00\x00", want: outcome{Err: `invalid frame header "\x01\x00\x00\x01\x00\x00\x00\x00" at offset 0 (is it the stream of a TTY?)`}},
	{name: "a TTY's prompt, shorter than a header", stream: "# ", want: outcome{Err: `invalid frame header "# " at offset 0 (is it the stream of a TTY?)`}},
	{name: "failing source between frames", stream: f(1, "a"), source: failing, want: outcome{"a", "", 1, "source failed"}},
	{name: "failing source in a payload", stream: f(1, "ab")[:9], source: failing, want: outcome{"a", "", 1, "source failed"}},
	{name: "failing source in a header", stream: f(1, "ab")[:5], source: failing, want: outcome{Err: "source failed"}},
	{name: "source without progress", stream: f(1, "a"), source: stalling, want: outcome{"a", "", 1, "multiple Read calls return no data or error"}},
}

func failing(r io.Reader) io.Reader  { return io.MultiReader(r, iotest.ErrReader(errSource)) }
func stalling(r io.Reader) io.Reader { return io.MultiReader(r, nothing{}) }

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// chunkings are ways in which a connection may deliver the same bytes.
var chunkings = map[string]func(io.Reader) io.Reader{
	"whole":          func(r io.Reader) io.Reader { return r },
	"byte by byte":   iotest.OneByteReader,
	"halves":         iotest.HalfReader,
	"error with end": iotest.DataErrReader,
}

func TestStreams(t *testing.T) {
	const invalid = "invalid frame header"
	for _, test := range streams {
		for chunking, deliver := range chunkings {
			if chunking == "error with end" && strings.HasPrefix(test.name, "source without") {
				continue // iotest.DataErrReader itself waits for progress
			}
			for reader, read := range map[string]func(io.Reader) outcome{"Copy": byCopy, "Reader": byReader} {
				t.Run(test.name+"/"+chunking+"/"+reader, func(t *testing.T) {
					r := io.Reader(strings.NewReader(test.stream))
					if test.source != nil {
						r = test.source(r)
					}
					got, want := read(deliver(r)), test.want
					if chunking != "whole" && strings.HasPrefix(got.Err, invalid) && strings.HasPrefix(want.Err, invalid) {
						got.Err, want.Err = invalid, invalid // how much of the header was there
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

func byCopy(r io.Reader) outcome {
	var stdout, stderr strings.Builder
	n, err := Copy(&stdout, &stderr, r)
	return outcome{stdout.String(), stderr.String(), n, text(err)}
}

func byReader(r io.Reader) (o outcome) {
	var stdout, stderr strings.Builder
	fr := NewReader(r)
	for {
		s, _, err := fr.Next()
		if err != nil {
			if _, _, again := fr.Next(); again != err {
				return outcome{Err: "a second Next has another error"}
			}
			if err == io.EOF {
				err = nil
			}
			return outcome{stdout.String(), stderr.String(), o.N, text(err)}
		}
		to := &stdout
		if s == Stderr {
			to = &stderr
		}
		n, _ := io.Copy(to, fr) // Next repeats its error
		o.N += n
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCopyDiscards(t *testing.T) {
	var out bytes.Buffer
	n, err := Copy(&out, nil, strings.NewReader(f(1, "out")+f(2, "err")))
	if n != 6 || err != nil || out.String() != "out" {
		t.Errorf("without stderr: %d, %v, %q", n, err, &out)
	}
	out.Reset()
	n, err = Copy(nil, &out, strings.NewReader(f(0, "in")+f(1, "out")+f(2, "err")))
	if n != 8 || err != nil || out.String() != "err" {
		t.Errorf("without stdout: %d, %v, %q", n, err, &out)
	}
}

type limited struct{ n int }

func (w *limited) Write(p []byte) (int, error) {
	n := min(len(p), w.n)
	w.n -= n
	if n == len(p) {
		return n, nil
	}
	return n, errSource
}

type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestCopyReturnsTheWritersError(t *testing.T) {
	n, err := Copy(&limited{n: 4}, nil, strings.NewReader(f(1, "abc")+f(1, "def")))
	if n != 4 || err != errSource {
		t.Errorf("failing writer: %d, %v, want 4 and its error", n, err)
	}
	n, err = Copy(nil, short{}, strings.NewReader(f(2, "abcd")))
	if n != 2 || err != io.ErrShortWrite {
		t.Errorf("short writer: %d, %v, want 2 and io.ErrShortWrite", n, err)
	}
}

// TestCopyIsLive: what has arrived is passed on before more arrives, also from the middle of a payload.
func TestCopyIsLive(t *testing.T) {
	r, w := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := Copy(outW, nil, r)
		done <- err
	}()
	for _, piece := range []string{f(1, "hello")[:10], "llo", f(1, "x")} {
		go io.WriteString(w, piece)
		want := map[string]string{f(1, "hello")[:10]: "he", "llo": "llo", f(1, "x"): "x"}[piece]
		got := make([]byte, len(want))
		if _, err := io.ReadFull(outR, got); err != nil || string(got) != want {
			t.Errorf("after %q: %q, %v, want %q", piece, got, err, want)
		}
	}
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReaderSkipsWhatWasNotRead(t *testing.T) {
	r := NewReader(strings.NewReader(f(1, "abcdef") + f(2, "xyz")))
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read before Next: %d, %v", n, err)
	}
	if s, size, err := r.Next(); s != Stdout || size != 6 || err != nil {
		t.Fatalf("Next: %v, %d, %v", s, size, err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("Read of nothing: %d, %v", n, err)
	}
	if n, err := r.Read(make([]byte, 2)); n != 2 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
	if s, size, err := r.Next(); s != Stderr || size != 3 || err != nil {
		t.Fatalf("second Next: %v, %d, %v", s, size, err)
	}
	if b, err := io.ReadAll(r); string(b) != "xyz" || err != nil {
		t.Errorf("payload: %q, %v", b, err)
	}
	r = NewReader(strings.NewReader(f(1, "abcdef")[:10]))
	r.Next()
	if _, _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Errorf("Next past a payload cut short: %v", err)
	}
}

// calls counts Write calls.
type calls struct {
	bytes.Buffer
	n int
}

func (c *calls) Write(p []byte) (int, error) { c.n++; return c.Buffer.Write(p) }

func TestWriter(t *testing.T) {
	var to calls
	out, errs := NewWriter(&to, Stdout), NewWriter(&to, Stderr)
	for i, w := range []io.Writer{out, errs, out, errs} {
		p := []string{"hello", "oops", "", strings.Repeat("x", 100000)}[i]
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("Write(%d bytes): %d, %v", len(p), n, err)
		}
	}
	if want := f(1, "hello") + f(2, "oops") + f(2, strings.Repeat("x", 100000)); to.String() != want || to.n != 3 {
		t.Errorf("%d bytes in %d calls, want %d in 3", to.Len(), to.n, len(want))
	}
	if n, err := NewWriter(&limited{n: 10}, Stdout).Write([]byte("hello")); n != 2 || err != errSource {
		t.Errorf("failing writer: %d, %v", n, err)
	}
	if n, err := NewWriter(&limited{n: 3}, Stdout).Write([]byte("hello")); n != 0 || err != errSource {
		t.Errorf("failing in the header: %d, %v", n, err)
	}
	if n, err := NewWriter(short{}, Stdout).Write(make([]byte, 12)); n != 2 || err != io.ErrShortWrite {
		t.Errorf("short writer: %d, %v", n, err)
	}
}

func TestStreamNames(t *testing.T) {
	var got []string
	for s := range Stream(5) {
		got = append(got, s.String())
	}
	if diff := cmp.Diff([]string{"stdin", "stdout", "stderr", "systemerr", "stream(4)"}, got); diff != "" {
		t.Error(diff)
	}
}
