package registryauth

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/clientconfig/envtest"
	"github.com/google/go-cmp/cmp"
)

const (
	configFile = "/home/u/.docker/config.json"
	authFile   = "/run/user/1000/containers/auth.json"
	configAuth = "/home/u/.config/containers/auth.json"
)

// auths is a file with entries name -> user, all with password "p".
func auths(entries ...string) string {
	var l []string
	for i := 0; i < len(entries); i += 2 {
		auth := base64.StdEncoding.EncodeToString([]byte(entries[i+1] + ":p"))
		l = append(l, `"`+entries[i]+`": {"auth": "`+auth+`"}`)
	}
	return `{"auths": {` + strings.Join(l, ",") + `}}`
}

func TestLookup(t *testing.T) {
	xdg := map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000"}
	for _, tt := range []struct {
		name  string
		image string
		vars  map[string]string
		files map[string]string
		want  string // the user, "" for none
	}{
		{"nothing anywhere", "busybox", nil, nil, ""},
		{"docker hub, docker's key", "busybox", nil, map[string]string{configFile: auths("https://index.docker.io/v1/", "hub")}, "hub"},
		{"docker hub, podman's key", "user/app:1", xdg, map[string]string{authFile: auths("docker.io", "hub")}, "hub"},
		{"docker hub by its registry's name", "registry-1.docker.io/user/app", nil, map[string]string{configFile: auths("index.docker.io", "hub")}, "hub"},
		{"other registry does not match", "quay.io/a", nil, map[string]string{configFile: auths("https://index.docker.io/v1/", "hub", "quay.io.example", "x")}, ""},
		{"port is part of the registry", "h.example:5000/a", nil, map[string]string{configFile: auths("h.example", "x", "h.example:5000", "port")}, "port"},
		{"scheme and path", "quay.io/a", nil, map[string]string{configFile: auths("https://quay.io/v1/", "q")}, "q"},
		{"namespace, longest first", "quay.io/a/b:1", xdg, map[string]string{authFile: auths("quay.io", "all", "quay.io/a", "a", "quay.io/a/b", "ab", "quay.io/a/b/c", "abc")}, "ab"},
		{"namespace is not a prefix of a word", "quay.io/ab", xdg, map[string]string{authFile: auths("quay.io/a", "a")}, ""},
		{"namespace does not cover the registry for podman", "quay.io/b", xdg, map[string]string{authFile: auths("quay.io/a", "a")}, ""},
		{"but does for docker", "quay.io/b", nil, map[string]string{configFile: auths("quay.io/a", "a")}, "a"},
		{"auth.json before config.json", "quay.io/a", xdg, map[string]string{authFile: auths("quay.io", "podman"), configFile: auths("quay.io", "docker")}, "podman"},
		{"runtime directory before configuration", "quay.io/a", xdg, map[string]string{authFile: auths("quay.io", "run"), configAuth: auths("quay.io", "cfg")}, "run"},
		{"configuration directory", "quay.io/a", xdg, map[string]string{configAuth: auths("quay.io", "cfg")}, "cfg"},
		{"runtime directory of root", "quay.io/a", nil, map[string]string{"/run/containers/0/auth.json": auths("quay.io", "root")}, "root"},
		{"on to the next file", "quay.io/a", xdg, map[string]string{authFile: auths("gcr.io", "g"), configFile: auths("quay.io", "docker")}, "docker"},
		{"REGISTRY_AUTH_FILE instead of auth.json", "quay.io/a", map[string]string{"REGISTRY_AUTH_FILE": "/my.json"}, map[string]string{"/my.json": auths("gcr.io", "g"), configAuth: auths("quay.io", "cfg")}, ""},
		{"REGISTRY_AUTH_FILE", "quay.io/a", map[string]string{"REGISTRY_AUTH_FILE": "/my.json"}, map[string]string{"/my.json": auths("quay.io", "mine"), configFile: auths("quay.io", "docker")}, "mine"},
		{"DOCKER_CONFIG", "quay.io/a", map[string]string{"DOCKER_CONFIG": "/cfg"}, map[string]string{"/cfg/config.json": auths("quay.io", "cfg"), configFile: auths("quay.io", "home")}, "cfg"},
		{"DOCKER_AUTH_CONFIG before all", "quay.io/a", map[string]string{"DOCKER_AUTH_CONFIG": auths("quay.io", "env"), "XDG_RUNTIME_DIR": "/run/user/1000"}, map[string]string{authFile: auths("quay.io", "podman")}, "env"},
		{"legacy file", "busybox", nil, map[string]string{"/home/u/.dockercfg": `{"https://index.docker.io/v1/": {"auth": "b2xkOnA=", "email": "e"}}`}, "old"},
		{"legacy file of the first kind", "busybox", nil, map[string]string{"/home/u/.dockercfg": "auth = b2xkOnA=\nemail = e\n"}, "old"},
		{"empty entry is no credentials", "quay.io/a", nil, map[string]string{configFile: `{"auths": {"quay.io": {}}}`, "/home/u/.dockercfg": `{"quay.io": {"auth": "b2xkOnA="}}`}, "old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := envtest.Machine{Vars: tt.vars, Files: tt.files}.Env()
			c, found, err := Lookup(t.Context(), env, tt.image)
			if err != nil || found != (tt.want != "") || c.Username != tt.want {
				t.Fatalf("Lookup(%q) = %#v, %v, %v; want %q", tt.image, c, found, err, tt.want)
			}
			if found && c.Password != "p" {
				t.Errorf("password = %q", c.Password)
			}
		})
	}
}

