package enginetest

import (
	"strings"

	"github.com/berthdev/berth"
)

// resourceOptions are the limits.
func resourceOptions() []Case {
	res := func(f func(r *berth.Resources)) func(s *berth.Spec) {
		return func(s *berth.Spec) { f(&s.Resources) }
	}
	return []Case{
		limited("option/mem_limit", res(func(r *berth.Resources) { r.Memory = 64 * berth.MiB }),
			"memory/memory.limit_in_bytes", "67108864", "memory.max", "67108864"),
		limited("option/memswap_limit", res(func(r *berth.Resources) { r.Memory, r.MemorySwap = 64*berth.MiB, 96*berth.MiB }),
			"memory/memory.memsw.limit_in_bytes", "100663296", "memory.swap.max", "33554432"),
		limited("option/memswap_limit-unlimited", res(func(r *berth.Resources) { r.Memory, r.MemorySwap = 64*berth.MiB, -1 }),
			"memory/memory.memsw.limit_in_bytes", "9223372036854771712", "memory.swap.max", "max"),
		limited("option/mem_reservation", res(func(r *berth.Resources) { r.MemoryReservation = 32 * berth.MiB }),
			"memory/memory.soft_limit_in_bytes", "33554432", "memory.low", "33554432"),
		limited("option/mem_swappiness", res(func(r *berth.Resources) { r.MemorySwappiness = new(int64(7)) }),
			"memory/memory.swappiness", "7", "", ""),
		limited("option/kernel_memory", res(func(r *berth.Resources) { r.KernelMemory = 32 * berth.MiB }),
			"memory/memory.kmem.limit_in_bytes", "33554432", "", ""),
		{Name: "option/oom_kill_disable", Do: func(t *T) {
			spec := t.Spec()
			spec.Resources.Memory, spec.Resources.OOMKillDisable = 64*berth.MiB, new(true)
			t.Contains("oom_control", t.cgroup(spec, "memory/memory.oom_control", ""), "oom_kill_disable 1")
		}},
		limited("option/cpu_shares", res(func(r *berth.Resources) { r.CPUShares = 512 }), "cpu/cpu.shares", "512", "cpu.weight", "20|59"), // a straight line; the curve of runc and crun since 2025
		limited("option/cpu_period", res(func(r *berth.Resources) { r.CPUPeriod, r.CPUQuota = 50000, 20000 }), "cpu/cpu.cfs_period_us", "50000", "cpu.max", "20000 50000"),
		limited("option/cpu_quota", res(func(r *berth.Resources) { r.CPUQuota = 30000 }), "cpu/cpu.cfs_quota_us", "30000", "cpu.max", "30000 100000"),
		limited("option/nano_cpus", res(func(r *berth.Resources) { r.CPUs = 0.5 }), "cpu/cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"),
		limited("option/cpuset_cpus", res(func(r *berth.Resources) { r.CpusetCPUs = "0" }), "cpuset/cpuset.cpus", "0", "cpuset.cpus.effective", "0"),
		limited("option/cpuset_mems", res(func(r *berth.Resources) { r.CpusetMems = "0" }), "cpuset/cpuset.mems", "0", "cpuset.mems.effective", "0"),
		limited("option/pids_limit", res(func(r *berth.Resources) { r.PidsLimit = new(int64(77)) }), "pids/pids.max", "77", "pids.max", "77"),
		limited("option/pids_limit-unlimited", res(func(r *berth.Resources) { r.PidsLimit = new(int64(-1)) }), "pids/pids.max", "max", "pids.max", "max"),
		realtime("option/cpu_rt_runtime", func(r *berth.Resources) { r.CPURealtimePeriod, r.CPURealtimeRuntime = 1000000, 950 }, "cpu.rt_runtime_us", "950"),
		realtime("option/cpu_rt_period", func(r *berth.Resources) { r.CPURealtimePeriod, r.CPURealtimeRuntime = 900000, 900 }, "cpu.rt_period_us", "900000"),
		blkio("option/blkio_weight", func(r *berth.Resources, dev string) { r.BlkioWeight = 300 }, []string{"blkio.weight", "blkio.bfq.weight"}, "300", "io.bfq.weight", "default 300"),
		blkio("option/blkio_weight_device", func(r *berth.Resources, dev string) {
			r.BlkioWeightDevice = []berth.WeightDevice{{Path: dev, Weight: 300}}
		}, []string{"blkio.weight_device", "blkio.bfq.weight_device"}, "MAJMIN 300", "io.bfq.weight", "MAJMIN 300"),
		blkio("option/device_read_bps", func(r *berth.Resources, dev string) {
			r.BlkioDeviceReadBps = []berth.ThrottleDevice{{Path: dev, Rate: 1 << 20}}
		}, []string{"blkio.throttle.read_bps_device"}, "MAJMIN 1048576", "io.max", "rbps=1048576"),
		blkio("option/device_write_bps", func(r *berth.Resources, dev string) {
			r.BlkioDeviceWriteBps = []berth.ThrottleDevice{{Path: dev, Rate: 2 << 20}}
		}, []string{"blkio.throttle.write_bps_device"}, "MAJMIN 2097152", "io.max", "wbps=2097152"),
		blkio("option/device_read_iops", func(r *berth.Resources, dev string) {
			r.BlkioDeviceReadIOps = []berth.ThrottleDevice{{Path: dev, Rate: 100}}
		}, []string{"blkio.throttle.read_iops_device"}, "MAJMIN 100", "io.max", "riops=100"),
		blkio("option/device_write_iops", func(r *berth.Resources, dev string) {
			r.BlkioDeviceWriteIOps = []berth.ThrottleDevice{{Path: dev, Rate: 200}}
		}, []string{"blkio.throttle.write_iops_device"}, "MAJMIN 200", "io.max", "wiops=200"),
		{Name: "option/cgroup_parent", Do: func(t *T) {
			spec := t.Spec()
			spec.CgroupParent, spec.CgroupNS = "/berth-parent", "host"
			t.Contains("cgroups", t.Sh(spec, "cat /proc/self/cgroup"), "/berth-parent/")
		}},
		{Name: "option/cgroups_mode", Do: func(t *T) {
			spec := t.Spec()
			spec.CgroupsMode, spec.CgroupNS = "no-conmon", "host"
			// The container's own cgroup is made as ever: the mode is about conmon's.
			t.Contains("cgroups", t.Sh(spec, "cat /proc/self/cgroup"), "libpod")
		}},
		{Name: "option/unified", Do: func(t *T) {
			spec := t.Spec()
			spec.Podman = &berth.PodmanSpec{Unified: map[string]string{"memory.high": "67108864"}}
			res, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "cat", "/sys/fs/cgroup/memory.high"))
			if err != nil && t.Kind() == "podman" && t.Client().Engine().CgroupVersion != "2" {
				t.Gone("the refusal")
				t.Untestable("the engine's host has no cgroup v2", err)
			}
			t.Check(err, "run")
			Equal(t, "memory.high", strings.TrimSpace(string(res.Stdout)), "67108864")
		}},
	}
}

