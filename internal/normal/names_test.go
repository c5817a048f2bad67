package normal

import "testing"

func TestSignal(t *testing.T) {
	for in, want := range map[string]struct {
		num  int
		name string
	}{"": {0, ""}, "int": {2, "SIGINT"}, "RTMIN+3": {37, "SIGRTMIN+3"}, "9": {9, "SIGKILL"}} {
		num, name, err := Signal(in)
		if err != nil || num != want.num || name != want.name {
			t.Errorf("%q: %d, %q, %v", in, num, name, err)
		}
	}
	_, _, err := Signal("nope")
	wantInvalid(t, err)
}

func TestRlimit(t *testing.T) {
	for in, want := range map[string]string{"nofile": "nofile", "NOFILE": "nofile", "RLIMIT_NOFILE": "nofile", "rlimit_core": "core", "": ""} {
		if got := Rlimit(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestDeviceCgroupRule(t *testing.T) {
	r, err := DeviceCgroupRule("c 13:* rwm")
	if err != nil || r.Type != "c" || *r.Major != 13 || r.Minor != nil || r.Access != "rwm" {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = DeviceCgroupRule("x")
	wantInvalid(t, err)
}
