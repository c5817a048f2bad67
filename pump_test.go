package berth

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/berthdev/berth/engine"
)

// writes is a stream that notes each Write.
type writes struct {
	engine.Stream
	parts []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.parts = append(w.parts, string(p))
	return len(p), nil
}

func (w *writes) CloseWrite() error { return nil }

// TestPumpDetachKeys: keys of one Read are typed one by one, and nothing else is taken apart.
func TestPumpDetachKeys(t *testing.T) {
	keys := []byte{16, 17}
	for _, c := range []struct {
		in   string
		keys []byte
		want []string
	}{
		{"abc\x10\x11", keys, []string{"abc", "\x10", "\x11"}},
		{"\x10\x11rest", keys, []string{"\x10", "\x11", "rest"}},
		{"abc\x10", keys, []string{"abc\x10"}},
		{"abc\x10\x11", nil, []string{"abc\x10\x11"}},
		{"abc\x10", keys[:1], []string{"abc\x10"}},
	} {
		dst := &writes{}
		p := startPump(io.MultiReader(bytes.NewReader([]byte(c.in))), dst, false, c.keys)
		<-p.done
		if !slices.Equal(dst.parts, c.want) {
			t.Errorf("%q with keys %q is written as %q, want %q", c.in, c.keys, dst.parts, c.want)
		}
	}
}
