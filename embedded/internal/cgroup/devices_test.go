//go:build linux

package cgroup

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// device is a rule of an OCI configuration; -1 is any number.
func device(allow bool, kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
	r := specs.LinuxDeviceCgroup{Allow: allow, Type: kind, Access: access}
	if major >= 0 {
		r.Major = &major
	}
	if minor >= 0 {
		r.Minor = &minor
	}
	return r
}

// noDevices is what every container's list begins with.
var noDevices = device(false, "a", -1, -1, "rwm")

func TestParseRules(t *testing.T) {
	type rules = []specs.LinuxDeviceCgroup
	for name, c := range map[string]struct {
		rules rules
		allow bool
		want  string
	}{
		"none":              {nil, true, ""},
		"deny all":          {rules{noDevices}, false, ""},
		"deny all, no type": {rules{device(false, "", -1, -1, "")}, false, ""},
		"docker":            {rules{noDevices, device(true, "c", 1, 3, "rwm"), device(true, "c", 136, -1, "rwm"), device(true, "c", -1, -1, "m")}, false, "c 1:3 rwm, c 136:* rwm, c *:* m"},
		"merged":            {rules{noDevices, device(true, "c", 1, 3, "r"), device(true, "c", 1, 3, "w")}, false, "c 1:3 rw"},
		"taken away":        {rules{noDevices, device(true, "c", 1, 3, "rwm"), device(false, "c", 1, 3, "w"), device(true, "b", 8, 0, "r"), device(false, "b", 8, 0, "r")}, false, "c 1:3 rm"},
		"no such to take":   {rules{noDevices, device(false, "c", 1, 3, "r")}, false, ""},
		"allow all":         {rules{noDevices, device(true, "c", 1, 3, "r"), device(true, "a", -1, -1, "rwm")}, true, ""},
		"all but one":       {rules{device(true, "a", -1, -1, "rwm"), device(false, "b", 8, -1, "w")}, true, "b 8:* w"},
		"any type, one":     {rules{noDevices, device(true, "a", 1, 3, "r")}, false, "b 1:3 r, c 1:3 r"},
		"unbuffered":        {rules{noDevices, device(true, "u", 1, 3, "r")}, false, "c 1:3 r"},
	} {
		set, err := parseRules(c.rules)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var lines []string
		for _, e := range set.exceptions {
			lines = append(lines, e.line())
		}
		if got := strings.Join(lines, ", "); got != c.want || set.allow != c.allow {
			t.Errorf("%s: default %v, exceptions %q, want %v, %q", name, set.allow, got, c.allow, c.want)
		}
	}
}

// TestDevices: what a process of the group may do with device nodes. The same cases hold v1 and v2.
func TestDevices(t *testing.T) {
	type rules = []specs.LinuxDeviceCgroup
	for name, c := range map[string]struct {
		rules   rules
		allowed []string
		denied  []string
	}{
		"no rules": {nil, []string{readNull, writeNull, readZero, makeFull, makeBlock}, nil},
		"nothing":  {rules{noDevices}, nil, []string{readNull, writeNull, readZero, makeFull, makeBlock}},
		"one":      {rules{noDevices, device(true, "c", 1, 3, "rwm")}, []string{readNull, writeNull}, []string{readZero, makeFull}},
		"reading":  {rules{noDevices, device(true, "c", 1, 3, "r")}, []string{readNull}, []string{writeNull, bothNull}},
		"in two":   {rules{noDevices, device(true, "c", 1, 3, "r"), device(true, "c", 1, 3, "w")}, []string{readNull, writeNull, bothNull}, nil},
		"a major":  {rules{noDevices, device(true, "c", 1, -1, "rw")}, []string{readNull, readZero}, []string{makeFull}},
		"making":   {rules{noDevices, device(true, "c", -1, -1, "m")}, []string{makeFull}, []string{readNull, makeBlock}},
		"but one":  {rules{device(true, "a", -1, -1, "rwm"), device(false, "c", 1, 3, "w")}, []string{readNull, readZero, makeBlock}, []string{writeNull, bothNull}},
		"all":      {rules{noDevices, device(true, "a", -1, -1, "rwm")}, []string{readNull, writeNull, makeFull, makeBlock}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, &specs.LinuxResources{Devices: c.rules})
			for _, script := range c.allowed {
				if out, err := try(t, g, script); err != nil {
					t.Errorf("%s: %v: %s", script, err, out)
				}
			}
			for _, script := range c.denied {
				if out, err := try(t, g, script); err == nil || !strings.Contains(out, "ermitted") {
					t.Errorf("%s: %v: %q, want: not permitted", script, err, out)
				}
			}
		})
	}
}

