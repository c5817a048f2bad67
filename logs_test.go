package berth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/berthdev/berth/internal/frame"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/google/go-cmp/cmp"
)

const stamp = "2026-01-02T03:04:05.000000006Z"

var stamped = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// entry is one frame of a log.
type entry struct {
	stream frame.Stream
	text   string
}

func frames(entries ...entry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		frame.NewWriter(&b, e.stream).Write([]byte(e.text))
	}
	return b.Bytes()
}

func TestLogFrames(t *testing.T) {
	long := strings.Repeat("x", maxLogLine+10)
	for name, tc := range map[string]struct {
		entries []entry
		keep    bool
		want    []LogLine
	}{
		"lines": {
			[]entry{{1, stamp + " one\n"}, {2, stamp + " two\r\n"}, {1, stamp + " \n"}}, false,
			[]LogLine{{Stdout, stamped, "one", false}, {Stderr, stamped, "two", false}, {Stdout, stamped, "", false}},
		},
		"time kept": {
			[]entry{{1, stamp + " one\n"}}, true,
			[]LogLine{{Stdout, stamped, stamp + " one", false}},
		},
		"pieces of two streams": {
			[]entry{{1, stamp + " on"}, {2, stamp + " tw"}, {1, stamp + " e\n"}, {2, stamp + " o\n"}}, false,
			[]LogLine{{Stdout, stamped, "one", false}, {Stderr, stamped, "two", false}},
		},
		"no end": {
			[]entry{{1, stamp + " one"}}, false,
			[]LogLine{{Stdout, stamped, "one", false}},
		},
		"no time": {
			[]entry{{1, "one\n"}, {1, "two words\n"}, {1, "2026-13-02T03:04:05Z x\n"}}, false,
			[]LogLine{{Stdout, time.Time{}, "one", false}, {Stdout, time.Time{}, "two words", false}, {Stdout, time.Time{}, "2026-13-02T03:04:05Z x", false}},
		},
		"two lines in a frame": {
			[]entry{{1, stamp + " one\ntwo\n"}}, false,
			[]LogLine{{Stdout, stamped, "one", false}, {Stdout, stamped, "two", false}},
		},
		"long line": {
			[]entry{{1, stamp + " " + long + "\n"}}, false,
			[]LogLine{{Stdout, stamped, long[:maxLogLine], true}, {Stdout, stamped, long[maxLogLine:], false}},
		},
		"exactly as long as may be": {
			[]entry{{1, stamp + " " + long[:maxLogLine] + "\n"}}, false,
			[]LogLine{{Stdout, stamped, long[:maxLogLine], false}},
		},
		"nothing": {nil, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := collectFrames(frames(tc.entries...), tc.keep)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" && len(diff) < 10_000 {
				t.Errorf("lines (-want +got):\n%s", diff)
			} else if diff != "" {
				t.Error("lines differ")
			}
		})
	}
}

func collectFrames(raw []byte, keep bool) (lines []LogLine, err error) {
	l := &logLines{keepTime: keep, yield: func(line LogLine, _ error) bool {
		lines = append(lines, line)
		return true
	}}
	err = l.readFrames(iotest.HalfReader(bytes.NewReader(raw)))
	return lines, err
}

func collectRaw(r io.Reader, keep bool) (lines []LogLine, err error) {
	l := &logLines{keepTime: keep, yield: func(line LogLine, _ error) bool {
		lines = append(lines, line)
		return true
	}}
	err = l.readRaw(r)
	return lines, err
}

