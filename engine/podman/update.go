package podman

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
	"github.com/berthdev/berth/internal/wire"
)

// wireUpdate is the body of POST /containers/{n}/update. Every version ignores what it does not know: before 5.4 that is all but the first five.
type wireUpdate struct {
	Memory  *wireMemory       `json:"memory,omitzero"`
	CPU     *wireCPU          `json:"cpu,omitzero"`
	Pids    *wirePids         `json:"pids,omitzero"`
	BlockIO *wireBlockIO      `json:"blockIO,omitzero"`
	Unified map[string]string `json:"unified,omitzero"`

	BlkIOWeightDevice []wireWeightDevice   `json:"BlkIOWeightDevice,omitzero"` // since 5.4
	DeviceReadBPs     []wireThrottleDevice `json:"DeviceReadBPs,omitzero"`
	DeviceWriteBPs    []wireThrottleDevice `json:"DeviceWriteBPs,omitzero"`
	DeviceReadIOPs    []wireThrottleDevice `json:"DeviceReadIOPs,omitzero"`
	DeviceWriteIOPs   []wireThrottleDevice `json:"DeviceWriteIOPs,omitzero"`

	wireUpdateHealth

	Env      []string     `json:"Env,omitzero"` // since 5.5
	UnsetEnv []string     `json:"UnsetEnv,omitzero"`
	Rlimits  []wireRlimit `json:"r_limits,omitzero"` // since 5.8
}

// ContainerUpdate implements [engine.Containers]. Before 5.1 what is changed lasts until the container ends, and inspect does not show it.
func (e *Engine) ContainerUpdate(ctx context.Context, id string, u engine.Update) (engine.UpdateResult, error) {
	path, err := containerPath(id, "/update")
	if err != nil {
		return engine.UpdateResult{}, err
	}
	if err := e.need(vUpdate, "Container.Update"); err != nil {
		return engine.UpdateResult{}, err
	}
	o := op{"update container", id}
	r := &refusals{e: e}
	body, query := e.updateBody(r, &u)
	if err := r.err(); err != nil {
		return engine.UpdateResult{}, err
	}
	if u.Healthcheck != nil {
		if body.wireUpdateHealth, err = e.updateHealth(ctx, o, id, u.Healthcheck); err != nil {
			return engine.UpdateResult{}, err
		}
	}
	err = e.call(ctx, o, wire.Request{Method: http.MethodPost, Path: path, Query: query, JSON: body}, nil)
	if api, ok := err.(*engine.APIError); ok && api.Kind == nil && e.version < vUpdateRestart {
		// The OCI runtime changes running containers only, and says no more than that it failed.
		if w, ierr := e.inspect(ctx, o, id); ierr == nil && !e.state(&w.State).Running() {
			api.Kind = engine.ErrNotRunning
		}
	}
	return engine.UpdateResult{}, err
}