// What the processes of TestDevices do. The shell that does it opens no device by itself.
const (
	readNull  = "exec <$D/null"
	writeNull = "exec >$D/null"
	bothNull  = "exec 3<>$D/null"
	readZero  = "exec <$D/zero"
	makeFull  = "mknod $D/full c 1 7 && rm $D/full"
	makeBlock = "mknod $D/block b 7 200 && rm $D/block"
)

func try(t *testing.T, g *Group, script string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, args := range [][]string{{"null", "c", "1", "3"}, {"zero", "c", "1", "5"}} {
		args[0] = dir + "/" + args[0]
		if out, err := exec.Command("mknod", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	// Standard streams are pipes: exec.Cmd would open /dev/null outside of the group.
	cmd := in(t, g, "sh", "-c", script)
	cmd.Env = append(cmd.Env, "D="+dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestUpdateDevices: rules are replaced, and are left alone by an update that names none.
func TestUpdateDevices(t *testing.T) {
	null := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{noDevices, device(true, "c", 1, 3, "rw")}}
	zero := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{noDevices, device(true, "c", 1, 5, "rw")}}
	g := newGroup(t, null)
	check := func(step string, wantNull, wantZero bool) {
		_, errNull := try(t, g, readNull)
		_, errZero := try(t, g, readZero)
		if (errNull == nil) != wantNull || (errZero == nil) != wantZero {
			t.Errorf("%s: null: %v, zero: %v", step, errNull, errZero)
		}
	}
	check("at first", true, false)
	if err := g.Set(pids(100)); err != nil {
		t.Error(err)
	}
	check("after another update", true, false)
	for range 3 {
		if err := g.Update(null, zero); err != nil {
			t.Error(err)
		}
		check("replaced", false, true)
		if err := g.Set(null); err != nil {
			t.Error(err)
		}
		check("replaced again", true, false)
	}
}

// TestCompile: the program of a set of rules, as a disassembler would show it.
func TestCompile(t *testing.T) {
	set, err := parseRules([]specs.LinuxDeviceCgroup{noDevices, device(true, "c", 1, 3, "r"), device(true, "b", 8, -1, "rwm")})
	if err != nil {
		t.Fatal(err)
	}
	want := []instruction{
		{op: 0x61, dst: 2, src: 1},
		{op: 0x54, dst: 2, imm: 0xffff},
		{op: 0x61, dst: 3, src: 1},
		{op: 0x74, dst: 3, imm: 16},
		{op: 0x61, dst: 4, src: 1, off: 4},
		{op: 0x61, dst: 5, src: 1, off: 8},
		{op: 0x55, dst: 2, off: 7, imm: 2}, // character device?
		{op: 0xbc, dst: 1, src: 3},
		{op: 0x54, dst: 1, imm: 2},
		{op: 0x5d, dst: 1, src: 3, off: 4}, // more than reading?
		{op: 0x55, dst: 4, off: 3, imm: 1},
		{op: 0x55, dst: 5, off: 2, imm: 3},
		{op: 0xb4, imm: 1},
		{op: 0x95},
		{op: 0x55, dst: 2, off: 3, imm: 1}, // block device?
		{op: 0x55, dst: 4, off: 2, imm: 8},
		{op: 0xb4, imm: 1},
		{op: 0x95},
		{op: 0xb4},
		{op: 0x95},
	}
	if d := cmp.Diff(want, set.compile(), cmp.AllowUnexported(instruction{})); d != "" {
		t.Error(d)
	}
	if b := encode(want[:1]); len(b) != 8 || b[0] != 0x61 {
		t.Errorf("encoded: %x", b)
	}
}

// TestProgram: the kernel takes the program, and it decides in a group of v2, also where v1 has a devices controller.
func TestProgram(t *testing.T) {
	g := newGroup(t, nil)
	d := g.v2()
	if d == nil {
		t.Fatal("cgroup v2 is not mounted")
	}
	for range 3 {
		for _, c := range []struct {
			rules      []specs.LinuxDeviceCgroup
			null, zero bool
		}{
			{[]specs.LinuxDeviceCgroup{noDevices, device(true, "c", 1, 3, "r")}, true, false},
			{[]specs.LinuxDeviceCgroup{device(false, "c", 1, 3, "r")}, false, true},
		} {
			set, err := parseRules(c.rules)
			if err != nil {
				t.Fatal(err)
			}
			if err := setDevicesV2(d.path, set); err != nil {
				t.Fatal(err)
			}
			_, errNull := try(t, g, readNull)
			_, errZero := try(t, g, readZero)
			if (errNull == nil) != c.null || (errZero == nil) != c.zero {
				t.Errorf("null: %v, zero: %v, want %v, %v", errNull, errZero, c.null, c.zero)
			}
		}
	}
	fd, err := open(d.path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := attachedPrograms(fd); err != nil || len(ids) != 1 {
		t.Errorf("programs %v of the group: %v", ids, err)
	}
}
