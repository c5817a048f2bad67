package engine

import (
	"strconv"
	"testing"
)

func TestParseSignal(t *testing.T) {
	for in, want := range map[string]struct {
		num  int
		name string
	}{
		"SIGTERM": {15, "SIGTERM"}, "term": {15, "SIGTERM"}, "Term": {15, "SIGTERM"}, "15": {15, "SIGTERM"}, "015": {15, "SIGTERM"}, "KILL": {9, "SIGKILL"},
		"SIGIOT": {6, "SIGABRT"}, "CLD": {17, "SIGCHLD"}, "POLL": {29, "SIGIO"}, "SIGPWR": {30, "SIGPWR"}, "STKFLT": {16, "SIGSTKFLT"},
		"RTMIN": {34, "SIGRTMIN"}, "SIGRTMIN+3": {37, "SIGRTMIN+3"}, "rtmin+15": {49, "SIGRTMIN+15"}, "RTMIN+16": {50, "SIGRTMAX-14"}, "RTMIN+30": {64, "SIGRTMAX"},
		"RTMAX": {64, "SIGRTMAX"}, "SIGRTMAX-1": {63, "SIGRTMAX-1"}, "RTMAX-30": {34, "SIGRTMIN"}, "1": {1, "SIGHUP"}, "64": {64, "SIGRTMAX"}, "33": {33, "33"},
		"RTMIN+0": {34, "SIGRTMIN"},
	} {
		num, name, err := ParseSignal(in)
		if err != nil || num != want.num || name != want.name {
			t.Errorf("%q: %d, %q, %v; want %+v", in, num, name, err, want)
		}
	}
	for _, in := range []string{"", "SIG", "0", "65", "-1", "+9", "9 ", "FOO", "SIGSIGTERM", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMAX-31", "RTMIN+", "RTMIN+x", "RTMIN+9999999999", "99999999999999999999", "٩"} {
		_, _, err := ParseSignal(in)
		wantInvalid(t, err)
	}
}

func TestSignalNamesReadBack(t *testing.T) {
	for n := 1; n <= 64; n++ {
		_, name, err := ParseSignal(strconv.Itoa(n))
		if err != nil {
			t.Fatal(err)
		}
		if again, _, err := ParseSignal(name); err != nil || again != n {
			t.Errorf("signal %d is called %s, which is %d, %v", n, name, again, err)
		}
	}
}

func FuzzParseSignal(f *testing.F) {
	f.Add("SIGRTMIN+3")
	f.Fuzz(func(t *testing.T, s string) {
		n, name, err := ParseSignal(s)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if again, same, err := ParseSignal(name); err != nil || again != n || same != name || n < 1 || n > 64 {
			t.Fatalf("%q is %d %q, which is %d %q, %v", s, n, name, again, same, err)
		}
	})
}
