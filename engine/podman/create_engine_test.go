package podman

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// TestCreateEffect looks for each option's effect inside the container.
func TestCreateEffect(t *testing.T) {
	mode := os.FileMode(0o1700)
	tests := []struct {
		name   string
		spec   engine.Spec
		script string
		want   string // the whole output; "…x…" is a part of it
	}{
		{"env", engine.Spec{Env: map[string]string{"A": "1", "B": ""}}, `echo "$A[$B]"; env | grep -c '^B='`, "1[]\n1"},
		{"unset env", engine.Spec{Command: []string{"/bin/sh", "-c", `/bin/env | /bin/grep -c "^PATH=/bin:/usr/bin$" || true`}, UnsetEnv: []string{"PATH"}}, "", "0"},
		{"working dir", engine.Spec{WorkingDir: "/new/dir"}, "pwd", "/new/dir"},
		{"user", engine.Spec{User: "2:2", GroupAdd: []string{"77"}}, "id -u; id -g; id -G", "2\n2\n2 77"},
		{"umask", engine.Spec{Umask: "0027"}, "umask", "0027"},
		{"timezone", engine.Spec{Timezone: "local"}, "echo ok", "ok"},
		{"tty", engine.Spec{TTY: true}, "test -t 0 && echo yes", "yes"},
		{"hostname", engine.Spec{Hostname: "h1", Domainname: "d.example"}, "hostname; cat /proc/sys/kernel/domainname", "h1\nd.example"},
		{"entrypoint", engine.Spec{Entrypoint: []string{"/bin/echo", "a b"}, Command: []string{"c"}}, "", "a b c"},
		{"entrypoint cleared", engine.Spec{Entrypoint: []string{}, Command: []string{"echo", "x"}}, "", "x"},
		{"capabilities", engine.Spec{CapAdd: []string{"NET_ADMIN"}, CapDrop: []string{"CAP_CHOWN"}}, "grep CapEff /proc/self/status", "…00000000800415fa…"},
		{"privileged", engine.Spec{Privileged: true}, "mount -t tmpfs none /mnt && echo mounted", "mounted"},
		{"no new privileges", engine.Spec{SecurityOpt: []string{"no-new-privileges"}}, "grep NoNewPrivs /proc/self/status", "…1…"},
		{"seccomp default", engine.Spec{}, "grep Seccomp: /proc/self/status", "…2…"},
		{"seccomp unconfined", engine.Spec{SecurityOpt: []string{"seccomp=unconfined"}}, "grep Seccomp: /proc/self/status", "…0…"},
		{"system paths", engine.Spec{SecurityOpt: []string{"systempaths=unconfined"}}, "grep -c ' /proc/' /proc/mounts || true", "0"},
		{"mask", engine.Spec{SecurityOpt: []string{"mask=/etc/passwd"}}, "wc -c </etc/passwd", "0"},
		{"proc opts", engine.Spec{SecurityOpt: []string{"proc-opts=hidepid=2"}}, "grep ' /proc ' /proc/mounts", "…hidepid=…"},
		{"read-only", engine.Spec{ReadOnly: true}, "touch /x 2>&1 || true; touch /tmp/x 2>&1 || true; echo x >/dev/shm/y && cat /dev/shm/y; mknod /dev/zz p && ls /dev/zz; echo q >/dev/null && echo null", "touch: /x: Read-only file system\ntouch: /tmp/x: Read-only file system\nx\n/dev/zz\nnull"},
		{"read-only tty", engine.Spec{ReadOnly: true, TTY: true}, "tty; head -c1 /dev/urandom | wc -c", "…/dev/pts/0…"},
		{"read-write tmpfs", engine.Spec{ReadOnly: true, ReadWriteTmpfs: new(true)}, "touch /x 2>&1 || true; touch /tmp/x /run/x /var/tmp/x && echo ok", "touch: /x: Read-only file system\nok"},
		{"no read-write tmpfs", engine.Spec{ReadOnly: true, ReadWriteTmpfs: new(false)}, "touch /tmp/x 2>&1 || true", "…Read-only…"},
		{"shm size", engine.Spec{ShmSize: 3 * engine.MiB}, "df -k /dev/shm | tail -1", "… 3072 …"},
		{"device", engine.Spec{Devices: []engine.Device{{Host: "/dev/kmsg", Container: "/dev/k", Permissions: "r"}}}, "test -c /dev/k && echo there; (echo x >/dev/k) 2>/dev/null || echo refused", "there\nrefused"},
		{"device rule", engine.Spec{DeviceCgroupRules: []string{"c 1:5 rwm"}, CapAdd: []string{"MKNOD"}}, "mknod /z c 1 5 && head -c2 /z | wc -c", "2"},
		{"ulimits", engine.Spec{Ulimits: []engine.Ulimit{{Name: "RLIMIT_NOFILE", Soft: 100, Hard: 200}, {Name: "nproc", Soft: 500, Hard: 500}, {Name: "core", Soft: -1, Hard: -1}}}, "ulimit -n; ulimit -Hn; ulimit -c", "100\n200\nunlimited"},
		{"sysctl", engine.Spec{Sysctls: map[string]string{"net.ipv4.ip_forward": "0"}}, "cat /proc/sys/net/ipv4/ip_forward", "0"},
		{"oom score", engine.Spec{OOMScoreAdj: new(321)}, "cat /proc/1/oom_score_adj", "321"},
		{"oom score zero", engine.Spec{OOMScoreAdj: new(0)}, "cat /proc/1/oom_score_adj", "0"},
		{"pid host", engine.Spec{PIDMode: "host"}, "test $$ -gt 1 && echo yes", "yes"},
		{"pid private", engine.Spec{PIDMode: "private"}, "echo $$", "1"},
		{"uts private", engine.Spec{UTSMode: "private", Hostname: "own"}, "hostname", "own"},
		{"ipc none", engine.Spec{IPCMode: "none"}, "grep -c /dev/shm /proc/mounts || true", "0"},
		{"cgroup private", engine.Spec{CgroupNS: "private"}, "grep :memory: /proc/self/cgroup | cut -d: -f3", "/"},
		{"user namespace private", engine.Spec{Podman: &engine.PodmanSpec{IDMappings: &engine.IDMappings{UIDMap: []engine.IDMap{{ContainerID: 0, HostID: 200000, Size: 70000}}}}}, "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' ' ' '", "…0 200000 70000\n 0 200000 70000"},
		{"network none", engine.Spec{NetworkMode: "none"}, "ls /sys/class/net | tr '\\n' ' '", "…lo…"},
		{"network disabled", engine.Spec{NetworkDisabled: true}, "ip -o -4 a | wc -l", "1"},
		{"dns", engine.Spec{DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")}, DNSSearch: []string{"s.example"}, DNSOptions: []string{"ndots:3"}}, "grep -v ^# /etc/resolv.conf | sort", "…nameserver 9.9.9.9\noptions ndots:3\nsearch s.example…"},
		{"extra hosts", engine.Spec{ExtraHosts: []string{"foo:1.2.3.4"}}, "grep foo /etc/hosts", "1.2.3.4\tfoo"},
		{"mac address", engine.Spec{MACAddress: "02:42:ac:11:00:77"}, "cat /sys/class/net/eth0/address", "02:42:ac:11:00:77"},
		{"network bridge", engine.Spec{NetworkMode: "bridge", MACAddress: "02:42:ac:11:00:78"}, "cat /sys/class/net/eth0/address", "02:42:ac:11:00:78"},
		{"memory", engine.Spec{Resources: engine.Resources{Memory: 32 * engine.MiB, MemorySwap: 64 * engine.MiB, MemoryReservation: 16 * engine.MiB, MemorySwappiness: new(int64(7))}},
			"cd /sys/fs/cgroup/memory; cat memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.swappiness", "33554432\n67108864\n16777216\n7"},
		{"oom kill disable", engine.Spec{Resources: engine.Resources{Memory: 32 * engine.MiB, OOMKillDisable: new(true)}}, "head -1 /sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 1"},
		{"cpus", engine.Spec{Resources: engine.Resources{CPUs: 0.5, CPUShares: 512, CpusetCPUs: "0"}}, "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpuset/cpuset.cpus", "50000\n512\n0"},
		{"cpu quota", engine.Spec{Resources: engine.Resources{CPUPeriod: 50000, CPUQuota: 25000}}, "cat /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n25000"},
		{"no cpu quota", engine.Spec{Resources: engine.Resources{CPUQuota: -1}}, "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1"},
		{"pids", engine.Spec{Resources: engine.Resources{PidsLimit: new(int64(33))}}, "cat /sys/fs/cgroup/pids/pids.max", "33"},
		{"pids unlimited", engine.Spec{Resources: engine.Resources{PidsLimit: new(int64(-1))}}, "cat /sys/fs/cgroup/pids/pids.max", "max"},
		{"tmpfs", engine.Spec{Mounts: []engine.Mount{engine.Tmpfs("/t")}}, "grep ' /t ' /proc/mounts; stat -c %a /t", "…noexec…1777"},
		{"tmpfs options", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", Size: engine.MiB, Mode: &mode, Options: []string{"exec"}}}}, "df -k /t | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /t; grep ' /t ' /proc/mounts | grep -c noexec || true", "1024\n1700\n0"},
		{"tmpfs read-only", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", ReadOnly: true}}}, "touch /t/x 2>&1 || true", "…Read-only…"},
		{"tmpfs begins empty", engine.Spec{Mounts: []engine.Mount{engine.Tmpfs("/etc")}}, "ls /etc | grep -c passwd || true", "0"},
		{"anonymous volume", engine.Spec{Mounts: []engine.Mount{engine.Volume("", "/v")}}, "touch /v/x && grep -c ' /v ' /proc/mounts", "1"},
		{"volume without copy", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Target: "/etc", NoCopy: true}}}, "ls /etc | grep -c shadow || true", "0"},
		{"bind", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "/var/tmp", Target: "/b", ReadOnly: true}}}, "touch /b/x 2>&1 || true", "…Read-only…"},
		{"bind shared", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "/var/tmp", Target: "/b", Propagation: "rslave"}}}, "grep ' /b ' /proc/self/mountinfo | grep -c 'shared:\\|master:' || true; touch /b/.pdtest && rm /b/.pdtest && echo rw", "…rw"},
		{"image mount", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountImage, Source: "alpine", Target: "/i", ReadOnly: true}}}, "ls -d /i/bin/busybox; touch /i/x 2>&1 || true", "…Read-only…"},
		{"overlay", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountOverlay, Source: "/etc", Target: "/o"}}}, "touch /o/pdtest && ls /o/pdtest", "/o/pdtest"},
		{"stdin once", engine.Spec{OpenStdin: true, StdinOnce: true}, "echo ok", "ok"},
		{"init", engine.Spec{Podman: &engine.PodmanSpec{Systemd: "false"}, Annotations: map[string]string{"a": "b"}}, "echo $container", "podman"},
	}
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				got := strings.ReplaceAll(run(t, e, tt.spec, tt.script), "\r", "")
				parts := strings.Split(tt.want, "…")
				ok := got == tt.want
				if len(parts) > 1 {
					ok = strings.Contains(got, strings.Trim(tt.want, "…"))
					if len(parts) == 3 && parts[0] == "" && parts[2] != "" || len(parts) == 2 {
						ok = strings.HasSuffix(got, parts[len(parts)-1]) && strings.Contains(got, parts[len(parts)-2])
					}
				}
				if !ok {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	})
}

