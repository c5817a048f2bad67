package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"path"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// checkTmpfsModes refuses a mode of a tmpfs that the runtime of a container would ignore. The container is there, but was not started.
func (e *Engine) checkTmpfsModes(ctx context.Context, spec *engine.Spec, id string) error {
	return normal.CheckTmpfsModes(ctx, Name, e.runtime(spec), spec, func(ctx context.Context, path string) (engine.PathStat, error) {
		return e.ContainerStatPath(ctx, id, path)
	})
}

// runtime is the runtime that a container of spec gets. The engine tells the version of the one that is named runc.
func (e *Engine) runtime(spec *engine.Spec) normal.Runtime {
	name := cmp.Or(spec.Runtime, e.info.DefaultRuntime, "runc")
	switch name {
	case "runc", "io.containerd.runc.v2":
		return normal.Runtime{Name: "runc", Version: e.info.RuncCommit.ID}
	}
	var r struct{ Path string }
	if err := json.Unmarshal(e.info.Runtimes[name], &r); err != nil {
		return normal.Runtime{Name: name}
	}
	if strings.HasPrefix(path.Base(r.Path), "nvidia-container-runtime") { // which runs runc
		return normal.Runtime{Name: "runc", Version: e.info.RuncCommit.ID}
	}
	return normal.Runtime{Name: cmp.Or(r.Path, name)}
}
