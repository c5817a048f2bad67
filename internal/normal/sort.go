package normal

import "sort"

// SortBy sorts list by compare, keeping the order of equals. It is
// slices.SortStableFunc without a copy of the algorithm, some 25 kB of program, for every type:
// the lists here are short.
func SortBy[T any](list []T, compare func(a, b T) int) {
	sort.Stable(&byFunc{
		n:    len(list),
		less: func(i, j int) bool { return compare(list[i], list[j]) < 0 },
		swap: func(i, j int) { list[i], list[j] = list[j], list[i] },
	})
}

type byFunc struct {
	n    int
	less func(i, j int) bool
	swap func(i, j int)
}

func (s *byFunc) Len() int           { return s.n }
func (s *byFunc) Less(i, j int) bool { return s.less(i, j) }
func (s *byFunc) Swap(i, j int)      { s.swap(i, j) }
