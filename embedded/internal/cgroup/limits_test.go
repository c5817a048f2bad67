//go:build linux

package cgroup

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

const mib = 1 << 20

func pids(n int64) *specs.LinuxResources {
	return &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &n}}
}

// limit is an option, and what the files say when it is set.
type limit struct {
	name string
	res  specs.LinuxResources
	// controller, file and value of v1 and v2. No file: it is unsupported there.
	v1, v2 [3]string
	option string // in the error
	// zero is what resets it, and the values then.
	zero         *specs.LinuxResources
	zero1, zero2 string
}

var limits = []limit{
	{name: "memory", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib))}},
		v1: [3]string{"memory", "memory.limit_in_bytes", "67108864"}, v2: [3]string{"memory", "memory.max", "67108864"},
		zero: &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(0))}}, zero1: "9223372036854771712", zero2: "max"},
	{name: "swap", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(100 * mib))}},
		v1: [3]string{"memory", "memory.memsw.limit_in_bytes", "104857600"}, v2: [3]string{"memory", "memory.swap.max", "37748736"},
		zero: &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(0)), Swap: new(int64(0))}}, zero1: "9223372036854771712", zero2: "max"},
	{name: "unlimited swap", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(-1))}},
		v1: [3]string{"memory", "memory.memsw.limit_in_bytes", "9223372036854771712"}, v2: [3]string{"memory", "memory.swap.max", "max"}},
	{name: "reservation", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Reservation: new(int64(32 * mib))}},
		v1: [3]string{"memory", "memory.soft_limit_in_bytes", "33554432"}, v2: [3]string{"memory", "memory.low", "33554432"},
		zero: &specs.LinuxResources{Memory: &specs.LinuxMemory{Reservation: new(int64(0))}}, zero1: "9223372036854771712", zero2: "0"},
	{name: "swappiness", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(13))}}, option: "MemorySwappiness",
		v1: [3]string{"memory", "memory.swappiness", "13"}},
	{name: "no swappiness", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(0))}}, option: "MemorySwappiness",
		v1: [3]string{"memory", "memory.swappiness", "0"}},
	{name: "oom kill", res: specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: new(true)}}, option: "OOMKillDisable",
		v1:   [3]string{"memory", "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 0"},
		zero: &specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: new(false)}}, zero1: "oom_kill_disable 0\nunder_oom 0\noom_kill 0"},
	{name: "shares", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(512))}},
		v1: [3]string{"cpu", "cpu.shares", "512"}, v2: [3]string{"cpu", "cpu.weight", "59"},
		zero: &specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(0))}}, zero1: "1024", zero2: "100"},
	{name: "quota", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(25000)), Period: new(uint64(50000))}},
		v1: [3]string{"cpu", "cpu.cfs_quota_us", "25000"}, v2: [3]string{"cpu", "cpu.max", "25000 50000"},
		zero: &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(0))}}, zero1: "-1", zero2: "max 50000"},
	{name: "period", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(20000))}},
		v1: [3]string{"cpu", "cpu.cfs_period_us", "20000"}, v2: [3]string{"cpu", "cpu.max", "max 20000"},
		zero: &specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(0))}}, zero1: "100000", zero2: "max 100000"},
	{name: "burst", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(25000)), Burst: new(uint64(10000))}},
		v1: [3]string{"cpu", "cpu.cfs_burst_us", "10000"}, v2: [3]string{"cpu", "cpu.max.burst", "10000"},
		zero: &specs.LinuxResources{CPU: &specs.LinuxCPU{Burst: new(uint64(0))}}, zero1: "0", zero2: "0"},
	{name: "realtime", res: specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimePeriod: new(uint64(500000))}}, option: "CPURealtimePeriod",
		v1: [3]string{"cpu", "cpu.rt_period_us", "500000"}},
	{name: "cpus", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0"}},
		v1: [3]string{"cpuset", "cpuset.cpus", "0"}, v2: [3]string{"cpuset", "cpuset.cpus", "0"}},
	{name: "mems", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Mems: "0"}},
		v1: [3]string{"cpuset", "cpuset.mems", "0"}, v2: [3]string{"cpuset", "cpuset.mems", "0"}},
	{name: "pids", res: *pids(17), v1: [3]string{"pids", "pids.max", "17"}, v2: [3]string{"pids", "pids.max", "17"},
		zero: pids(0), zero1: "max", zero2: "max"},
	{name: "pids -1", res: *pids(-1), v1: [3]string{"pids", "pids.max", "max"}, v2: [3]string{"pids", "pids.max", "max"}},
	{name: "unified", res: specs.LinuxResources{Unified: map[string]string{"memory.high": "33554432"}}, option: "Unified",
		v2: [3]string{"memory", "memory.high", "33554432"}},
	{name: "network class", res: specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: new(uint32(1))}}, option: "NetworkClassID"},
	{name: "no such page size", res: specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "7MB", Limit: 1}}}, option: "HugepageLimits"},
}

func (l *limit) file() [3]string {
	if v2Alone() {
		return l.v2
	}
	return l.v1
}

