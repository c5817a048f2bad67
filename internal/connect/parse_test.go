package connect

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHost(t *testing.T) {
	unix := func(path string) Address { return Address{Scheme: "unix", Path: path} }
	tcp := func(scheme, host, port, path string) Address {
		return Address{Scheme: scheme, Host: host, Port: port, Path: path}
	}
	ssh := func(user, host, port, path string) Address {
		return Address{Scheme: "ssh", User: user, Host: host, Port: port, Path: path}
	}
	// What docker-py 5.0.3 and 7.1.0 take, with the canonical form here.
	dockerPy := []struct {
		in, canonical string
		want          Address
	}{
		{"", "unix:///var/run/docker.sock", unix("/var/run/docker.sock")},
		{"unix://", "unix:///var/run/docker.sock", unix("/var/run/docker.sock")},
		{"unix:///p", "unix:///p", unix("/p")},
		{"unix://p", "unix:///p", unix("/p")},
		{"unix://p/q", "unix:///p/q", unix("/p/q")},
		{"unix:p", "unix:///p", unix("/p")},
		{"unix:///p:8", "unix:///p:8", unix("/p:8")},
		{"unix:////p", "unix:///p", unix("/p")},
		{"unix:///a b", "unix:///a b", unix("/a b")},
		{"unix:///run/docker.sock;x", "unix:///run/docker.sock;x", unix("/run/docker.sock;x")},
		{"Unix:///p", "unix:///p", unix("/p")},
		{"http+unix:///p", "unix:///p", unix("/p")},
		{"http+unix://p", "unix:///p", unix("/p")},
		{"tcp://h:1", "tcp://h:1", tcp("tcp", "h", "1", "")},
		{"TCP://h:1", "tcp://h:1", tcp("tcp", "h", "1", "")},
		{" tcp://h:1 ", "tcp://h:1", tcp("tcp", "h", "1", "")},
		{"tcp://h:1/", "tcp://h:1", tcp("tcp", "h", "1", "")},
		{"tcp://h:1/x", "tcp://h:1/x", tcp("tcp", "h", "1", "/x")},
		{"tcp://h:01", "tcp://h:1", tcp("tcp", "h", "1", "")},
		{"tcp://:2375", "tcp://127.0.0.1:2375", tcp("tcp", "127.0.0.1", "2375", "")},
		{"tcp://[::1]:2375", "tcp://[::1]:2375", tcp("tcp", "::1", "2375", "")},
		{"tcp://[fd12::82d1]:2375/docker/engine", "tcp://[fd12::82d1]:2375/docker/engine", tcp("tcp", "fd12::82d1", "2375", "/docker/engine")},
		{"127.0.0.1:2375", "tcp://127.0.0.1:2375", tcp("tcp", "127.0.0.1", "2375", "")},
		{"0.0.0.0:1", "tcp://0.0.0.0:1", tcp("tcp", "0.0.0.0", "1", "")},
		{":2375", "tcp://127.0.0.1:2375", tcp("tcp", "127.0.0.1", "2375", "")},
		{"http://h:2", "http://h:2", tcp("http", "h", "2", "")},
		{"http://:7777", "http://127.0.0.1:7777", tcp("http", "127.0.0.1", "7777", "")},
		{"https://h:2", "https://h:2", tcp("https", "h", "2", "")},
		{"https://h:2/path", "https://h:2/path", tcp("https", "h", "2", "/path")},
		{"ssh://h", "ssh://h", ssh("", "h", "", "")},
		{"ssh://u@h", "ssh://u@h", ssh("u", "h", "", "")},
		{"ssh://u@h:22", "ssh://u@h:22", ssh("u", "h", "22", "")},
	}
	for _, tt := range dockerPy {
		checkParse(t, tt.in, "linux", tt.canonical, tt.want)
	}

	// What docker-py refuses and Berth takes.
	more := []struct {
		in, canonical string
		want          Address
	}{
		{"/run/x.sock", "unix:///run/x.sock", unix("/run/x.sock")},
		{"http+unix://%2Frun%2Fx%20y.sock", "unix:///run/x y.sock", unix("/run/x y.sock")},
		{"unix://%2Frun", "unix:///%2Frun", unix("/%2Frun")}, // escapes are for http+unix only
		{"[::1]:2375", "tcp://[::1]:2375", tcp("tcp", "::1", "2375", "")},
		{"tcp://[fe80::1%25eth0]:1", "tcp://[fe80::1%25eth0]:1", tcp("tcp", "fe80::1%eth0", "1", "")},
		{"tcp://[fe80::1%eth0]:1", "tcp://[fe80::1%25eth0]:1", tcp("tcp", "fe80::1%eth0", "1", "")},
		{"ssh://h/", "ssh://h", ssh("", "h", "", "")},
		{"ssh://u@h:22/var/run/docker.sock", "ssh://u@h:22/var/run/docker.sock", ssh("u", "h", "22", "/var/run/docker.sock")},
		{"ssh://core@127.0.0.1:5/run/user/1/podman/podman.sock", "ssh://core@127.0.0.1:5/run/user/1/podman/podman.sock", ssh("core", "127.0.0.1", "5", "/run/user/1/podman/podman.sock")},
		{"ssh://[::1]:5", "ssh://[::1]:5", ssh("", "::1", "5", "")},
		{"ssh://DOM%5Cu@h", "ssh://DOM%5Cu@h", ssh(`DOM\u`, "h", "", "")},
		{"ssh://u@x@h", "ssh://u%40x@h", ssh("u@x", "h", "", "")},
		{"docker", "docker", Address{Scheme: "engine", Engine: "docker"}},
		{"podman", "podman", Address{Scheme: "engine", Engine: "podman"}},
		{"embedded", "embedded", Address{Scheme: "engine", Engine: "embedded"}},
	}
	for _, tt := range more {
		checkParse(t, tt.in, "linux", tt.canonical, tt.want)
	}

	for in, path := range map[string]string{
		"":                              "//./pipe/docker_engine",
		"npipe://":                      "//./pipe/docker_engine",
		"npipe:////./pipe/x":            "//./pipe/x",
		"npipe://./pipe/x":              "//./pipe/x", // docker-py makes ///pipe/x of it
		`\\.\pipe\x`:                    "//./pipe/x",
		`npipe://\\server\pipe\a\b`:     "//server/pipe/a/b",
		"//./PIPE/x":                    "//./PIPE/x",
		"npipe:////./pipe/podman-a_b.c": "//./pipe/podman-a_b.c",
	} {
		checkParse(t, in, "windows", "npipe://"+path, Address{Scheme: "npipe", Path: path})
	}
	checkParse(t, "unix:///p", "windows", "unix:///p", unix("/p"))
}

