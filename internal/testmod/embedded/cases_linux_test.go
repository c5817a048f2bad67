package embedded

import (
	"net/netip"
	"regexp"
	"testing"

	"github.com/berthdev/berth"
)

// difference is one that is meant to be: lines of a section that are not compared with
// a leg, and why.
type difference struct {
	leg, section string
	line         *regexp.Regexp
	why          string
}

// differences are those of every case.
var differences = []difference{
	{"runc", "mountinfo", regexp.MustCompile(`^/ /sys/fs/cgroup r[wo],nosuid`), "runc leaves the directory of the cgroup mounts writable, although config.json says ro"},
	{"docker", "mountinfo", regexp.MustCompile(`^/ /sys/fs/cgroup r[wo],nosuid`), "runc leaves the directory of the cgroup mounts writable, with Docker too"},
	{"runc", "limitfiles", regexp.MustCompile(`^devices/devices.list: `), "runc allows /dev/net/tun (c 10:200) to every container"},
	{"docker", "limitfiles", regexp.MustCompile(`^devices/devices.list: `), "runc allows /dev/net/tun to every container, with Docker too"},
	{"docker", "mountinfo", regexp.MustCompile(` ro,relatime tmpfs ro(,size=4k,nr_inodes=1)?$`), "newer runcs bound the empty tmpfs of a masked directory, which is read-only anyway"},
	{"docker", "mountinfo", regexp.MustCompile(`^STATE /[^ ]* r[ow],relatime( master)? ext4`), "volumes are private here; Docker leaves them slaves of the daemon's mount namespace"},
	{"docker", "resolv", regexp.MustCompile(`^nameserver `), "the name server is that of the other host"},
}

// sameCase is a Spec of which every leg must make the same container.
type sameCase struct {
	name    string
	spec    func(dir string) berth.Spec // dir holds a/file, a/sub/file and b/file
	line    string                      // of shell, besides probe
	prepare func(t *testing.T, cli *berth.Client, spec *berth.Spec) (other string, undo func())
	without map[string]string // legs that are left out, and why
	but     []difference
}

// fixed is a Spec that needs no directory.
func fixed(s berth.Spec) func(string) berth.Spec { return func(string) berth.Spec { return s } }

