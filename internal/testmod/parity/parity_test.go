package parity

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine/enginetest"
)

const docs = "../../../docs"

// TestRows holds the rows against what the libraries offer and what the suite has.
func TestRows(t *testing.T) {
	inv, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	var cases []string
	for _, c := range enginetest.Cases() {
		cases = append(cases, c.Name)
	}
	for _, g := range Groups(inv) {
		var names []string
		for _, r := range g.Rows {
			names = append(names, r.names()...)
			if len(r.Cases) == 0 && r.Note == "" {
				t.Errorf("%s: neither a case nor a reason", r.Name)
			}
			for _, c := range r.Cases {
				if !slices.Contains(cases, c) {
					t.Errorf("%s: there is no case %s", r.Name, c)
				}
			}
		}
		for _, name := range slices.Concat(g.Docker, g.Podman) {
			if !slices.Contains(names, name) {
				t.Errorf("%s: no row for %s", g.Title, name)
			}
		}
	}
}

// TestPage holds docs/parity.md against the committed results.
func TestPage(t *testing.T) {
	inv, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	reports, err := Read(filepath.Join(docs, "conformance"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(docs, "parity.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Render(inv, reports), string(page)); diff != "" {
		t.Errorf("docs/parity.md is not what the results give; run: go run ./internal/testmod/cmd/parity -write\n%s", diff)
	}
}

// TestNoFailures: a page of failures is none.
func TestNoFailures(t *testing.T) {
	reports, err := Read(filepath.Join(docs, "conformance"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engines {
		if len(reports[e].Outcomes) == 0 {
			t.Errorf("no results of %s", e)
		}
		for _, o := range reports[e].Outcomes {
			if o.Result == enginetest.Failed {
				t.Errorf("%s failed on %s", o.Case, e)
			}
		}
	}
}

func TestStable(t *testing.T) {
	got := Stable("container 0123456789ab: no berthtest-20261121-7 in /var/tmp/x/y: bad\n  thing")
	if want := "container ID: no NAME in /…: bad thing"; got != want {
		t.Errorf("Stable gives %q, want %q", got, want)
	}
}
