package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/clientconfig/envtest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type vars = map[string]string

const (
	config       = "/home/u/.docker/config.json"
	connections1 = "/home/u/.config/containers/podman-connections.json"
	userConf     = "/home/u/.config/containers/containers.conf"
)

// context is the file name of a context's metadata below Docker's directory.
func contextFile(kind, name, file string) string {
	sum := sha256.Sum256([]byte(name))
	return "/home/u/.docker/contexts/" + kind + "/" + hex.EncodeToString(sum[:]) + "/" + file
}

// withContext adds a context to files.
func withContext(files vars, name, host string) vars {
	out := vars{contextFile("meta", name, "meta.json"): `{"Name":"` + name + `","Metadata":{},"Endpoints":{"docker":{"Host":"` + host + `","SkipTLSVerify":false}}}`}
	maps.Copy(out, files)
	return out
}

// podmanOne is what podman 5.8 writes.
const podmanOne = `{"Connection":{"Default":"one","Connections":{"one":{"URI":"unix:///one.sock"},"s":{"URI":"ssh://u@127.0.0.1:5/run/x.sock","Identity":"/id"},"m":{"URI":"ssh://core@127.0.0.1:6/run/x.sock","Identity":"/machine","IsMachine":true},"tls":{"URI":"tcp://h:1","TLSCert":"/c","TLSKey":"/k","TLSCA":"/ca"},"p":{"URI":"ssh://root@p"}}},"Farm":{}}`

