//go:build linux

package logs

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/frame"
)

func newWriter(t *testing.T, dir string, cfg state.Log) *Writer {
	t.Helper()
	w, err := NewWriter(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t *testing.T, w *Writer, s frame.Stream, text string) {
	t.Helper()
	if err := w.Write(s, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, ctx context.Context, src Source, opts engine.LogOptions) engine.LogReader {
	t.Helper()
	r, err := Open(ctx, src, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// output is the entries of a stream, joined, and the entries themselves.
func output(t *testing.T, r engine.LogReader) (stdout, stderr string) {
	t.Helper()
	var out, errw strings.Builder
	if !r.Multiplexed() {
		if _, err := io.Copy(&out, r); err != nil {
			t.Fatal(err)
		}
		return out.String(), ""
	}
	if _, err := frame.Copy(&out, &errw, r); err != nil {
		t.Fatal(err)
	}
	return out.String(), errw.String()
}

// entries are the payloads of the frames.
func entries(t *testing.T, r io.Reader) (list []string) {
	t.Helper()
	for f := frame.NewReader(r); ; {
		_, _, err := f.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		p, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(p))
	}
}
