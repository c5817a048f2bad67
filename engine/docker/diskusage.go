package docker

import (
	"context"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireDiskUsage is the answer of GET /system/df.
type wireDiskUsage struct {
	LayersSize int64
	Images     []wireImageSummary
	Containers []wireSummary
	Volumes    []wireVolume
}

// DiskUsage implements [engine.System].
func (e *Engine) DiskUsage(ctx context.Context) (*engine.DiskUsage, error) {
	o := op{"get disk usage of engine", e.host}
	var answer wire.Raw[wireDiskUsage]
	if err := e.call(ctx, o, get("/system/df"), &answer); err != nil {
		return nil, err
	}
	w := &answer.Value
	u := &engine.DiskUsage{LayersSize: engine.Bytes(w.LayersSize), Raw: answer.Text}
	for _, i := range w.Images {
		item := engine.DiskUsageItem{ID: i.ID, Size: engine.Bytes(i.Size), SharedSize: engine.Bytes(max(0, i.SharedSize)), Reclaimable: i.Containers == 0}
		if len(i.RepoTags) > 0 {
			item.Name = i.RepoTags[0]
		}
		u.Images = append(u.Images, item)
	}
	for _, c := range w.Containers {
		item := engine.DiskUsageItem{ID: c.ID, Size: engine.Bytes(value(c.SizeRw)), Reclaimable: c.State != "running" && c.State != "paused" && c.State != "restarting"}
		if len(c.Names) > 0 {
			item.Name = strings.TrimPrefix(c.Names[0], "/")
		}
		u.Containers = append(u.Containers, item)
	}
	for _, v := range w.Volumes {
		item := engine.DiskUsageItem{ID: v.Name, Name: v.Name}
		if d := v.UsageData; d != nil {
			item.Size = engine.Bytes(max(0, d.Size)) // -1 where the driver does not tell
			item.Reclaimable = d.RefCount == 0
		}
		u.Volumes = append(u.Volumes, item)
	}
	return u, nil
}
