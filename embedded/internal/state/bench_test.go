//go:build linux

package state

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// thousand makes a store of n containers that have ended, long enough ago to be cached.
func thousand(b *testing.B, n int) (dir string) {
	dir = b.TempDir()
	s := openAt(b, dir)
	hourAgo := time.Now().Add(-time.Hour)
	for i := range n {
		id := create(b, s, fmt.Sprintf("c%d", i))
		must(b, s.WriteExit(id, &Exit{StartedAt: hourAgo, FinishedAt: hourAgo}))
		for _, name := range []string{configFile, exitFile} {
			must(b, os.Chtimes(filepath.Join(s.Dir(id), name), hourAgo, hourAgo))
		}
	}
	return dir
}

// BenchmarkList lists 1,000 containers: with a store that has seen them, and with one that is opened for it, as a command does.
func BenchmarkList(b *testing.B) {
	const n = 1000
	dir := thousand(b, n)
	b.Run("warm", func(b *testing.B) {
		s := openAt(b, dir)
		for b.Loop() {
			list, err := s.List()
			if err != nil || len(list) != n {
				b.Fatal(len(list), err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/container")
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			list, err := openAt(b, dir).List()
			if err != nil || len(list) != n {
				b.Fatal(len(list), err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/container")
	})
}

// BenchmarkCreateRemove is what the store adds to a run, alone and among 1,000 others.
func BenchmarkCreateRemove(b *testing.B) {
	for _, n := range []int{0, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := openAt(b, thousand(b, n))
			for b.Loop() {
				id := create(b, s, "one")
				unlock, err := s.Lock(b.Context(), id)
				must(b, err)
				must(b, s.Remove(id))
				unlock()
			}
		})
	}
}

// BenchmarkDecodeConfig is what a list costs above all in a process that lists once.
func BenchmarkDecodeConfig(b *testing.B) {
	data, err := encodeConfig(testConfig("one"))
	must(b, err)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := decodeConfig(data); err != nil {
			b.Fatal(err)
		}
	}
}