func TestExplicit(t *testing.T) {
	all := withContext(withContext(vars{config: `{"currentContext": "cur"}`, connections1: podmanOne}, "cur", "unix:///cur.sock"), "x", "unix:///x.sock")
	unix := func(path, source string) Candidate {
		return Candidate{Host: "unix://" + path, Source: source, Explicit: true}
	}
	for _, tt := range []struct {
		name  string
		opt   Options
		vars  vars
		files vars
		want  Candidate
		notes []string
	}{
		{"option", Options{Host: "/o.sock"}, vars{"DOCKER_HOST": "unix:///d.sock"}, all, unix("/o.sock", "WithHost"), nil},
		{"option, registered engine", Options{Host: "mine", Engines: []string{"mine"}}, nil, nil, Candidate{Engine: "mine", Source: "WithHost", Explicit: true}, nil},
		{"option, embedded", Options{Host: "embedded"}, nil, nil, Candidate{Engine: "embedded", Source: "WithHost", Explicit: true}, nil},
		{"option, context", Options{Context: "x"}, vars{"DOCKER_HOST": "unix:///d.sock"}, all, unix("/x.sock", `docker context "x"`), nil},
		{"option, context default does not hide DOCKER_HOST", Options{Context: "default"}, vars{"DOCKER_HOST": "unix:///d.sock"}, all, unix("/d.sock", "DOCKER_HOST"), nil},
		{"option, context default hides the others", Options{Context: "default"}, vars{"DOCKER_CONTEXT": "x"}, all, unix("/one.sock", `podman connection "one"`), nil},
		{"DOCKER_HOST", Options{}, vars{"DOCKER_HOST": "unix:///d.sock", "DOCKER_API_VERSION": "1.41"}, all,
			Candidate{Host: "unix:///d.sock", Source: "DOCKER_HOST", Explicit: true, APIVersion: "1.41"}, nil},
		{"DOCKER_HOST is empty", Options{}, vars{"DOCKER_HOST": "", "CONTAINER_HOST": "unix:///c.sock"}, all, unix("/c.sock", "CONTAINER_HOST"), nil},
		{"both, different", Options{}, vars{"DOCKER_HOST": "unix:///d.sock", "CONTAINER_HOST": "ssh://u:pw@h"}, nil, unix("/d.sock", "DOCKER_HOST"),
			[]string{"DOCKER_HOST (unix:///d.sock) and CONTAINER_HOST (ssh://u:xxxxx@h) are both set: DOCKER_HOST is used"}},
		{"both, the same in other words", Options{}, vars{"DOCKER_HOST": "unix://d.sock", "CONTAINER_HOST": "unix:///d.sock"}, nil, unix("/d.sock", "DOCKER_HOST"), nil},
		{"hosts before names", Options{}, vars{"CONTAINER_HOST": "unix:///c.sock", "DOCKER_CONTEXT": "x", "CONTAINER_CONNECTION": "s"}, all, unix("/c.sock", "CONTAINER_HOST"),
			[]string{"CONTAINER_HOST (unix:///c.sock) overrides DOCKER_CONTEXT (x)", "CONTAINER_HOST (unix:///c.sock) overrides CONTAINER_CONNECTION (s)"}},
		{"DOCKER_CONTEXT", Options{}, vars{"DOCKER_CONTEXT": "x", "CONTAINER_CONNECTION": "s"}, all, unix("/x.sock", `docker context "x" (DOCKER_CONTEXT)`),
			[]string{"DOCKER_CONTEXT (x) and CONTAINER_CONNECTION (s) are both set: DOCKER_CONTEXT is used"}},
		{"CONTAINER_CONNECTION before the current context", Options{}, vars{"CONTAINER_CONNECTION": "s"}, all,
			Candidate{Host: "ssh://u@127.0.0.1:5/run/x.sock", Source: `podman connection "s" (CONTAINER_CONNECTION)`, Explicit: true, Identity: "/id"}, nil},
		{"DOCKER_CONTEXT=default hides the current context", Options{}, vars{"DOCKER_CONTEXT": "default"}, all, unix("/one.sock", `podman connection "one"`), nil},
		{"current context", Options{}, nil, all, unix("/cur.sock", `docker context "cur"`), nil},
		{"current context default", Options{}, nil, vars{config: `{"currentContext": "default"}`, connections1: podmanOne}, unix("/one.sock", `podman connection "one"`), nil},
		{"context without a host", Options{}, vars{"DOCKER_CONTEXT": "e"}, withContext(nil, "e", ""), unix("/var/run/docker.sock", `docker context "e" (DOCKER_CONTEXT)`), nil},
		{"podman connection", Options{}, nil, vars{connections1: podmanOne}, unix("/one.sock", `podman connection "one"`), nil},
		{"machine", Options{}, vars{"CONTAINER_CONNECTION": "m", "CONTAINER_SSHKEY": "/other"}, vars{connections1: podmanOne},
			Candidate{Host: "ssh://core@127.0.0.1:6/run/x.sock", Source: `podman connection "m" (CONTAINER_CONNECTION)`, Explicit: true, Identity: "/machine", Machine: true}, nil},
		{"connection with TLS", Options{}, vars{"CONTAINER_CONNECTION": "tls"}, vars{connections1: podmanOne},
			Candidate{Host: "tcp://h:1", Source: `podman connection "tls" (CONTAINER_CONNECTION)`, Explicit: true, TLS: &TLSFiles{CA: "/ca", Cert: "/c", Key: "/k"}}, nil},
		{"CONTAINER_SSHKEY for a connection that has none", Options{}, vars{"CONTAINER_CONNECTION": "p", "CONTAINER_SSHKEY": "/key"}, vars{connections1: podmanOne},
			Candidate{Host: "ssh://root@p", Source: `podman connection "p" (CONTAINER_CONNECTION)`, Explicit: true, Identity: "/key"}, nil},
		{"CONTAINER_SSHKEY for CONTAINER_HOST", Options{}, vars{"CONTAINER_HOST": "ssh://h", "CONTAINER_SSHKEY": "/key"}, nil,
			Candidate{Host: "ssh://h", Source: "CONTAINER_HOST", Explicit: true, Identity: "/key"}, nil},
		{"but not for DOCKER_HOST", Options{}, vars{"DOCKER_HOST": "ssh://h", "CONTAINER_SSHKEY": "/key"}, nil,
			Candidate{Host: "ssh://h", Source: "DOCKER_HOST", Explicit: true}, nil},
		{"docker by name: not podman's settings", Options{Host: "docker"}, vars{"CONTAINER_HOST": "unix:///c.sock", "CONTAINER_CONNECTION": "s"}, all,
			Candidate{Host: "unix:///cur.sock", Source: `docker context "cur"`, Explicit: true, Engine: "docker"}, nil},
		{"podman by name: not docker's settings", Options{Host: "podman"}, vars{"DOCKER_HOST": "unix:///d.sock", "DOCKER_CONTEXT": "x"}, all,
			Candidate{Host: "unix:///one.sock", Source: `podman connection "one"`, Explicit: true, Engine: "podman"}, nil},
		{"podman by name: its host", Options{Host: "podman"}, vars{"DOCKER_HOST": "unix:///d.sock", "CONTAINER_HOST": "unix:///c.sock"}, nil,
			Candidate{Host: "unix:///c.sock", Source: "CONTAINER_HOST", Explicit: true, Engine: "podman"}, nil},
		{"API version by option", Options{Host: "/o.sock", APIVersion: "v1.43"}, vars{"DOCKER_API_VERSION": "1.41"}, nil,
			Candidate{Host: "unix:///o.sock", Source: "WithHost", Explicit: true, APIVersion: "1.43"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, notes, err := Candidates(envtest.Machine{UID: 1000, Vars: tt.vars, Files: tt.files}.Env(), tt.opt)
			if err != nil || len(list) != 1 {
				t.Fatalf("Candidates() = %+v, %v", list, err)
			}
			if diff := cmp.Diff(tt.want, list[0], cmpopts.IgnoreFields(Candidate{}, "Addr")); diff != "" {
				t.Error(diff)
			}
			if list[0].Addr.String() != list[0].Host {
				t.Errorf("Addr = %+v, Host = %q", list[0].Addr, list[0].Host)
			}
			var got []string
			for _, n := range notes {
				got = append(got, n.String())
			}
			if diff := cmp.Diff(tt.notes, got); diff != "" {
				t.Errorf("notes: %s", diff)
			}
		})
	}
}

