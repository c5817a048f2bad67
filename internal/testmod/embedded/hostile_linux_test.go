package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testenv"
)

// secret is what no container may read of the host.
const secret = "the-host's-own-secret"

// victim is a directory of the host that no container may reach. unharmed checks that
// it is as it was, and leaked that a text has nothing of it.
type victim struct {
	dir    string
	before []string
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{dir: t.TempDir()}
	for name, text := range map[string]string{
		"passwd": "root:x:0:0::" + secret + ":/bin/sh\nevil:x:4242:4242::/:/bin/sh\n", "group": "evil:x:4242:\n", "file": secret,
		"hosts": secret, "hostname": secret, "resolv.conf": secret, "sub/file": secret, "secrets/s": secret,
	} {
		p := filepath.Join(v.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	v.before = v.listing(t)
	return v
}

func (v *victim) listing(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(v.dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		text := ""
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text = string(b)
		}
		list = append(list, fmt.Sprint(p, info.Mode(), info.Sys(), text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range list { // times of access are the test's own
		list[i], _, _ = strings.Cut(l, " &{")
	}
	return list
}

func (v *victim) unharmed(t *testing.T) {
	t.Helper()
	if d := cmp.Diff(v.before, v.listing(t)); d != "" {
		t.Errorf("the host was changed (-before +after):\n%s", d)
	}
}

func kept(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, secret) {
		t.Errorf("%s has what is the host's: %.200q", what, text)
	}
}

// hostile makes an image of busybox in which paths are links. A target may be "" for a regular file.
func (w *world) hostile(t *testing.T, cli *berth.Client, ref string, links map[string]string, changes ...string) {
	t.Helper()
	var buf bytes.Buffer
	out := tar.NewWriter(&buf)
	in := tar.NewReader(testenv.Busybox(t))
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(h.Name, "/")
		drop := false
		for l := range links {
			drop = drop || name == l || strings.HasPrefix(name, l+"/")
		}
		if drop {
			continue
		}
		if err := out.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(out, in); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range links {
		h := &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777}
		if to == "" {
			h = &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755}
		}
		if err := out.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := cli.Images.Import(t.Context(), &buf, berth.ImportOptions{Reference: ref, Changes: append([]string{"ENV PATH=/bin"}, changes...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := cli.Images.Remove(context.WithoutCancel(t.Context()), ref, berth.ImageRemoveOptions{Force: true}); err != nil && !isGone(err) {
			t.Error(err)
		}
	})
}

// TestHostileImage does all that the engine does by paths of a container with images
// in which these paths lead to the host.
func TestHostileImage(t *testing.T) {
	w := newWorld(t)
	cli := w.client(t)
	if _, err := cli.Secrets.Create(t.Context(), "s", []byte("the container's")); err != nil {
		t.Fatal(err)
	}
	up := strings.Repeat("../", 30)
	show := "cat /etc/hosts /etc/hostname /etc/resolv.conf /etc/passwd /run/secrets/s /link/file /data/file; ls -laR /etc /data /wd; true"
	for i, c := range []struct {
		name    string
		links   map[string]string
		changes []string
		spec    berth.Spec
		refused bool // it cannot be started
	}{
		{name: "etc", links: map[string]string{"etc": "VICTIM"}},
		{name: "etc relative", links: map[string]string{"etc": up + "VICTIM"}, spec: berth.Spec{ExtraHosts: []string{"a:192.0.2.1"}, Timezone: "UTC"}},
		{name: "etc through proc", links: map[string]string{"etc": "/proc/1/root/VICTIM"}},
		{name: "files of etc", links: map[string]string{"etc/hosts": "VICTIM/hosts", "etc/hostname": up + "VICTIM/hostname", "etc/resolv.conf": "/..VICTIM/resolv.conf", "etc/localtime": "VICTIM/file"}, spec: berth.Spec{Timezone: "UTC"}},
		{name: "accounts", links: map[string]string{"etc/passwd": "VICTIM/passwd", "etc/group": up + "VICTIM/group"}, spec: berth.Spec{User: "evil"}, refused: true},
		{name: "groups", links: map[string]string{"etc/group": "VICTIM/group"}, spec: berth.Spec{GroupAdd: []string{"evil"}}, refused: true},
		{name: "accounts through proc", links: map[string]string{"etc/passwd": "/proc/self/root/VICTIM/passwd", "etc/group": "/proc/1/cwd/VICTIM/group"}, spec: berth.Spec{User: "evil"}, refused: true},
		{name: "secrets", links: map[string]string{"run": "VICTIM"}, spec: berth.Spec{Secrets: []berth.SecretMount{{Source: "s"}}}},
		{name: "secret's directory", links: map[string]string{"run/secrets": up + "VICTIM/secrets"}, spec: berth.Spec{Secrets: []berth.SecretMount{{Source: "s"}}}},
		{name: "working directory", links: map[string]string{"wd": "VICTIM"}, spec: berth.Spec{WorkingDir: "/wd/new/dir"}},
		{name: "working directory through a descriptor", links: map[string]string{"wd": "/proc/self/fd/8"}, spec: berth.Spec{WorkingDir: "/wd"}, refused: true},
		{name: "volume", links: map[string]string{"data": "VICTIM"}, spec: berth.Spec{Mounts: []berth.Mount{berth.VolumeMount("", "/data")}}},
		{name: "volume below", links: map[string]string{"data": up + "VICTIM"}, spec: berth.Spec{Mounts: []berth.Mount{berth.VolumeMount("", "/data/sub")}}},
		{name: "volume of the image", changes: []string{`VOLUME ["/../../../../../VICTIM"]`}},
		{name: "volume of the image, a link", links: map[string]string{"data": "/proc/1/root/VICTIM"}, changes: []string{`VOLUME /data`}},
		{name: "tmpfs", links: map[string]string{"data": "VICTIM"}, spec: berth.Spec{Mounts: []berth.Mount{berth.Tmpfs("/data/new")}}},
		{name: "device", links: map[string]string{"data": "VICTIM"}, spec: berth.Spec{Devices: []berth.Device{{Host: "/dev/null", Container: "/data/file"}}}},
		{name: "proc", links: map[string]string{"proc": "VICTIM"}, refused: true},
		{name: "sys", links: map[string]string{"sys": "VICTIM"}, refused: true},
		{name: "dev", links: map[string]string{"dev": up + "VICTIM"}, refused: true},
		{name: "dev, init", links: map[string]string{"dev": "VICTIM"}, spec: berth.Spec{Init: new(true)}, refused: true},
		{name: "init", spec: berth.Spec{Init: new(true)}},
		{name: "user beyond 32 bits", spec: berth.Spec{User: "4294967296"}, refused: true},
		{name: "user of the image beyond 32 bits", changes: []string{"USER 4294967296:4294967296"}, refused: true},
		{name: "user of the image below 0", changes: []string{"USER -1"}, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVictim(t)
			links := map[string]string{"link": v.dir, "link2": up + v.dir}
			for name, to := range c.links {
				links[name] = strings.ReplaceAll(strings.ReplaceAll(to, "/VICTIM", v.dir), "VICTIM", v.dir)
			}
			var changes []string
			for _, ch := range c.changes {
				changes = append(changes, strings.ReplaceAll(ch, "/VICTIM", v.dir))
			}
			ref := fmt.Sprintf("hostile:%d", i)
			w.hostile(t, cli, ref, links, changes...)
			spec := c.spec
			spec.Image = ref
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell(show), Interval: time.Hour}
			spec.Command = berth.Shell(show + "; sleep 1000")
			ctr, err := cli.Containers.Create(t.Context(), spec)
			if err != nil {
				if !c.refused {
					t.Errorf("it is not made: %v", err)
				}
				v.unharmed(t)
				return
			}
			defer discard(t, ctr)
			touch(t, ctr, "created")
			v.unharmed(t)
			if _, err := os.Lstat("/tmp/berth-planted"); err == nil {
				t.Error("an archive has written to the host's /tmp")
			}
			err = ctr.Start(t.Context())
			v.unharmed(t)
			if (err != nil) != c.refused {
				t.Errorf("start: %v", err)
			}
			if err != nil {
				return
			}
			if h, err := ctr.RunHealthcheck(t.Context()); err != nil {
				t.Errorf("health check: %v", err)
			} else {
				kept(t, "the health check", h.Output)
			}
			touch(t, ctr, "running")
			out, err := ctr.CombinedLogs(t.Context())
			if err != nil {
				t.Error(err)
			}
			kept(t, "the log", string(out))
			if strings.Contains(c.name, "secret") {
				b, err := ctr.Command("cat", "/run/secrets/s").Output(t.Context())
				if err != nil || string(b) != "the container's" {
					t.Errorf("the secret is %q, %v", b, err)
				}
			}
			if err := ctr.Kill(t.Context(), "KILL"); err != nil {
				t.Error(err)
			}
			if _, err := ctr.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			touch(t, ctr, "stopped")
			v.unharmed(t)
		})
	}
}

// touch does with a container what goes by its paths. What fails is fine: the host is not in reach.
func touch(t *testing.T, ctr *berth.Container, when string) {
	t.Helper()
	ctx := t.Context()
	for _, p := range []string{"/etc/hosts", "/etc/passwd", "/link/file", "/link2/file", "/link/.", "/link", "/data/file", "/data/.", "/run/secrets/s", "/proc/1/root/link/file", "/proc/1/root", "/link/../file", "/wd/."} {
		ctr.StatPath(ctx, p)
		if r, _, err := ctr.GetArchive(ctx, p); err == nil {
			b, _ := io.ReadAll(io.LimitReader(r, 1<<20))
			r.Close()
			kept(t, when+": the archive of "+p, string(b))
		}
		if b, err := ctr.ReadFile(ctx, p); err == nil {
			kept(t, when+": the file "+p, string(b))
		}
		ctr.WriteFile(ctx, p, []byte("written by "+when), 0o644)
		ctr.PutArchive(ctx, p, attack(t))
	}
	ctr.PutArchive(ctx, "/", attack(t))
	if _, err := ctr.Diff(ctx); err != nil {
		t.Errorf("%s: diff: %v", when, err)
	}
	if r, err := ctr.Export(ctx); err != nil {
		t.Errorf("%s: export: %v", when, err)
	} else {
		b, err := io.ReadAll(io.LimitReader(r, 64<<20))
		r.Close()
		if err != nil {
			t.Errorf("%s: export: %v", when, err)
		}
		kept(t, when+": the export", string(b))
	}
	if when != "created" {
		if img, err := ctr.Commit(ctx, berth.CommitOptions{Repository: "committed", Tag: "1"}); err != nil {
			t.Errorf("%s: commit: %v", when, err)
		} else if r, err := img.Save(ctx); err != nil {
			t.Errorf("%s: save: %v", when, err)
		} else {
			b, _ := io.ReadAll(io.LimitReader(r, 64<<20))
			r.Close()
			kept(t, when+": the image", string(b))
			img.Remove(ctx, berth.ImageRemoveOptions{Force: true})
		}
	}
	if when != "running" {
		return
	}
	for _, dir := range []string{"/link", "/link2", "/wd", "/proc/self/fd/7", "/proc/1/root"} {
		cmd := ctr.Command("sh", "-c", "pwd; cat file ./link/file")
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput(ctx)
		kept(t, "an exec in "+dir, string(out))
	}
	cmd := ctr.Command("id")
	cmd.User = "evil"
	if out, err := cmd.CombinedOutput(ctx); err == nil {
		t.Errorf("an exec as the host's user succeeds: %s", out)
	}
}

// attack is an archive that leads out of the directory that it is unpacked in.
func attack(t *testing.T) io.Reader {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	up := strings.Repeat("../", 30)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "link/planted"},
		{Typeflag: tar.TypeReg, Name: "link2/planted"},
		{Typeflag: tar.TypeReg, Name: "sub/planted"},
		{Typeflag: tar.TypeDir, Name: "link/newdir/"},
		{Typeflag: tar.TypeLink, Name: "hard", Linkname: "link/file"},
		{Typeflag: tar.TypeLink, Name: "link/hard", Linkname: "bin/busybox"},
		{Typeflag: tar.TypeSymlink, Name: "l3", Linkname: up + "tmp"},
		{Typeflag: tar.TypeReg, Name: "l3/berth-planted"},
		{Typeflag: tar.TypeReg, Name: up + "tmp/berth-planted"},
		{Typeflag: tar.TypeReg, Name: "link"},
	} {
		h.Mode = 0o4777
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}
