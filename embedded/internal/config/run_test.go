//go:build linux

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/engine"
)

// busybox puts a static one of the machine's into the image. Tests that start containers run where BERTH_EMBEDDED is
// set, as .ci/run does after installing it and runc.
func (r *rig) busybox() {
	r.t.Helper()
	if os.Getenv("BERTH_EMBEDDED") == "" {
		r.t.Skip("BERTH_EMBEDDED is not set: containers are started in .ci/run, with busybox-static and runc installed")
	}
	p, err := exec.LookPath("busybox")
	if err != nil {
		r.t.Fatal("these tests need a static busybox in PATH (Debian: busybox-static): ", err)
	}
	b, err := os.ReadFile(p)
	if err != nil {
		r.t.Fatal(err)
	}
	low := r.layers[len(r.layers)-1]
	r.write(filepath.Join(low, "bin/busybox"), string(b), 0o755)
	for a := range strings.FieldsSeq("sh cat ls id hostname env mount readlink stat grep uname touch mkdir head wc sed cut date awk df od tr sort mknod sleep") {
		if err := os.Symlink("busybox", filepath.Join(low, "bin", a)); err != nil {
			r.t.Fatal(err)
		}
	}
	// The capabilities of this process, which tests of the whole may lack.
	h, err := DetectHost()
	if err != nil {
		r.t.Fatal(err)
	}
	r.host = h
}

// launched runs a configuration with package launch.
func (r *rig) launched(s *Started) (string, error) {
	r.t.Helper()
	or, ow, err := os.Pipe()
	if err != nil {
		r.t.Fatal(err)
	}
	defer or.Close()
	dir := r.containerDir(testID)
	p, err := launch.Start(launch.Config{
		Spec: s.OCI, Trees: s.Trees, Root: s.Root, MakeCwd: true, Stdout: ow, Stderr: ow,
		Overlay: &launch.Overlay{Lower: r.layers, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work")},
	})
	ow.Close()
	if err != nil {
		return "", err
	}
	b, _ := io.ReadAll(or)
	_, err = p.Wait()
	p.Pidfd.Close()
	return string(b), err
}

// withRunc runs it with runc, in a mount namespace of its own that has the overlay, and the trees where the configuration has them.
func (r *rig) withRunc(s *Started) (string, error) {
	r.t.Helper()
	bin, err := exec.LookPath("runc")
	if err != nil {
		r.t.Fatal("these tests need runc in PATH: ", err)
	}
	dir := r.containerDir(testID)
	b, err := json.Marshal(s.OCI)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(filepath.Join(dir, "config.json"), string(b), 0o600)
	var out bytes.Buffer
	cmd := exec.Command(bin, "--root", filepath.Join(r.dir, "runc"), "run", "--bundle", dir, fmt.Sprintf("config-%d", os.Getpid()))
	cmd.Stdout, cmd.Stderr = &out, &out
	onThread(func() {
		err = func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return err
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
				return err
			}
			data := "lowerdir=" + strings.Join(r.layers, ":") + ",upperdir=" + dir + "/upper,workdir=" + dir + "/work"
			if err := unix.Mount("overlay", dir+"/root", "overlay", 0, data); err != nil {
				return err
			}
			for dest, tree := range s.Trees {
				if err := attach(tree, mountAt(s.OCI, dest).Source); err != nil {
					return err
				}
			}
			return cmd.Run()
		}()
	})
	return out.String(), err
}

// testCgroup is the parent of the cgroups that runc makes.
const testCgroup = "berth-config-test"

// removeCgroups removes it from every hierarchy.
func removeCgroups() {
	dirs, _ := filepath.Glob("/sys/fs/cgroup/*/" + testCgroup)
	for _, d := range append(dirs, "/sys/fs/cgroup/"+testCgroup) {
		os.Remove(d)
	}
}

