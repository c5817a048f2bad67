package docker

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// wireUpdate is the body of POST /containers/{id}/update.
type wireUpdate struct {
	wireResources
	RestartPolicy *wireRestartPolicy `json:",omitempty"`
}

// ContainerUpdate implements [engine.Containers]. What the engine warns that it discarded is an UnsupportedError, with the rest of the update done.
func (e *Engine) ContainerUpdate(ctx context.Context, id string, u engine.Update) (engine.UpdateResult, error) {
	r := &refusals{e: e}
	refuseUpdate(r, &u)
	body := updateBody(r, &u)
	if err := r.err(); err != nil {
		return engine.UpdateResult{}, err
	}
	if err := e.refuseUnlimitedSwap(ctx, id, &u); err != nil {
		return engine.UpdateResult{}, err
	}
	var out struct{ Warnings []string }
	if err := e.container(ctx, "update container", id, http.MethodPost, "/update", nil, body, &out); err != nil {
		return engine.UpdateResult{}, err
	}
	return engine.UpdateResult{Warnings: out.Warnings}, discarded(out.Warnings)
}

// refuseUpdate is the table of what Docker 20.10 to 28.5 answer with 200 and do not do: all that is not in toContainerdResources of the daemon, and every zero.
func refuseUpdate(r *refusals, u *engine.Update) {
	const ignored = "Docker ignores it in an update"
	r.unless(u.MemorySwappiness == nil, "Update.MemorySwappiness", "", ignored)
	r.unless(u.KernelMemory == nil, "Update.KernelMemory", "", ignored)
	r.unless(u.OOMKillDisable == nil, "Update.OOMKillDisable", "", ignored)
	r.unless(u.CPURealtimePeriod == nil, "Update.CPURealtimePeriod", "", ignored)
	r.unless(u.CPURealtimeRuntime == nil, "Update.CPURealtimeRuntime", "", ignored)
	r.unless(u.BlkioWeightDevice == nil, "Update.BlkioWeightDevice", "", ignored)
	r.unless(u.BlkioDeviceReadBps == nil, "Update.BlkioDeviceReadBps", "", ignored)
	r.unless(u.BlkioDeviceWriteBps == nil, "Update.BlkioDeviceWriteBps", "", ignored)
	r.unless(u.BlkioDeviceReadIOps == nil, "Update.BlkioDeviceReadIOps", "", ignored)
	r.unless(u.BlkioDeviceWriteIOps == nil, "Update.BlkioDeviceWriteIOps", "", ignored)
	r.unless(u.Ulimits == nil, "Update.Ulimits", "", ignored)
	r.unless(u.Healthcheck == nil, "Update.Healthcheck", "", ignored)
	r.unless(u.Env == nil, "Update.Env", "", ignored)
	r.unless(u.UnsetEnv == nil, "Update.UnsetEnv", "", ignored)
	r.unless(u.Unified == nil, "Update.Unified", "", ignored)

	refuseZero(r, "Update.Memory", u.Memory)
	refuseZero(r, "Update.MemorySwap", u.MemorySwap)
	refuseZero(r, "Update.MemoryReservation", u.MemoryReservation)
	refuseZero(r, "Update.CPUs", u.CPUs)
	refuseZero(r, "Update.CPUShares", u.CPUShares)
	refuseZero(r, "Update.CPUPeriod", u.CPUPeriod)
	refuseZero(r, "Update.CPUQuota", u.CPUQuota)
	refuseZero(r, "Update.CpusetCPUs", u.CpusetCPUs)
	refuseZero(r, "Update.CpusetMems", u.CpusetMems)
	refuseZero(r, "Update.BlkioWeight", u.BlkioWeight)
	if u.RestartPolicy != nil && u.RestartPolicy.Name == "" {
		r.unsupported("Update.RestartPolicy", "", "Docker ignores an empty policy: none is \"no\"")
	}
}

// refuseZero refuses a zero, which for the engine is "not set".
func refuseZero[T comparable](r *refusals, option string, v *T) {
	var zero T
	if v != nil && *v == zero {
		r.unsupported(option, "0", "Docker ignores a zero in an update")
	}
}

// refuseUnlimitedSwap refuses to lift the limit of swap of a container that runs: the engine would note it down, and not tell the kernel.
func (e *Engine) refuseUnlimitedSwap(ctx context.Context, id string, u *engine.Update) error {
	if u.MemorySwap == nil || *u.MemorySwap >= 0 {
		return nil
	}
	w, err := e.inspect(ctx, "update container", id)
	if err != nil {
		return err
	}
	if s := state(&w.State); s.Running() || s.Status == engine.StatusRestarting {
		return &engine.UnsupportedError{Option: "Update.MemorySwap", Value: "-1", Engine: Name, Reason: "of a running container Docker changes the record, not the limit"}
	}
	return nil
}

func updateBody(r *refusals, u *engine.Update) wireUpdate {
	var b wireUpdate
	b.Memory = int64(value(u.Memory))
	b.MemorySwap = int64(value(u.MemorySwap))
	b.MemoryReservation = int64(value(u.MemoryReservation))
	b.CPUShares = value(u.CPUShares)
	b.CPUPeriod = value(u.CPUPeriod)
	b.CPUQuota = value(u.CPUQuota)
	b.CpusetCpus = value(u.CpusetCPUs)
	b.CpusetMems = value(u.CpusetMems)
	b.PidsLimit = u.PidsLimit
	b.BlkioWeight = value(u.BlkioWeight)
	if u.CPUs != nil && *u.CPUs != 0 {
		var err error
		b.NanoCPUs, err = normal.NanoCPUs(*u.CPUs)
		r.add(err)
	}
	if p := u.RestartPolicy; p != nil {
		b.RestartPolicy = &wireRestartPolicy{Name: p.Name, MaximumRetryCount: p.MaximumRetryCount}
	}
	return b
}

// value is what p points to, zero for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