func TestChoicesThatCannotBeFollowed(t *testing.T) {
	meta := contextFile("meta", "x", "meta.json")
	for _, tt := range []struct {
		name  string
		opt   Options
		vars  vars
		files vars
		say   []string
	}{
		{"malformed option", Options{Host: "ftp://h"}, nil, nil, []string{"ftp://h"}},
		{"unknown name", Options{Host: "mine"}, nil, nil, []string{"mine"}},
		{"host and context", Options{Host: "/a", Context: "b"}, nil, nil, []string{"/a", `"b"`}},
		{"malformed DOCKER_HOST", Options{}, vars{"DOCKER_HOST": "tcp://h"}, nil, []string{"DOCKER_HOST", "tcp://h", "port"}},
		{"malformed CONTAINER_HOST", Options{}, vars{"CONTAINER_HOST": "h"}, nil, []string{"CONTAINER_HOST"}},
		{"name in DOCKER_HOST", Options{}, vars{"DOCKER_HOST": "embedded"}, nil, []string{"DOCKER_HOST", "embedded"}},
		{"unknown context, option", Options{Context: "nosuch"}, nil, withContext(withContext(nil, "b", ""), "a", ""), []string{`"nosuch"`, "/home/u/.docker", "(it has a, b)"}},
		{"unknown context, variable", Options{}, vars{"DOCKER_CONTEXT": "nosuch"}, nil, []string{`"nosuch"`, "DOCKER_CONTEXT"}},
		{"unknown context, current", Options{}, nil, vars{config: `{"currentContext":"gone"}`}, []string{`"gone"`}},
		{"corrupt config.json", Options{}, nil, vars{config: `{`}, []string{config}},
		{"corrupt context", Options{Context: "x"}, nil, vars{meta: `{`}, []string{`"x"`, meta}},
		{"context without docker", Options{Context: "x"}, nil, vars{meta: `{"Endpoints":{"kubernetes":{}}}`}, []string{`"x"`, "docker endpoint"}},
		{"context with a bad host", Options{Context: "x"}, nil, withContext(nil, "x", "tcp://h"), []string{`"x"`, meta, "port"}},
		{"context with a name for a host", Options{Context: "x"}, nil, withContext(nil, "x", "podman"), []string{`"x"`, "podman"}},
		{"unknown connection", Options{}, vars{"CONTAINER_CONNECTION": "nosuch"}, vars{connections1: podmanOne}, []string{`"nosuch"`, connections1, userConf}},
		{"unknown default connection", Options{}, nil, vars{connections1: `{"Connection":{"Default":"gone"}}`}, []string{`"gone"`}},
		{"unknown active_service", Options{}, nil, vars{userConf: "[engine]\nactive_service='gone'\n"}, []string{`"gone"`, userConf}},
		{"corrupt connections", Options{}, nil, vars{connections1: `{`}, []string{connections1}},
		{"connection without uri", Options{}, nil, vars{connections1: `{"Connection":{"Default":"a","Connections":{"a":{}}}}`}, []string{`"a"`, "uri", connections1}},
		{"connection with a bad uri", Options{}, nil, vars{connections1: `{"Connection":{"Default":"a","Connections":{"a":{"URI":"ssh://u:pw@h"}}}}`}, []string{`"a"`, "password", connections1}},
		{"TLS over a socket", Options{}, nil, vars{connections1: `{"Connection":{"Default":"a","Connections":{"a":{"URI":"unix:///x","TLSCA":"/ca"}}}}`}, []string{`"a"`, "TLS"}},
		{"CONTAINERS_CONF is missing", Options{}, vars{"CONTAINERS_CONF": "/none"}, nil, []string{"CONTAINERS_CONF", "/none"}},
		{"CONTAINERS_CONF_OVERRIDE is missing", Options{}, vars{"CONTAINERS_CONF_OVERRIDE": "/none"}, nil, []string{"CONTAINERS_CONF_OVERRIDE", "/none"}},
		{"API version", Options{}, vars{"DOCKER_API_VERSION": "latest"}, nil, []string{"DOCKER_API_VERSION", "latest"}},
		{"API version of one number", Options{APIVersion: "1"}, nil, nil, []string{"API version"}},
		{"API version with more", Options{APIVersion: "1.4x"}, nil, nil, []string{"API version"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, _, err := Candidates(envtest.Machine{UID: 1000, Vars: tt.vars, Files: tt.files}.Env(), tt.opt)
			if err == nil || list != nil {
				t.Fatalf("Candidates() = %+v, %v", list, err)
			}
			for _, s := range tt.say {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error does not say %q: %v", s, err)
				}
			}
			if strings.Contains(err.Error(), "pw@") {
				t.Errorf("error shows the password: %v", err)
			}
		})
	}
}