func checkParse(t *testing.T, in, goos, canonical string, want Address) {
	t.Helper()
	got, err := ParseHost(in, goos)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ParseHost(%q, %s): %v\n%s", in, goos, err, diff)
		return
	}
	if s := got.String(); s != canonical {
		t.Errorf("ParseHost(%q, %s).String() = %q, want %q", in, goos, s, canonical)
	}
	if again, err := ParseHost(canonical, goos); again != want || err != nil {
		t.Errorf("ParseHost(%q, %s) = %+v, %v", canonical, goos, again, err)
	}
}

func TestParseHostErrors(t *testing.T) {
	// What docker-py 5.0.3 or 7.1.0 refuses too.
	dockerPy := map[string]string{
		"tcp://h":                 "port is required",
		"tcp://[::1]":             "port is required",
		"http://h":                "port is required",
		"https://h":               "port is required",
		"127.0.0.1":               "neither an address",
		"0.0.0.0":                 "neither an address",
		"localhost":               "neither an address",
		"tcp://":                  "no host",
		"tcp:///p":                "no host",
		"tcp://[::1":              "no ]",
		"tcp://h:0":               "port is required",
		"tcp://h:99999":           "port is required",
		"tcp://h:-1":              "port is required",
		"tcp://h:+1":              "port is required",
		"tcp://h:abc":             "port is required",
		"tcp://h: 1":              "port is required",
		"tcp://h:1;p":             "port is required",
		"ssh://u@h:x":             "port is required",
		"h:1":                     "write tcp://h:1",
		"tcp:h:1":                 "no protocol",
		"fd://":                   "for servers only",
		"fd://3":                  "for servers only",
		"udp://127.0.0.1:2375":    "unsupported protocol",
		"ftp://h:1":               "unsupported protocol",
		"http+docker://localhost": "unsupported protocol",
		"ssh://u:secret@h":        "password",
		"tcp://u:secret@h:1":      "ssh:// only",
		"tcp://h:1?q=1":           "no query",
		"tcp://h:1#f":             "no query",
		"http://h:2/?q":           "no query",
		"unix:///p?q":             "no query",
		"unix:///p#f":             "no query",
	}
	// What docker-py takes, and what it makes of it.
	more := map[string]string{
		"tcp://u@h:1":                        "ssh:// only", // the user is dropped
		"ssh://":                             "no host",     // 127.0.0.1
		"ssh://u@":                           "no host",
		"npipe://":                           "Windows only",
		"npipe:////./pipe/x":                 "Windows only",
		"unix:///":                           "no path",
		"unix://" + strings.Repeat("/x", 60): "limit is 107",
		"http+unix://%zz":                    "escape",
		"http+unix://%2Fa%00":                "escape",
		"http+unix://%2Fa%20":                "white space",
		"unix:///a\x00b":                     "control",
		"tcp://h\n:1":                        "control",
		"tcp://-h:1":                         "name of a host",
		"tcp://a b:1":                        "name of a host",
		"tcp://hé:1":                         "name of a host",
		"tcp://a%41:1":                       "name of a host",
		"tcp://::1:1":                        "port is required",
		"tcp://[1.2.3.4]:1":                  "IPv6",
		"tcp://[::1]x:1":                     "after the ]",
		"tcp://[fe80::1%25a b]:1":            "IPv6",
		"tcp://h:1/a b":                      "path of a URL",
		"tcp://h:1:2":                        "port is required",
		// ssh would take these for options.
		"ssh://-oProxyCommand=x":   "name of a host",
		"ssh://-oProxyCommand=x@h": "malformed user",
		"ssh://%2DoProxyCommand@h": "malformed user",
		"ssh://u%0a@h":             "malformed user",
		"ssh://@h":                 "malformed user",
		"ssh://u%ff@h":             "malformed user",
		"ssh://u@h/p?x":            "no query",
		"://x":                     "unsupported protocol",
		"Docker":                   "neither an address",
		"nerdctl":                  "neither an address",
	}
	for _, cases := range []map[string]string{dockerPy, more} {
		for in, say := range cases {
			got, err := ParseHost(in, "linux")
			e, ok := errors.AsType[*AddressError](err)
			if !ok || got != (Address{}) || !strings.Contains(e.Reason, say) {
				t.Errorf("ParseHost(%q) = %+v, %v; want an error with %q", in, got, err, say)
				continue
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("ParseHost(%q): the error shows the password: %v", in, err)
			}
		}
	}
	for _, in := range []string{"npipe://x", "npipe:////./x", "npipe:////./pipe/", "npipe:////./pipe/x?y", `\\.\x`} {
		if got, err := ParseHost(in, "windows"); err == nil {
			t.Errorf("windows: ParseHost(%q) = %+v", in, got)
		}
	}
	if _, err := ParseHost("unix://"+strings.Repeat("/x", 52), "darwin"); err == nil || !strings.Contains(err.Error(), "limit is 103") {
		t.Errorf("darwin: %v", err)
	}
}

