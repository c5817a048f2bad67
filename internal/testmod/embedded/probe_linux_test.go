package embedded

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// probe prints, in sections, what a container can see of how it was made. A case may
// add lines; the exit code is 7, so that it is seen too.
const probe = `
s() { echo "@@ $1"; }
s id; id
s status; grep -E '^(Umask|Uid|Gid|Groups|Sig[PBIC]|Shd|Cap|NoNewPrivs|Seccomp:|Speculation|Cpus_allowed_list|Mems_allowed_list|NSpid|PPid|TracerPid)' /proc/self/status
s limits; cat /proc/self/limits
s cgroup; cat /proc/self/cgroup
s oom; cat /proc/self/oom_score_adj
s mountinfo; cat /proc/self/mountinfo
s dev; find /dev -exec stat -c '%n %F %t:%T %a %u:%g' {} + | sort; readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx
s env; env | sort
s cwd; pwd; ls -ld .
s names; hostname; cat /proc/sys/kernel/domainname
s hosts; cat /etc/hosts
s resolv; cat /etc/resolv.conf
s stdio; for i in 0 1 2; do readlink /proc/self/fd/$i; done; ls /proc/self/fd | wc -l
s ns; for n in cgroup ipc mnt net pid user uts; do echo $n $(readlink /proc/self/ns/$n); done
s process; cut -d' ' -f 4,7,18,19 /proc/self/stat; readlink /proc/self/root /proc/self/cwd; cat /proc/self/uid_map
s masks; for p in /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/scsi /proc/sched_debug /proc/timer_list /proc/timer_stats /sys/firmware /sys/devices/virtual/powercap /sys/devices/system/cpu/cpu0/thermal_throttle; do [ -e $p ] && echo $p $(stat -c '%F %t:%T %a' $p) $(ls -A $p 2>/dev/null | head -n 2); done
for p in /proc/bus /proc/fs /proc/irq /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys /sys/fs/cgroup/memory/cgroup.procs /proc/sys/net/ipv4/ip_forward; do [ -w $p ] && echo writable $p; [ -d $p ] && mkdir $p/x 2>&1; done
s sysctl; cd /proc/sys; head -n 1 net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range net/core/somaxconn kernel/shmmax kernel/msgmax fs/mqueue/msg_max 2>&1; cd /
s net; ip -o addr 2>/dev/null | wc -l; ip -6 route 2>/dev/null | wc -l; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6; cat /proc/net/route | wc -l
s limitfiles; for f in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.swappiness memory/memory.oom_control cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max blkio/blkio.weight blkio/blkio.throttle.read_bps_device blkio/blkio.throttle.write_iops_device devices/devices.list; do [ -e /sys/fs/cgroup/$f ] && echo $f: $(cat /sys/fs/cgroup/$f | grep -v under_oom | sort); done
s files; ls -ld / /etc /tmp /dev/shm /run /etc/hosts /etc/hostname /etc/resolv.conf
s pid1; tr '\0' ' ' < /proc/1/cmdline | cut -c 1-12; ls -l /proc/1/exe >/dev/null 2>&1 && echo exe readable
`

// sections splits what probe wrote. "" is what comes before.
func sections(out string) map[string][]string {
	all := make(map[string][]string)
	name := ""
	for line := range strings.Lines(strings.ReplaceAll(out, "\r\n", "\n")) {
		line = strings.TrimRight(line, "\n ")
		if next, ok := strings.CutPrefix(line, "@@ "); ok {
			name = next
			all[name] = []string{}
			continue
		}
		all[name] = append(all[name], line)
	}
	return all
}

// normal takes from a section what differs from container to container.
func normal(section string, lines []string, l *leg, ids []string, dir string) []string {
	var out []string
	for _, line := range lines {
		for _, id := range ids {
			line = strings.ReplaceAll(line, id, "CONTAINER")
			line = strings.ReplaceAll(line, id[:12], "CONTAINER")
		}
		line = strings.ReplaceAll(line, dir, "DIR")
		line = strings.ReplaceAll(line, "/docker/CONTAINER", "/berth/CONTAINER")
		switch section {
		case "mountinfo":
			line = mountLine(line, l)
		case "ns":
			if slices.Contains(l.host, line) {
				line, _, _ = strings.Cut(line, " ")
				line += " host"
			} else {
				line = bracketed.ReplaceAllString(line, "[N]")
			}
		case "status":
			if strings.HasPrefix(line, "PPid:") { // runc leaves gaps between the numbers
				line = "PPid: N"
			}
			if strings.HasPrefix(line, "NSpid:") {
				line = strconv.Itoa(len(strings.Fields(line)))
			}
		case "process":
			line = parent.ReplaceAllString(line, "N $1")
		case "stdio":
			line = bracketed.ReplaceAllString(line, "[N]")
		case "files", "cwd":
			line = fileTime.ReplaceAllString(line, " ")
		case "cgroup":
			line = cgroupNumber.ReplaceAllString(line, "")
		case "hosts", "resolv":
			line = ownAddress.ReplaceAllString(line, "ADDRESS")
			if strings.HasPrefix(line, "#") || line == "" {
				continue
			}
		}
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	if section == "mountinfo" || section == "cgroup" || section == "ns" {
		slices.Sort(out)
	}
	return out
}

// mountLine leaves of a line of mountinfo the root, the place, the options, whether it is
// shared or a slave, the type, and the options of the file system.
func mountLine(line string, l *leg) string {
	f := strings.Fields(line)
	dash := slices.Index(f, "-")
	if len(f) < 6 || dash < 0 || len(f) < dash+4 {
		return line
	}
	root, place, opts, typ, fsOpts := f[3], f[4], f[5], f[dash+1], f[dash+3]
	if place == "/" {
		typ, fsOpts, root = "ROOT", "", "/"
	}
	for _, p := range l.files {
		root = p.ReplaceAllString(root, "STATE")
	}
	if typ == "ext4" { // of the machine
		fsOpts = "rw"
	}
	prop := ""
	for _, o := range f[6:dash] {
		name, _, _ := strings.Cut(o, ":")
		prop += " " + name
	}
	if typ == "cgroup" || typ == "cgroup2" { // as the host's, which is another mount namespace with Docker
		prop = ""
	}
	if typ == "tmpfs" || typ == "ramfs" {
		fsOpts = inode64.ReplaceAllString(fsOpts, "")
	}
	return root + " " + place + " " + opts + prop + " " + typ + " " + fsOpts
}

var (
	parent       = regexp.MustCompile(`^[1-9]\d* (0 20)`)
	bracketed    = regexp.MustCompile(`\[\d+\]`)
	cgroupNumber = regexp.MustCompile(`^\d+:`)
	fileTime     = regexp.MustCompile(` \d+ [A-Z][a-z]{2} [ \d]\d (\d\d:\d\d| \d{4}) `)
	ownAddress   = regexp.MustCompile(`\b(172\.1[0-9]|172\.[23]\d|10\.\d+)\.\d+\.\d+\b`)
	inode64      = regexp.MustCompile(`,inode64`)
)