func (e *Engine) updateBody(r *refusals, u *engine.Update) (wireUpdate, url.Values) {
	e.refuseUpdate(r, u)
	var body wireUpdate
	query := url.Values{}
	if u.Memory != nil || u.MemorySwap != nil || u.MemoryReservation != nil {
		body.Memory = &wireMemory{Limit: (*int64)(u.Memory), Swap: (*int64)(u.MemorySwap), Reservation: (*int64)(u.MemoryReservation)}
	}
	cpu := wireCPU{
		Shares: unsigned(u.CPUShares), Quota: u.CPUQuota, Period: unsigned(u.CPUPeriod),
		RealtimeRuntime: u.CPURealtimeRuntime, RealtimePeriod: unsigned(u.CPURealtimePeriod),
	}
	if u.CPUs != nil {
		period, quota, err := normal.PeriodQuota(*u.CPUs)
		r.add(err)
		cpu.Period, cpu.Quota = new(uint64(period)), &quota
		if u.CPUPeriod != nil || u.CPUQuota != nil {
			r.invalid("Update.CPUs", fmt.Sprint(*u.CPUs), "it excludes CPUPeriod and CPUQuota")
		}
	}
	if u.CpusetCPUs != nil {
		cpu.Cpus = *u.CpusetCPUs
	}
	if u.CpusetMems != nil {
		cpu.Mems = *u.CpusetMems
	}
	if cpu != (wireCPU{}) {
		body.CPU = &cpu
	}
	if u.PidsLimit != nil {
		body.Pids = &wirePids{*u.PidsLimit}
	}
	if u.BlkioWeight != nil {
		body.BlockIO = &wireBlockIO{*u.BlkioWeight}
	}
	for _, d := range u.BlkioWeightDevice {
		body.BlkIOWeightDevice = append(body.BlkIOWeightDevice, wireWeightDevice(d))
	}
	body.DeviceReadBPs, body.DeviceWriteBPs = throttleList(u.BlkioDeviceReadBps), throttleList(u.BlkioDeviceWriteBps)
	body.DeviceReadIOPs, body.DeviceWriteIOPs = throttleList(u.BlkioDeviceReadIOps), throttleList(u.BlkioDeviceWriteIOps)
	body.Unified = u.Unified
	if p := u.RestartPolicy; p != nil {
		name := p.Name
		if name == "" {
			name = "no"
		}
		query.Set("restartPolicy", name)
		if p.MaximumRetryCount != 0 {
			query.Set("restartRetries", strconv.Itoa(p.MaximumRetryCount))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(u.Env)) {
		body.Env = append(body.Env, k+"="+u.Env[k])
	}
	body.UnsetEnv = u.UnsetEnv
	body.Rlimits = rlimits(u.Ulimits)
	return body, query
}

// refuseUpdate refuses what the server would ignore.
func (e *Engine) refuseUpdate(r *refusals, u *engine.Update) {
	const zero = "Podman ignores a zero: a limit cannot be taken away"
	v := reflect.ValueOf(*u)
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.Kind() == reflect.Pointer && !f.IsNil() && f.Elem().Kind() != reflect.Struct && f.Elem().IsZero() {
			r.unsupported("Update."+name, fmt.Sprint(f.Elem().Interface()), zero)
		}
	}
	r.when(u.KernelMemory != nil && *u.KernelMemory != 0, "Update.KernelMemory", "", "it has no effect")
	r.when(u.MemorySwappiness != nil && *u.MemorySwappiness != 0, "Update.MemorySwappiness", "", "the OCI runtime does not change it")
	r.when(u.OOMKillDisable != nil && *u.OOMKillDisable, "Update.OOMKillDisable", "", "the OCI runtime does not change it")
	r.when(len(u.Unified) > 0 && e.cgroup1(), "Update.Unified", "", "the host has cgroup v1")
	for _, n := range []struct {
		name  string
		value *int64
	}{{"CPUShares", u.CPUShares}, {"CPUPeriod", u.CPUPeriod}, {"CPURealtimePeriod", u.CPURealtimePeriod}} {
		if n.value != nil && *n.value < 0 {
			r.invalid("Update."+n.name, strconv.FormatInt(*n.value, 10), "it is negative")
		}
	}
	if p := u.RestartPolicy; p != nil {
		r.needs(true, vUpdateRestart, "Update.RestartPolicy")
		if p.MaximumRetryCount < 0 || p.MaximumRetryCount > 0 && p.Name != "on-failure" {
			r.invalid("Update.RestartPolicy", strconv.Itoa(p.MaximumRetryCount), "a number of retries needs on-failure")
		}
	}
	r.needs(u.Healthcheck != nil, vUpdateHealth, "Update.Healthcheck")
	for name, set := range map[string]bool{
		"BlkioWeightDevice": u.BlkioWeightDevice != nil, "BlkioDeviceReadBps": u.BlkioDeviceReadBps != nil, "BlkioDeviceWriteBps": u.BlkioDeviceWriteBps != nil,
		"BlkioDeviceReadIOps": u.BlkioDeviceReadIOps != nil, "BlkioDeviceWriteIOps": u.BlkioDeviceWriteIOps != nil,
	} {
		r.needs(set, vUpdateHealth, "Update."+name)
	}
	r.needs(len(u.Env) > 0, vUpdateEnv, "Update.Env")
	r.needs(len(u.UnsetEnv) > 0, vUpdateEnv, "Update.UnsetEnv")
	r.needs(len(u.Ulimits) > 0, vUpdateUlimits, "Update.Ulimits")
}

func throttleList(list []engine.ThrottleDevice) []wireThrottleDevice {
	var out []wireThrottleDevice
	for _, d := range list {
		out = append(out, wireThrottleDevice(d))
	}
	return out
}

// unsigned is n as Podman counts it.
func unsigned(n *int64) *uint64 {
	if n == nil {
		return nil
	}
	return new(uint64(*n))
}