// TestCreateRefused are options that Podman would accept and forget, or that this one does not have.
func TestCreateRefused(t *testing.T) {
	tests := []struct {
		option string
		spec   engine.Spec
	}{
		{"Spec.Links", engine.Spec{Links: []string{"a:b"}}},
		{"Spec.LXCConf", engine.Spec{LXCConf: map[string]string{"a": "b"}}},
		{"Spec.Windows", engine.Spec{Windows: &engine.WindowsSpec{CPUCount: 1}}},
		{"Spec.Resources.KernelMemory", engine.Spec{Resources: engine.Resources{Memory: engine.GiB, KernelMemory: engine.GiB}}},
		{"Spec.Resources.MemorySwap", engine.Spec{Resources: engine.Resources{Memory: engine.GiB, MemorySwap: -1}}},
		{"Spec.Resources.BlkioWeight", engine.Spec{Resources: engine.Resources{BlkioWeight: 300}}},
		{"Spec.UsernsMode", engine.Spec{UsernsMode: "keep-id"}},
		{`Spec.LogConfig.Options["max-file"]`, engine.Spec{LogConfig: engine.LogConfig{Driver: "json-file", Options: map[string]string{"max-file": "3"}}}},
		{`Spec.LogConfig.Options["tag"]`, engine.Spec{LogConfig: engine.LogConfig{Driver: "k8s-file", Options: map[string]string{"tag": "x"}}}},
		{"Spec.Mounts[0].CreateSource", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "/no/such/source", Target: "/b", CreateSource: true}}}},
		{"Spec.Runtime", engine.Spec{Runtime: "no-such-runtime"}},
		{"Spec.SecurityOpt", engine.Spec{SecurityOpt: []string{`seccomp={"defaultAction":"SCMP_ACT_ALLOW"}`}}},
		{"Spec.Raw", engine.Spec{Raw: map[string]jsonText{"docker": jsonText(`{"x":1}`)}}},
	}
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, tt := range tests {
			t.Run(tt.option, func(t *testing.T) {
				tt.spec.Image, tt.spec.Name = "busybox", unique("refused")
				_, err := e.ContainerCreate(t.Context(), &tt.spec, engine.CreateOptions{})
				wantUnsupported(t, err, tt.option)
				if found, err := e.ContainerExists(t.Context(), tt.spec.Name); err != nil || found {
					t.Errorf("container left behind: %v, %v", found, err)
				}
			})
		}
	})
}

