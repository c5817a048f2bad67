package oracle

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/internal/testmod/parity"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestInventory: the committed inventory, which docs/parity.md is held against, is
// what the libraries offer.
func TestInventory(t *testing.T) {
	root, _ := rootFor(t, rig.NeedEngine(t))
	program, err := os.ReadFile("../parity/inventory.py")
	if err != nil {
		t.Fatal(err)
	}
	out, err := engineExec(t, root, "python3", "-c", string(program)).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parity.ParseInventory(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := parity.Committed()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("internal/testmod/parity/testdata/inventory.json (-) is not what the libraries offer (+):\n%s", diff)
	}
}