func TestMaskPassword(t *testing.T) {
	for in, want := range map[string]string{
		"tcp://h:1":           "tcp://h:1",
		"ssh://u@h:1":         "ssh://u@h:1",
		"ssh://u:secret@h":    "ssh://u:xxxxx@h",
		"ssh://u:sec/ret@h/p": "ssh://u:xxxxx@h/p",
		"u:secret@h:1":        "u:xxxxx@h:1",
		"ssh://u:sec@ret@h":   "ssh://u:xxxxx@h",
		"":                    "",
	} {
		if got := maskPassword(in); got != want {
			t.Errorf("maskPassword(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAddressHostPort(t *testing.T) {
	a, err := ParseHost("tcp://[::1]:2375", "linux")
	if err != nil || a.HostPort() != "[::1]:2375" {
		t.Errorf("%+v: %q, %v", a, a.HostPort(), err)
	}
	if (Address{}).String() != "" {
		t.Error("the zero Address has a form")
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"", "unix:///p", "tcp://[fe80::1%25eth0]:1/x", "ssh://u@h:22/p", "npipe:////./pipe/x", "http+unix://%2Fp", ":1", "docker", `\\.\pipe\x`, "ssh://a%40b@c"} {
		f.Add(s, "linux")
		f.Add(s, "windows")
	}
	f.Fuzz(func(t *testing.T, s, goos string) {
		a, err := ParseHost(s, goos)
		if err != nil {
			if a != (Address{}) {
				t.Errorf("ParseHost(%q) = %+v with an error", s, a)
			}
			return
		}
		again, err := ParseHost(a.String(), goos)
		if err != nil || again != a {
			t.Errorf("ParseHost(%q) = %+v -> %q -> %+v, %v", s, a, a, again, err)
		}
		if a.Scheme == SchemeSSH && (strings.HasPrefix(a.Host, "-") || strings.HasPrefix(a.User, "-")) {
			t.Errorf("ParseHost(%q): an option for ssh: %+v", s, a)
		}
	})
}
