package podman

import (
	"context"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// checkTmpfsModes refuses a mode of a tmpfs that the runtime of a container would ignore. The container is there, but was not started.
func (e *Engine) checkTmpfsModes(ctx context.Context, spec *engine.Spec, id string) error {
	runtime := e.info.Host.OCIRuntime // of every container: another Spec.Runtime is refused
	return normal.CheckTmpfsModes(ctx, Name, normal.Runtime{Name: runtime.Name, Version: runtime.Version}, spec, func(ctx context.Context, path string) (engine.PathStat, error) {
		return e.ContainerStatPath(ctx, id, path)
	})
}
