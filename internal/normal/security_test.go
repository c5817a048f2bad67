package normal

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecurityOpts(t *testing.T) {
	for _, c := range []struct {
		opts []string
		want Security
	}{
		{nil, Security{}},
		{[]string{"no-new-privileges"}, Security{NoNewPrivileges: new(true)}},
		{[]string{"no-new-privileges=true"}, Security{NoNewPrivileges: new(true)}},
		{[]string{"no-new-privileges:false"}, Security{NoNewPrivileges: new(false)}},
		{[]string{"seccomp=unconfined", "apparmor:p"}, Security{Seccomp: "unconfined", AppArmor: "p"}},
		{[]string{`seccomp={"defaultAction":"SCMP_ACT_ALLOW"}`}, Security{Seccomp: `{"defaultAction":"SCMP_ACT_ALLOW"}`}},
		{[]string{"label=disable", "label:user:u", "label=type:t", "label=nested"}, Security{Labels: []string{"disable", "user:u", "type:t"}, LabelNested: true}},
		{[]string{"mask=/a:/b", "mask=/c", "unmask=ALL", "unmask=/d"}, Security{Mask: []string{"/a", "/b", "/c"}, Unmask: []string{"ALL", "/d"}}},
		{[]string{"proc-opts=hidepid=2,nosuid", "systempaths=unconfined"}, Security{ProcOpts: []string{"hidepid=2", "nosuid"}, SystemPathsUnconfined: true}},
		{[]string{"writable-cgroups=true"}, Security{WritableCgroups: new(true)}},
	} {
		got, err := SecurityOpts(c.opts)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", c.opts, err, diff)
		}
	}
	for _, opts := range [][]string{
		{""}, {"x"}, {"x=y"}, {"seccomp"}, {"seccomp="}, {"apparmor"}, {"label"}, {"mask=x"}, {"mask=ALL"}, {"unmask=x"}, {"mask=/a:"}, {"systempaths=x"}, {"systempaths"},
		{"no-new-privileges=maybe"}, {"no-new-privileges="}, {"proc-opts="}, {"seccomp=a", "seccomp=b"}, {"apparmor=a", "apparmor=b"},
		{"no-new-privileges", "no-new-privileges=false"}, {"credentialspec=x"}, {"SECCOMP=x"}, {"writable-cgroups"},
	} {
		_, err := SecurityOpts(opts)
		wantInvalid(t, err)
	}
	_, err := SecurityOpts([]string{"nope=" + strings.Repeat("x", 10000)})
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func FuzzSecurityOpts(f *testing.F) {
	f.Add("label=user:u", "mask=/a:/b")
	f.Fuzz(func(t *testing.T, a, b string) {
		if _, err := SecurityOpts([]string{a, b}); err != nil {
			wantInvalid(t, err)
		}
	})
}