func TestCreateErrors(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("taken")
		made(t, e, engine.Spec{Name: name})
		_, err := e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Name: name}, engine.CreateOptions{})
		wantKind(t, "taken name", err, engine.ErrConflict)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "no/such:image"}, engine.CreateOptions{})
		wantKind(t, "missing image", err, engine.ErrImageNotFound)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Platform: "linux/s390x"}, engine.CreateOptions{})
		wantKind(t, "image of another platform", err, engine.ErrImageNotFound)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Mounts: []engine.Mount{engine.Bind("/no/such/source", "/b")}}, engine.CreateOptions{})
		if i, ok := errors.AsType[*engine.InvalidError](err); !ok || i.Option != "Spec.Mounts[0].Source" {
			t.Errorf("missing source of a bind: %v", err)
		}
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Podman: &engine.PodmanSpec{Pod: "no-such-pod"}}, engine.CreateOptions{})
		wantKind(t, "missing pod", err, engine.ErrNotFound)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", Command: []string{}}, engine.CreateOptions{})
		wantKind(t, "no command", err, engine.ErrInvalid)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", NetworkMode: "no-such-network"}, engine.CreateOptions{})
		wantKind(t, "missing network", err, engine.ErrNotFound)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", LogConfig: engine.LogConfig{Driver: "no-such"}}, engine.CreateOptions{})
		wantKind(t, "log driver", err, engine.ErrInvalid)
		_, err = e.ContainerCreate(ctx, &engine.Spec{Image: "busybox", NetworkMode: "container:no-such"}, engine.CreateOptions{})
		wantKind(t, "container of the network", err, engine.ErrNotFound)
		_, err = runErr(t, e, engine.Spec{Command: []string{"/no/such"}}, "")
		wantKind(t, "missing command", err, engine.ErrCommandNotFound)
		_, err = runErr(t, e, engine.Spec{Command: []string{"/etc"}}, "")
		wantKind(t, "directory as command", err, engine.ErrCommandNotExecutable)
		_, err = runErr(t, e, engine.Spec{User: "no-such-user"}, "true")
		wantKind(t, "missing user", err, engine.ErrInvalid)
	})
}

