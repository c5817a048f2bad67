//go:build linux

package cgroup

import (
	"context"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// docker is what a container gets that asks for memory, CPU and processes, with the usual devices.
func docker() *specs.LinuxResources {
	res := &specs.LinuxResources{
		Memory:  &specs.LinuxMemory{Limit: new(int64(64 * mib))},
		CPU:     &specs.LinuxCPU{Quota: new(int64(50000)), Period: new(uint64(100000))},
		Pids:    &specs.LinuxPids{Limit: new(int64(100))},
		Devices: []specs.LinuxDeviceCgroup{noDevices, device(true, "c", -1, -1, "m"), device(true, "b", -1, -1, "m")},
	}
	for _, d := range [][2]int64{{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, -1}} {
		res.Devices = append(res.Devices, device(true, "c", d[0], d[1], "rwm"))
	}
	return res
}

// BenchmarkCreateRemove makes and removes the groups of a container.
func BenchmarkCreateRemove(b *testing.B) {
	for name, res := range map[string]*specs.LinuxResources{"no limits": nil, "limits": docker()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				g, err := Open(testParent+"/bench", Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := g.Create(res); err != nil {
					b.Fatal(err)
				}
				if err := g.Remove(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCreate is the part that a start waits for.
func BenchmarkCreate(b *testing.B) {
	res := docker()
	g, err := Open(testParent+"/bench", Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := g.Create(res); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := g.Remove(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkOpen finds out what is mounted.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		if _, err := Open("berth/bench", Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStats reads all counters once.
func BenchmarkStats(b *testing.B) {
	g := newGroup(b, nil)
	for b.Loop() {
		if _, err := g.Stats(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStartIn goes into a group and back.
func BenchmarkStartIn(b *testing.B) {
	g := named(b)
	for b.Loop() {
		if err := StartIn(g.path, func(int) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
