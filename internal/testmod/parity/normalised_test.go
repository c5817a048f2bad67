package parity

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine/enginetest"
)

// TestNormalised: every row of docs/normalised.md names cases, and they exist.
func TestNormalised(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(docs, "normalised.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range enginetest.Cases() {
		known[c.Name] = true
	}
	name := regexp.MustCompile("`([a-z]+/[a-z_-]+)`")
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || strings.HasPrefix(line, "| what") || strings.HasPrefix(line, "| ---") {
			continue
		}
		rows++
		found := name.FindAllStringSubmatch(cells[3], -1)
		if len(found) == 0 {
			t.Errorf("no case holds: %s", cells[0])
		}
		for _, f := range found {
			if !known[f[1]] {
				t.Errorf("%s: there is no case %s", cells[0], f[1])
			}
		}
	}
	if rows < 30 {
		t.Errorf("%d rows were read", rows)
	}
}
