package frame

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestCopyAllocatesNothingPerFrame compares few frames with many.
func TestCopyAllocatesNothingPerFrame(t *testing.T) {
	allocs := func(frames int) float64 {
		stream := strings.Repeat(f(1, "some output\n")+f(2, "e\n"), frames/2)
		r := strings.NewReader(stream)
		return testing.AllocsPerRun(10, func() {
			r.Reset(stream)
			if _, err := Copy(io.Discard, io.Discard, r); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocs(2), allocs(20000); many != few {
		t.Errorf("Copy of 20000 frames allocates %v times, of 2 frames %v times", many, few)
	}
}

func TestReaderAndWriterAllocateNothingPerFrame(t *testing.T) {
	stream := strings.Repeat(f(1, "some output\n"), 1000)
	r := strings.NewReader(stream)
	fr := NewReader(r)
	buf := make([]byte, 100)
	if n := testing.AllocsPerRun(500, func() {
		if _, _, err := fr.Next(); err != nil {
			t.Fatal(err)
		}
		if n, _ := fr.Read(buf); n != 12 {
			t.Fatalf("Read %d bytes, want 12", n)
		}
	}); n != 0 {
		t.Errorf("Reader allocates %v times per frame", n)
	}
	w := NewWriter(io.Discard, Stdout)
	if n := testing.AllocsPerRun(500, func() { w.Write(buf) }); n != 0 {
		t.Errorf("Writer allocates %v times per frame", n)
	}
}

func BenchmarkCopy(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 32 << 10} {
		b.Run(fmt.Sprintf("%d", size), func(b *testing.B) {
			stream := []byte(strings.Repeat(f(1, strings.Repeat("x", size)), 16<<20/(size+8)))
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			r := bytes.NewReader(stream)
			for b.Loop() {
				r.Reset(stream)
				if _, err := Copy(io.Discard, io.Discard, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