// TestLimits: each option is in its file, or is refused by its name before anything is there.
func TestLimits(t *testing.T) {
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			want, zero := l.file(), l.zero1
			if v2Alone() {
				zero = l.zero2
			}
			g := named(t)
			supported := g.Supported(&l.res)
			if g.Exists() {
				t.Error("the question has made the group")
			}
			err := g.Create(&l.res)
			if want[1] == "" {
				for _, err := range []error{supported, err} {
					if e, ok := errors.AsType[*engine.UnsupportedError](err); !ok || e.Option != "Spec.Resources."+l.option || e.Engine != "embedded" || e.Reason == "" {
						t.Errorf("the error is %v", err)
					}
				}
				if g.Exists() {
					t.Error("there is a group after the error")
				}
				return
			}
			if err != nil || supported != nil {
				t.Fatal(err, supported)
			}
			if got := file(t, g, want[0], want[1]); got != want[2] {
				t.Errorf("%s is %q, want %q", want[1], got, want[2])
			}
			if l.zero == nil {
				return
			}
			if err := g.Set(l.zero); err != nil {
				t.Fatal(err)
			}
			if got := file(t, g, want[0], want[1]); got != zero {
				t.Errorf("after zero %s is %q, want %q", want[1], got, zero)
			}
		})
	}
}

// TestUpdate: an option that is not named any more gets the value of a new group.
func TestUpdate(t *testing.T) {
	fresh := newGroup(t, nil)
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			f := l.file()
			if f[1] == "" || l.name == "unified" { // their values have no default
				return
			}
			g := newGroup(t, &l.res)
			if err := g.Update(&l.res, &specs.LinuxResources{}); err != nil {
				t.Fatal(err)
			}
			if got, want := file(t, g, f[0], f[1]), file(t, fresh, f[0], f[1]); got != want && !(v2Alone() && f[0] == "cpuset") {
				t.Errorf("%s is %q, want %q", f[1], got, want)
			}
			if err := g.Update(&specs.LinuxResources{}, &l.res); err != nil {
				t.Fatal(err)
			}
			if got := file(t, g, f[0], f[1]); got != f[2] {
				t.Errorf("%s is %q again, want %q", f[1], got, f[2])
			}
		})
	}
}

// TestOrder: memory and swap go up and down together, whichever the kernel wants first; and a quota with its period.
func TestOrder(t *testing.T) {
	g := newGroup(t, nil)
	for _, m := range []int64{64, 256, 32, 512, 16} {
		res := &specs.LinuxResources{
			Memory: &specs.LinuxMemory{Limit: new(m * mib), Swap: new(2 * m * mib)},
			CPU:    &specs.LinuxCPU{Period: new(uint64(1000 * m)), Quota: new(2000 * m)},
		}
		if err := g.Set(res); err != nil {
			t.Fatalf("%d MiB: %v", m, err)
		}
	}
}

// TestRefusedUpdate: an update of which the kernel refuses a part changes nothing.
func TestRefusedUpdate(t *testing.T) {
	g := newGroup(t, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib))}, Pids: &specs.LinuxPids{Limit: new(int64(7))}})
	before := file(t, g, "cpuset", "cpuset.cpus")
	err := g.Set(&specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(32 * mib))},
		CPU:    &specs.LinuxCPU{Cpus: "0-4095", Shares: new(uint64(77))},
		Pids:   &specs.LinuxPids{Limit: new(int64(8))},
	})
	if e, ok := errors.AsType[*engine.InvalidError](err); !ok || e.Option != "Update.CpusetCPUs" || e.Value != "0-4095" {
		t.Errorf("the error is %v", err)
	}
	want := map[string]string{"memory.limit_in_bytes": "67108864", "cpu.shares": "1024"}
	if v2Alone() {
		want = map[string]string{"memory.max": "67108864", "cpu.weight": "100"}
	}
	want["pids.max"], want["cpuset.cpus"] = "7", before
	for name, value := range want {
		controller, _, _ := strings.Cut(name, ".")
		if got := file(t, g, controller, name); got != value {
			t.Errorf("%s is %s, want %s", name, got, value)
		}
	}
}

// TestInvalid: a value that makes no sense names its option, and leaves no group.
func TestInvalid(t *testing.T) {
	for option, res := range map[string]specs.LinuxResources{
		"Spec.Resources.CpusetCPUs": {CPU: &specs.LinuxCPU{Cpus: "zero"}},
		"Spec.Resources.MemorySwap": {Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(mib))}},
		"Spec.DeviceCgroupRules":    {Devices: []specs.LinuxDeviceCgroup{{Allow: true, Type: "x", Access: "r"}}},
		"Spec.Resources.Unified":    {Unified: map[string]string{"../x": "1"}},
		"Spec.Resources.CPUQuota":   {CPU: &specs.LinuxCPU{Quota: new(int64(1)), Period: new(uint64(1000000))}},
	} {
		t.Run(option, func(t *testing.T) {
			g := named(t)
			err := g.Create(&res)
			if e, ok := errors.AsType[*engine.InvalidError](err); !ok || e.Option != option {
				t.Errorf("the error is %v", err)
			}
			if g.Exists() {
				t.Error("there is a group after the error")
			}
		})
	}
}

func TestWeights(t *testing.T) {
	for shares, want := range map[uint64]uint64{0: 1, 2: 1, 1024: 100, 262144: 10000, 1 << 40: 10000} {
		if got := weightOfShares(shares); got != want {
			t.Errorf("%d shares are the weight %d, want %d", shares, got, want)
		}
	}
	for last, s := uint64(0), uint64(2); s <= 262144; s += 97 {
		w := weightOfShares(s)
		if w < last || w < 1 || w > 10000 {
			t.Fatalf("%d shares are the weight %d, after %d", s, w, last)
		}
		last = w
	}
	for blkio, want := range map[uint16]int{0: 1, 10: 1, 500: 4950, 1000: 10000} {
		if got := weightOfBlkio(blkio); got != want {
			t.Errorf("the weight %d of blkio is %d, want %d", blkio, got, want)
		}
	}
}