// A log cut short within a frame is no end.
func TestLogFramesCutShort(t *testing.T) {
	whole := frames(entry{1, stamp + " one\n"}, entry{1, stamp + " two\n"})
	for n := range whole {
		_, err := collectFrames(whole[:n], false)
		between := n == 0 || n == len(whole)/2
		if between != (err == nil) || !between && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestLogRaw(t *testing.T) {
	piece := strings.Repeat("x", dockerPiece)
	for name, tc := range map[string]struct {
		raw  string
		keep bool
		want []LogLine
	}{
		"lines":      {stamp + " one\r\n" + stamp + " two\n", false, []LogLine{{Stdout, stamped, "one", false}, {Stdout, stamped, "two", false}}},
		"time kept":  {stamp + " one\r\n", true, []LogLine{{Stdout, stamped, stamp + " one", false}}},
		"short":      {stamp + " a\n", false, []LogLine{{Stdout, stamped, "a", false}}},
		"empty line": {stamp + " \r\n" + stamp + " b\r\n", false, []LogLine{{Stdout, stamped, "", false}, {Stdout, stamped, "b", false}}},
		"no end":     {stamp + " a", false, []LogLine{{Stdout, stamped, "a", false}}},
		"no time":    {"one\ntwo\n", false, []LogLine{{Stdout, time.Time{}, "one", false}, {Stdout, time.Time{}, "two", false}}},
		"pieces": {
			stamp + " " + piece + stamp + " " + piece + stamp + " end\r\n" + stamp + " next\r\n", false,
			[]LogLine{{Stdout, stamped, piece + piece + "end", false}, {Stdout, stamped, "next", false}},
		},
		"nothing": {"", false, nil},
	} {
		for kind, r := range map[string]io.Reader{
			"whole": strings.NewReader(tc.raw), "bytes": iotest.OneByteReader(strings.NewReader(tc.raw)), "halves": iotest.HalfReader(strings.NewReader(tc.raw)),
		} {
			got, err := collectRaw(r, tc.keep)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s, %s: lines (-want +got):\n%.2000s", name, kind, diff)
			}
		}
	}
}

// Lines of a live log come as soon as they are whole, however short.
func TestLogRawIsLive(t *testing.T) {
	r, w := io.Pipe()
	lines := make(chan LogLine)
	go func() {
		l := &logLines{yield: func(line LogLine, _ error) bool { lines <- line; return true }}
		l.readRaw(r)
		close(lines)
	}()
	for _, text := range []string{"a", "", "b"} {
		io.WriteString(w, stamp+" "+text+"\n")
		if line := <-lines; line.Text != text || !line.Time.Equal(stamped) {
			t.Errorf("line %+v, want %q", line, text)
		}
	}
	w.Close()
	for range lines {
		t.Error("another line")
	}
}

// The lines of a log, put together, are its text, whatever the text is.
func FuzzLogLines(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\n"), true)
	f.Add([]byte(stamp+" x\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, raw bool) {
		var got []LogLine
		var err error
		if raw {
			got, err = collectRaw(bytes.NewReader(text), true)
		} else {
			got, err = collectFrames(frames(entry{1, string(text)}), true)
		}
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, line := range got {
			b.WriteString(line.Text)
			if !line.Partial {
				b.WriteByte('\n')
			}
		}
		want := strings.ReplaceAll(string(text), "\r\n", "\n")
		if want != "" && !strings.HasSuffix(want, "\n") {
			want = strings.TrimSuffix(want, "\r") + "\n"
		}
		have := b.String()
		if len(text) < dockerPiece && strings.ReplaceAll(have, "\r\n", "\n") != want && have != want {
			t.Errorf("lines %q of %q", have, text)
		}
	})
}

func TestLogsOfAContainer(t *testing.T) {
	leaktest.Check(t)
	cli, _ := newFake(t)
	ctx := soon(t)
	c, err := cli.Containers.Start(ctx, spec("echo", "a\nb\n", "c\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line, err := range c.Logs(ctx, LogOptions{Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if time.Since(line.Time) > time.Hour {
			t.Errorf("time %v", line.Time)
		}
		got = append(got, fmt.Sprint(line.Stream, ":", line.Text))
	}
	if diff := cmp.Diff([]string{"stdout:a", "stdout:b", "stderr:c"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	var out, errw strings.Builder
	if err := c.LogsTo(ctx, &out, &errw); err != nil || out.String() != "a\nb\n" || errw.String() != "c\n" {
		t.Errorf("LogsTo: %q, %q, %v", out.String(), errw.String(), err)
	}
	if b, err := c.CombinedLogs(ctx, LogOptions{NoStderr: true}); err != nil || string(b) != "a\nb\n" {
		t.Errorf("CombinedLogs: %q, %v", b, err)
	}
	for _, o := range []LogOptions{
		{NoStdout: true, NoStderr: true}, {Tail: new(-1)}, {Since: stamped, Until: stamped.Add(-1)},
	} {
		if err := c.LogsTo(ctx, nil, nil, o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestLogsBreakAndCancel(t *testing.T) {
	leaktest.Check(t)
	cli, _ := newFake(t)
	c, err := cli.Containers.Start(soon(t), spec("hello-sleep"))
	if err != nil {
		t.Fatal(err)
	}
	for line, err := range c.Logs(soon(t), LogOptions{Follow: true}) {
		if line.Text != "hello" || err != nil {
			t.Errorf("line %+v, %v", line, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for _, err := range c.Logs(ctx, LogOptions{Follow: true}) {
		cancel()
		last = err
		n++
	}
	if n != 2 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d steps, the last %v", n, last)
	}
	s := spec("true")
	s.LogConfig.Driver = "none"
	none, err := cli.Containers.Start(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range none.Logs(soon(t)) {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("driver none: %v", err)
		}
	}
}
