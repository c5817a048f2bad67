package embedded

import (
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testenv"
)

// TestNobodyElse: other users of the host, and containers, do not get at the state, the
// files of containers and images, and the sockets of monitors (CVE-2021-41091, CVE-2020-15257).
func TestNobodyElse(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	if err := os.Chmod(w.dir, 0o755); err != nil { // it is the engine's own modes that count
		t.Fatal(err)
	}
	if _, err := cli.Secrets.Create(t.Context(), "s", []byte(secret)); err != nil {
		t.Fatal(err)
	}
	ctr := start(t, cli, berth.Spec{Secrets: []berth.SecretMount{{Source: "s"}}, Mounts: []berth.Mount{berth.VolumeMount("", "/data")}},
		"cat /proc/net/unix; find / -xdev -type s; chmod 4755 /bin/busybox; touch /data/x; chmod 666 /data/x; sleep 1000")
	var private []string
	err := filepath.WalkDir(w.dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && p != w.dir && e.Name() != "version" {
			private = append(private, p)
		}
		return nil
	})
	if err != nil || len(private) < 50 {
		t.Fatalf("%d files, %v", len(private), err)
	}
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "sh", "-c", `while read p; do
		if [ -f "$p" ] && [ -r "$p" ]; then echo "can read $p"; fi
		if [ -f "$p" ] && [ -x "$p" ]; then echo "can execute $p"; fi
		if [ -w "$p" ]; then echo "can write to $p"; fi
		if [ -S "$p" ]; then echo "can reach $p"; fi
	done`)
	cmd.Stdin = strings.NewReader(strings.Join(private, "\n") + "\n")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(out) > 0 {
		t.Errorf("another user of this machine:\n%.2000s", out)
	}
	inside, err := ctr.CombinedLogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(inside), "berth") || strings.Contains(string(inside), "sock") {
		t.Errorf("a socket of the host is seen inside:\n%s", inside)
	}
	for _, pid := range testenv.Monitors(t) {
		b, err := os.ReadFile("/proc/" + pid + "/cmdline")
		env, _ := os.ReadFile("/proc/" + pid + "/environ")
		if err != nil || strings.Contains(string(b)+string(env), secret) {
			t.Errorf("monitor %s: %q %q %v", pid, b, env, err)
		}
	}
}

// TestRouterAdvertisements: where nobody asked for IPv6 there is none, and no container can give
// the host or another container routes (CVE-2020-13401, CVE-2024-32473).
func TestRouterAdvertisements(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
		t.Skip("this kernel has no IPv6")
	}
	out := output(t, cli, berth.Spec{}, "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6 /proc/sys/net/ipv6/conf/eth0/accept_ra; ip -6 addr show dev eth0; ip -6 route")
	if out != "1\n0" {
		t.Errorf("in the default network: %q", out)
	}
	start(t, cli, berth.Spec{}, "sleep 1000")
	six, err := cli.Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: "six", IPv6: true})
	if err != nil {
		t.Fatal(err)
	}
	ctr := start(t, cli, berth.Spec{NetworkMode: "six"}, "sleep 1000")
	defer func() {
		discard(t, ctr)
		if err := six.Remove(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	b, err := ctr.Command("cat", "/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "/proc/sys/net/ipv6/conf/eth0/accept_ra").Output(t.Context())
	if err != nil || string(b) != "0\n0\n" {
		t.Errorf("in a network with IPv6: %q, %v", b, err)
	}
	bridges, err := filepath.Glob("/proc/sys/net/ipv6/conf/berth-*")
	if err != nil || len(bridges) < 2 {
		t.Fatalf("bridges %v, %v", bridges, err)
	}
	off := 0
	for _, dir := range bridges {
		ra, err := os.ReadFile(dir + "/accept_ra")
		if err != nil || string(ra) != "0\n" {
			t.Errorf("%s accepts router advertisements: %q %v", dir, ra, err)
		}
		if b, _ := os.ReadFile(dir + "/disable_ipv6"); string(b) == "1\n" {
			off++
		}
	}
	if off != len(bridges)-1 {
		t.Errorf("%d of %d bridges have no IPv6", off, len(bridges))
	}
}

// TestMovingPaths moves what a path of a container leads to, as fast as it can, while the engine
// goes by that path from outside: files, archives, execs, users, changes (CVE-2018-15664).
func TestMovingPaths(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	v := newVictim(t)
	up := strings.Repeat("../", 30) + v.dir
	script := strings.NewReplacer("VICTIM", v.dir, "UP", up).Replace(`ln -s VICTIM /evil1; ln -s UP /evil2; cp /etc/passwd /etc/good; ln -s VICTIM/passwd /etc/bad
	while :; do
		cp -a /evil1 /x; rm -f /x; cp -a /evil2 /x; rm -f /x; mkdir -p /x/sub; ln -s VICTIM /x/link; rm -rf /x/sub; ln -s UP /x/sub; rm -rf /x
		rm -f /etc/passwd; cp -a /etc/bad /etc/passwd; rm /etc/passwd; cp /etc/good /etc/passwd
	done 2>/dev/null`)
	ctr := start(t, cli, berth.Spec{}, script)
	ctx := t.Context()
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); {
		for _, p := range []string{"/x", "/x/file", "/x/sub/file", "/x/."} {
			if r, _, err := ctr.GetArchive(ctx, p); err == nil {
				b, _ := io.ReadAll(io.LimitReader(r, 1<<20))
				r.Close()
				kept(t, "the archive of "+p, string(b))
			}
			ctr.PutArchive(ctx, p, attack(t))
			ctr.WriteFile(ctx, p+"/planted", []byte("x"), 0o644)
			ctr.StatPath(ctx, p)
		}
		cmd := ctr.Command("sh", "-c", "cat file sub/file; pwd")
		cmd.Dir = "/x"
		out, _ := cmd.CombinedOutput(ctx)
		kept(t, "an exec", string(out))
		cmd = ctr.Command("id", "-u")
		cmd.User = "evil"
		if out, err := cmd.Output(ctx); err == nil {
			t.Errorf("an exec as a user of the host: %s", out)
		}
		ctr.Diff(ctx)
		ctr.Top(ctx)
		ctr.StatsOnce(ctx)
		v.unharmed(t)
	}
	if r, err := ctr.Export(ctx); err == nil {
		b, _ := io.ReadAll(io.LimitReader(r, 64<<20))
		r.Close()
		kept(t, "the export", string(b))
	}
	v.unharmed(t)
}

// TestNames: names of objects are no paths.
func TestNames(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	for _, name := range []string{"..", ".", "../x", "a/b", "x/../../y", ".new", "-x", "a\x00b", "a\nb"} {
		if c, err := cli.Containers.Create(t.Context(), berth.Spec{Image: image, Name: name}); err == nil {
			t.Errorf("a container %q is made", name)
			discard(t, c)
		}
		if _, err := cli.Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: name}); err == nil {
			t.Errorf("a volume %q is made", name)
		}
		if _, err := cli.Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: name}); err == nil {
			t.Errorf("a network %q is made", name)
		}
		if _, err := cli.Secrets.Create(t.Context(), name, []byte("x")); err == nil {
			t.Errorf("a secret %q is made", name)
		}
		for what, get := range map[string]func() error{
			"container": func() error { _, err := cli.Containers.Get(t.Context(), name); return err },
			"volume":    func() error { _, err := cli.Volumes.Get(t.Context(), name); return err },
			"image":     func() error { _, err := cli.Images.Get(t.Context(), name); return err },
		} {
			if get() == nil {
				t.Errorf("a %s %q is found", what, name)
			}
		}
	}
}
