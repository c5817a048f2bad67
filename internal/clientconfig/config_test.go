package clientconfig_test

import (
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth/internal/clientconfig"
	"github.com/berthdev/berth/internal/clientconfig/envtest"
	"github.com/google/go-cmp/cmp"
)

const file = "/home/u/.docker/config.json"

func load(content string) *clientconfig.Config {
	return clientconfig.Load(envtest.Machine{Files: map[string]string{file: content}}.Env())
}

func TestValues(t *testing.T) {
	c := load(`{
		"HttpHeaders": {"X-A": "1"},
		"detachKeys": "ctrl-e,e",
		"currentContext": "colima",
		"credsStore": "desktop",
		"credHelpers": {"gcr.io": "gcloud", "plain.example": ""},
		"auths": {"quay.io": {"auth": "dTpw"}, "x": {}},
		"stackOrchestrator": "swarm"
	}`)
	type values struct {
		Headers       map[string]string
		Detach, Ctx   string
		Store         string
		Helpers       map[string]string
		Auths         map[string]clientconfig.Auth
		Path          string
		ProxyVariable map[string]string
	}
	var got values
	var errs [7]error
	got.Headers, errs[0] = c.HTTPHeaders()
	got.Detach, errs[1] = c.DetachKeys()
	got.Ctx, errs[2] = c.CurrentContext()
	got.Store, errs[3] = c.CredsStore()
	got.Helpers, errs[4] = c.CredHelpers()
	got.Auths, errs[5] = c.Auths()
	got.ProxyVariable, errs[6] = c.ProxyEnv("")
	got.Path = c.Path()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	want := values{
		Headers: map[string]string{"X-A": "1"},
		Detach:  "ctrl-e,e", Ctx: "colima", Store: "desktop",
		Helpers: map[string]string{"gcr.io": "gcloud", "plain.example": ""},
		Auths:   map[string]clientconfig.Auth{"quay.io": {Auth: "dTpw"}, "x": {}},
		Path:    file,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestKeysInAnyCase(t *testing.T) {
	got, err := load(`{"httpheaders": {"X-A": "1"}}`).HTTPHeaders()
	if err != nil || got["X-A"] != "1" {
		t.Errorf("HTTPHeaders() = %v, %v", got, err)
	}
}

func TestAbsentFileIsEmpty(t *testing.T) {
	for name, c := range map[string]*clientconfig.Config{
		"no file":      clientconfig.Load(envtest.Machine{}.Env()),
		"no home":      clientconfig.Load(envtest.Machine{Home: "-"}.Env()),
		"zero Env":     clientconfig.Load(clientconfig.Env{}),
		"zero value":   {},
		"empty file":   load(""),
		"null":         load(`null`),
		"empty object": load(`{}`),
		"null values":  load(`{"proxies": null, "currentContext": null, "auths": null}`),
		"HOME=/dev/null": clientconfig.Load(clientconfig.Env{Home: "/dev/null", ReadFile: func(name string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOTDIR}
		}}),
	} {
		s, err := c.CurrentContext()
		m, err2 := c.ProxyEnv("x")
		a, err3 := c.Auths()
		if s != "" || m != nil || a != nil || errors.Join(err, err2, err3) != nil || c.Err() != nil {
			t.Errorf("%s: %q, %v, %v, %v", name, s, m, a, errors.Join(err, err2, err3, c.Err()))
		}
	}
}

func TestCorruptFileIsNamedWhereItMatters(t *testing.T) {
	c := load(`{"auths": `)
	if _, err := c.DetachKeys(); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error does not name the file: %v", err)
	}
	if c.Err() == nil {
		t.Error("Err() = nil")
	}

	// A mistake in one key leaves the others alone.
	c = load(`{"currentContext": 1, "detachKeys": "ctrl-a", "proxies": []}`)
	if s, err := c.DetachKeys(); s != "ctrl-a" || err != nil {
		t.Errorf("DetachKeys() = %q, %v", s, err)
	}
	if _, err := c.CurrentContext(); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "currentContext") {
		t.Errorf("error names neither file nor key: %v", err)
	}
	if _, err := c.ProxyEnv("x"); err == nil {
		t.Error("ProxyEnv() of a list: no error")
	}
}

func TestDeniedFile(t *testing.T) {
	m := envtest.Machine{Denied: []string{"/home/u"}}
	c := clientconfig.Load(m.Env())
	if s, err := c.CurrentContext(); s != "" || err != nil {
		t.Errorf("CurrentContext() = %q, %v", s, err)
	}
	if err := c.Err(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), file) {
		t.Errorf("Err() = %v", err)
	}

	m.Vars = map[string]string{"DOCKER_CONFIG": "/home/u/cfg"}
	if _, err := clientconfig.Load(m.Env()).CurrentContext(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "/home/u/cfg") {
		t.Errorf("DOCKER_CONFIG: %v", err)
	}
}

func TestDockerConfigVariable(t *testing.T) {
	c := clientconfig.Load(envtest.Machine{
		Vars:  map[string]string{"DOCKER_CONFIG": "/cfg"},
		Files: map[string]string{"/cfg/config.json": `{"currentContext":"a"}`, file: `{"currentContext":"b"}`},
	}.Env())
	if s, err := c.CurrentContext(); s != "a" || err != nil {
		t.Errorf("CurrentContext() = %q, %v", s, err)
	}
}

