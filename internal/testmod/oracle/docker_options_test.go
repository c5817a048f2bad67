package oracle

import (
	"io/fs"
	"maps"
	"net/netip"
	"runtime"
	"time"

	"github.com/berthdev/berth"
)

const (
	discarded = "the engine's kernel discards it, with a warning that docker-py drops"
	noted     = "the engine notes it and nothing looks at it"
	ignored   = "the engine takes it and does nothing"
	asMount   = "a tmpfs without options that need it is a mount"
	binds     = "docker-py's volumes are binds, Berth has mounts for everything; the mounts that come of both are the same"
)

// dockerOptions are the rows: keyword arguments of docker-py, and the Spec.
func dockerOptions(other, net, vol string) []option {
	type S = berth.Spec
	res := func(set func(*berth.Resources)) func(*S) { return func(s *S) { set(&s.Resources) } }
	type R = berth.Resources
	device := []berth.ThrottleDevice{{Path: "/dev/loop0", Rate: 1000}}
	mount := func(list ...berth.Mount) func(*S) { return func(s *S) { s.Mounts = list } }
	ports := func(list ...berth.Port) func(*S) { return func(s *S) { s.Ports = list } }
	asBinds := map[string]string{"HostConfig.Binds": binds, "HostConfig.Mounts": binds, "Config.Volumes": binds}
	with := func(list map[string]string, more ...string) map[string]string {
		out := maps.Clone(list)
		for _, path := range more {
			out[path] = binds
		}
		return out
	}
	return []option{
		// Process.
		{kwargs: "", set: func(*S) {}},
		{kwargs: `detach=True`, set: func(*S) {}, differs: map[string]string{"Config.AttachStdout": noted, "Config.AttachStderr": noted}},
		{kwargs: `command="sh -c 'echo a  b' \"c d\""`, set: func(s *S) { s.Command = []string{"sh", "-c", "echo a  b", "c d"} }},
		{kwargs: `command=None`, set: func(s *S) { s.Command = nil }},
		{kwargs: `command=[]`, set: func(s *S) { s.Command = nil }},
		{kwargs: `entrypoint="/bin/sh -c"`, set: func(s *S) { s.Entrypoint = []string{"/bin/sh", "-c"} }},
		{kwargs: `entrypoint=["/bin/sh", "-c"]`, set: func(s *S) { s.Entrypoint = []string{"/bin/sh", "-c"} }},
		{kwargs: `environment={"A": "1", "EMPTY": "", "N": 5}`, set: func(s *S) { s.Env = map[string]string{"A": "1", "EMPTY": "", "N": "5"} }},
		{kwargs: `environment={"PATH": None}`, set: func(s *S) { s.UnsetEnv = []string{"PATH"} }},
		{kwargs: `environment=["A=1", "B=x=y"]`, set: func(s *S) { s.Env = map[string]string{"A": "1", "B": "x=y"} }},
		{kwargs: `use_config_proxy=False`, set: func(s *S) { s.UseConfigProxy = new(false) }},
		{kwargs: `working_dir="/tmp"`, set: func(s *S) { s.WorkingDir = "/tmp" }},
		{kwargs: `user="1000:5"`, set: func(s *S) { s.User = "1000:5" }},
		{kwargs: `user=1000`, set: func(s *S) { s.User = "1000" }},
		{kwargs: `group_add=[5, "daemon"]`, set: func(s *S) { s.GroupAdd = []string{"5", "daemon"} }},
		{kwargs: `tty=True`, set: func(s *S) { s.TTY = true }},
		{kwargs: `stdin_open=True`, set: func(s *S) { s.OpenStdin, s.StdinOnce = true, true }},
		{kwargs: `stdin_open=True, detach=True`, set: func(s *S) { s.OpenStdin = true }, differs: map[string]string{
			"Config.AttachStdin": noted, "Config.AttachStdout": noted, "Config.AttachStderr": noted,
		}},
		{kwargs: `stop_signal="SIGINT"`, set: func(s *S) { s.StopSignal = "SIGINT" }},
		{kwargs: `init=True`, set: func(s *S) { s.Init = new(true) }},
		{kwargs: `init=False`, set: func(s *S) { s.Init = new(false) }},
		{kwargs: `init_path="/x"`, set: func(s *S) { s.InitPath = "/x" }, fails: "no Docker since 17.05 has it"},
		{kwargs: `hostname="h", domainname="d"`, set: func(s *S) { s.Hostname, s.Domainname = "h", "d" }},
		{kwargs: `labels={"a": "b", "c": ""}`, set: func(s *S) { s.Labels = map[string]string{"a": "b", "c": ""} }},
		{kwargs: `labels=["a", "b"]`, set: func(s *S) { s.Labels = map[string]string{"a": "", "b": ""} }},
		{kwargs: `healthcheck={"test": "true", "interval": 2000000000, "timeout": 3000000000, "retries": 4, "start_period": 5000000000}`, set: func(s *S) {
			s.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("true"), Interval: 2 * time.Second, Timeout: 3 * time.Second, Retries: 4, StartPeriod: 5 * time.Second}
		}},
		{kwargs: `healthcheck={"test": ["CMD", "true"]}`, set: func(s *S) { s.Healthcheck = &berth.Healthcheck{Test: []string{"CMD", "true"}} }},
		{kwargs: `healthcheck={"test": ["NONE"]}`, set: func(s *S) { s.Healthcheck = &berth.Healthcheck{Test: []string{"NONE"}} }},
		{kwargs: `restart_policy={"Name": "on-failure", "MaximumRetryCount": 3}`, set: func(s *S) { s.RestartPolicy = berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3} }},
		{kwargs: `restart_policy={"Name": "unless-stopped"}`, set: func(s *S) { s.RestartPolicy.Name = "unless-stopped" }},
		{kwargs: `auto_remove=True`, set: func(s *S) { s.AutoRemove = true }},
		{kwargs: `auto_remove=True, restart_policy={"Name": "always"}`, set: func(s *S) { s.AutoRemove, s.RestartPolicy.Name = true, "always" }, fails: "they exclude each other"},
		{kwargs: `log_config=types.LogConfig(type="json-file", config={"max-size": "1m"})`, set: func(s *S) {
			s.LogConfig = berth.LogConfig{Driver: "json-file", Options: map[string]string{"max-size": "1m"}}
		}},
		{kwargs: `log_config={"Type": "none"}`, set: func(s *S) { s.LogConfig.Driver = "none" }},
		{kwargs: `runtime="runc"`, set: func(s *S) { s.Runtime = "runc" }},
		{kwargs: `platform="linux/` + runtime.GOARCH + `"`, set: func(s *S) { s.Platform = "linux/" + runtime.GOARCH }},
		{kwargs: `lxc_conf={"a": "b"}`, set: func(s *S) { s.LXCConf = map[string]string{"a": "b"} }, refused: ignored},

		// Security.
		{kwargs: `privileged=True`, set: func(s *S) { s.Privileged = true }},
		{kwargs: `cap_add=["NET_ADMIN", "SYS_TIME"], cap_drop=["MKNOD"]`, set: func(s *S) { s.CapAdd, s.CapDrop = []string{"NET_ADMIN", "SYS_TIME"}, []string{"MKNOD"} }},
		{kwargs: `cap_drop=["ALL"]`, set: func(s *S) { s.CapDrop = []string{"ALL"} }},
		{kwargs: `security_opt=["no-new-privileges", "seccomp=unconfined"]`, set: func(s *S) { s.SecurityOpt = []string{"no-new-privileges", "seccomp=unconfined"} }, differs: map[string]string{
			"HostConfig.SecurityOpt.0": "no-new-privileges=true is the same in full",
		}},
		{kwargs: `security_opt=["label=disable"]`, set: func(s *S) { s.SecurityOpt = []string{"label=disable"} }},
		{kwargs: `read_only=True`, set: func(s *S) { s.ReadOnly = true }},
		{kwargs: `userns_mode="host"`, set: func(s *S) { s.UsernsMode = "host" }},
		{kwargs: `pid_mode="host"`, set: func(s *S) { s.PIDMode = "host" }},
		{kwargs: `pid_mode="container:" + other`, set: func(s *S) { s.PIDMode = "container:" + other }},
		{kwargs: `ipc_mode="shareable"`, set: func(s *S) { s.IPCMode = "shareable" }},
		{kwargs: `ipc_mode="host"`, set: func(s *S) { s.IPCMode = "host" }},
		{kwargs: `uts_mode="host"`, set: func(s *S) { s.UTSMode = "host" }},
		{kwargs: `cgroupns="private"`, set: func(s *S) { s.CgroupNS = "private" }},
		{kwargs: `cgroup_parent="/berth-oracle"`, set: func(s *S) { s.CgroupParent = "/berth-oracle" }},
		{kwargs: `isolation="default"`, set: func(s *S) { s.Windows = &berth.WindowsSpec{Isolation: "default"} }},

		// Resources.
		{kwargs: `mem_limit="64m", memswap_limit="1g", mem_reservation="32m"`, set: res(func(r *R) { r.Memory, r.MemorySwap, r.MemoryReservation = 64*berth.MiB, berth.GiB, 32*berth.MiB })},
		{kwargs: `mem_limit=67108864`, set: res(func(r *R) { r.Memory = 64 * berth.MiB })},
		{kwargs: `mem_limit="64m", memswap_limit=-1`, set: res(func(r *R) { r.Memory, r.MemorySwap = 64*berth.MiB, -1 })},
		{kwargs: `mem_swappiness=0`, set: res(func(r *R) { r.MemorySwappiness = new(int64(0)) })},
		{kwargs: `mem_swappiness=50`, set: res(func(r *R) { r.MemorySwappiness = new(int64(50)) })},
		{kwargs: `kernel_memory="64m"`, set: res(func(r *R) { r.KernelMemory = 64 * berth.MiB }), refused: ignored},
		{kwargs: `oom_kill_disable=True, mem_limit="64m"`, set: res(func(r *R) { r.OOMKillDisable, r.Memory = new(true), 64*berth.MiB })},
		{kwargs: `oom_score_adj=500`, set: func(s *S) { s.OOMScoreAdj = new(500) }},
		{kwargs: `nano_cpus=500000000`, set: res(func(r *R) { r.CPUs = 0.5 })},
		{kwargs: `cpu_shares=300, cpu_period=50000, cpu_quota=20000`, set: res(func(r *R) { r.CPUShares, r.CPUPeriod, r.CPUQuota = 300, 50000, 20000 })},
		{kwargs: `cpu_rt_period=100000, cpu_rt_runtime=1000`, set: res(func(r *R) { r.CPURealtimePeriod, r.CPURealtimeRuntime = 100000, 1000 })},
		{kwargs: `cpuset_cpus="0", cpuset_mems="0"`, set: res(func(r *R) { r.CpusetCPUs, r.CpusetMems = "0", "0" })},
		{kwargs: `cpu_count=1`, set: func(s *S) { s.Windows = &berth.WindowsSpec{CPUCount: 1} }, refused: ignored},
		{kwargs: `cpu_percent=50`, set: func(s *S) { s.Windows = &berth.WindowsSpec{CPUPercent: 50} }, refused: ignored},
		{kwargs: `pids_limit=50`, set: res(func(r *R) { r.PidsLimit = new(int64(50)) })},
		{kwargs: `pids_limit=-1`, set: res(func(r *R) { r.PidsLimit = new(int64(-1)) })},
		{kwargs: `blkio_weight=300`, set: res(func(r *R) { r.BlkioWeight = 300 }), refused: discarded},
		{kwargs: `blkio_weight_device=[{"Path": "/dev/loop0", "Weight": 300}]`, set: res(func(r *R) { r.BlkioWeightDevice = []berth.WeightDevice{{Path: "/dev/loop0", Weight: 300}} }), refused: discarded},
		{kwargs: `device_read_bps=[{"Path": "/dev/loop0", "Rate": 1000}]`, set: res(func(r *R) { r.BlkioDeviceReadBps = device })},
		{kwargs: `device_write_bps=[{"Path": "/dev/loop0", "Rate": 1000}]`, set: res(func(r *R) { r.BlkioDeviceWriteBps = device })},
		{kwargs: `device_read_iops=[{"Path": "/dev/loop0", "Rate": 1000}]`, set: res(func(r *R) { r.BlkioDeviceReadIOps = device })},
		{kwargs: `device_write_iops=[{"Path": "/dev/loop0", "Rate": 1000}]`, set: res(func(r *R) { r.BlkioDeviceWriteIOps = device })},
		{kwargs: `ulimits=[types.Ulimit(name="nofile", soft=100, hard=200), types.Ulimit(name="nproc", soft=-1, hard=-1)]`, set: func(s *S) {
			s.Ulimits = []berth.Ulimit{{Name: "nofile", Soft: 100, Hard: 200}, {Name: "nproc", Soft: -1, Hard: -1}}
		}},
		{kwargs: `sysctls={"net.core.somaxconn": 300}`, set: func(s *S) { s.Sysctls = map[string]string{"net.core.somaxconn": "300"} }},
		{kwargs: `shm_size="8m"`, set: func(s *S) { s.ShmSize = 8 * berth.MiB }},
		{kwargs: `storage_opt={"size": "1g"}`, set: func(s *S) { s.StorageOpt = map[string]string{"size": "1g"} }, fails: "overlay2 needs xfs with quotas for it"},

		// Devices.
		{kwargs: `devices=["/dev/null:/dev/n:r", "/dev/zero", "/dev/full:/dev/f"]`, set: func(s *S) {
			s.Devices = []berth.Device{{Host: "/dev/null", Container: "/dev/n", Permissions: "r"}, {Host: "/dev/zero"}, {Host: "/dev/full", Container: "/dev/f"}}
		}},
		{kwargs: `device_cgroup_rules=["c 13:* rwm"]`, set: func(s *S) { s.DeviceCgroupRules = []string{"c 13:* rwm"} }},
		{kwargs: `device_requests=[types.DeviceRequest(driver="nvidia", count=-1, capabilities=[["gpu"]], options={"a": "b"})]`, set: func(s *S) {
			s.DeviceRequests = []berth.DeviceRequest{{Driver: "nvidia", Count: -1, Capabilities: [][]string{{"gpu"}}, Options: map[string]string{"a": "b"}}}
		}},
		{kwargs: `device_requests=[types.DeviceRequest(device_ids=["0", "1"], capabilities=[["gpu"]])]`, set: func(s *S) {
			s.DeviceRequests = []berth.DeviceRequest{{DeviceIDs: []string{"0", "1"}, Capabilities: [][]string{{"gpu"}}}}
		}},

		// Network.
		{kwargs: `network_mode="none"`, set: func(s *S) { s.NetworkMode = "none" }},
		{kwargs: `network_mode="host"`, set: func(s *S) { s.NetworkMode = "host" }},
		{kwargs: `network_mode="container:" + other`, set: func(s *S) { s.NetworkMode = "container:" + other }},
		{kwargs: `network_mode=net`, set: func(s *S) { s.NetworkMode = net }},
		{kwargs: `network=net`, set: func(s *S) { s.Networks = []berth.Endpoint{{Network: net}} }},
		{kwargs: `network=net, networking_config={net: types.EndpointConfig("1.44", aliases=["x"], driver_opt={"a": "b"}, mac_address="02:42:ac:11:00:42")}`, set: func(s *S) {
			s.Networks = []berth.Endpoint{{Network: net, Aliases: []string{"x"}, DriverOptions: map[string]string{"a": "b"}, MACAddress: "02:42:ac:11:00:42"}}
		}, older: map[string]string{"Config.MacAddress": "before API 1.44 it stands there, and docker-py's has no effect"}},
		{kwargs: `network_disabled=True`, set: func(s *S) { s.NetworkDisabled = true }},
		{kwargs: `mac_address="02:42:ac:11:00:43"`, set: func(s *S) { s.MACAddress = "02:42:ac:11:00:43" }},
		{kwargs: `ports={"80/tcp": None, 81: 0, "82/udp": ("127.0.0.1", 0)}`, set: ports(
			berth.Port{Container: "80/tcp"}, berth.Port{Container: "81", Host: "0"}, berth.Port{Container: "82/udp", HostIP: netip.MustParseAddr("127.0.0.1"), Host: "0"},
		), differs: map[string]string{
			"HostConfig.PortBindings.81/tcp.0.HostPort": "0 and nothing both let the engine choose", "HostConfig.PortBindings.82/udp.0.HostPort": "as before",
		}},
		{kwargs: `ports={"80": 45678, "81/tcp": [45679, ("127.0.0.1", 45680)], "82/sctp": 45681}`, set: ports(
			berth.Port{Container: "80", Host: "45678"}, berth.Port{Container: "81", Host: "45679"},
			berth.Port{Container: "81", Host: "45680", HostIP: netip.MustParseAddr("127.0.0.1")}, berth.Port{Container: "82/sctp", Host: "45681"},
		)},
		{kwargs: `ports={"80/tcp": []}`, set: func(s *S) { s.Expose = []string{"80/tcp"} }, differs: map[string]string{
			"HostConfig.PortBindings.80/tcp": "an empty list of bindings is none",
		}},
		{kwargs: `publish_all_ports=True`, set: func(s *S) { s.PublishAllPorts = true }},
		{kwargs: `dns=["1.2.3.4", "::1"], dns_opt=["ndots:2"], dns_search=["example.com"]`, set: func(s *S) {
			s.DNS, s.DNSOptions, s.DNSSearch = []netip.Addr{netip.MustParseAddr("1.2.3.4"), netip.IPv6Loopback()}, []string{"ndots:2"}, []string{"example.com"}
		}},
		{kwargs: `extra_hosts={"a": "1.2.3.4", "b": "host-gateway"}`, set: func(s *S) { s.ExtraHosts = []string{"a:1.2.3.4", "b:host-gateway"} }},
		{kwargs: `links={other: "alias"}`, set: func(s *S) { s.Links = []string{other + ":alias"} }},

		// Storage.
		{kwargs: `mounts=[types.Mount(target="/v", source=vol, labels={"l": "v"}, no_copy=True)]`, set: mount(berth.Mount{
			Type: berth.MountVolume, Source: vol, Target: "/v", Labels: map[string]string{"l": "v"}, NoCopy: true,
		})},
		{kwargs: `mounts=[types.Mount(target="/v", source=vol, driver_config=types.DriverConfig("local"))]`, set: mount(berth.Mount{
			Type: berth.MountVolume, Source: vol, Target: "/v", Driver: "local",
		})},
		{kwargs: `mounts=[types.Mount(target="/b", source="/tmp", type="bind", read_only=True, propagation="rprivate", consistency="cached")]`, set: mount(berth.Mount{
			Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true, Propagation: "rprivate", Consistency: "cached",
		})},
		{kwargs: `mounts=[types.Mount(target="/t", source=None, type="tmpfs", tmpfs_size="8m", tmpfs_mode=0o1770)]`, set: mount(berth.Mount{
			Type: berth.MountTmpfs, Target: "/t", Size: 8 * berth.MiB, Mode: new(fs.FileMode(0o1770)),
		})},
		{kwargs: `mounts=[types.Mount(target="/n", source=None, type="npipe")]`, set: mount(berth.Mount{Type: berth.MountNpipe, Source: `\\.\pipe\x`, Target: "/n"}), fails: "there are none on Linux"},
		{kwargs: `tmpfs={"/t": "size=8m,uid=1000", "/u": ""}`, set: mount(
			berth.Mount{Type: berth.MountTmpfs, Target: "/t", Size: 8 * berth.MiB, Options: []string{"uid=1000"}}, berth.Mount{Type: berth.MountTmpfs, Target: "/u"},
		), differs: map[string]string{
			"HostConfig.Tmpfs./t": "sizes are in bytes", "HostConfig.Tmpfs./u": asMount, "HostConfig.Mounts": asMount, "Mounts": asMount,
		}},
		{kwargs: `volumes={"/tmp": {"bind": "/b", "mode": "ro"}, vol: {"bind": "/v", "mode": "rw"}}`, set: mount(
			berth.Mount{Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true}, berth.VolumeMount(vol, "/v"),
		), differs: with(asBinds, "Mounts.0.Mode", "Mounts.1.Mode")},
		{kwargs: `volumes=["/tmp:/b:ro", vol + ":/v", "/anonymous"]`, set: mount(
			berth.Mount{Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true}, berth.VolumeMount(vol, "/v"), berth.VolumeMount("", "/anonymous"),
		), differs: with(asBinds, "Mounts")},
		{kwargs: `volumes_from=[other + ":ro"]`, set: func(s *S) { s.VolumesFrom = []string{other + ":ro"} }},
		{kwargs: `volume_driver="local", volumes=[vol + ":/v"]`, set: func(s *S) { s.VolumeDriver, s.Mounts = "local", []berth.Mount{berth.VolumeMount(vol, "/v")} }, differs: with(asBinds, "HostConfig.VolumeDriver")},
	}
}
