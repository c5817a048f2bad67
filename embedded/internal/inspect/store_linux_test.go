package inspect

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// BenchmarkStore lists a store of 1,000 containers, by a process that has seen them before.
func BenchmarkStore(b *testing.B) {
	const n = 1000
	dir := b.TempDir()
	s, err := state.Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"))
	if err != nil {
		b.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	for i := range n {
		cfg := full()
		cfg.ID, cfg.Name = state.NewID(), fmt.Sprintf("c%d", i)
		if err := s.Create(cfg, &specs.Spec{}, nil); err != nil {
			b.Fatal(err)
		}
		if err := s.WriteExit(cfg.ID, exit()); err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"container.json", "exit.json"} {
			if err := os.Chtimes(filepath.Join(s.Dir(cfg.ID), name), hourAgo, hourAgo); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		all, err := s.List()
		if err != nil {
			b.Fatal(err)
		}
		if list, err := List(all, engine.ListOptions{All: true}, Sources{}, now); err != nil || len(list) != n {
			b.Fatal(len(list), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/container")
}
