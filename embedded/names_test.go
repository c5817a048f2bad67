package embedded

import (
	"slices"
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestNames(t *testing.T) {
	for _, list := range [][]string{adjectives[:], nouns[:]} {
		sorted := slices.Sorted(slices.Values(list))
		if len(slices.Compact(sorted)) != len(list) {
			t.Error("a word is there twice")
		}
	}
	for try := range 3 {
		name := newName(try)
		if err := (&engine.Spec{Image: "x", Name: name}).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
