package enginetest

import (
	"slices"
	"strings"
)

// Case is one thing that an engine must do.
type Case struct {
	// Name is group/what, e.g. "option/cap_add", "container/exec_run", "bug/attach-to-exited". It is the name of the subtest and of the row in the results.
	Name string
	// Soak marks a case of hundreds of runs or containers: it runs with Config.Soak only.
	Soak bool
	// Serial marks a case that may not run beside others (it looks at the whole engine, or needs its CPU).
	Serial bool
	// Do shows the effect. It returns when the effect was seen, else it ends through T.
	Do func(t *T)
}

// Cases returns the whole suite, sorted by name.
func Cases() []Case {
	var all []Case
	for _, group := range groups() {
		all = append(all, group()...)
	}
	slices.SortStableFunc(all, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	return all
}
