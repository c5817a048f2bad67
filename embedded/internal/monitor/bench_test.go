//go:build linux

package monitor

import (
	"testing"

	"github.com/berthdev/berth/engine"
)

// BenchmarkRun is create, wait, start, the exit code, and the removal.
func BenchmarkRun(b *testing.B) {
	r := newRig(b)
	for b.Loop() {
		id := r.create(nil, "/bin/true")
		w, err := r.Wait(b.Context(), id, engine.WaitNextExit)
		if err != nil {
			b.Fatal(err)
		}
		r.start(id)
		if _, err := w.Wait(); err != nil {
			b.Fatal(err)
		}
		w.Close()
		r.remove(b.Context(), id)
	}
}

// BenchmarkExec is create, start, the end of the stream, and the exit code.
func BenchmarkExec(b *testing.B) {
	r := newRig(b)
	id := r.create(nil, "/bin/sleep", "1000")
	r.start(id)
	for b.Loop() {
		if code, _, _ := r.exec(id, "/bin/true"); code != 0 {
			b.Fatal(code)
		}
	}
}
