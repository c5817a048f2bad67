package embedded

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/berthdev/berth/engine"
)

// DiskUsage implements [engine.System].
func (e *Engine) DiskUsage(ctx context.Context) (*engine.DiskUsage, error) {
	const op = "get disk usage"
	u := &engine.DiskUsage{}
	err := e.imageUsage(ctx, u)
	if err == nil {
		err = e.containerUsage(ctx, u)
	}
	if err == nil {
		err = e.volumeUsage(ctx, u)
	}
	if err == nil {
		u.Raw, err = json.Marshal(u)
	}
	if err != nil {
		return nil, because(ctx, op, "", err)
	}
	return u, nil
}

func (e *Engine) imageUsage(ctx context.Context, u *engine.DiskUsage) error {
	list, err := e.ImageList(ctx, engine.ImageListOptions{All: true})
	if err != nil {
		return err
	}
	size := map[string]engine.Bytes{}
	users := map[string]int{}
	layers := make([][]string, len(list))
	for i, img := range list {
		a, err := e.images.Resolve(img.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		layers[i] = a.DiffIDs
		for _, id := range a.DiffIDs {
			users[id]++
			if users[id] == 1 {
				n, err := e.images.LayerSize(id)
				if err != nil {
					return err
				}
				size[id] = engine.Bytes(n)
				u.LayersSize += size[id]
			}
		}
	}
	for i, img := range list {
		item := engine.DiskUsageItem{ID: img.ID, Size: img.Size, Reclaimable: img.Containers != nil && *img.Containers == 0}
		if len(img.RepoTags) > 0 {
			item.Name = img.RepoTags[0]
		}
		for _, id := range layers[i] {
			if users[id] > 1 {
				item.SharedSize += size[id]
			}
		}
		u.Images = append(u.Images, item)
	}
	return nil
}

func (e *Engine) containerUsage(ctx context.Context, u *engine.DiskUsage) error {
	all, err := e.all(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		rw, _, err := e.sizes(ctx, s.Config)
		if err != nil {
			return err
		}
		u.Containers = append(u.Containers, engine.DiskUsageItem{ID: s.Config.ID, Name: s.Config.Name, Size: rw, Reclaimable: !busy(s)})
	}
	return nil
}

func (e *Engine) volumeUsage(ctx context.Context, u *engine.DiskUsage) error {
	volumes, err := e.volumes.List(ctx, nil, nil)
	if err != nil {
		return err
	}
	users, err := e.volumeUsers()
	if err != nil {
		return err
	}
	for _, v := range volumes {
		size, err := e.volumes.Size(ctx, v.Name)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		u.Volumes = append(u.Volumes, engine.DiskUsageItem{ID: v.Name, Name: v.Name, Size: size, Reclaimable: len(users[v.Name]) == 0})
	}
	return nil
}
