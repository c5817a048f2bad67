package oracle

import (
	"strconv"

	"github.com/berthdev/berth"
)

func itoa(n int) string { return strconv.Itoa(n) }

// dockerUpdate changes twins with the same options.
func dockerUpdate(w *world) {
	for expr, u := range map[string]berth.Update{
		"cpu_shares=300":                        {CPUShares: new(int64(300))},
		"cpu_period=50000, cpu_quota=20000":     {CPUPeriod: new(int64(50000)), CPUQuota: new(int64(20000))},
		`cpuset_cpus="0"`:                       {CpusetCPUs: new("0")},
		`cpuset_mems="0"`:                       {CpusetMems: new("0")},
		`mem_limit="64m", memswap_limit="128m"`: {Memory: new(64 * berth.MiB), MemorySwap: new(128 * berth.MiB)},
		`mem_reservation="32m"`:                 {MemoryReservation: new(32 * berth.MiB)},
		`restart_policy={"Name": "on-failure", "MaximumRetryCount": 4}`: {RestartPolicy: &berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 4}},
	} {
		w.run(expr, func(w *world) {
			one, two := w.start(sleeper()), w.start(sleeper())
			py := w.py.dict(one.ID(), "c.update("+expr+")")
			res := must(two.Update(w.ctx, u))
			equal(w.t, "warnings", py["Warnings"], res.Warnings)
			own := wire(w.t, must(two.Inspect(w.ctx)).Raw).(map[string]any)
			equal(w.t, "HostConfig", w.py.dict(one.ID(), "c.attrs")["HostConfig"], own["HostConfig"])
			if untouched := wire(w.t, must(w.create(sleeper()).Inspect(w.ctx)).Raw).(map[string]any); diff(w.t, untouched["HostConfig"], own["HostConfig"]) == "" {
				w.t.Error("the update has changed nothing")
			}
		})
	}
	w.run("refused", func(w *world) {
		c := w.start(sleeper())
		// Of a running container Docker changes the record, not the limit. docker-py is told that all is well.
		w.py.eval(c.ID(), `c.update(mem_limit="64m", memswap_limit=-1)`)
		if _, err := c.Update(w.ctx, berth.Update{MemorySwap: new(berth.Bytes(-1))}); !isUnsupported(err) {
			w.t.Errorf("unlimited swap of a running container: %v, want an UnsupportedError", err)
		}
		// docker-py drops a zero (update(cpu_shares=0) does nothing).
		w.py.eval(c.ID(), "c.update(cpu_shares=0)")
		if _, err := c.Update(w.ctx, berth.Update{CPUShares: new(int64(0))}); !isUnsupported(err) {
			w.t.Errorf("a zero: %v, want an UnsupportedError", err)
		}
	})
}

// dockerSystem compares info and version.
func dockerSystem(w *world) {
	info := must(w.cli.Info(w.ctx))
	py := w.py.dict("", "client.info()")
	for key, v := range map[string]any{
		"ID": info.ID, "Name": info.Name, "ServerVersion": info.ServerVersion, "Driver": info.StorageDriver, "LoggingDriver": info.LoggingDriver,
		"CgroupDriver": info.CgroupDriver, "CgroupVersion": info.CgroupVersion, "KernelVersion": info.KernelVersion, "OperatingSystem": info.OperatingSystem,
		"OSType": info.OSType, "NCPU": info.NCPU, "MemTotal": int64(info.MemTotal), "DockerRootDir": info.RootDir, "DefaultRuntime": info.DefaultRuntime,
		"SecurityOptions": info.SecurityOptions, "SwapLimit": info.SwapLimit, "OomKillDisable": info.OOMKillDisable, "Warnings": info.Warnings,
	} {
		equal(w.t, key, py[key], v)
	}
	plugins := py["Plugins"].(map[string]any)
	equal(w.t, "log drivers", plugins["Log"], info.LogDrivers)
	equal(w.t, "volume drivers", plugins["Volume"], info.VolumeDrivers)
	equal(w.t, "network drivers", plugins["Network"], info.NetworkDrivers)

	v := must(w.cli.Version(w.ctx))
	py = w.py.dict("", "client.version()")
	for key, own := range map[string]any{
		"Version": v.Version, "ApiVersion": v.APIVersion, "MinAPIVersion": v.MinAPIVersion, "GitCommit": v.GitCommit, "GoVersion": v.GoVersion,
		"Os": v.OS, "Arch": v.Arch, "KernelVersion": v.KernelVersion, "BuildTime": v.BuildTime,
	} {
		equal(w.t, key, py[key], own)
	}
	components := m{}
	for _, c := range py["Components"].([]any) {
		components[c.(m)["Name"].(string)] = c.(m)["Version"]
	}
	equal(w.t, "components", components, v.Components)
	equal(w.t, "ping", w.py.eval("", "client.ping()"), w.cli.Ping(w.ctx) == nil)
}