func TestProxyEnv(t *testing.T) {
	c := load(`{"proxies": {
		"default": {"httpProxy": "http://p:1", "httpsProxy": "http://p:2", "ftpProxy": "http://p:3", "noProxy": "a,b", "allProxy": "socks://p:4"},
		"tcp://h:2375": {"httpProxy": "http://other:1"},
		"tcp://none:1": {}
	}}`)
	for host, want := range map[string]map[string]string{
		"unix:///var/run/docker.sock": {
			"HTTP_PROXY": "http://p:1", "http_proxy": "http://p:1",
			"HTTPS_PROXY": "http://p:2", "https_proxy": "http://p:2",
			"FTP_PROXY": "http://p:3", "ftp_proxy": "http://p:3",
			"NO_PROXY": "a,b", "no_proxy": "a,b",
			"ALL_PROXY": "socks://p:4", "all_proxy": "socks://p:4",
		},
		"tcp://h:2375": {"HTTP_PROXY": "http://other:1", "http_proxy": "http://other:1"},
		"tcp://none:1": nil,
	} {
		got, err := c.ProxyEnv(host)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("ProxyEnv(%q): %v\n%s", host, err, diff)
		}
	}
	if got, err := load(`{"proxies": {"a": {"httpProxy": "x"}}}`).ProxyEnv("b"); got != nil || err != nil {
		t.Errorf("no default: %v, %v", got, err)
	}
}

func TestLegacy(t *testing.T) {
	const hub = "https://index.docker.io/v1/"
	for content, want := range map[string]map[string]clientconfig.Auth{
		`{"quay.io": {"auth": "dTpw", "email": "x"}}`: {"quay.io": {Auth: "dTpw"}},
		"auth = dTpw\nemail = u@example.com\n":        {hub: {Auth: "dTpw"}},
		"email = u@example.com\r\nauth=dTpw==\r\n":    {hub: {Auth: "dTpw=="}},
		"": nil, " \n": nil,
	} {
		c := clientconfig.LoadLegacy(envtest.Machine{Files: map[string]string{"/home/u/.dockercfg": content}}.Env())
		got, err := c.Auths()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", content, err, diff)
		}
	}
	if _, err := clientconfig.ParseLegacy("/f", []byte("rubbish")).Auths(); err == nil || !strings.Contains(err.Error(), "/f") {
		t.Errorf("rubbish: %v", err)
	}
	if a, err := clientconfig.LoadLegacy(envtest.Machine{Home: "-"}.Env()).Auths(); a != nil || err != nil {
		t.Errorf("no home: %v, %v", a, err)
	}
}

func TestDirectories(t *testing.T) {
	for _, tt := range []struct {
		m                  envtest.Machine
		docker, containers string
	}{
		{envtest.Machine{}, "/home/u/.docker", "/home/u/.config/containers"},
		{envtest.Machine{Home: "-"}, "", ""},
		{envtest.Machine{Vars: map[string]string{"XDG_CONFIG_HOME": "/x", "DOCKER_CONFIG": "/d"}}, "/d", "/x/containers"},
		{envtest.Machine{GOOS: "windows", Home: `C:\Users\u`}, `C:\Users\u\.docker`, `C:\Users\u\AppData\Roaming\containers`},
		{envtest.Machine{GOOS: "windows", Home: `C:\Users\u`, Vars: map[string]string{"APPDATA": `C:\A`}}, `C:\Users\u\.docker`, `C:\A\containers`},
	} {
		env := tt.m.Env()
		if got := env.DockerDir(); got != tt.docker {
			t.Errorf("%+v: DockerDir() = %q", tt.m, got)
		}
		if got := env.ContainersDir(); got != tt.containers {
			t.Errorf("%+v: ContainersDir() = %q", tt.m, got)
		}
	}
}

func TestLookPath(t *testing.T) {
	linux := envtest.Machine{
		Vars:  map[string]string{"PATH": "relative::/a:/b"},
		Files: map[string]string{"/b/prog": "", "/relative/rel": ""},
	}.Env()
	if got, err := linux.LookPath("prog"); got != "/b/prog" || err != nil {
		t.Errorf("LookPath(prog) = %q, %v", got, err)
	}
	for _, name := range []string{"rel", "none", ""} {
		if got, err := linux.LookPath(name); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("LookPath(%q) = %q, %v", name, got, err)
		}
	}
	windows := envtest.Machine{
		GOOS:  "windows",
		Vars:  map[string]string{"PATH": `.;C:\bin`},
		Files: map[string]string{`C:\bin\prog.exe`: ""},
	}.Env()
	if got, err := windows.LookPath("prog"); got != `C:\bin\prog.exe` || err != nil {
		t.Errorf("windows: LookPath(prog) = %q, %v", got, err)
	}
	if _, err := (clientconfig.Env{}).LookPath("prog"); err == nil {
		t.Error("zero Env finds a program")
	}
}

func TestOSEnv(t *testing.T) {
	t.Setenv("HOME", "/nowhere/at/all")
	env := clientconfig.OSEnv()
	if _, err := clientconfig.Load(env).Auths(); err != nil {
		t.Error(err)
	}
	if env.Exists("/nowhere/at/all") || env.GOOS == "" || len(env.Environ()) == 0 {
		t.Errorf("OSEnv() = %+v", env)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `{"auths":{"a":{"auth":"x"}}}`, `{"proxies":{"default":{}}}`, `[`, "auth = x\n", `{"credHelpers":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range []*clientconfig.Config{clientconfig.Parse("file", data), clientconfig.ParseLegacy("file", data)} {
			_, errAuths := c.Auths()
			_, errProxy := c.ProxyEnv("x")
			_, errHelpers := c.CredHelpers()
			for _, err := range []error{c.Err(), errAuths, errProxy, errHelpers} {
				if err != nil && !strings.Contains(err.Error(), "file") {
					t.Errorf("error does not name the file: %v", err)
				}
			}
		}
	})
}
