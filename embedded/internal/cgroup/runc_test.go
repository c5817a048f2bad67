//go:build linux

package cgroup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// sameAsRunc are resources of which runc and this package make the same files, or which both refuse. more are those that only
// this package refuses: runc leaves them out, as this machine cannot do them.
var sameAsRunc = []struct {
	name string
	res  specs.LinuxResources
	more bool
	less bool // runc refuses it where a hierarchy of v1 lacks the controller and that of v2 has it
}{
	{name: "nothing"},
	{name: "memory", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib))}}},
	{name: "memory, not a multiple of a page", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64*mib + 1))}}},
	{name: "memory and swap", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(100 * mib))}}},
	{name: "no swap", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(64 * mib))}}},
	{name: "unlimited swap", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(-1))}}},
	{name: "less swap than memory", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Swap: new(int64(mib))}}},
	{name: "unlimited memory", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(-1)), Swap: new(int64(-1)), Reservation: new(int64(-1))}}},
	{name: "zeros of memory", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(0)), Swap: new(int64(0)), Reservation: new(int64(0))}}},
	{name: "reservation", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Reservation: new(int64(32 * mib))}}},
	{name: "swappiness", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(13))}}},
	{name: "swappiness 0", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(0))}}},
	{name: "swappiness beyond", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(500))}}},
	{name: "no OOM kill", res: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), DisableOOMKiller: new(true)}}},
	{name: "OOM kill", res: specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: new(false)}}},
	{name: "shares", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(512))}}},
	{name: "quota and period", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(25000)), Period: new(uint64(50000))}}},
	{name: "quota", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(150000))}}},
	{name: "period", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(20000))}}},
	{name: "no quota", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(-1)), Period: new(uint64(20000))}}},
	{name: "zeros of cpu", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(0)), Quota: new(int64(0)), Period: new(uint64(0))}}},
	{name: "quota too small", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(1))}}},
	{name: "real time", res: specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimePeriod: new(uint64(500000))}}},
	{name: "cpus", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}}},
	{name: "range of cpus", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0-0,1"}}},
	{name: "cpus beyond", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "4000"}}},
	{name: "mems beyond", res: specs.LinuxResources{CPU: &specs.LinuxCPU{Mems: "77"}}},
	{name: "pids", res: *pids(17)},
	{name: "pids 0", res: *pids(0)},
	{name: "pids -1", res: *pids(-1)},
	{name: "throttled", res: specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{throttled(1 << 20)}, ThrottleWriteBpsDevice: []specs.LinuxThrottleDevice{throttled(2 << 20)},
		ThrottleReadIOPSDevice: []specs.LinuxThrottleDevice{throttled(100)}, ThrottleWriteIOPSDevice: []specs.LinuxThrottleDevice{throttled(200)},
	}}},
	{name: "throttled, no such device", res: specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{Rate: 1}}}}},
	{name: "huge pages", res: specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}}}, less: Mode() == Hybrid},
	{name: "huge pages of no size", res: specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "7MB", Limit: 1}}}, more: true},
	{name: "unified", res: specs.LinuxResources{Unified: map[string]string{"memory.high": "33554432"}}},
	{name: "network class", res: specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: new(uint32(1))}}, more: true},
	{name: "devices", res: specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{
		{Allow: true, Type: "c", Major: new(int64(10)), Minor: new(int64(229)), Access: "rw"}, {Allow: true, Type: "b", Major: new(int64(7)), Access: "rwm"},
	}}},
	{name: "all devices", res: specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}}},
	{name: "devices allowed and denied", res: specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{
		{Allow: true, Type: "c", Major: new(int64(10)), Minor: new(int64(229)), Access: "rwm"}, {Type: "c", Major: new(int64(10)), Minor: new(int64(229)), Access: "w"},
	}}},
	{name: "all of it", res: specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(128 * mib)), Swap: new(int64(128 * mib)), Reservation: new(int64(16 * mib)), Swappiness: new(uint64(1))},
		CPU:    &specs.LinuxCPU{Shares: new(uint64(2)), Quota: new(int64(50000)), Period: new(uint64(100000)), Cpus: "0", Mems: "0"},
		Pids:   &specs.LinuxPids{Limit: new(int64(100))},
	}},
}

// throttled is a limit for the disk that /var/lib is on.
func throttled(rate uint64) specs.LinuxThrottleDevice {
	var st unix.Stat_t
	var d specs.LinuxThrottleDevice
	if unix.Stat("/var/lib", &st) == nil {
		d.Major, d.Minor = int64(unix.Major(st.Dev)), int64(unix.Minor(st.Dev))
	}
	d.Rate = rate
	return d
}

