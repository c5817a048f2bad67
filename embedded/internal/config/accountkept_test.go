//go:build linux

package config

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// TestAccountKept: a start takes whom the image says the user is, unless the container has accounts of its own.
func TestAccountKept(t *testing.T) {
	const image, own = 1000, 2000
	passwd := func(r *rig, path string) { r.write(path, "user:x:2000:2000::/own:/bin/sh\n", 0o644) }
	link := func(r *rig, to, path string) {
		r.t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			r.t.Fatal(err)
		}
	}
	whiteout := func(r *rig, path string) {
		r.t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := unix.Mknod(path, unix.S_IFCHR, 0); err != nil {
			r.t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		image func(r *rig)
		ran   func(r *rig, upper string)
		uid   uint32 // 0: no such user
		asked bool   // nothing was kept
	}{
		"untouched":        {uid: image},
		"another file":     {ran: func(r *rig, upper string) { r.write(upper+"/etc/hosts", "", 0o644) }, uid: image},
		"its own":          {ran: func(r *rig, upper string) { passwd(r, upper+"/etc/passwd") }, uid: own},
		"removed":          {ran: func(r *rig, upper string) { whiteout(r, upper+"/etc/passwd") }},
		"/etc removed":     {ran: func(r *rig, upper string) { whiteout(r, upper+"/etc") }},
		"/etc is a link":   {ran: func(r *rig, upper string) { link(r, "other", upper+"/etc"); passwd(r, upper+"/other/passwd") }, uid: own},
		"passwd is a link": {ran: func(r *rig, upper string) { link(r, "other", upper+"/etc/passwd"); passwd(r, upper+"/etc/other") }, uid: own},
		"/etc made anew": {ran: func(r *rig, upper string) {
			r.write(upper+"/etc/hosts", "", 0o644)
			if err := unix.Setxattr(upper+"/etc", "trusted.overlay.opaque", []byte("y"), 0); err != nil {
				r.t.Fatal(err)
			}
		}},
		// The way there has a link in the image: what it leads to may be another one later, without anything in the upper /etc.
		"a link of the image": {image: func(r *rig) {
			os.Remove(r.layers[1] + "/etc/passwd")
			link(r, "../usr/passwd", r.layers[0]+"/etc/passwd")
			r.write(r.layers[0]+"/usr/passwd", "user:x:1000:1000::/:/\n", 0o644)
		},
			ran: func(r *rig, upper string) { passwd(r, upper+"/usr/passwd") }, uid: own, asked: true},
		"no user in the image": {image: func(r *rig) { os.Remove(r.layers[1] + "/etc/passwd") }, ran: func(r *rig, upper string) { passwd(r, upper+"/etc/passwd") }, uid: own, asked: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if c.image != nil {
				c.image(r)
			}
			out := r.build(engine.Spec{User: "user"}, testHost())
			if kept := out.Config.Account != nil; kept == c.asked {
				t.Fatalf("kept: %+v", out.Config.Account)
			}
			upper := filepath.Join(r.containerDir(testID), "upper")
			if c.ran != nil {
				if err := os.MkdirAll(upper, 0o755); err != nil {
					t.Fatal(err)
				}
				c.ran(r, upper)
			}
			s, err := r.start(out)
			if c.uid == 0 {
				if err == nil {
					t.Errorf("started as %+v", s.OCI.Process.User)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.OCI.Process.User.UID; got != c.uid {
				t.Errorf("user %d, want %d", got, c.uid)
			}
			// What was kept is what a look finds.
			found := out.Config.Account
			out.Config.Account = nil
			again, err := r.start(out)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := s.OCI.Process, again.OCI.Process; found != nil && (a.User.UID != b.User.UID || a.User.GID != b.User.GID || len(a.User.AdditionalGids) != len(b.User.AdditionalGids) || getEnv(a.Env, "HOME") != getEnv(b.Env, "HOME")) {
				t.Errorf("kept %+v %v, looked up %+v %v", a.User, a.Env, b.User, b.Env)
			}
		})
	}
}

// TestAccountOfGroup: a group of the container's own counts too.
func TestAccountOfGroup(t *testing.T) {
	r := newRig(t)
	out := r.build(engine.Spec{User: "user:video"}, testHost())
	r.write(filepath.Join(r.containerDir(testID), "upper/etc/group"), "video:x:4444:\n", 0o644)
	s, err := r.start(out)
	if err != nil {
		t.Fatal(err)
	}
	if s.OCI.Process.User.GID != 4444 {
		t.Errorf("%+v", s.OCI.Process.User)
	}
}