// attach mounts a tree on a path.
func attach(tree *os.File, target string) error {
	info, err := tree.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else {
		err = os.WriteFile(target, nil, 0o600)
	}
	if err != nil {
		return err
	}
	return unix.MoveMount(int(tree.Fd()), "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// TestRun starts containers with package launch and with runc, and looks for each option's effect inside.
func TestRun(t *testing.T) {
	mode := os.FileMode(0o1700)
	type spec = engine.Spec
	t.Cleanup(removeCgroups)
	for _, c := range []struct {
		name   string
		spec   spec
		script string
		want   string // "…x…" is a part of it
		only   string // launch
	}{
		{name: "plain", script: "id; hostname; pwd; echo $HOME $HOSTNAME; cat /etc/hostname", want: "uid=0(root) gid=0(root) groups=0(root),2(daemon)\n0123456789ab\n/\n/root 0123456789ab\n0123456789ab"},
		{name: "environment", spec: spec{Env: map[string]string{"B": "b c", "E": ""}, UnsetEnv: []string{"OF_IMAGE"}}, script: `echo "$B|${E-unset}|${OF_IMAGE-unset}"`, want: "b c||unset"},
		{name: "user", spec: spec{User: "user", GroupAdd: []string{"77"}}, script: "id -u; id -g; id -G; echo $HOME; grep CapEff /proc/self/status", want: "1000\n1001\n1001 29 44 77\n/home/user\nCapEff:\t0000000000000000"},
		{name: "working directory", spec: spec{WorkingDir: "/made/on/the/way"}, script: "pwd", want: "/made/on/the/way"},
		{name: "umask", spec: spec{Umask: "0027"}, script: "umask", want: "0027"},
		{name: "names", spec: spec{Hostname: "h", Domainname: "d.example"}, script: "hostname; cat /proc/sys/kernel/domainname", want: "h\nd.example"},
		{name: "capabilities", spec: spec{CapDrop: []string{"CHOWN"}}, script: "grep CapBnd /proc/self/status", want: "CapBnd:\t00000000a80425fa"},
		{name: "privileged", spec: spec{Privileged: true}, script: "mkdir /m; mount -t tmpfs x /m && echo mounted; grep Seccomp: /proc/self/status", want: "mounted\nSeccomp:\t0"},
		{name: "seccomp", script: "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status", want: "NoNewPrivs:\t0\nSeccomp:\t2"},
		{name: "no new privileges", spec: spec{SecurityOpt: []string{"no-new-privileges", `seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}`}}, script: "grep NoNewPrivs: /proc/self/status; mkdir /x 2>/dev/null || echo refused", want: "NoNewPrivs:\t1\nrefused"},
		{name: "masks", spec: spec{SecurityOpt: []string{"mask=/proc/uptime"}}, script: "wc -c </proc/uptime; ls /proc/scsi /sys/firmware 2>/dev/null | wc -l", want: "0\n…"},
		{name: "proc options", spec: spec{SecurityOpt: []string{"proc-opts=hidepid=2"}}, script: "grep ' /proc proc' /proc/mounts", want: "…hidepid=…"},
		{name: "read-only", spec: spec{ReadOnly: true, ReadWriteTmpfs: new(true)}, script: "touch /x 2>&1; touch /tmp/x /run/x /var/tmp/x && echo written; touch /etc/hosts 2>&1; echo >/dev/null && echo dev", want: "touch: /x: Read-only file system\nwritten\ntouch: /etc/hosts: Read-only file system\ndev"},
		{name: "shm", spec: spec{ShmSize: 32 * engine.MiB}, script: "df -k /dev/shm | tail -1 | awk '{print $2}'; stat -c %a /dev/shm", want: "32768\n1777"},
		{name: "tmpfs", spec: spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", Size: engine.MiB, Mode: &mode, Options: []string{"uid=5", "exec"}}}}, script: "df -k /t | tail -1 | awk '{print $2}'; stat -c '%a %u' /t; grep -c ' /t .*noexec' /proc/mounts", want: "1024\n1700 5\n0"},
		{name: "tmpfs read-only", spec: spec{Mounts: []engine.Mount{{Type: engine.MountTmpfs, Target: "/t", ReadOnly: true}}}, script: "touch /t/x 2>&1", want: "…Read-only…"},
		{name: "bind read-only", spec: spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "DIR/host", Target: "/b", ReadOnly: true}, engine.Bind("DIR/host/f", "/b/f")}}, script: "touch /b/x 2>&1; cat /b/f", want: "touch: /b/x: Read-only file system\nof the host"},
		{name: "bind made", spec: spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: "DIR/made/there", Target: "/b", CreateSource: true, Chown: true}}, User: "1234:4321"}, script: "touch /b/x && stat -c %u:%g /b", want: "1234:4321"},
		{name: "volumes", spec: spec{Mounts: []engine.Mount{engine.Volume("v", "/v"), {Type: engine.MountVolume, Source: "s", Target: "/s", Subpath: "link/below"}, {Type: engine.MountVolume, Source: "s", Target: "/s/file", Subpath: "f"}}}, script: "touch /v/x && cat /s/x /s/file", want: "below\nfile"},
		{name: "image mount", spec: spec{Mounts: []engine.Mount{engine.ImageMount("x", "/i"), {Type: engine.MountImage, Source: "x", Target: "/j", Subpath: "data"}, {Type: engine.MountImage, Source: "x", Target: "/k", Options: []string{"rw"}}}}, script: "cat /i/data/f /j/f; ls -d /i/etc; touch /i/x 2>&1; touch /k/x && ls /k/x", want: "of the image\nof the image\n/i/etc\ntouch: /i/x: Read-only file system\n/k/x"},
		{name: "overlay", spec: spec{Mounts: []engine.Mount{{Type: engine.MountOverlay, Source: "DIR/host", Target: "/o"}}}, script: "cat /o/f; echo above >/o/f; cat /o/f", want: "of the host\nabove"},
		{name: "device", spec: spec{Devices: []engine.Device{{Host: "/dev/zero", Container: "/dev/berth/zero", Permissions: "r"}}}, script: "head -c 3 /dev/berth/zero | od -An -tx1 | tr -d ' '", want: "000000"},
		{name: "ulimits", spec: spec{Ulimits: []engine.Ulimit{{Name: "RLIMIT_NOFILE", Soft: 100, Hard: 200}, {Name: "core", Soft: 0, Hard: 0}}}, script: "ulimit -n; ulimit -Hn; ulimit -c", want: "100\n200\n0"},
		{name: "sysctl", spec: spec{Sysctls: map[string]string{"net.core.somaxconn": "1234"}}, script: "cat /proc/sys/net/core/somaxconn", want: "1234"},
		{name: "oom score", spec: spec{OOMScoreAdj: new(321)}, script: "cat /proc/self/oom_score_adj", want: "321"},
		{name: "host namespaces", spec: spec{PIDMode: "host", IPCMode: "host", UTSMode: "host", NetworkMode: "host"}, script: "test $$ -gt 1 && echo yes; for n in pid ipc uts net; do readlink /proc/self/ns/$n; done", want: "yes\nHOSTNS"},
		{name: "no ipc", spec: spec{IPCMode: "none"}, script: "grep -c ' /dev/shm ' /proc/mounts", want: "0"},
		{name: "secrets", spec: spec{Secrets: []engine.SecretMount{{Source: "sec", UID: 5, Mode: new(uint32(0o400))}}, SecretEnv: map[string]string{"S": "sec"}}, script: "cat /run/secrets/sec; stat -c ' %u %a' /run/secrets/sec; echo $S", want: "hidden 5 400\nhidden"},
		{name: "timezone", spec: spec{Timezone: "Asia/Tokyo"}, script: "date -d @0 +%H", want: "09"},
		{name: "private cgroups", spec: spec{CgroupNS: "private"}, script: "test $(readlink /proc/self/ns/cgroup) != 'CGROUPNS' && echo private", want: "private"},
		{name: "personality", spec: spec{Podman: &engine.PodmanSpec{Personality: "LINUX32"}}, script: "uname -m", want: "i686", only: "launch"}, // runc 1.1 does not know it
		{name: "raw", spec: spec{Raw: map[string]json.RawMessage{"embedded": json.RawMessage(`{"process":{"env":["RAW=1"],"user":{"uid":7}}}`)}}, script: "/bin/busybox id -u; echo $RAW", want: "7\n1"},
		{name: "user of the container's own", spec: spec{User: "later"}, script: "id -u; echo $HOME", want: "2000\n/later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, way := range []string{"launch", "runc"} {
				if c.only != "" && c.only != way {
					continue
				}
				r := newRig(t)
				r.busybox()
				r.write(filepath.Join(r.dir, "host/f"), "of the host\n", 0o644)
				r.write(filepath.Join(r.dir, "volumes/s/data/dir/below/x"), "below\n", 0o644)
				r.write(filepath.Join(r.dir, "volumes/s/data/f"), "file\n", 0o644)
				if err := os.Symlink("/dir", filepath.Join(r.dir, "volumes/s/data/link")); err != nil {
					t.Fatal(err)
				}
				s := c.spec.Clone()
				s.Image = "img"
				for i := range s.Mounts {
					s.Mounts[i].Source = strings.Replace(s.Mounts[i].Source, "DIR", r.dir, 1)
				}
				s.Command = []string{"/bin/sh", "-c", strings.ReplaceAll(c.script, "CGROUPNS", hostNS(t, "cgroup"))}
				s.CgroupParent = testCgroup
				out := r.build(s, r.host)
				if c.spec.User == "later" {
					r.write(filepath.Join(r.containerDir(testID), "upper/etc/passwd"), "later:x:2000:2000::/later:/bin/sh\n", 0o644)
				}
				started, err := r.start(out)
				if err != nil {
					t.Fatal(err)
				}
				run := r.launched
				if way == "runc" {
					run = r.withRunc
				}
				got, err := run(started)
				if err != nil && got == "" {
					t.Errorf("%s: %v", way, err)
				}
				want := strings.ReplaceAll(c.want, "HOSTNS", hostNS(t, "pid", "ipc", "uts", "net"))
				got = strings.TrimSpace(got)
				if part, ok := strings.CutPrefix(want, "…"); ok {
					if !strings.Contains(got, strings.TrimSuffix(part, "…")) {
						t.Errorf("%s: %q, want %q in it", way, got, part)
					}
				} else if start, ok := strings.CutSuffix(want, "…"); ok {
					if !strings.HasPrefix(got, start) {
						t.Errorf("%s: %q, want %q in front", way, got, start)
					}
				} else if got != want {
					t.Errorf("%s:\n%s\nwant:\n%s", way, got, want)
				}
			}
		})
	}
}

func hostNS(t *testing.T, names ...string) string {
	var list []string
	for _, n := range names {
		l, err := os.Readlink("/proc/self/ns/" + n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return strings.Join(list, "\n")
}
