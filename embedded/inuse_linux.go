package embedded

import (
	"context"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// layersInUse are the diffIDs that containers are made of.
func (e *Engine) layersInUse() ([]string, error) {
	list, err := e.store.List()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range list {
		out = append(append(out, s.Config.Layers...), s.Config.ExtraLayers...)
	}
	return out, nil
}

// imageUsers tells the containers of an image: all of them, or only those that run.
func (e *Engine) imageUsers(ctx context.Context, running bool) (image.InUse, error) {
	list, err := e.all(ctx)
	if err != nil {
		return nil, err
	}
	users := map[string][]string{}
	for _, s := range list {
		if !running || busy(s) {
			users[s.Config.ImageID] = append(users[s.Config.ImageID], s.Config.ID)
		}
	}
	return func(id string) []string { return users[id] }, nil
}

// volumeUsers are the IDs of the containers that have a volume, by its name.
func (e *Engine) volumeUsers() (map[string][]string, error) {
	list, err := e.store.List()
	if err != nil {
		return nil, err
	}
	users := map[string][]string{}
	for _, s := range list {
		for _, v := range volumesOf(s.Config) {
			users[v] = append(users[v], s.Config.ID)
		}
	}
	return users, nil
}

// volumesOf are the names of a container's volumes.
func volumesOf(cfg *state.Config) []string {
	var names []string
	for _, m := range cfg.Mounts {
		if m.Type == engine.MountVolume && m.Name != "" {
			names = append(names, m.Name)
		}
	}
	return names
}
