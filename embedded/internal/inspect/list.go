package inspect

import (
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// Sources answers what filters ask beside containers. A nil member means that nothing is found.
type Sources struct {
	// Ancestors returns the image IDs that the filter ancestor=ref stands for: the image, and those made of it.
	Ancestors func(ref string) (ids []string, err error)
	// Find returns the ID of the container that ref means, or engine.ErrNotFound: state.Store.Find.
	Find func(ref string) (string, error)
	// Network returns ID and name of the network that ref means; "" when there is none.
	Network func(ref string) (id, name string)
}

// List filters, sorts (newest first) and cuts containers as opts says. An unknown
// filter or a malformed value is an engine.InvalidError, a container that a filter names and that is not
// there engine.ErrNotFound. opts.Size is the caller's to fill in. all is not changed.
func List(all []*state.Snapshot, opts engine.ListOptions, src Sources, now time.Time) ([]engine.Summary, error) {
	f, err := newFilter(all, opts, src)
	if err != nil {
		return nil, err
	}
	var chosen []*state.Snapshot
	for _, s := range all {
		if f.match(s) {
			chosen = append(chosen, s)
		}
	}
	slices.SortFunc(chosen, func(a, b *state.Snapshot) int {
		if c := b.Config.Created.Compare(a.Config.Created); c != 0 {
			return c
		}
		return strings.Compare(a.Config.ID, b.Config.ID)
	})
	if opts.Limit > 0 && len(chosen) > opts.Limit {
		chosen = chosen[:opts.Limit]
	}
	out := make([]engine.Summary, len(chosen))
	for i, s := range chosen {
		out[i] = Summary(s, now)
	}
	return out, nil
}