func withCommand(s berth.Spec, command ...string) berth.Spec {
	s.Command = command
	return s
}

// realtime is a case of a realtime limit: kernels without RT_GROUP_SCHED have no such file and the engine must say so.
func realtime(name string, set func(r *berth.Resources), file, want string) Case {
	return Case{Name: name, Do: func(t *T) {
		has := strings.TrimSpace(t.Sh(t.Spec(), "ls /sys/fs/cgroup/cpu/"+file+" 2>/dev/null || true")) != ""
		spec := t.Spec("cat", "/sys/fs/cgroup/cpu/"+file)
		set(&spec.Resources)
		res, err := t.Client().Containers.Run(t.Context(), spec)
		if err != nil && !has {
			t.Gone("the refusal")
			t.Untestable("this kernel has no "+file, err)
		}
		if err != nil && t.budget() {
			t.Gone("the refusal")
			t.Untestable("the parent cgroup has no realtime budget", err)
		}
		t.Check(err, "run")
		Equal(t, file, strings.TrimSpace(string(res.Stdout)), want)
	}}
}

// budget tells that the engine's containers' parent has no realtime budget to give.
func (t *T) budget() bool {
	return t.Sh(t.Spec(), "cat /sys/fs/cgroup/cpu/cpu.rt_runtime_us") == "0"
}

// blkio is a case of a block I/O limit: one of the files has want in it, in cgroup v2 the file v2. MAJMIN stands for the device's numbers.
func blkio(name string, set func(r *berth.Resources, dev string), files []string, want, v2, want2 string) Case {
	return Case{Name: name, Do: func(t *T) {
		dev, majmin := t.blockDevice()
		dir, files, want := "/sys/fs/cgroup/blkio", files, want
		if t.Client().Engine().CgroupVersion == "2" {
			dir, files, want = "/sys/fs/cgroup", []string{v2}, want2
		}
		spec := t.Spec("sh", "-c", "cd "+dir+" && cat "+strings.Join(files, " ")+" 2>/dev/null; true")
		set(&spec.Resources, dev)
		res, err := t.Client().Containers.Run(t.Context(), spec)
		if err != nil {
			has := t.Sh(t.Spec(), "cd "+dir+" && ls "+strings.Join(files, " ")+" 2>/dev/null; true")
			if has == "" {
				t.Gone("the refusal")
				t.Untestable("this kernel has none of "+strings.Join(files, ", "), err)
			}
			if strings.Contains(err.Error(), "operation not supported") {
				t.Gone("the refusal")
				t.Untestable("the device's I/O scheduler has no weights", err)
			}
			t.Check(err, "run")
		}
		t.Contains(strings.Join(files, " "), string(res.Stdout), strings.ReplaceAll(want, "MAJMIN", majmin))
	}}
}

// blockDevice finds a block device of the engine's host: its path there and MAJ:MIN.
func (t *T) blockDevice() (path, majmin string) {
	t.Helper()
	spec := t.Spec()
	spec.Mounts = []berth.Mount{berth.Bind("/dev", "/hostdev")}
	out := t.Sh(spec, `for d in /sys/block/*; do n=${d##*/}; case $n in loop*|ram*|zram*|sr*) continue;; esac; test -b /hostdev/$n && echo /dev/$n $(cat $d/dev) && exit; done; echo none none`)
	path, majmin, _ = strings.Cut(out, " ")
	if path == "none" {
		t.Untestable("the engine's host has no block device", nil)
	}
	return path, majmin
}
