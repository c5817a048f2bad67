package docker

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// TestCreateEffect looks for each option's effect inside the container.
func TestCreateEffect(t *testing.T) {
	seccomp := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(seccomp, []byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	mode := os.FileMode(0o1700)
	tests := []struct {
		name   string
		spec   engine.Spec
		script string
		want   string // the whole output; "…x…" is a part of it
	}{
		{"env", engine.Spec{Env: map[string]string{"A": "1", "B": ""}}, `echo "$A[$B]"; env | grep -c '^B='`, "1[]\n1"},
		{"unset env", engine.Spec{UnsetEnv: []string{"PATH"}, Entrypoint: []string{"/bin/env"}}, "", "…HOSTNAME=…"},
		{"working dir", engine.Spec{WorkingDir: "/new/dir"}, "pwd", "/new/dir"},
		{"user", engine.Spec{User: "2:2", GroupAdd: []string{"77"}}, "id -u; id -g; id -G", "2\n2\n2 77"},
		{"tty", engine.Spec{TTY: true}, "test -t 0 && echo yes", "yes"},
		{"hostname", engine.Spec{Hostname: "h1", Domainname: "d.example"}, "hostname; cat /proc/sys/kernel/domainname", "h1\nd.example"},
		{"init", engine.Spec{Init: new(true)}, "cat /proc/1/comm", "docker-init"},
		{"capabilities", engine.Spec{CapAdd: []string{"NET_ADMIN"}, CapDrop: []string{"CAP_CHOWN"}}, "grep CapEff /proc/self/status", "…a80435fa…"},
		{"no new privileges", engine.Spec{SecurityOpt: []string{"no-new-privileges"}}, "grep NoNewPrivs /proc/self/status", "…1…"},
		{"seccomp file", engine.Spec{SecurityOpt: []string{"seccomp=" + seccomp}}, "mkdir /x 2>&1 || true", "…Operation not permitted…"},
		{"seccomp unconfined", engine.Spec{SecurityOpt: []string{"seccomp=unconfined"}}, "grep Seccomp: /proc/self/status", "…0…"},
		{"system paths", engine.Spec{SecurityOpt: []string{"systempaths=unconfined"}}, "grep -c ' /proc/' /proc/mounts || true", "0"},
		{"read-only", engine.Spec{ReadOnly: true}, "touch /x 2>&1 || true", "…Read-only…"},
		{"shm size", engine.Spec{ShmSize: 3 * engine.MiB}, "df -k /dev/shm | tail -1", "… 3072 …"},
		{"device", engine.Spec{Devices: []engine.Device{{Host: "/dev/vda", Container: "/dev/disk", Permissions: "r"}}}, "test -b /dev/disk && grep 254:0 /sys/fs/cgroup/devices/devices.list", "b 254:0 r"},
		{"device rule", engine.Spec{DeviceCgroupRules: []string{"c 10:237 rm"}}, "grep 10:237 /sys/fs/cgroup/devices/devices.list", "c 10:237 rm"},
		{"ulimits", engine.Spec{Ulimits: []engine.Ulimit{{Name: "RLIMIT_NOFILE", Soft: 100, Hard: 200}, {Name: "core", Soft: -1, Hard: -1}}}, "ulimit -n; ulimit -Hn; ulimit -c", "100\n200\nunlimited"},
		{"sysctl", engine.Spec{Sysctls: map[string]string{"net.ipv4.ip_forward": "0"}}, "cat /proc/sys/net/ipv4/ip_forward", "0"},
		{"oom score", engine.Spec{OOMScoreAdj: new(321)}, "cat /proc/1/oom_score_adj", "321"},
		{"oom score zero", engine.Spec{OOMScoreAdj: new(0)}, "cat /proc/1/oom_score_adj", "0"},
		{"pid host", engine.Spec{PIDMode: "host"}, "test $$ -gt 1 && echo yes", "yes"},
		{"pid private", engine.Spec{PIDMode: "private"}, "echo $$", "1"},
		{"uts private", engine.Spec{UTSMode: "private", Hostname: "own"}, "hostname", "own"},
		{"ipc none", engine.Spec{IPCMode: "none"}, "grep -c /dev/shm /proc/mounts || true", "0"},
		{"cgroup private", engine.Spec{CgroupNS: "private"}, "grep :memory: /proc/self/cgroup | cut -d: -f3", "/"},
		{"network none", engine.Spec{NetworkMode: "none"}, "ls /sys/class/net | tr '\\n' ' '", "…lo…"},
		{"network disabled", engine.Spec{NetworkDisabled: true}, "ip -o -4 a | wc -l", "1"},
		{"dns", engine.Spec{DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")}, DNSSearch: []string{"s.example"}, DNSOptions: []string{"ndots:3"}}, "grep -v ^# /etc/resolv.conf | sort", "…nameserver 9.9.9.9\noptions ndots:3\nsearch s.example…"},
		{"extra hosts", engine.Spec{ExtraHosts: []string{"foo:1.2.3.4"}}, "grep foo /etc/hosts", "1.2.3.4\tfoo"},
		{"mac address", engine.Spec{MACAddress: "02:42:ac:11:00:77"}, "cat /sys/class/net/eth0/address", "02:42:ac:11:00:77"},
		{"memory", engine.Spec{Resources: engine.Resources{Memory: 32 * engine.MiB, MemorySwap: 64 * engine.MiB, MemoryReservation: 16 * engine.MiB, MemorySwappiness: new(int64(7))}},
			"cd /sys/fs/cgroup/memory; cat memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.swappiness", "33554432\n67108864\n16777216\n7"},
		{"oom kill disable", engine.Spec{Resources: engine.Resources{Memory: 32 * engine.MiB, OOMKillDisable: new(true)}}, "grep oom_kill_disable /sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 1"},
		{"cpus", engine.Spec{Resources: engine.Resources{CPUs: 0.5}}, "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000"},
		{"cpu quota", engine.Spec{Resources: engine.Resources{CPUPeriod: 50000, CPUQuota: 20000, CPUShares: 300, CpusetCPUs: "0", CpusetMems: "0"}},
			"cd /sys/fs/cgroup; cat cpu/cpu.cfs_period_us cpu/cpu.cfs_quota_us cpu/cpu.shares cpuset/cpuset.cpus cpuset/cpuset.mems", "50000\n20000\n300\n0\n0"},
		{"pids", engine.Spec{Resources: engine.Resources{PidsLimit: new(int64(33))}}, "cat /sys/fs/cgroup/pids/pids.max", "33"},
		{"throttle", engine.Spec{Resources: engine.Resources{BlkioDeviceReadBps: []engine.ThrottleDevice{{Path: "/dev/vda", Rate: 1 << 20}}, BlkioDeviceWriteIOps: []engine.ThrottleDevice{{Path: "/dev/vda", Rate: 99}}}},
			"cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device | cut -d' ' -f2", "1048576\n99"},
		{"cgroup parent", engine.Spec{CgroupParent: "/dktest-parent", CgroupNS: "host"}, "grep :memory: /proc/self/cgroup", "…/dktest-parent/…"},
		{"tmpfs", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", Size: 2 * engine.MiB, Mode: &mode}}}, "df -k /t | tail -1 | awk '{print $2}'; stat -c %a /t", "2048\n1700"},
		{"tmpfs mode", engine.Spec{Mounts: []engine.Mount{engine.Tmpfs("/t")}}, "stat -c %a /t", "1777"},
		{"tmpfs options", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", Size: engine.MiB, Mode: &mode, Options: []string{"uid=5", "exec"}}}}, "df -k /t | tail -1 | awk '{print $2}'; stat -c '%a %u' /t; grep -c ' /t .*noexec' /proc/mounts || true", "1024\n1700 5\n0"},
		{"tmpfs read-only", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", ReadOnly: true, Options: []string{"size=1m"}}}}, "touch /t/x 2>&1 || true", "…Read-only…"},
		{"anonymous volume", engine.Spec{Mounts: []engine.Mount{engine.Volume("", "/v")}}, "grep -c ' /v ' /proc/mounts", "1"},
		{"bind", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "/etc", Target: "/b", ReadOnly: true}}}, "touch /b/x 2>&1 || true", "…Read-only…"},
		{"bind relabelled", engine.Spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "/etc", Target: "/b", ReadOnly: true, Relabel: "shared"}}}, "touch /b/x 2>&1 || true", "…Read-only…"},
		{"empty entrypoint", engine.Spec{Entrypoint: []string{}, Command: []string{"echo", "x"}}, "", "x"},
		{"entrypoint", engine.Spec{Entrypoint: []string{"echo", "a"}, Command: []string{"b"}}, "", "a b"},
		{"stop timeout", engine.Spec{StopTimeout: new(5 * time.Second), StopSignal: "INT"}, "echo x", "x"},
		{"raw", engine.Spec{Raw: map[string]json.RawMessage{"docker": json.RawMessage(`{"Hostname":"raw","HostConfig":{"Tmpfs":{"/raw":""}}}`)}}, "hostname; grep -c ' /raw ' /proc/mounts", "raw\n1"},
		{"runtime", engine.Spec{Runtime: "runc"}, "echo x", "x"},
		{"log driver", engine.Spec{LogConfig: engine.LogConfig{Driver: "none"}}, "echo x", "x"},
		{"platform", engine.Spec{Platform: "linux/amd64"}, "echo x", "x"},
		{"userns host", engine.Spec{UsernsMode: "host"}, "cat /proc/self/uid_map", "…4294967295…"},
	}
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				res, err := runErr(t, e, tt.spec, tt.script)
				if tooOld(err) {
					return
				}
				if err != nil || res.exit.Code != 0 {
					t.Fatalf("%+v, %v", res, err)
				}
				got := strings.TrimSpace(strings.ReplaceAll(res.stdout, "\r", ""))
				if part, ok := strings.CutPrefix(tt.want, "…"); ok {
					part = strings.TrimSuffix(part, "…")
					if !strings.Contains(got, part) {
						t.Errorf("got %q, want %q in it", got, part)
					}
				} else if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	})
}