var cases = []sameCase{
	{name: "nothing"},
	{name: "user by number", spec: fixed(berth.Spec{User: "1234:2345"})},
	{name: "user by name", spec: fixed(berth.Spec{User: "daemon"})},
	{name: "user without entry", spec: fixed(berth.Spec{User: "4321"})},
	{name: "user and group by name", spec: fixed(berth.Spec{User: "nobody:daemon"})},
	{name: "user that is missing", spec: fixed(berth.Spec{User: "nosuchuser"})},
	{name: "groups", spec: fixed(berth.Spec{User: "1000", GroupAdd: []string{"daemon", "77"}})},
	{name: "groups of root", spec: fixed(berth.Spec{GroupAdd: []string{"99"}})},
	{name: "capabilities added", spec: fixed(berth.Spec{CapAdd: []string{"NET_ADMIN", "CAP_SYS_TIME"}})},
	{name: "capabilities dropped", spec: fixed(berth.Spec{CapDrop: []string{"ALL"}})},
	{name: "one capability", spec: fixed(berth.Spec{CapDrop: []string{"ALL"}, CapAdd: []string{"CHOWN"}})},
	{name: "all capabilities", spec: fixed(berth.Spec{CapAdd: []string{"ALL"}})},
	{name: "all but one", spec: fixed(berth.Spec{CapAdd: []string{"ALL"}, CapDrop: []string{"SYS_ADMIN"}})},
	{name: "capabilities of a user", spec: fixed(berth.Spec{User: "1000", CapAdd: []string{"NET_ADMIN"}})},
	{name: "privileged", spec: fixed(berth.Spec{Privileged: true})},
	{name: "privileged user", spec: fixed(berth.Spec{Privileged: true, User: "1000"})},
	{name: "seccomp unconfined", spec: fixed(berth.Spec{SecurityOpt: []string{"seccomp=unconfined"}})},
	{name: "seccomp profile", spec: fixed(berth.Spec{SecurityOpt: []string{`seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`}}), line: "mkdir /tmp/x; echo $?"},
	{name: "no new privileges", spec: fixed(berth.Spec{SecurityOpt: []string{"no-new-privileges"}})},
	{name: "no new privileges of a user", spec: fixed(berth.Spec{User: "1000", SecurityOpt: []string{"no-new-privileges:true"}})},
	{name: "system paths unconfined", spec: fixed(berth.Spec{SecurityOpt: []string{"systempaths=unconfined"}})},
	{name: "ulimits", spec: fixed(berth.Spec{Ulimits: []berth.Ulimit{{Name: "nofile", Soft: 100, Hard: 200}, {Name: "core", Soft: 0, Hard: 0}, {Name: "nproc", Soft: 99, Hard: 999}, {Name: "memlock", Soft: -1, Hard: -1}}}), line: "ulimit -n; ulimit -Hn"},
	{name: "sysctls", spec: fixed(berth.Spec{Sysctls: map[string]string{"net.core.somaxconn": "77", "net.ipv4.ip_unprivileged_port_start": "1000", "kernel.shmmax": "12345678", "fs.mqueue.msg_max": "33"}})},
	{name: "read-only", spec: fixed(berth.Spec{ReadOnly: true}), line: "touch /x /etc/hosts /dev/x /dev/shm/x /tmp/x /etc/resolv.conf; echo $?"},
	{name: "read-only with tmpfs", spec: fixed(berth.Spec{ReadOnly: true, Mounts: []berth.Mount{berth.Tmpfs("/tmp")}}), line: "touch /tmp/x; echo $?"},
	{name: "tmpfs", spec: fixed(berth.Spec{Mounts: []berth.Mount{{Type: berth.MountTmpfs, Target: "/run", Size: 1 << 20}, {Type: berth.MountTmpfs, Target: "/new/dir", Options: []string{"exec", "uid=5"}}}}), line: "ls -ldn /run /new /new/dir | cut -c 1-40", but: []difference{{"runc", "files", regexp.MustCompile(` /run$`), "runc before 1.2 gives a tmpfs the mode of the image's directory"}, {"runc", "more", regexp.MustCompile(`^drwx.* 2 0 0$`), "runc before 1.2 gives a tmpfs the mode of the image's directory"}}},
	{name: "shm", spec: fixed(berth.Spec{ShmSize: 3 << 20}), line: "df -k /dev/shm | tail -n 1"},
	{name: "bind", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{berth.Bind(dir+"/a", "/data"), {Type: berth.MountBind, Source: dir + "/b/file", Target: "/etc/conf/file", ReadOnly: true}}}
	}, line: "find /data | sort; touch /data/x; echo $?; echo > /etc/conf/file; cat /etc/conf/file"},
	{name: "bind over a file of the image", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{berth.Bind(dir+"/a/file", "/etc/passwd"), berth.Bind(dir+"/b/file", "/etc/hosts")}}
	}, line: "cat /etc/passwd", but: []difference{{"docker", "env", regexp.MustCompile(`^HOME=`), "HOME is what the image's passwd says, before mounts"}}},
	{name: "bind read-only", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{{Type: berth.MountBind, Source: dir, Target: "/data", ReadOnly: true}}}
	}, line: "touch /data/x /data/a/x; echo $?"},
	{name: "bind private", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{{Type: berth.MountBind, Source: dir, Target: "/data", Propagation: "private"}}}
	}},
	{name: "bind slave", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{{Type: berth.MountBind, Source: dir, Target: "/data", Propagation: "rslave"}}}
	}, without: map[string]string{"docker": "its /tmp is a private mount"}},
	{name: "bind shared", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{{Type: berth.MountBind, Source: dir, Target: "/data", Propagation: "rshared"}}}
	}, without: map[string]string{"docker": "its /tmp is a private mount"}, but: []difference{{"runc", "mountinfo", regexp.MustCompile(`^DIR /data rw,relatime shared`), "runc is started in the monitor's mount namespace, a slave of the host's"}}},
	{name: "bind not recursive", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{{Type: berth.MountBind, Source: dir, Target: "/data", NonRecursive: true}}}
	}},
	{name: "bind of a missing source", spec: func(dir string) berth.Spec {
		return berth.Spec{Mounts: []berth.Mount{{Type: berth.MountBind, Source: dir + "/new/one", Target: "/data", CreateSource: true}}}
	}, line: "ls -ldn /data | cut -c 1-30"},
	{name: "named volume", spec: fixed(berth.Spec{Mounts: []berth.Mount{berth.VolumeMount("berth-same", "/etc")}}), prepare: volume, line: "ls -a /etc; cat /etc/passwd", but: []difference{{"docker", "more", regexp.MustCompile(`^mtab$`), "Docker makes a link /etc/mtab in every container"}}},
	{name: "named volume, no copy", spec: fixed(berth.Spec{Mounts: []berth.Mount{{Type: berth.MountVolume, Source: "berth-same", Target: "/etc", NoCopy: true}}}), prepare: volume, line: "ls -a /etc", but: []difference{{"docker", "env", regexp.MustCompile(`^HOME=`), "HOME is what the image's passwd says, before mounts"}}},
	{name: "volume read-only", spec: fixed(berth.Spec{Mounts: []berth.Mount{{Type: berth.MountVolume, Source: "berth-same", Target: "/srv", ReadOnly: true}}}), prepare: volume, line: "touch /srv/x"},
	{name: "anonymous volume", spec: fixed(berth.Spec{Mounts: []berth.Mount{berth.VolumeMount("", "/tmp")}}), line: "ls -ld /tmp | cut -c 1-10; touch /tmp/x; echo $?"},
	{name: "device", spec: fixed(berth.Spec{Devices: []berth.Device{{Host: "/dev/zero", Container: "/dev/other", Permissions: "r"}, {Host: "/dev/net/tun"}, {Host: "/dev/fuse", Permissions: "rw"}}}), line: "head -c 3 /dev/other | wc -c; echo > /dev/other; echo $?"},
	{name: "device rule", spec: fixed(berth.Spec{DeviceCgroupRules: []string{"c 10:229 rwm", "b 7:* r"}})},
	{name: "host's network", spec: fixed(berth.Spec{NetworkMode: "host"}), but: []difference{{"runc", "net", regexp.MustCompile(`.`), "bridges of earlier containers may be there still"}, {"docker", "stderr", regexp.MustCompile(`.`), "it has an eth0"}, {"docker", "hosts", regexp.MustCompile(`.`), "the file of the other host"}, {"docker", "net", regexp.MustCompile(`.`), "the other host"}, {"docker", "sysctl", regexp.MustCompile(`.`), "the other host"}, {"docker", "names", regexp.MustCompile(`.`), "the other host"}}},
	{name: "no network", spec: fixed(berth.Spec{NetworkMode: "none"})},
	{name: "host's processes", spec: fixed(berth.Spec{PIDMode: "host"})},
	{name: "host's IPC", spec: fixed(berth.Spec{IPCMode: "host"}), but: []difference{{"docker", "dev", regexp.MustCompile(`^/dev/shm/`), "the other host"}, {"docker", "mountinfo", regexp.MustCompile(` /dev/shm `), "the other host"}}},
	{name: "private IPC", spec: fixed(berth.Spec{IPCMode: "private"})},
	{name: "no IPC", spec: fixed(berth.Spec{IPCMode: "none"})},
	{name: "host's UTS", spec: fixed(berth.Spec{UTSMode: "host"}), but: []difference{{"docker", "hosts", regexp.MustCompile(`CONTAINER$`), "Docker names the container by its ID beside the host's name"}, {"docker", "env", regexp.MustCompile(`^HOSTNAME=`), "Docker names the container by its ID beside the host's name"}}},
	{name: "private cgroup namespace", spec: fixed(berth.Spec{CgroupNS: "private"})},
	{name: "host's cgroup namespace", spec: fixed(berth.Spec{CgroupNS: "host"})},
	{name: "container's namespaces", spec: fixed(berth.Spec{}), prepare: other},
	{name: "users of its own", spec: fixed(berth.Spec{UsernsMode: "auto"}), without: map[string]string{"docker": "it has one user namespace for all, or none", "runc": "the state directory is closed to other users, and only the own start path gets around that"}},
	{name: "host's users", spec: fixed(berth.Spec{UsernsMode: "host"})},
	{name: "names", spec: fixed(berth.Spec{Hostname: "box", Domainname: "nis.example", ExtraHosts: []string{"a.example:192.0.2.1", "b.example:2001:db8::1"}})},
	{name: "name with a dot", spec: fixed(berth.Spec{Hostname: "box.example.org"})},
	{name: "dns", spec: fixed(berth.Spec{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")}, DNSSearch: []string{"a.example", "b.example"}, DNSOptions: []string{"ndots:3"}})},
	{name: "environment", spec: fixed(berth.Spec{Env: map[string]string{"A": "1", "EMPTY": "", "PATH": "/bin:/sbin", "LINES2": "a\tb", "HOME": "/elsewhere"}})},
	{name: "home of a user", spec: fixed(berth.Spec{User: "daemon", Env: map[string]string{"X": "y"}})},
	{name: "working directory", spec: fixed(berth.Spec{WorkingDir: "/new/work"}), line: "ls -ldn /new /new/work | cut -c 1-30"},
	{name: "working directory of a user", spec: fixed(berth.Spec{WorkingDir: "/new/work", User: "1000:1000"}), line: "ls -ldn /new /new/work | cut -c 1-30"},
	{name: "working directory that is a file", spec: fixed(berth.Spec{WorkingDir: "/etc/passwd"})},
	{name: "init", spec: fixed(berth.Spec{Init: new(true)}), but: []difference{{"docker", "mountinfo", regexp.MustCompile(`(/sbin/docker-init|/dev/init) ro,`), "the reaper is this engine's own, at a place that the image cannot have"}, {"docker", "pid1", regexp.MustCompile(`^/(sbin/docker|dev/init)`), "the reaper is at another place"}, {"docker", "dev", regexp.MustCompile(`^/dev/init `), "the reaper is at another place"}}},
	{name: "oom score", spec: fixed(berth.Spec{OOMScoreAdj: new(500)})},
	{name: "umask", spec: fixed(berth.Spec{Umask: "0077"}), without: map[string]string{"docker": "it has no such option"}},
	{name: "memory", spec: fixed(berth.Spec{Resources: berth.Resources{Memory: 64 << 20, MemorySwap: 96 << 20, MemoryReservation: 32 << 20}})},
	{name: "memory alone", spec: fixed(berth.Spec{Resources: berth.Resources{Memory: 64 << 20}})},
	{name: "unlimited swap", spec: fixed(berth.Spec{Resources: berth.Resources{Memory: 64 << 20, MemorySwap: -1}})},
	{name: "cpu", spec: fixed(berth.Spec{Resources: berth.Resources{CPUs: 1.5, CPUShares: 512, CpusetCPUs: "0", CpusetMems: "0"}})},
	{name: "cpu quota", spec: fixed(berth.Spec{Resources: berth.Resources{CPUPeriod: 50000, CPUQuota: 20000}})},
	{name: "pids", spec: fixed(berth.Spec{Resources: berth.Resources{PidsLimit: new(int64(50))}})},
	{name: "terminal", spec: fixed(berth.Spec{TTY: true})},
	{name: "terminal of a user", spec: fixed(berth.Spec{TTY: true, User: "1000"})},
	{name: "standard input", spec: fixed(berth.Spec{OpenStdin: true})},
	{name: "missing command", spec: fixed(berth.Spec{Command: []string{"/no/such"}})},
	{name: "command that is a directory", spec: fixed(berth.Spec{Command: []string{"/etc"}})},
	{name: "killed", spec: fixed(berth.Spec{Init: new(true), Command: berth.Shell("kill -9 $$")})},
}

// volume makes sure that a new volume berth-same is removed.
func volume(t *testing.T, cli *berth.Client, _ *berth.Spec) (string, func()) {
	return "", func() {
		if err := cli.Volumes.Remove(t.Context(), "berth-same"); err != nil && !isGone(err) {
			t.Error(err)
		}
	}
}

// other makes another container whose namespaces the case shares.
func other(t *testing.T, cli *berth.Client, spec *berth.Spec) (string, func()) {
	c, err := cli.Containers.Start(t.Context(), berth.Spec{Image: image, Command: berth.Shell("sleep 1000 & wait"), IPCMode: "shareable"})
	if err != nil {
		t.Fatal(err)
	}
	spec.NetworkMode, spec.PIDMode, spec.IPCMode = "container:"+c.ID(), "container:"+c.ID(), "container:"+c.ID()
	return c.ID(), func() { discard(t, c) }
}
