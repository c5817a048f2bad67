package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berthdev/berth"
)

// TestProgressWithoutTerminal: where nobody looks, a pull is one line without escapes.
func TestProgressWithoutTerminal(t *testing.T) {
	for name, tt := range map[string]struct {
		quiet bool
		want  string
	}{"one line": {false, "berth: pulling a?[31mb\n"}, "quiet": {true, ""}} {
		t.Run(name, func(t *testing.T) {
			stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
			if err != nil {
				t.Fatal(err)
			}
			defer stderr.Close()
			bar := (&app{stderr: stderr}).newProgress("a\x1b[31mb", tt.quiet)
			for i := range 3 {
				bar.update(berth.PullProgress{Total: 3, Current: int64(i)})
			}
			bar.clear()
			if got, err := os.ReadFile(stderr.Name()); string(got) != tt.want || err != nil {
				t.Errorf("standard error is %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}
