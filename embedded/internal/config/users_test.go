//go:build linux

package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func TestLookupUser(t *testing.T) {
	r := newRig(t)
	type want struct {
		uid, gid uint32
		gids     []uint32
		home     string
	}
	for _, c := range []struct {
		user   string
		groups []string
		want   want
		err    string
	}{
		{"", nil, want{0, 0, []uint32{0, 2}, "/root"}, ""},
		{"root", nil, want{0, 0, []uint32{0, 2}, "/root"}, ""},
		{"0:0", nil, want{0, 0, []uint32{0}, "/root"}, ""},
		{"user", nil, want{1000, 1001, []uint32{1001, 29, 44}, "/home/user"}, ""},
		{"1000", nil, want{1000, 1001, []uint32{1001, 29, 44}, "/home/user"}, ""},
		{"user:video", nil, want{1000, 44, []uint32{44}, "/home/user"}, ""},
		{"user:5", []string{"audio", "5", "7"}, want{1000, 5, []uint32{5, 29, 7}, "/home/user"}, ""},
		{"4321", []string{"video"}, want{4321, 0, []uint32{0, 44}, "/"}, ""},
		{"4321:99", nil, want{4321, 99, []uint32{99}, "/"}, ""},
		{":video", nil, want{0, 44, []uint32{44}, "/root"}, ""},
		{"nobody", nil, want{}, "no matching entries in passwd file"},
		{"user:none", nil, want{}, "no matching entries in group file"},
		{"user", []string{"none"}, want{}, "no matching entries in group file"},
		{"4294967296", nil, want{}, "no matching entries in passwd file"},
	} {
		id, err := lookupUser(c.user, c.groups, layers{dirs: r.layers})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("%s %v: %v, want %s", c.user, c.groups, err, c.err)
			}
			continue
		}
		got := want{id.user.UID, id.user.GID, id.user.AdditionalGids, id.home}
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(want{})); err != nil || d != "" {
			t.Errorf("%q %v: %v\n%s", c.user, c.groups, err, d)
		}
	}
}

// TestLayers looks files up as overlay shows them, and never outside of the layers.
func TestLayers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("whiteouts are device nodes: it takes root to make them")
	}
	r := newRig(t)
	low, top := r.layers[1], r.layers[0]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	must(os.WriteFile(secret, []byte("secret"), 0o644))
	r.write(filepath.Join(low, "gone"), "x", 0o644)
	must(unix.Mknod(filepath.Join(top, "gone"), unix.S_IFCHR, 0))
	r.write(filepath.Join(low, "opaque/hidden"), "x", 0o644)
	r.write(filepath.Join(top, "opaque/seen"), "seen", 0o644)
	must(unix.Setxattr(filepath.Join(top, "opaque"), "trusted.overlay.opaque", []byte("y"), 0))
	r.write(filepath.Join(low, "both/low"), "low", 0o644)
	r.write(filepath.Join(top, "both/top"), "top", 0o644)
	r.write(filepath.Join(low, "dirthenfile/x"), "x", 0o644)
	r.write(filepath.Join(top, "dirthenfile"), "file", 0o644)
	must(os.Symlink("/both", filepath.Join(top, "abs")))
	must(os.Symlink("../../../../both/low", filepath.Join(top, "up")))
	must(os.Symlink(secret, filepath.Join(top, "out")))
	must(os.Symlink("loop", filepath.Join(top, "loop")))
	must(unix.Mkfifo(filepath.Join(top, "fifo"), 0o644))
	for p, want := range map[string]string{
		"/both/low": "low", "both/top": "top", "/abs/low": "low", "/up": "low", "/opaque/seen": "seen", "/dirthenfile": "file", "/both/../both/./top": "top",
		"/gone": "", "/opaque/hidden": "", "/dirthenfile/x": "", "/out": "", "/loop": "", "/fifo": "", "/both": "", "/none": "", "/../../../.." + secret: "",
	} {
		f, err := layers{dirs: r.layers}.open(p)
		if want == "" {
			if err == nil {
				t.Errorf("%s can be opened", p)
				f.Close()
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		b := make([]byte, 100)
		n, _ := f.Read(b)
		f.Close()
		if string(b[:n]) != want {
			t.Errorf("%s is %q, want %q", p, b[:n], want)
		}
	}
}

// FuzzAccounts: an image's /etc/passwd and /etc/group may hold anything.
func FuzzAccounts(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001::/home/user:/bin/sh", "root:x:0:\nvideo:x:44:user,other\n", "user:video")
	f.Add("a:b:c\n#x\n::::::\nuser:x:99999999999:-1", "x\n:::", "user")
	f.Fuzz(func(t *testing.T, passwd, group, user string) {
		dir := t.TempDir()
		os.Mkdir(filepath.Join(dir, "etc"), 0o755)
		os.WriteFile(filepath.Join(dir, "etc/passwd"), []byte(passwd), 0o644)
		os.WriteFile(filepath.Join(dir, "etc/group"), []byte(group), 0o644)
		id, err := lookupUser(user, []string{"video"}, layers{dirs: []string{dir}})
		if err == nil && (id.home == "" || id.user.UID > 1<<31 || len(id.user.AdditionalGids) == 0) {
			t.Errorf("%+v", id)
		}
	})
}