// runcDevices are the rules that runc adds to those of a configuration, after them; Docker's are the same, without the tunnel.
func runcDevices() []specs.LinuxDeviceCgroup {
	list := []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Access: "m"}, {Allow: true, Type: "b", Access: "m"}}
	for _, n := range [][2]int64{{1, 3}, {1, 8}, {1, 7}, {5, 0}, {1, 5}, {1, 9}, {5, 2}, {10, 200}} {
		list = append(list, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: new(n[0]), Minor: new(n[1]), Access: "rwm"})
	}
	return append(list, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: new(int64(136)), Access: "rwm"})
}

// TestSameAsRunc: the files of a group are those that runc makes of the same config.json, in every hierarchy.
func TestSameAsRunc(t *testing.T) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("there is no runc to compare with")
	}
	bundle := runcBundle(t)
	for _, test := range sameAsRunc {
		t.Run(test.name, func(t *testing.T) {
			res := test.res
			res.Devices = append(append([]specs.LinuxDeviceCgroup{{Access: "rwm"}}, res.Devices...), runcDevices()...)
			ours := named(t)
			theirs, err := Open(ours.path+"-runc", Options{})
			if err != nil {
				t.Fatal(err)
			}
			runcErr := runcCreate(t, runc, bundle, theirs.path, &res)
			err = ours.Create(&res)
			if test.more {
				if !errors.Is(err, engine.ErrUnsupported) {
					t.Errorf("it is not refused: %v", err)
				}
				return
			}
			if test.less {
				if err != nil || runcErr == nil {
					t.Errorf("the error is %v, runc's %v", err, runcErr)
				}
				return
			}
			if (err != nil) != (runcErr != nil) {
				t.Fatalf("the error is %v, runc's %v", err, runcErr)
			}
			if err != nil {
				t.Logf("the error is %v, runc's %v", err, runcErr)
				return
			}
			got := values(t, ours)
			t.Logf("%d values", len(got))
			if d := cmp.Diff(values(t, theirs), got); d != "" {
				t.Errorf("(-runc +ours):\n%s", d)
			}
		})
	}
}

// values are those of all files of a group that can be written to, and its device rules.
func values(t *testing.T, g *Group) map[string]string {
	t.Helper()
	all := map[string]string{}
	n := 0
	for _, d := range g.dirs {
		entries, err := os.ReadDir(d.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			name := e.Name()
			switch {
			case name == "devices.list":
			case !info.Mode().IsRegular(), info.Mode()&0o200 == 0, info.Mode()&0o400 == 0, // a child, a counter, a command
				slices.Contains([]string{"tasks", "cgroup.procs", "cgroup.threads", "notify_on_release", "cgroup.clone_children", "cpuacct.usage"}, name),
				strings.HasSuffix(name, "failcnt"), strings.HasSuffix(name, "max_usage_in_bytes"), strings.HasSuffix(name, ".pressure"), strings.HasSuffix(name, ".peak"):
				continue
			}
			text, err := os.ReadFile(filepath.Join(d.path, name))
			if err != nil {
				text = []byte(err.(*os.PathError).Err.Error()) // the same for both
			}
			value := string(text)
			if name == "devices.list" {
				lines := strings.Split(strings.TrimSpace(value), "\n")
				slices.Sort(lines)
				value = strings.Join(slices.Compact(lines), "\n")
			}
			all[fmt.Sprint(d.controllers, " ", name)] = value
			n++
		}
	}
	if n < 20 {
		t.Errorf("there are %d values only", n)
	}
	return all
}

// runcBundle is a bundle whose process sleeps.
func runcBundle(t *testing.T) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("there is no static busybox")
	}
	binary, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	bundle := t.TempDir()
	for _, dir := range []string{"rootfs/bin", "rootfs/proc"} {
		if err := os.MkdirAll(filepath.Join(bundle, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bundle, "rootfs/bin/busybox"), binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return bundle
}

// runcCreate makes a container in a group, which is removed with the test.
func runcCreate(t *testing.T, runc, bundle, cgroup string, res *specs.LinuxResources) error {
	t.Helper()
	spec := specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{Args: []string{"/bin/busybox", "sleep", "1000"}, Cwd: "/"},
		Root:    &specs.Root{Path: "rootfs"},
		Mounts:  []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux: &specs.Linux{
			CgroupsPath: "/" + cgroup, Resources: res,
			Namespaces: []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}},
		},
	}
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	root, id := filepath.Join(bundle, "state"), filepath.Base(cgroup)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, runc, "--root", root, "create", "--bundle", bundle, id)
	// The container keeps them: a pipe would never end.
	out, err := os.CreateTemp(t.TempDir(), "runc")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	t.Cleanup(func() { exec.Command(runc, "--root", root, "delete", "--force", id).Run() })
	if err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}
