package normal

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestTakesTmpfsMode(t *testing.T) {
	for _, tt := range []struct {
		runtime Runtime
		takes   bool
		text    string
	}{
		{Runtime{"runc", "1.1.5+ds1-1+deb12u1"}, false, "runc 1.1.5+ds1-1+deb12u1"},
		{Runtime{"runc", "runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.2.1"}, false, "runc 1.1.5+ds1"},
		{Runtime{"/usr/bin/runc", "runc version 1.3.6+ds1\ncommit: x"}, true, "runc 1.3.6+ds1"},
		{Runtime{"runc", "v1.1.12-0-g51d5e946"}, false, "runc v1.1.12-0-g51d5e946"},
		{Runtime{"io.containerd.runc.v2", "v1.2.0-0-g51d5e946"}, true, "io.containerd.runc.v2 v1.2.0-0-g51d5e946"},
		{Runtime{"runc", "1.2"}, true, "runc 1.2"},
		{Runtime{"runc", "2.0.0"}, true, "runc 2.0.0"},
		{Runtime{"runc", "b9ee9c6314599f1b4a7f497e1f1f856fe433d3b7"}, false, "runc b9ee9c6314599f1b4a7f497e1f1f856fe433d3b7"},
		{Runtime{"runc", ""}, false, "runc"},
		{Runtime{"crun", "crun version 1.28"}, true, "crun 1.28"},
		{Runtime{"/usr/bin/crun", ""}, true, "crun"},
		{Runtime{"runsc", "1.9"}, false, "runsc 1.9"},
		{Runtime{"", ""}, false, "."},
	} {
		if got := tt.runtime.takesTmpfsMode(); got != tt.takes {
			t.Errorf("%+v takes it: %t", tt.runtime, got)
		}
		if got := tt.runtime.String(); got != tt.text {
			t.Errorf("%+v is %q, want %q", tt.runtime, got, tt.text)
		}
	}
}

func TestCheckTmpfsModes(t *testing.T) {
	tmpfs := func(target string, mode fs.FileMode, options ...string) engine.Mount {
		m := engine.Tmpfs(target)
		m.Options = options
		if mode != 0 {
			m.Mode = &mode
		}
		return m
	}
	stats := map[string]engine.PathStat{
		"/etc": {Mode: fs.ModeDir | 0o755}, "/tmp": {Mode: fs.ModeDir | fs.ModeSticky | 0o777}, "/dev/shm": {Mode: fs.ModeDir | 0o755}, "/tmp/x": {Mode: fs.ModeDir | 0o755},
		"/link": {Mode: fs.ModeSymlink | 0o777, LinkTarget: "etc"}, "/loop": {Mode: fs.ModeSymlink, LinkTarget: "/loop"}, "/suid": {Mode: fs.ModeDir | fs.ModeSetuid | fs.ModeSetgid | 0o700},
	}
	errBroken := errors.New("broken")
	asked := 0
	stat := func(_ context.Context, path string) (engine.PathStat, error) {
		asked++
		if path == "/broken" {
			return engine.PathStat{}, errBroken
		}
		st, ok := stats[path]
		if !ok {
			return st, engine.ErrNotFound
		}
		return st, nil
	}
	old := Runtime{"runc", "1.1.5"}
	const why = " is not supported by docker with runc 1.1.5 (needs runc 1.2 or crun): the image has "
	for name, tt := range map[string]struct {
		runtime Runtime
		mounts  []engine.Mount
		want    string
		asked   int
	}{
		"new runtime":       {Runtime{"runc", "1.2.0"}, []engine.Mount{tmpfs("/etc", 0o700)}, "", 0},
		"mode":              {old, []engine.Mount{tmpfs("/new", 0o700), tmpfs("/etc", 0o700)}, "Spec.Mounts[1].Mode=0700" + why + "/etc with the mode 0755, which the tmpfs would get", 2},
		"unknown runtime":   {Runtime{"kata", ""}, []engine.Mount{tmpfs("/etc", 0o700)}, "Spec.Mounts[0].Mode=0700 is not supported by docker with kata (needs runc 1.2 or crun): the image has /etc with the mode 0755, which the tmpfs would get", 1},
		"the same mode":     {old, []engine.Mount{tmpfs("/etc", 0o755), tmpfs("/tmp", 0o1777), tmpfs("/suid", 0o6700)}, "", 3},
		"no mode":           {old, []engine.Mount{tmpfs("/etc", 0), engine.Bind("/a", "/etc")}, "", 0},
		"option":            {old, []engine.Mount{tmpfs("/etc", 0o755, "mode=755", "mode=1700")}, "Spec.Mounts[0].Options=01700" + why + "/etc with the mode 0755, which the tmpfs would get", 1},
		"option, no number": {old, []engine.Mount{tmpfs("/etc", 0, "mode=rwx")}, "", 0},
		"link":              {old, []engine.Mount{tmpfs("/link", 0o700)}, "Spec.Mounts[0].Mode=0700" + why + "/link with the mode 0755, which the tmpfs would get", 2},
		"loop":              {old, []engine.Mount{tmpfs("/loop", 0o700)}, "too many symbolic links at /loop", maxLinks},
		"covered":           {old, []engine.Mount{tmpfs("/dev/shm", 0o700), tmpfs("/tmp", 0), tmpfs("/tmp/x/", 0o700)}, "", 0},
		"broken":            {old, []engine.Mount{tmpfs("/broken", 0o700)}, "broken", 1},
	} {
		asked = 0
		err := CheckTmpfsModes(t.Context(), "docker", tt.runtime, &engine.Spec{Mounts: tt.mounts}, stat)
		if got := errorText(err); got != tt.want || asked != tt.asked {
			t.Errorf("%s: %q after %d questions, want %q after %d", name, got, asked, tt.want, tt.asked)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
