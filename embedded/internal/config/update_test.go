//go:build linux

package config

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

func TestApplyUpdate(t *testing.T) {
	limits := engine.Resources{Memory: 64 << 20, CPUs: 1.5, PidsLimit: new(int64(10)), CPUShares: 512, MemoryReservation: 32 << 20}
	mem := func(limit, swap, reservation int64) *specs.LinuxMemory {
		return &specs.LinuxMemory{Limit: &limit, Swap: &swap, Reservation: &reservation}
	}
	for name, c := range map[string]struct {
		update engine.Update
		memory *specs.LinuxMemory
		cpu    *specs.LinuxCPU
		pids   int64
	}{
		"nothing":         {engine.Update{}, mem(64<<20, 128<<20, 32<<20), &specs.LinuxCPU{Shares: new(uint64(512)), Period: new(uint64(100000)), Quota: new(int64(150000))}, 10},
		"more":            {engine.Update{Memory: new(engine.Bytes(128 << 20)), PidsLimit: new(int64(20)), CPUQuota: new(int64(50000))}, mem(128<<20, 256<<20, 32<<20), &specs.LinuxCPU{Shares: new(uint64(512)), Period: new(uint64(100000)), Quota: new(int64(50000))}, 20},
		"none any more":   {engine.Update{Memory: new(engine.Bytes(0)), MemoryReservation: new(engine.Bytes(0)), CPUs: new(0.0), CPUShares: new(int64(0)), PidsLimit: new(int64(0))}, mem(-1, -1, -1), &specs.LinuxCPU{Shares: new(uint64(1024)), Period: new(uint64(100000)), Quota: new(int64(-1))}, -1},
		"swap by itself":  {engine.Update{MemorySwap: new(engine.Bytes(-1))}, mem(64<<20, -1, 32<<20), &specs.LinuxCPU{Shares: new(uint64(512)), Period: new(uint64(100000)), Quota: new(int64(150000))}, 10},
		"swap as default": {engine.Update{MemorySwap: new(engine.Bytes(0))}, mem(64<<20, 128<<20, 32<<20), &specs.LinuxCPU{Shares: new(uint64(512)), Period: new(uint64(100000)), Quota: new(int64(150000))}, 10},
	} {
		out := newRig(t).build(engine.Spec{Resources: limits}, testHost())
		devices := len(out.OCI.Linux.Resources.Devices)
		if err := ApplyUpdate(out.Config, out.OCI, c.update, testHost()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := out.OCI.Linux.Resources
		if d := cmp.Diff(c.memory, r.Memory) + cmp.Diff(c.cpu, r.CPU) + cmp.Diff(c.pids, *r.Pids.Limit); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
		if len(r.Devices) != devices {
			t.Errorf("%s: the rules of devices are lost", name)
		}
	}
}

func TestApplyUpdateProcess(t *testing.T) {
	r := newRig(t)
	if err := json.Unmarshal([]byte(`{"Healthcheck":{"Test":["CMD","image"]}}`), &r.img.Config.Config); err != nil {
		t.Fatal(err)
	}
	out := r.build(engine.Spec{Env: map[string]string{"A": "1"}, Ulimits: []engine.Ulimit{{Name: "core", Soft: 1, Hard: 1}}}, testHost())
	// As it is read again later.
	b, err := json.Marshal(out.Config)
	if err != nil {
		t.Fatal(err)
	}
	cfg := new(state.Config)
	if err := json.Unmarshal(b, cfg); err != nil {
		t.Fatal(err)
	}
	err = ApplyUpdate(cfg, out.OCI, engine.Update{
		Env: map[string]string{"A": "2", "B": "3"}, UnsetEnv: []string{"OF_IMAGE"}, RestartPolicy: &engine.RestartPolicy{Name: "always"},
		Healthcheck: &engine.Healthcheck{Interval: time.Minute}, Ulimits: []engine.Ulimit{{Name: "RLIMIT_CORE", Soft: 2, Hard: 2}, {Name: "nofile", Soft: 5, Hard: 6}},
	}, testHost())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"PATH=/bin", "HOSTNAME=0123456789ab", "A=2", "B=3"}, out.OCI.Process.Env); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]specs.POSIXRlimit{{Type: "RLIMIT_CORE", Soft: 2, Hard: 2}, {Type: "RLIMIT_NOFILE", Soft: 5, Hard: 6}}, out.OCI.Process.Rlimits); d != "" {
		t.Error(d)
	}
	if cfg.Spec.RestartPolicy.Name != "always" || cfg.Healthcheck.Interval != time.Minute || cfg.Healthcheck.Test[1] != "image" {
		t.Errorf("%+v %+v", cfg.Spec.RestartPolicy, cfg.Healthcheck)
	}
	if err := ApplyUpdate(cfg, out.OCI, engine.Update{Healthcheck: &engine.Healthcheck{Test: []string{"NONE"}}}, testHost()); err != nil || cfg.Healthcheck.Test[0] != "NONE" {
		t.Errorf("%+v %v", cfg.Healthcheck, err)
	}
}

func TestApplyUpdateRefused(t *testing.T) {
	v2 := testHost()
	v2.CgroupV2 = true
	for name, c := range map[string]struct {
		update engine.Update
		host   Host
		kind   error
	}{
		"swappiness on v2":  {engine.Update{MemorySwappiness: new(int64(5))}, v2, engine.ErrUnsupported},
		"unified on v1":     {engine.Update{Unified: map[string]string{"memory.high": "1"}}, testHost(), engine.ErrUnsupported},
		"kernel memory":     {engine.Update{KernelMemory: new(engine.Bytes(1 << 20))}, testHost(), engine.ErrUnsupported},
		"too little memory": {engine.Update{Memory: new(engine.Bytes(1))}, testHost(), engine.ErrInvalid},
		"policy":            {engine.Update{RestartPolicy: &engine.RestartPolicy{Name: "often"}}, testHost(), engine.ErrInvalid},
		"no health test":    {engine.Update{Healthcheck: &engine.Healthcheck{Interval: 1}}, testHost(), engine.ErrInvalid},
		"startup":           {engine.Update{Healthcheck: &engine.Healthcheck{Test: []string{"CMD", "x"}, Startup: &engine.StartupHealthcheck{Test: []string{"CMD", "x"}}}}, testHost(), engine.ErrUnsupported},
	} {
		out := newRig(t).build(engine.Spec{}, testHost())
		before := indented(t, out.OCI) + indented(t, out.Config)
		if err := ApplyUpdate(out.Config, out.OCI, c.update, c.host); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(before, indented(t, out.OCI)+indented(t, out.Config)); d != "" {
			t.Errorf("%s: it changes what it refuses: %s", name, d)
		}
	}
}
