//go:build linux

package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestExecProcess(t *testing.T) {
	r := newRig(t)
	out := r.build(engine.Spec{TTY: true, Env: map[string]string{"A": "1"}, GroupAdd: []string{"77"}, WorkingDir: "/w", SecretEnv: map[string]string{"S": "sec"}, CapDrop: []string{"CHOWN"},
		SecurityOpt: []string{"no-new-privileges"}, Umask: "0027"}, testHost())
	s, err := r.start(out)
	if err != nil {
		t.Fatal(err)
	}
	root := r.layers[1]
	p, err := ExecProcess(out.Config, s.OCI, root, engine.ExecSpec{Cmd: []string{"a", "b"}, User: "user", Env: map[string]string{"A": "2", "N": "3"}, UnsetEnv: []string{"OF_IMAGE"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"PATH=/bin", "HOSTNAME=0123456789ab", "A=2", "S=hidden", "N=3", "HOME=/home/user"}
	if d := cmp.Diff(want, p.Env); d != "" {
		t.Errorf("environment: %s", d)
	}
	if d := cmp.Diff([]uint32{1001, 29, 44, 77}, p.User.AdditionalGids); d != "" || p.User.UID != 1000 || *p.User.Umask != 0o27 {
		t.Errorf("user %+v %s", p.User, d)
	}
	if p.Terminal || p.Cwd != "/w" || !p.NoNewPrivileges || len(p.Capabilities.Effective) != 0 || len(p.Capabilities.Bounding) != len(defaultCapabilities)-1 {
		t.Errorf("process is %+v %+v", p, p.Capabilities)
	}
	p, err = ExecProcess(out.Config, out.OCI, root, engine.ExecSpec{Cmd: []string{"a"}, TTY: true, Privileged: true, WorkingDir: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Terminal || p.Cwd != "/x" || getEnv(p.Env, "TERM") != "xterm" || getEnv(p.Env, "HOME") != "/root" || len(p.Capabilities.Effective) == len(defaultCapabilities)-1 {
		t.Errorf("process is %+v", p)
	}
	for _, bad := range []engine.ExecSpec{{}, {Cmd: []string{""}}, {Cmd: []string{"a"}, WorkingDir: "x"}, {Cmd: []string{"a"}, Env: map[string]string{"": "x"}}, {Cmd: []string{"a"}, User: "nobody"}} {
		if _, err := ExecProcess(out.Config, out.OCI, root, bad); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := ExecProcess(out.Config, out.OCI, "/proc/0/root", engine.ExecSpec{Cmd: []string{"a"}}); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("in a container that has ended: %v", err)
	}
}

// TestNoSecretInConfig: what is secret is in files alone.
func TestNoSecretInConfig(t *testing.T) {
	out := newRig(t).build(engine.Spec{SecretEnv: map[string]string{"S": "sec"}, Secrets: []engine.SecretMount{{Source: "sec"}}}, testHost())
	if all := indented(t, out.OCI) + indented(t, out.Config); strings.Contains(all, "hidden") {
		t.Error(all)
	}
	if f := out.Files["secretenv/S"]; string(f.Data) != "hidden" || f.Mode != 0o600 {
		t.Errorf("file is %+v", f)
	}
}
