//go:build linux

package network

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// BenchmarkConnect is what a start pays for its network: the namespace exists, the bridge too.
func BenchmarkConnect(b *testing.B) {
	for _, c := range []struct {
		name string
		set  func(r *Request)
	}{
		{"bridge", func(r *Request) {}},
		{"port", func(r *Request) { r.Ports = []engine.PortMapping{{ContainerPort: 80, Protocol: "tcp", HostPort: 9999}} }},
		{"names", func(r *Request) { r.Endpoints[0].Network = "names" }},
	} {
		b.Run(c.name, func(b *testing.B) {
			lan(b)
			// A name server that containers reach themselves: the default network needs none of ours.
			if err := os.WriteFile(hostResolv, []byte("nameserver 192.0.2.2\n"), 0); err != nil {
				b.Fatal(err)
			}
			defer os.WriteFile(hostResolv, []byte("nameserver 127.0.0.53\nsearch lan.example\n"), 0)
			m := newManager(b)
			create(b, m, engine.NetworkCreateOptions{Name: "names"})
			first := connect(b, m, func(r *Request) {
				if c.set(r); r.Ports != nil {
					r.Ports = nil
				}
			})
			defer first.kill()
			var took []time.Duration
			defer func() {
				slices.Sort(took)
				b.ReportMetric(took[0].Seconds()*1e3, "ms-min")
				b.ReportMetric(took[len(took)/2].Seconds()*1e3, "ms-median")
			}()
			for b.Loop() {
				b.StopTimer()
				box := newMachine(b)
				r := Request{ContainerID: newID(), Name: "x", PID: box.pid(), Endpoints: []engine.Endpoint{{Network: Default}}}
				c.set(&r)
				time.Sleep(50 * time.Millisecond)
				b.StartTimer()
				start := time.Now()
				_, s, err := m.Connect(context.Background(), r)
				took = append(took, time.Since(start))
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				box.kill()
				if err := s.Close(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