// A file that is not needed does no harm.
func TestCorruptFilesThatAreNotNeeded(t *testing.T) {
	env := envtest.Machine{UID: 1000, Vars: vars{"DOCKER_HOST": "unix:///d.sock"}, Files: vars{config: "{", connections1: "{", userConf: "["}}.Env()
	if list, notes, err := Candidates(env, Options{}); err != nil || len(list) != 1 || notes != nil {
		t.Errorf("Candidates() = %+v, %v, %v", list, notes, err)
	}
}

// A service that runs with another user's HOME goes on with a note.
func TestDeniedHome(t *testing.T) {
	env := envtest.Machine{UID: 1000, Denied: []string{"/home/u"}}.Env()
	list, notes, err := Candidates(env, Options{})
	if err != nil || len(list) < 2 || list[0].Explicit || len(notes) != 3 {
		t.Fatalf("Candidates() = %+v, %v, %v", list, notes, err)
	}
	for i, file := range []string{config, userConf, connections1} {
		if !strings.Contains(notes[i].Message, file) {
			t.Errorf("note %d does not name %s: %s", i, file, notes[i])
		}
	}
	env = envtest.Machine{Denied: []string{"/home/u"}, Vars: vars{"DOCKER_CONFIG": "/home/u/cfg"}}.Env()
	if _, _, err := Candidates(env, Options{}); err == nil || !strings.Contains(err.Error(), "/home/u/cfg") {
		t.Errorf("DOCKER_CONFIG that may not be read: %v", err)
	}
}

func FuzzPodmanConnections(f *testing.F) {
	f.Add([]byte(podmanOne), []byte("[engine]\nactive_service='a'\n[engine.service_destinations.a]\nuri='unix:///x'\n"))
	f.Add([]byte(`{"Connection":null}`), []byte("[engine]\nservice_destinations = {a = {uri = 1}}"))
	f.Fuzz(func(t *testing.T, json, conf []byte) {
		env := envtest.Machine{Files: vars{connections1: string(json), userConf: string(conf)}}.Env()
		list, _, err := Candidates(env, Options{})
		if err != nil {
			return
		}
		for _, c := range list {
			if a, err := ParseHost(c.Host, "linux"); err != nil || a != c.Addr {
				t.Errorf("candidate %+v: %v", c, err)
			}
		}
	})
}

func FuzzContextMeta(f *testing.F) {
	f.Add([]byte(`{"Name":"x","Endpoints":{"docker":{"Host":"unix:///x","SkipTLSVerify":true}}}`))
	f.Add([]byte(`{"Endpoints":{"docker":null}}`))
	f.Fuzz(func(t *testing.T, meta []byte) {
		env := envtest.Machine{Files: vars{contextFile("meta", "x", "meta.json"): string(meta)}}.Env()
		list, _, err := Candidates(env, Options{Context: "x"})
		if err == nil && (len(list) != 1 || !list[0].Explicit || list[0].Host == "") {
			t.Errorf("Candidates() = %+v", list)
		}
	})
}
