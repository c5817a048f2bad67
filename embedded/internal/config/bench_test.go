//go:build linux

package config

import (
	"testing"

	"github.com/berthdev/berth/engine"
)

// BenchmarkBuild makes the configuration of a plain container, and readies it for its start.
func BenchmarkBuild(b *testing.B) {
	r := newRig(b)
	spec := engine.Spec{Image: "img"}
	for b.Loop() {
		out, err := Build(b.Context(), r.input(&spec, testHost()))
		if err != nil {
			b.Fatal(err)
		}
		s, err := StartSpec(b.Context(), StartInput{Config: out.Config, OCI: out.OCI, LayerDirs: r.layers, Upper: r.dir + "/upper"})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
