//go:build linux

package files

import (
	"context"
	"testing"
)

func BenchmarkStopped(b *testing.B) {
	r := newRig(b)
	s := r.stopped()
	for b.Loop() {
		v, err := OpenStopped(context.Background(), s)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Stat(context.Background(), "/etc/passwd"); err != nil {
			b.Fatal(err)
		}
		v.Close()
	}
}
