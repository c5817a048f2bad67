package embedded

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// TestSysctls: no setting of the host's is set by a container's, by whatever name (CVE-2022-0811).
func TestSysctls(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	read := func(name string) string {
		b, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	pattern, forward := read("kernel/core_pattern"), read("net/ipv4/conf/lo/forwarding")
	for _, spec := range []berth.Spec{
		{Sysctls: map[string]string{"kernel.core_pattern": "|/hole"}},
		{Sysctls: map[string]string{"kernel/core_pattern": "|/hole"}},
		{Sysctls: map[string]string{"net/../kernel/core_pattern": "|/hole"}},
		{Sysctls: map[string]string{"net....kernel.core_pattern": "|/hole"}},
		{Sysctls: map[string]string{"net.ipv4.conf.lo.forwarding": "1"}, NetworkMode: "host"},
		{Sysctls: map[string]string{"kernel.shmmax": "1"}, IPCMode: "host"},
		{Sysctls: map[string]string{"kernel.domainname": "hole"}, UTSMode: "host"},
		{Sysctls: map[string]string{"user.max_user_namespaces": "1"}},
		{Sysctls: map[string]string{"kernel.shm_rmid_forced": "1+kernel.core_pattern=|/hole"}},
	} {
		spec.Image, spec.Command = image, []string{"true"}
		c, err := cli.Containers.Create(t.Context(), spec)
		if err != nil {
			continue
		}
		if err := c.Start(t.Context()); err == nil {
			t.Errorf("%v is set", spec.Sysctls)
		}
		discard(t, c)
	}
	if read("kernel/core_pattern") != pattern || read("net/ipv4/conf/lo/forwarding") != forward {
		t.Error("a setting of the host was changed")
	}
}

// TestLinknames: the private names of the Go runtime are in one file of the engine, which has
// a build without them.
func TestLinknames(t *testing.T) {
	var files []string
	err := filepath.WalkDir("../../../embedded", func(p string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(p, ".go") {
			return err
		}
		b, err := os.ReadFile(p)
		if strings.Contains(string(b), "\n//go:linkname ") {
			files = append(files, filepath.Base(p))
			if !strings.HasPrefix(string(b), "//go:build !berth_nofork\n") {
				t.Errorf("%s is built with the tag berth_nofork too", p)
			}
		}
		return err
	})
	if err != nil || len(files) != 1 || files[0] != "fork_linux.go" {
		t.Errorf("private names are in %v, %v", files, err)
	}
}

// TestStuckFiles: files of the container that never end, or that nobody writes to, keep nobody waiting.
func TestStuckFiles(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	ctr := start(t, cli, berth.Spec{}, "rm /etc/passwd /etc/group; mkfifo /etc/passwd /etc/group /fifo; mknod /zero c 1 5; ln -s /zero /link; touch /ready; sleep 1000")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if _, err := ctr.StatPath(ctx, "/ready"); err == nil {
			break
		} else if !isGone(err) {
			t.Fatal(err)
		}
	}
	cmd := ctr.Command("true")
	cmd.User = "daemon"
	if err := cmd.Run(ctx); err == nil {
		t.Error("an exec as a user without an entry")
	}
	for _, p := range []string{"/fifo", "/zero", "/link", "/etc/passwd", "/etc"} {
		r, _, err := ctr.GetArchive(ctx, p)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		if b, err := io.ReadAll(io.LimitReader(r, 2<<20)); err != nil || len(b) > 1<<20 {
			t.Errorf("the archive of %s: %d bytes, %v", p, len(b), err)
		}
		r.Close()
	}
	if ctx.Err() != nil {
		t.Error(ctx.Err())
	}
}
