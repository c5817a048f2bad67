package normal

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortBy(t *testing.T) {
	type pair struct{ key, at int }
	for n := range 60 {
		list := make([]pair, n)
		for i := range list {
			list[i] = pair{rand.IntN(7), i}
		}
		want := slices.Clone(list)
		byKey := func(a, b pair) int { return cmp.Compare(a.key, b.key) }
		slices.SortStableFunc(want, byKey)
		SortBy(list, byKey)
		if !slices.Equal(list, want) {
			t.Fatalf("sorted is %v, want %v", list, want)
		}
	}
}