// TestCreateAllowDiscarded accepts what the kernel discards, and gets the engine's words.
func TestCreateAllowDiscarded(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		spec := engine.Spec{Image: "busybox", Name: unique("discarded"), Resources: engine.Resources{BlkioWeight: 300}}
		res, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{AllowDiscarded: true})
		if err != nil {
			t.Fatal(err)
		}
		defer removeForced(t, e, res.ID)
		if len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], "discarded") {
			t.Errorf("warnings %q", res.Warnings)
		}
	})
}

func TestCreateVolumeDriver(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("vol")
		m := engine.Volume(name, "/v")
		m.Labels, m.DriverOptions = map[string]string{"a": "b"}, map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "mode=711"}
		spec := engine.Spec{Mounts: []engine.Mount{m}, VolumeDriver: "local"}
		if out := run(t, e, spec, "stat -c %a /v"); out != "711" {
			t.Errorf("mode of the volume is %s", out)
		}
		v, err := e.VolumeInspect(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if v.Labels["a"] != "b" || v.Driver != "local" {
			t.Errorf("volume is %+v", v)
		}
		if err := e.VolumeRemove(ctx, name, false); err != nil {
			t.Error(err)
		}

		// A volume that was made for a container is removed when there is none in the end.
		m.Source = unique("vol")
		spec = engine.Spec{Image: "busybox", Mounts: []engine.Mount{m, engine.Bind("/no/such/source", "/b")}}
		if _, err := e.ContainerCreate(ctx, &spec, engine.CreateOptions{}); err == nil {
			t.Fatal("a source that does not exist was accepted")
		}
		if _, err := e.VolumeInspect(ctx, m.Source); !isNotFound(err) {
			t.Errorf("volume left behind: %v", err)
		}
		spec = engine.Spec{Image: "busybox", Mounts: []engine.Mount{engine.Volume(unique("vol"), "/v")}, VolumeDriver: "no-such"}
		if _, err := e.ContainerCreate(ctx, &spec, engine.CreateOptions{}); err == nil {
			t.Error("a volume driver that does not exist was accepted")
		}
	})
}

