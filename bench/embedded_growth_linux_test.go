package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

const zero = time.Duration(0)

// BenchmarkEmbeddedGrowth measures each operation in an empty store, in one with 1,000 containers, and on an image of
// 60 layers: an operation may cost at most 20 % more there. The list's cost is given by container.
func BenchmarkEmbeddedGrowth(b *testing.B) {
	for _, store := range []struct {
		name               string
		containers, layers int
	}{{"empty", 0, 1}, {"1000-containers", 1000, 1}, {"60-layers", 0, 60}} {
		b.Run(store.name, func(b *testing.B) {
			l := newLocal(b)
			image := l.busybox(b, store.layers)
			for n := range store.containers {
				if _, err := l.cli.Containers.Create(b.Context(), berth.Spec{Image: image, Name: fmt.Sprintf("other%d", n), Command: []string{"true"}}); err != nil {
					b.Fatal(err)
				}
			}
			growth(b, l, image)
			if store.containers == 0 {
				return
			}
			b.Run("list", func(b *testing.B) {
				for b.Loop() {
					if _, err := l.cli.Containers.List(b.Context(), berth.ListOptions{All: true}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(store.containers), "µs/container")
			})
		})
	}
}

// growth measures a container's life step by step: each metric is one operation.
func growth(b *testing.B, l *local, image string) {
	b.Run("life", func(b *testing.B) {
		took := map[string]time.Duration{}
		step := func(name string, f func() error) {
			began := time.Now()
			if err := f(); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
			took[name] += time.Since(began)
		}
		for b.Loop() {
			var c *berth.Container
			step("create", func() (err error) {
				c, err = l.cli.Containers.Create(b.Context(), berth.Spec{Image: image, Command: []string{"sleep", "1000000"}, NetworkMode: "none"})
				return err
			})
			step("start", func() error { return c.Start(b.Context()) })
			step("exec", func() error { return c.Command("true").Run(b.Context()) })
			step("inspect", func() error { _, err := c.Inspect(b.Context()); return err })
			step("stop", func() error { return c.Stop(b.Context(), berth.StopOptions{Timeout: new(zero)}) })
			step("remove", func() error { return c.Remove(b.Context()) })
		}
		for name, d := range took {
			b.ReportMetric(float64(d.Microseconds())/float64(b.N), "µs/"+name)
		}
	})
}