// TestCreateRefused holds every option that Docker accepts and ignores to an UnsupportedError, and every invalid one to an error of its kind, with nothing left behind.
func TestCreateRefused(t *testing.T) {
	at := func(m engine.Mount) engine.Spec { return engine.Spec{Mounts: []engine.Mount{m}} }
	tests := []struct {
		name   string
		spec   engine.Spec
		kind   error
		option string // of the UnsupportedError
	}{
		{"missing image", engine.Spec{Image: "no.such/image:1"}, engine.ErrImageNotFound, ""},
		{"bad image", engine.Spec{Image: "INVALID::"}, engine.ErrInvalid, ""},
		{"other platform", engine.Spec{Platform: "linux/s390x"}, engine.ErrImageNotFound, ""},
		{"missing source", at(engine.Bind("/no/such/source", "/x")), engine.ErrInvalid, ""},
		{"missing source relabelled", at(engine.Mount{Type: engine.MountBind, Source: "/no/such/source", Target: "/x", Relabel: "private"}), engine.ErrInvalid, ""},
		{"runtime", engine.Spec{Runtime: "nosuch"}, engine.ErrInvalid, ""},
		{"log driver", engine.Spec{LogConfig: engine.LogConfig{Driver: "nosuch"}}, engine.ErrInvalid, ""},
		{"log option", engine.Spec{LogConfig: engine.LogConfig{Options: map[string]string{"nosuch": "1"}}}, engine.ErrInvalid, ""},
		{"capability", engine.Spec{CapAdd: []string{"NOSUCH"}}, engine.ErrInvalid, ""},
		{"user", engine.Spec{User: "nosuch"}, engine.ErrInvalid, ""},
		{"group", engine.Spec{GroupAdd: []string{"nosuch"}}, engine.ErrInvalid, ""},
		{"sysctl", engine.Spec{Sysctls: map[string]string{"net.nosuch": "1"}}, engine.ErrInvalid, ""},
		{"sysctl of the host", engine.Spec{Sysctls: map[string]string{"vm.swappiness": "1"}}, engine.ErrInvalid, ""},
		{"device", engine.Spec{Devices: []engine.Device{{Host: "/dev/nosuch"}}}, engine.ErrInvalid, ""},
		{"working dir", engine.Spec{WorkingDir: "/etc/passwd"}, engine.ErrInvalid, ""},
		{"empty command", engine.Spec{Command: []string{}}, engine.ErrInvalid, ""},
		{"network", engine.Spec{NetworkMode: "no-such-network"}, engine.ErrNotFound, ""},
		{"volumes from", engine.Spec{VolumesFrom: []string{"no-such-container"}}, engine.ErrNotFound, ""},
		{"real-time", engine.Spec{Resources: engine.Resources{CPURealtimeRuntime: 950000}}, engine.ErrInvalid, ""},
		{"memory", engine.Spec{Resources: engine.Resources{Memory: 1}}, engine.ErrInvalid, ""},
		{"storage option", engine.Spec{StorageOpt: map[string]string{"size": "1G"}}, engine.ErrUnsupported, "Spec.StorageOpt"},
		{"journald", engine.Spec{LogConfig: engine.LogConfig{Driver: "journald"}}, engine.ErrUnsupported, "Spec.LogConfig"},
		{"gpu", engine.Spec{DeviceRequests: []engine.DeviceRequest{engine.GPUs(-1)}}, engine.ErrUnsupported, "Spec.DeviceRequests"},
		{"blkio weight", engine.Spec{Resources: engine.Resources{BlkioWeight: 300}}, engine.ErrUnsupported, "Spec.Resources.BlkioWeight"},
		{"blkio weight device", engine.Spec{Resources: engine.Resources{BlkioWeightDevice: []engine.WeightDevice{{Path: "/dev/vda", Weight: 300}}}}, engine.ErrUnsupported, "Spec.Resources.BlkioWeightDevice"},
		{"apparmor", engine.Spec{SecurityOpt: []string{"apparmor=nosuch"}}, engine.ErrUnsupported, "Spec.SecurityOpt"},
		{"selinux", engine.Spec{SecurityOpt: []string{"label=type:x"}}, engine.ErrUnsupported, "Spec.SecurityOpt"},
		{"user namespace", engine.Spec{UsernsMode: "keep-id"}, engine.ErrUnsupported, "Spec.UsernsMode"},
		{"uts path", engine.Spec{UTSMode: "ns:/proc/1/ns/uts"}, engine.ErrUnsupported, "Spec.UTSMode"},
		{"network path", engine.Spec{NetworkMode: "ns:/proc/1/ns/net"}, engine.ErrUnsupported, "Spec.NetworkMode"},
		{"kernel memory", engine.Spec{Resources: engine.Resources{KernelMemory: 50 * engine.MiB}}, engine.ErrUnsupported, "Spec.Resources.KernelMemory"},
		{"volume driver", engine.Spec{VolumeDriver: "nosuch", Mounts: []engine.Mount{engine.Volume("", "/v")}}, engine.ErrUnsupported, "Spec.VolumeDriver"},
		{"cap drop of privileged", engine.Spec{Privileged: true, CapDrop: []string{"NET_RAW"}}, engine.ErrUnsupported, "Spec.CapDrop"},
	}
	onEngines(t, func(t *testing.T, e *Engine) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				tt.spec.Name = unique("refused")
				script := "true"
				if tt.spec.Command != nil {
					script = ""
				}
				res, err := runErr(t, e, tt.spec, script)
				if tooOld(err) {
					return
				}
				if err == nil {
					t.Fatalf("no error; %+v", res)
				}
				if !errors.Is(err, tt.kind) {
					t.Errorf("error %v (%#v) is no %v", err, err, tt.kind)
				}
				if tt.option != "" {
					u, ok := errors.AsType[*engine.UnsupportedError](err)
					if !ok || u.Option != tt.option {
						t.Errorf("error %#v does not name %s", err, tt.option)
					}
				}
				if there, err := e.ContainerExists(t.Context(), tt.spec.Name); err != nil || there {
					t.Errorf("container left behind: %v, %v", there, err)
				}
			})
		}
	})
}

// tooOld tells whether err refuses an option that came with a newer API, which is as good as its effect.
func tooOld(err error) bool {
	u, ok := errors.AsType[*engine.UnsupportedError](err)
	return ok && strings.HasPrefix(u.Need, "API ")
}