func TestServerAddress(t *testing.T) {
	env := envtest.Machine{Files: map[string]string{configFile: auths("docker.io", "hub", "https://QUAY.io/", "q")}}.Env()
	for image, want := range map[string]string{"a/b": "https://index.docker.io/v1/", "quay.io/a": "quay.io"} {
		if c, _, err := Lookup(t.Context(), env, image); c.ServerAddress != want || err != nil {
			t.Errorf("%s: server address %q, %v", image, c.ServerAddress, err)
		}
	}
}

func TestLookupErrorsNameTheFile(t *testing.T) {
	for _, tt := range []struct {
		name  string
		vars  map[string]string
		files map[string]string
		say   []string
	}{
		{"corrupt config.json", nil, map[string]string{configFile: "{"}, []string{configFile}},
		{"corrupt auth.json", nil, map[string]string{configAuth: "{"}, []string{configAuth}},
		{"auths of another type", nil, map[string]string{configFile: `{"auths": []}`}, []string{configFile, "auths"}},
		{"credHelpers of another type", nil, map[string]string{configFile: `{"credHelpers": "x"}`}, []string{configFile, "credHelpers"}},
		{"credsStore of another type", nil, map[string]string{configFile: `{"credsStore": 1}`}, []string{configFile, "credsStore"}},
		{"bad entry", nil, map[string]string{configFile: `{"auths": {"quay.io": {"auth": "!"}}}`}, []string{configFile, "quay.io"}},
		{"helper with a path", nil, map[string]string{configFile: `{"credsStore": "../../x"}`}, []string{configFile, "../../x"}},
		{"REGISTRY_AUTH_FILE is missing", map[string]string{"REGISTRY_AUTH_FILE": "/none"}, nil, []string{"REGISTRY_AUTH_FILE", "/none"}},
		{"DOCKER_AUTH_CONFIG", map[string]string{"DOCKER_AUTH_CONFIG": "{"}, nil, []string{"DOCKER_AUTH_CONFIG"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := envtest.Machine{Vars: tt.vars, Files: tt.files}.Env()
			_, found, err := Lookup(t.Context(), env, "quay.io/a")
			if err == nil || found || Ignorable(err) {
				t.Fatalf("Lookup() = %v, %v", found, err)
			}
			for _, s := range tt.say {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error does not say %q: %v", s, err)
				}
			}
			if all, err := All(t.Context(), env); err == nil || all != nil || Ignorable(err) {
				t.Errorf("All() = %v, %v", all, err)
			}
		})
	}

	// An error in another registry's entry is not in the way.
	env := envtest.Machine{Files: map[string]string{configFile: `{"auths": {"gcr.io": {"auth": "!"}, "quay.io": {"auth": "dTpw"}}}`}}.Env()
	if c, _, err := Lookup(t.Context(), env, "quay.io/a"); c.Username != "u" || err != nil {
		t.Errorf("Lookup() = %v, %v", c, err)
	}
}

func TestUnreadableFileIsIgnorable(t *testing.T) {
	m := envtest.Machine{Denied: []string{"/home/u"}, Vars: map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000"}}
	_, found, err := Lookup(t.Context(), m.Env(), "quay.io/a")
	if found || !Ignorable(err) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), configFile) {
		t.Errorf("Lookup() = %v, %v", found, err)
	}
	if all, err := All(t.Context(), m.Env()); len(all) != 0 || !Ignorable(err) {
		t.Errorf("All() = %v, %v", all, err)
	}

	// Found elsewhere, nothing is to be said.
	m.Files = map[string]string{authFile: auths("quay.io", "q")}
	if c, found, err := Lookup(t.Context(), m.Env(), "quay.io/a"); !found || c.Username != "q" || err != nil {
		t.Errorf("Lookup() = %v, %v, %v", c, found, err)
	}

	// A file that somebody named must be readable.
	m.Vars["DOCKER_CONFIG"] = "/home/u/cfg"
	m.Files = nil
	if _, _, err := Lookup(t.Context(), m.Env(), "quay.io/a"); err == nil || Ignorable(err) {
		t.Errorf("DOCKER_CONFIG: %v", err)
	}
}

func TestAll(t *testing.T) {
	env := envtest.Machine{
		Vars: map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000"},
		Files: map[string]string{
			authFile:   auths("docker.io", "podman", "quay.io/a", "ns"),
			configFile: auths("https://index.docker.io/v1/", "docker", "https://gcr.io", "g", "gcr.io", "exact", "quay.io", "q"),
		},
	}.Env()
	got, err := All(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	users := make(map[string]string)
	for key, c := range got {
		users[key] = c.Username
	}
	want := map[string]string{"https://index.docker.io/v1/": "podman", "quay.io/a": "ns", "gcr.io": "exact", "quay.io": "q"}
	if diff := cmp.Diff(want, users); diff != "" {
		t.Error(diff)
	}
}

func TestHeader(t *testing.T) {
	c := Credentials{Username: "u", Password: "ÿ?>", ServerAddress: "quay.io"}
	data, err := base64.URLEncoding.DecodeString(c.Header())
	const want = `{"username":"u","password":"ÿ?\u003e","serveraddress":"quay.io"}`
	if string(data) != want || err != nil {
		t.Errorf("Header() = %s, %v", data, err)
	}
	if got := (Credentials{}).Header(); got != "e30=" {
		t.Errorf("Header() of nothing = %q", got)
	}
	c = Credentials{IdentityToken: "i", RegistryToken: "r"}
	if data, _ := base64.URLEncoding.DecodeString(c.Header()); string(data) != `{"identitytoken":"i","registrytoken":"r"}` {
		t.Errorf("Header() = %s", data)
	}
}