func TestCreateSecrets(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		name := unique("secret")
		if _, err := e.SecretCreate(t.Context(), name, []byte("hush"), engine.SecretCreateOptions{Labels: map[string]string{"a": "b"}}); err != nil {
			t.Fatal(err)
		}
		defer e.SecretRemove(t.Context(), name)
		spec := engine.Spec{
			User:      "5:5",
			Secrets:   []engine.SecretMount{{Source: name}},
			SecretEnv: map[string]string{"SEC": name},
		}
		got := run(t, e, spec, "cat /run/secrets/"+name+"; echo; stat -c %a /run/secrets/"+name+"; echo $SEC")
		if want := "hush\n444\nhush"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		spec = engine.Spec{Secrets: []engine.SecretMount{{Source: name, Target: "/etc/sub/other", UID: 3, GID: 4, Mode: new(uint32(0o400))}}}
		if got := run(t, e, spec, "stat -c '%a %u %g' /etc/sub/other"); got != "400 3 4" {
			t.Errorf("got %q", got)
		}
	})
}

func TestCreateNetworks(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		var names []string
		for range 2 {
			n, err := e.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: unique("net")})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := e.NetworkRemove(ctx, n.Name, true); err != nil {
					t.Error(err)
				}
			}()
			names = append([]string{n.Name}, names...)
		}
		a, err := e.NetworkInspect(ctx, names[0])
		if err != nil {
			t.Fatal(err)
		}
		ip := a.Subnets[0].Subnet.Addr().Next().Next().Next()
		spec := engine.Spec{Networks: []engine.Endpoint{
			{Network: names[0], IPv4: ip, MACAddress: "02:42:00:00:00:07", Aliases: []string{"alias-of-it"}},
			{Network: names[1]},
		}}
		id := started(t, e, spec)
		got := execOut(t, e, id, "sh", "-c", "cat /sys/class/net/eth0/address; ip -o -4 a show eth0 | tr -s ' ' | cut -d' ' -f4; ls /sys/class/net | grep -c eth")
		if want := "02:42:00:00:00:07\n" + ip.String() + "/24\n2"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		in, err := e.ContainerInspect(ctx, id, engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if n := in.Networks[names[0]]; n.IPv4.Addr() != ip || n.MACAddress != "02:42:00:00:00:07" || !n.Gateway.IsValid() {
			t.Errorf("endpoint is %+v", n)
		}
		a, err = e.NetworkInspect(ctx, names[0])
		if err != nil {
			t.Fatal(err)
		}
		if c := a.Containers[id]; c.IPv4.Addr() != ip || c.Name != in.Name {
			t.Errorf("the network's container is %+v", c)
		}
		removeForced(t, e, id)
	})
}

