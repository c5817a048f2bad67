package oracle

import (
	"io/fs"
	"net/netip"
	"time"

	"github.com/berthdev/berth"
)

const (
	noField  = "podman-py sends a field that libpod does not have, and nothing says so"
	typeErr  = "podman-py: TypeError, an option that it does not have; libpod has it"
	badShape = "podman-py sends what libpod cannot read"
	shown    = "Berth adds the annotation by which inspect shows it"
	order    = "the same options in another order"
	volumed  = "podman-py sends a volume as a bind mount of a relative path"
)

// podmanOptions are the rows: keyword arguments of podman-py, and the Spec.
func podmanOptions(other, net, vol, secret string) []option {
	type S = berth.Spec
	type R = berth.Resources
	res := func(set func(*R)) func(*S) { return func(s *S) { set(&s.Resources) } }
	pod := func(set func(*berth.PodmanSpec)) func(*S) {
		return func(s *S) { s.Podman = &berth.PodmanSpec{}; set(s.Podman) }
	}
	mount := func(list ...berth.Mount) func(*S) { return func(s *S) { s.Mounts = list } }
	ports := func(list ...berth.Port) func(*S) { return func(s *S) { s.Ports = list } }
	device := []berth.ThrottleDevice{{Path: "/dev/loop0", Rate: 1000}}
	lost := func(paths ...string) map[string]string {
		out := map[string]string{}
		for _, p := range paths {
			out[p] = noField
		}
		return out
	}
	check := &berth.Healthcheck{Test: berth.CmdShell("true"), Interval: 2 * time.Second, Timeout: 3 * time.Second, Retries: 4, StartPeriod: 5 * time.Second}
	return []option{
		// Process.
		{kwargs: ``, set: func(*S) {}},
		{kwargs: `command=["sh", "-c", "echo a  b"]`, set: func(s *S) { s.Command = []string{"sh", "-c", "echo a  b"} }},
		{kwargs: `command="sh"`, set: func(s *S) { s.Command = []string{"sh"} }},
		{kwargs: `command=None`, set: func(s *S) { s.Command = nil }},
		{kwargs: `entrypoint=["/bin/sh", "-c"]`, set: func(s *S) { s.Entrypoint = []string{"/bin/sh", "-c"} }},
		{kwargs: `entrypoint="/bin/sh"`, set: func(s *S) { s.Entrypoint = []string{"/bin/sh"} }, raises: badShape},
		{kwargs: `environment={"A": "1", "B": "x=y"}`, set: func(s *S) { s.Env = map[string]string{"A": "1", "B": "x=y"} }},
		{kwargs: `environment=["A=1", "B=x=y"]`, set: func(s *S) { s.Env = map[string]string{"A": "1", "B": "x=y"} }, raises: badShape},
		{kwargs: `environment={"N": 5}`, set: func(s *S) { s.Env = map[string]string{"N": "5"} }, raises: badShape},
		{kwargs: `working_dir="/tmp"`, set: func(s *S) { s.WorkingDir = "/tmp" }},
		{kwargs: `workdir="/tmp"`, set: func(s *S) { s.WorkingDir = "/tmp" }},
		{kwargs: `user="1000:5"`, set: func(s *S) { s.User = "1000:5" }},
		{kwargs: `user=1000`, set: func(s *S) { s.User = "1000" }, raises: badShape},
		{kwargs: `group_add=["5", "daemon"]`, set: func(s *S) { s.GroupAdd = []string{"5", "daemon"} }},
		{kwargs: `tty=True`, set: func(s *S) { s.TTY = true }},
		{kwargs: `stdin_open=True`, set: func(s *S) { s.OpenStdin = true }},
		{kwargs: `stop_signal=2`, set: func(s *S) { s.StopSignal = "SIGINT" }},
		{kwargs: `stop_signal="SIGINT"`, set: func(s *S) { s.StopSignal = "SIGINT" }, raises: badShape},
		{kwargs: `stop_timeout=7`, set: func(s *S) { s.StopTimeout = new(7 * time.Second) }},
		{kwargs: `umask="0027"`, set: func(s *S) { s.Umask = "0027" }},
		{kwargs: `timezone="UTC"`, set: func(s *S) { s.Timezone = "UTC" }},
		{kwargs: `hostname="h"`, set: func(s *S) { s.Hostname = "h" }},
		{kwargs: `domainname="d"`, set: func(s *S) { s.Domainname = "d" }, raises: typeErr},
		{kwargs: `labels={"a": "b", "c": ""}`, set: func(s *S) { s.Labels = map[string]string{"a": "b", "c": ""} }},
		{kwargs: `labels=["a"]`, set: func(s *S) { s.Labels = map[string]string{"a": ""} }, raises: badShape},
		{kwargs: `annotations={"a": "b"}`, set: func(s *S) { s.Annotations = map[string]string{"a": "b"} }},
		{kwargs: `healthcheck={"Test": ["CMD-SHELL", "true"], "Interval": 2000000000, "Timeout": 3000000000, "Retries": 4, "StartPeriod": 5000000000}`, set: func(s *S) { s.Healthcheck = check }},
		{kwargs: `healthcheck={"Test": ["CMD-SHELL", "true"]}`, set: func(s *S) { s.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("true")} }, differs: map[string]string{
			"Config.Healthcheck": "libpod has no defaults: podman-py's check has no interval, no timeout and no retries, and never passes",
		}},
		{kwargs: `healthcheck={"Test": ["CMD-SHELL", "true"], "Interval": 2000000000, "Timeout": 3000000000, "Retries": 4, "StartPeriod": 5000000000}, health_check_on_failure_action=2`, set: func(s *S) {
			h := *check
			h.OnFailure, s.Healthcheck = "kill", &h
		}},
		{kwargs: `restart_policy={"Name": "on-failure", "MaximumRetryCount": 3}`, set: func(s *S) { s.RestartPolicy = berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3} }},
		{kwargs: `auto_remove=True`, set: func(s *S) { s.AutoRemove = true }},
		{kwargs: `log_config={"Type": "json-file"}`, set: func(s *S) { s.LogConfig.Driver = "json-file" }},
		{kwargs: `log_config={"Type": "none"}`, set: func(s *S) { s.LogConfig.Driver = "none" }},
		{kwargs: `log_config={"Type": "k8s-file", "Config": {"size": 1048576}}`, set: func(s *S) {
			s.LogConfig = berth.LogConfig{Driver: "k8s-file", Options: map[string]string{"max-size": "1m"}}
		}},
		{kwargs: `log_config={"Type": "k8s-file", "Config": {"max-size": "1m"}}`, set: func(s *S) {
			s.LogConfig = berth.LogConfig{Driver: "k8s-file", Options: map[string]string{"max-size": "1m"}}
		}, differs: lost("HostConfig.LogConfig.Size")},
		{kwargs: `runtime="runc"`, set: func(s *S) { s.Runtime = "runc" }},
		{kwargs: `conmon_pid_file="/tmp/berth-oracle.pid"`, set: pod(func(p *berth.PodmanSpec) { p.ConmonPidFile = "/tmp/berth-oracle.pid" })},
		{kwargs: `containerCreateCommand=["a", "b"]`, set: pod(func(p *berth.PodmanSpec) { p.CreateCommand = []string{"a", "b"} })},
		{kwargs: `systemd="false"`, set: pod(func(p *berth.PodmanSpec) { p.Systemd = "false" })},
		{kwargs: `sdnotifyMode="ignore"`, set: pod(func(p *berth.PodmanSpec) { p.SdNotifyMode = "ignore" })},
		{kwargs: `env_host=True`, set: pod(func(p *berth.PodmanSpec) { p.EnvHost = true })},
		{kwargs: `image_volume_mode="tmpfs"`, set: pod(func(p *berth.PodmanSpec) { p.ImageVolumeMode = "tmpfs" })},
		{kwargs: `lxc_config={"a": "b"}`, set: func(s *S) { s.LXCConf = map[string]string{"a": "b"} }, refused: noField},
		{kwargs: `isolation="hyperv"`, set: func(s *S) { s.Windows = &berth.WindowsSpec{Isolation: "hyperv"} }, refused: noField},
		{kwargs: `cpu_count=1`, set: func(s *S) { s.Windows = &berth.WindowsSpec{CPUCount: 1} }, refused: "podman-py drops it"},
		{kwargs: `cpu_percent=50`, set: func(s *S) { s.Windows = &berth.WindowsSpec{CPUPercent: 50} }, refused: "podman-py drops it"},

		// Security.
		{kwargs: `privileged=True`, set: func(s *S) { s.Privileged = true }},
		{kwargs: `cap_add=["NET_ADMIN"], cap_drop=["CAP_MKNOD"]`, set: func(s *S) { s.CapAdd, s.CapDrop = []string{"NET_ADMIN"}, []string{"CAP_MKNOD"} }},
		{kwargs: `no_new_privileges=True`, set: func(s *S) { s.SecurityOpt = []string{"no-new-privileges"} }},
		{kwargs: `security_opt=["no-new-privileges"]`, set: func(s *S) { s.SecurityOpt = []string{"no-new-privileges"} }, differs: lost("HostConfig.SecurityOpt")},
		{kwargs: `security_opt=["disable"]`, set: func(s *S) { s.SecurityOpt = []string{"label=disable"} }, differs: map[string]string{
			"HostConfig.SecurityOpt": shown, "Config.Annotations.io.podman.annotations.label": shown, "HostConfig.Annotations.io.podman.annotations.label": shown,
		}},
		{kwargs: `masked_paths=["/proc/x"], unmasked_paths=["/proc/kcore"]`, set: func(s *S) { s.SecurityOpt = []string{"mask=/proc/x", "unmask=/proc/kcore"} }},
		{kwargs: `procfs_opts=["hidepid=2"]`, set: func(s *S) { s.SecurityOpt = []string{"proc-opts=hidepid=2"} }},
		{kwargs: `read_only=True, read_write_tmpfs=True`, set: func(s *S) { s.ReadOnly, s.ReadWriteTmpfs = true, new(true) }, older: map[string]string{
			"HostConfig.Tmpfs": "before 4.4 Podman ignores read_write_tmpfs, and Berth mounts them",
		}},
		{kwargs: `pid_mode="host"`, set: func(s *S) { s.PIDMode = "host" }},
		{kwargs: `pid_mode="container:" + other`, set: func(s *S) { s.PIDMode = "container:" + other }, raises: badShape},
		{kwargs: `ipc_mode="host"`, set: func(s *S) { s.IPCMode = "host" }},
		{kwargs: `ipc_mode={"nsmode": "container", "value": other}`, set: func(s *S) { s.IPCMode = "container:" + other }, raises: badShape},
		{kwargs: `uts_mode="host"`, set: func(s *S) { s.UTSMode = "host" }},
		{kwargs: `userns_mode="host"`, set: func(s *S) { s.UsernsMode = "host" }},
		{kwargs: `userns_mode="keep-id:uid=5"`, set: func(s *S) { s.UsernsMode = "keep-id:uid=5" }, fails: "podman-py sends a mode that libpod does not know; Podman as root has no keep-id, and Berth says so"},
		{kwargs: `cgroupns="private"`, set: func(s *S) { s.CgroupNS = "private" }},
		{kwargs: `cgroup_parent="/berth-oracle"`, set: func(s *S) { s.CgroupParent = "/berth-oracle" }},
		{kwargs: `cgroups_mode="disabled"`, set: func(s *S) { s.CgroupsMode = "disabled" }, fails: "runc does not do it"},
		{kwargs: `seccomp_policy="default"`, set: pod(func(p *berth.PodmanSpec) { p.SeccompPolicy = "default" })},

		// Resources.
		{kwargs: `mem_limit="64m", memswap_limit="1g", mem_reservation="32m"`, set: res(func(r *R) { r.Memory, r.MemorySwap, r.MemoryReservation = 64*berth.MiB, berth.GiB, 32*berth.MiB })},
		{kwargs: `mem_swappiness=50`, set: res(func(r *R) { r.MemorySwappiness = new(int64(50)) })},
		{kwargs: `kernel_memory="64m"`, set: res(func(r *R) { r.KernelMemory = 64 * berth.MiB }), refused: "libpod takes it and does nothing"},
		{kwargs: `oom_kill_disable=True, mem_limit="64m"`, set: res(func(r *R) { r.OOMKillDisable, r.Memory = new(true), 64*berth.MiB })},
		{kwargs: `oom_score_adj=500`, set: func(s *S) { s.OOMScoreAdj = new(500) }},
		{kwargs: `nano_cpus=500000000`, set: res(func(r *R) { r.CPUs = 0.5 }), differs: map[string]string{
			"HostConfig.CpuPeriod": "podman-py drops nano_cpus", "HostConfig.CpuQuota": "podman-py drops nano_cpus", "HostConfig.NanoCpus": "podman-py drops nano_cpus",
		}},
		{kwargs: `cpu_shares=300, cpu_period=50000, cpu_quota=20000`, set: res(func(r *R) { r.CPUShares, r.CPUPeriod, r.CPUQuota = 300, 50000, 20000 })},
		{kwargs: `cpu_rt_period=100000, cpu_rt_runtime=1000`, set: res(func(r *R) { r.CPURealtimePeriod, r.CPURealtimeRuntime = 100000, 1000 })},
		{kwargs: `cpuset_cpus="0", cpuset_mems="0"`, set: res(func(r *R) { r.CpusetCPUs, r.CpusetMems = "0", "0" })},
		{kwargs: `pids_limit=50`, set: res(func(r *R) { r.PidsLimit = new(int64(50)) })},
		{kwargs: `pids_limit=-1`, set: res(func(r *R) { r.PidsLimit = new(int64(-1)) })},
		{kwargs: `blkio_weight=300`, set: res(func(r *R) { r.BlkioWeight = 300 }), fails: "podman-py: TypeError, it does not have it; the kernel here discards it, and Berth says so"},
		{kwargs: `blkio_weight_device=[{"Path": "/dev/loop0", "Weight": 300}]`, set: res(func(r *R) { r.BlkioWeightDevice = []berth.WeightDevice{{Path: "/dev/loop0", Weight: 300}} }), raises: typeErr},
		{kwargs: `device_read_bps=[{"Path": "/dev/loop0", "Rate": 1000}]`, set: res(func(r *R) { r.BlkioDeviceReadBps = device }), raises: typeErr},
		{kwargs: `ulimits=[{"Name": "nofile", "Soft": 100, "Hard": 200}]`, set: func(s *S) { s.Ulimits = []berth.Ulimit{{Name: "nofile", Soft: 100, Hard: 200}} }},
		{kwargs: `sysctls={"net.core.somaxconn": "300"}`, set: func(s *S) { s.Sysctls = map[string]string{"net.core.somaxconn": "300"} }},
		{kwargs: `shm_size="8m"`, set: func(s *S) { s.ShmSize = 8 * berth.MiB }},
		{kwargs: `storage_opt={"size": "1g"}`, set: func(s *S) { s.StorageOpt = map[string]string{"size": "1g"} }, fails: "podman-py: TypeError; the storage here has no quotas"},
		{kwargs: `unified={"memory.high": "64000000"}`, set: pod(func(p *berth.PodmanSpec) { p.Unified = map[string]string{"memory.high": "64000000"} }), refused: "without cgroup v2 Podman drops it"},
		{kwargs: `mem_use_hierarchy=True`, set: pod(func(p *berth.PodmanSpec) { p.MemUseHierarchy = new(true) })},
		{kwargs: `mem_use_hierarchy=False`, set: pod(func(p *berth.PodmanSpec) { p.MemUseHierarchy = new(false) }), refused: "the kernel has had nothing but true since 5.11"},
		{kwargs: `kernel_memory_tcp=67108864`, set: pod(func(p *berth.PodmanSpec) { p.KernelMemoryTCP = 64 * berth.MiB }), refused: "no runtime of today sets it"},

		// Devices.
		{kwargs: `devices=["/dev/null:/dev/n:r", "/dev/zero"]`, set: func(s *S) {
			s.Devices = []berth.Device{{Host: "/dev/null", Container: "/dev/n", Permissions: "r"}, {Host: "/dev/zero"}}
		}},
		{kwargs: `device_cgroup_rules=["c 13:* rwm"]`, set: func(s *S) { s.DeviceCgroupRules = []string{"c 13:* rwm"} }, raises: typeErr},

		// Network.
		{kwargs: `network_mode="none"`, set: func(s *S) { s.NetworkMode = "none" }},
		{kwargs: `network_mode="host"`, set: func(s *S) { s.NetworkMode = "host" }},
		{kwargs: `network_mode="bridge"`, set: func(s *S) { s.NetworkMode = "bridge" }},
		{kwargs: `network_mode="container:" + other`, set: func(s *S) { s.NetworkMode = "container:" + other }, raises: badShape},
		{kwargs: `networks={net: {"aliases": ["x"], "static_mac": "02:42:ac:11:00:42"}}`, set: func(s *S) {
			s.Networks = []berth.Endpoint{{Network: net, Aliases: []string{"x"}, MACAddress: "02:42:ac:11:00:42"}}
		}},
		{kwargs: `network=net`, set: func(s *S) { s.NetworkMode = net }},
		{kwargs: `network_disabled=True`, set: func(s *S) { s.NetworkDisabled = true }, raises: typeErr},
		{kwargs: `ports={"80/tcp": 45678, "81/udp": ("127.0.0.1", 45679), "82/tcp": [45680, 45681]}`, set: ports(
			berth.Port{Container: "80", Host: "45678"}, berth.Port{Container: "81/udp", Host: "45679", HostIP: netip.MustParseAddr("127.0.0.1")},
			berth.Port{Container: "82", Host: "45680"}, berth.Port{Container: "82", Host: "45681"},
		)},
		{kwargs: `ports={"80/tcp": {"port": 45690, "range": 3}}`, set: ports(berth.Port{Container: "80", Host: "45690", Range: 3})},
		{kwargs: `exposed_ports=["80/tcp", "81/udp"]`, set: func(s *S) { s.Expose = []string{"80/tcp", "81/udp"} }},
		{kwargs: `publish_all_ports=True`, set: func(s *S) { s.PublishAllPorts = true }},
		{kwargs: `dns=["1.2.3.4"], dns_opt=["ndots:2"], dns_search=["example.com"]`, set: func(s *S) {
			s.DNS, s.DNSOptions, s.DNSSearch = []netip.Addr{netip.MustParseAddr("1.2.3.4")}, []string{"ndots:2"}, []string{"example.com"}
		}},
		{kwargs: `extra_hosts={"a": "1.2.3.4"}`, set: func(s *S) { s.ExtraHosts = []string{"a:1.2.3.4"} }},
		{kwargs: `links={other: "alias"}`, set: func(s *S) { s.Links = []string{other + ":alias"} }, fails: "Podman has none"},
		{kwargs: `use_image_hosts=True`, set: pod(func(p *berth.PodmanSpec) { p.UseImageHosts = true })},
		{kwargs: `use_image_resolve_conf=True`, set: pod(func(p *berth.PodmanSpec) { p.UseImageResolvConf = true })},
		{kwargs: `init=False`, set: func(s *S) { s.Init = new(false) }},
		{kwargs: `use_config_proxy=False`, set: func(s *S) { s.UseConfigProxy = new(false) }},

		// Storage.
		{kwargs: `mounts=[{"type": "bind", "source": "/tmp", "target": "/b", "read_only": True}]`, set: mount(berth.Mount{Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true}), differs: map[string]string{
			"HostConfig.Binds.0": order,
		}},
		{kwargs: `mounts=[{"type": "tmpfs", "source": "tmpfs", "target": "/t", "size": "8m", "mode": "1770"}]`, set: mount(berth.Mount{Type: berth.MountTmpfs, Target: "/t", Size: 8 * berth.MiB, Mode: new(fs.FileMode(0o1770))}), differs: map[string]string{
			"HostConfig.Tmpfs./t": "the same in other words",
		}},
		{kwargs: `mounts=[{"type": "volume", "source": vol, "target": "/v"}]`, set: mount(berth.VolumeMount(vol, "/v")), differs: map[string]string{"Mounts": volumed, "HostConfig.Binds": volumed}},
		{kwargs: `volumes={vol: {"bind": "/v", "mode": "rw"}}`, set: mount(berth.VolumeMount(vol, "/v"))},
		{kwargs: `volumes={"/tmp": {"bind": "/b", "mode": "ro"}}`, set: mount(berth.Mount{Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true}), differs: map[string]string{
			"HostConfig.Binds.0": order,
		}},
		{kwargs: `volumes={"/tmp": {"bind": "/b", "mode": "ro,z"}}`, set: mount(berth.Mount{Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true, Relabel: "shared"}), raises: badShape},
		{kwargs: `image_volumes=[{"Source": image, "Destination": "/i"}]`, set: mount(berth.ImageMount("docker.io/library/busybox:latest", "/i"))},
		{kwargs: `overlay_volumes=[{"source": "/tmp", "destination": "/o"}]`, set: mount(berth.Mount{Type: berth.MountOverlay, Source: "/tmp", Target: "/o"})},
		{kwargs: `volumes_from=[other]`, set: func(s *S) { s.VolumesFrom = []string{other} }},
		{kwargs: `tmpfs={"/t": "size=8m"}`, set: mount(berth.Mount{Type: berth.MountTmpfs, Target: "/t", Size: 8 * berth.MiB}), raises: typeErr},
		{kwargs: `secrets=[secret]`, set: func(s *S) { s.Secrets = []berth.SecretMount{{Source: secret}} }, differs: map[string]string{
			"Config.Secrets.0.Mode": "podman-py sends no mode, which is 0000: nobody but root can read the file",
		}},
		{kwargs: `secrets=[{"source": secret, "target": "x", "uid": 5, "gid": 6, "mode": 256}]`, set: func(s *S) {
			s.Secrets = []berth.SecretMount{{Source: secret, Target: "x", UID: 5, GID: 6, Mode: new(uint32(0o400))}}
		}},
		{kwargs: `secret_env={"S": secret}`, set: func(s *S) { s.SecretEnv = map[string]string{"S": secret} }},
	}
}
