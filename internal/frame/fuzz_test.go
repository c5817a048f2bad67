package frame

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// FuzzCopy: whatever the bytes, Copy and Reader agree on them, in one piece and byte by byte, and with a decoder as simple as the format.
func FuzzCopy(f *testing.F) {
	for _, s := range streams {
		if len(s.stream) < 1000 {
			f.Add([]byte(s.stream))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := simple(b)
		for name, got := range map[string]outcome{
			"Copy":                 byCopy(bytes.NewReader(b)),
			"Copy byte by byte":    byCopy(iotest.OneByteReader(bytes.NewReader(b))),
			"Reader":               byReader(bytes.NewReader(b)),
			"Reader with its data": byReader(iotest.DataErrReader(bytes.NewReader(b))),
		} {
			if i := strings.IndexByte(got.Err, '"'); strings.HasPrefix(got.Err, "invalid") && i > 0 {
				got.Err = got.Err[:i-1] // how much of the header was there is not compared
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

// simple decodes a whole stream in memory.
func simple(b []byte) (o outcome) {
	for len(b) > 0 {
		for i, c := range b[:min(4, len(b))] {
			if i == 0 && c > 3 || i > 0 && c != 0 {
				o.Err = "invalid frame header"
				return o
			}
		}
		if len(b) < 8 {
			o.Err = "unexpected EOF"
			return o
		}
		stream, size := b[0], int64(binary.BigEndian.Uint32(b[4:]))
		b = b[8:]
		n := min(int64(len(b)), size)
		payload := string(b[:n])
		b = b[n:]
		switch {
		case stream == 3 && n == 0 && size > 0:
			o.Err = "unexpected EOF"
			return o
		case stream == 3:
			o.Err = "engine error in stream: " + strings.TrimRight(payload[:min(n, 64<<10)], "\r\n")
			return o
		case stream == 2:
			o.Stderr += payload
		default:
			o.Stdout += payload
		}
		o.N += n
		if n < size {
			o.Err = "unexpected EOF"
			return o
		}
	}
	return o
}

// FuzzWriter: what Writers write, Copy reads.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("hello"), []byte{0, 1, 2}, 3)
	f.Add([]byte{}, []byte("x"), 1)
	f.Fuzz(func(t *testing.T, out, errs []byte, step int) {
		step = max(1, step&0xff)
		var stream bytes.Buffer
		for w, b := range map[*Writer][]byte{NewWriter(&stream, Stdout): out, NewWriter(&stream, Stderr): errs} {
			for ; len(b) > 0; b = b[min(step, len(b)):] {
				if _, err := w.Write(b[:min(step, len(b))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := outcome{string(out), string(errs), int64(len(out) + len(errs)), ""}
		if diff := cmp.Diff(want, byCopy(&stream)); diff != "" {
			t.Error(diff)
		}
	})
}