func TestCreatePorts(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		spec := engine.Spec{
			Ports:  []engine.Port{{Container: "80"}, {Container: "53/udp", HostIP: netip.MustParseAddr("127.0.0.1"), Host: "20053"}, {Container: "8000-8002", Host: "28000-28002"}},
			Expose: []string{"9000", "9000/udp"},
		}
		id := started(t, e, spec)
		in, err := e.ContainerInspect(ctx, id, engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, ports []engine.PortBinding) {
			t.Helper()
			var got []string
			for _, p := range ports {
				switch {
				case p.Container == "80/tcp" && p.HostPort != 0:
					got = append(got, "80/tcp=random")
				case p.HostPort == 0:
					got = append(got, p.Container)
				default:
					got = append(got, p.Container+"="+netip.AddrPortFrom(p.HostIP, p.HostPort).String())
				}
			}
			want := "53/udp=127.0.0.1:20053 80/tcp=random 8000/tcp=0.0.0.0:28000 8001/tcp=0.0.0.0:28001 8002/tcp=0.0.0.0:28002"
			if what == "inspect" || e.version >= vBaseHosts {
				want += " 9000/tcp 9000/udp"
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s has %s, want %s", what, s, want)
			}
		}
		check("inspect", in.Ports)
		list, err := e.ContainerList(ctx, engine.ListOptions{Filters: engine.Filters{"id": {id}}})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		check("list", list[0].Ports)
	})
}

func TestCreateHealthcheck(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Healthcheck: &engine.Healthcheck{Test: engine.CmdShell("test -e /tmp/well"), Retries: 2}})
		in, err := e.ContainerInspect(ctx, id, engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		h := in.Config.Healthcheck
		if h == nil || h.Interval != 30*time.Second || h.Timeout != 30*time.Second || h.Retries != 2 {
			t.Fatalf("health check is %+v", h)
		}
		if in.State.Health == nil || in.State.Health.Status != engine.HealthStarting {
			t.Errorf("health is %+v", in.State.Health)
		}
		res, err := e.ContainerHealthcheck(ctx, id)
		if err != nil || res.Healthy || res.ExitCode != 1 {
			t.Errorf("unhealthy check is %+v, %v", res, err)
		}
		execOut(t, e, id, "touch", "/tmp/well")
		if res, err = e.ContainerHealthcheck(ctx, id); err != nil || !res.Healthy {
			t.Errorf("healthy check is %+v, %v", res, err)
		}
		if in, err = e.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil || in.State.Health.Status != engine.HealthHealthy || len(in.State.Health.Log) != 2 {
			t.Errorf("health is %+v, %v", in.State.Health, err)
		}

		id = started(t, e, engine.Spec{})
		_, err = e.ContainerHealthcheck(ctx, id)
		wantKind(t, "no health check", err, engine.ErrInvalid)
		if in, err = e.ContainerInspect(ctx, id, engine.InspectOptions{}); err != nil || in.State.Health != nil {
			t.Errorf("health without a check is %+v, %v", in.State.Health, err)
		}
	})
}

func TestCreateStartupHealthcheck(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		spec := engine.Spec{Image: "busybox", Healthcheck: &engine.Healthcheck{Test: engine.Cmd("true"), OnFailure: "kill", Startup: &engine.StartupHealthcheck{Test: engine.Cmd("true")}}}
		if e.version < vStartupHealth {
			_, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
			wantUnsupported(t, err, "Spec.Healthcheck.Startup")
			return
		}
		in, err := e.ContainerInspect(t.Context(), made(t, e, spec), engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if h := in.Config.Healthcheck; h.Startup == nil || h.Startup.Interval != 30*time.Second || h.OnFailure != "kill" || *h.LogMaxCount != 5 || *h.LogMaxSize != 500 {
			t.Errorf("health check is %+v", h)
		}
	})
}

// TestCreateUserns holds that no mode is the host's in silence.
func TestCreateUserns(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		res, err := runErr(t, e, engine.Spec{UsernsMode: "auto:size=1000"}, "cat /proc/self/uid_map")
		if err != nil {
			t.Logf("the engine's host has no range of IDs for it: %v", err) // not one without a name in /etc/subuid
			if !strings.Contains(err.Error(), "IDs") {
				t.Errorf("error is %v", err)
			}
			return
		}
		if f := strings.Fields(res.stdout); len(f) != 3 || f[1] == "0" || f[2] != "1000" {
			t.Errorf("uid_map is %q", res.stdout)
		}
	})
}
