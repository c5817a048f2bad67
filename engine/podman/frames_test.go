package podman

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/frame"
)

// TestMended mends the frames of an attach with logs before 4.4 (podman#16856), however the bytes are cut into reads.
func TestMended(t *testing.T) {
	const (
		broken = "\x01\x00\x00\x00\x00\x00\x00\x04out1\n\x02\x00\x00\x00\x00\x00\x00\x04err1\n\x01\x00\x00\x00\x00\x00\x00\x04part\x01\x00\x00\x00\x00\x00\x00\x00\n"
		live   = "\x01\x00\x00\x00\x00\x00\x00\x06\nlive\n\x02\x00\x00\x00\x00\x00\x00\x02e\n"
	)
	for size := 1; size < 30; size++ {
		var out, errs bytes.Buffer
		if _, err := frame.Copy(&out, &errs, newMended(&chunks{strings.NewReader(broken + live), size})); err != nil {
			t.Fatal(err)
		}
		if out.String() != "out1\npart\n\nlive\n" || errs.String() != "err1\ne\n" {
			t.Errorf("reads of %d: %q, %q", size, out.String(), errs.String())
		}
	}
	if _, err := frame.Copy(io.Discard, io.Discard, newMended(strings.NewReader(broken+"\x01\x00\x00"))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a header cut short: %v", err)
	}
	if _, err := frame.Copy(io.Discard, io.Discard, newMended(strings.NewReader("\x01\x00\x00\x00\x00\x00\x00\x09cut"))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a payload cut short: %v", err)
	}
}

func FuzzMended(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x04out1\n\x02\x00\x00\x00\x00\x00\x00\x01e"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// What has no stray newline comes through as it is.
		out, err := io.ReadAll(newMended(bytes.NewReader(b)))
		if err != nil {
			t.Fatal(err)
		}
		if len(out) < len(b) {
			t.Errorf("%q became %q", b, out)
		}
	})
}

func FuzzUnframe(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x04out1\x02\x00\x00\x00\x00\x00\x00\x01e"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want bytes.Buffer
		_, wantErr := frame.Copy(&want, &want, bytes.NewReader(b))
		got, err := io.ReadAll(unframe(bytes.NewReader(b)))
		if !bytes.Equal(got, want.Bytes()) || (err == nil) != (wantErr == nil) {
			t.Errorf("%q: %q, %v; want %q, %v", b, got, err, want.Bytes(), wantErr)
		}
	})
}

// chunks gives at most size bytes at once.
type chunks struct {
	r    io.Reader
	size int
}

func (c *chunks) Read(p []byte) (int, error) { return c.r.Read(p[:min(len(p), c.size)]) }
