package berth

import (
	"bytes"
	"io"
	"testing"
)

// The tail is the end of what was written, however it was cut.
func TestTail(t *testing.T) {
	data := randomBytes(5)
	for _, step := range []int{1, 7, 1000, tailSize - 1, tailSize, tailSize + 1, len(data)} {
		for _, total := range []int{0, 1, 100, tailSize - 1, tailSize, tailSize + 1, 3*tailSize + 5} {
			var got tail
			for i := 0; i < total; i += step {
				got.write(data[i:min(i+step, total)])
			}
			if want := data[max(0, total-tailSize):total]; !bytes.Equal(got.bytes(), want) {
				t.Errorf("%d bytes in steps of %d: the tail differs", total, step)
			}
		}
	}
}

func TestOutputKeepsTheLimitAndTheTail(t *testing.T) {
	data := randomBytes(6)[:300_000]
	for _, limit := range []Bytes{-1, 0, 1, 1000, 200_000, 300_000} {
		for _, step := range []int{1000, 70_000, 300_000} {
			for _, w := range []io.Writer{nil, io.Discard} {
				o := newOutput("stdout", w, limit)
				for i := 0; i < len(data); i += step {
					if n, err := o.Write(data[i:min(i+step, len(data))]); err != nil || n == 0 {
						t.Fatal(n, err)
					}
				}
				keep := len(data)
				if limit > 0 {
					keep = min(keep, int(limit))
				}
				if w != nil {
					keep = 0
				}
				if !bytes.Equal(o.collected(), data[:keep]) || o.isTruncated() != (w == nil && keep < len(data)) {
					t.Errorf("limit %d, step %d: kept %d, truncated %v", limit, step, len(o.collected()), o.isTruncated())
				}
				if !bytes.Equal(o.last(), data[len(data)-tailSize:]) {
					t.Errorf("limit %d, step %d, writer %v: the tail differs", limit, step, w != nil)
				}
			}
		}
	}
	o := newOutput("stdout", nil, 0)
	o.stop()
	if _, err := o.Write([]byte("x")); err == nil || len(o.collected()) != 0 {
		t.Error("a Write after stop")
	}
}
