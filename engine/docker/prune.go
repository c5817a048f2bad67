package docker

import (
	"context"

	"github.com/berthdev/berth/engine"
)

// wirePruned is the answer of the prune endpoints: each has one of the lists.
type wirePruned struct {
	ContainersDeleted []string
	VolumesDeleted    []string
	NetworksDeleted   []string
	ImagesDeleted     []wireImageDeleted
	SpaceReclaimed    int64
}

func (e *Engine) prune(ctx context.Context, what, path string, filters engine.Filters) (wirePruned, error) {
	var w wirePruned
	query, err := filterQuery(filters)
	if err != nil {
		return w, err
	}
	r := post(path)
	r.Query = query
	return w, e.call(ctx, op{"prune " + what, ""}, r, &w)
}

// ContainerPrune implements [engine.Containers].
func (e *Engine) ContainerPrune(ctx context.Context, filters engine.Filters) (engine.PruneReport, error) {
	w, err := e.prune(ctx, "containers", "/containers/prune", filters)
	return engine.PruneReport{Deleted: w.ContainersDeleted, Reclaimed: engine.Bytes(w.SpaceReclaimed)}, err
}
