package connect

import (
	"testing"

	"github.com/berthdev/berth/internal/clientconfig/envtest"
	"github.com/google/go-cmp/cmp"
)

func TestWellKnown(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    envtest.Machine
		opt  Options
		want []string
	}{
		{"linux, root", envtest.Machine{Home: "/root"}, Options{}, []string{
			"unix:///var/run/docker.sock",
			"unix:///run/podman/podman.sock",
			"unix:///root/.docker/run/docker.sock",
			"unix:///root/.docker/desktop/docker.sock",
			"unix:///root/.colima/default/docker.sock",
			"unix:///root/.rd/docker.sock",
		}},
		{"linux, user", envtest.Machine{UID: 1000, Vars: vars{"XDG_RUNTIME_DIR": "/run/user/1000"}}, Options{}, []string{
			"unix:///var/run/docker.sock",
			"unix:///run/user/1000/docker.sock",
			"unix:///home/u/.docker/run/docker.sock",
			"unix:///home/u/.docker/desktop/docker.sock",
			"unix:///home/u/.colima/default/docker.sock",
			"unix:///home/u/.rd/docker.sock",
			"unix:///run/user/1000/podman/podman.sock",
			"unix:///run/podman/podman.sock",
		}},
		{"linux, another runtime directory, nothing else known", envtest.Machine{UID: 7, Home: "-", Vars: vars{"XDG_RUNTIME_DIR": "/xdg", "COLIMA_HOME": "/colima"}}, Options{}, []string{
			"unix:///var/run/docker.sock",
			"unix:///xdg/docker.sock",
			"unix:///run/user/7/docker.sock",
			"unix:///colima/default/docker.sock",
			"unix:///xdg/podman/podman.sock",
			"unix:///run/user/7/podman/podman.sock",
			"unix:///run/podman/podman.sock",
		}},
		{"relative and overlong directories are left out", envtest.Machine{Home: "-", Vars: vars{"XDG_RUNTIME_DIR": "run", "COLIMA_HOME": "/" + string(make([]byte, 100)), "XDG_CONFIG_HOME": "/a?b"}}, Options{}, []string{
			"unix:///var/run/docker.sock",
			"unix:///run/podman/podman.sock",
		}},
		{"docker by name", envtest.Machine{Home: "/root"}, Options{Host: "docker"}, []string{
			"unix:///var/run/docker.sock",
			"unix:///root/.docker/run/docker.sock",
			"unix:///root/.docker/desktop/docker.sock",
			"unix:///root/.colima/default/docker.sock",
			"unix:///root/.rd/docker.sock",
		}},
		{"podman by name", envtest.Machine{Vars: vars{"DOCKER_HOST": "unix:///d.sock"}}, Options{Host: "podman"}, []string{
			"unix:///run/podman/podman.sock",
		}},
		{"darwin", envtest.Machine{GOOS: "darwin", UID: 501, Home: "/Users/u", Vars: vars{"TMPDIR": "/var/folders/x/T/"}, Files: vars{
			"/Users/u/.local/share/containers/podman/machine/qemu/podman.sock": "",
			"/Users/u/.local/share/containers/podman/machine/a-file":           "",
		}}, Options{}, []string{
			"unix:///var/run/docker.sock",
			"unix:///Users/u/.docker/run/docker.sock",
			"unix:///Users/u/.orbstack/run/docker.sock",
			"unix:///Users/u/.colima/default/docker.sock",
			"unix:///Users/u/.rd/docker.sock",
			"unix:///var/folders/x/T/podman/podman-machine-default-api.sock",
			"unix:///Users/u/.local/share/containers/podman/machine/podman.sock",
			"unix:///Users/u/.local/share/containers/podman/machine/qemu/podman.sock",
		}},
		{"windows", envtest.Machine{GOOS: "windows", UID: -1, Home: `C:\Users\u`}, Options{}, []string{
			"npipe:////./pipe/docker_engine",
			"npipe:////./pipe/dockerDesktopLinuxEngine",
			"npipe:////./pipe/podman-machine-default",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, notes, err := Candidates(tt.m.Env(), tt.opt)
			if err != nil || notes != nil {
				t.Fatalf("Candidates(): %v, %v", notes, err)
			}
			var got []string
			for _, c := range list {
				got = append(got, c.Host)
				source := "well-known socket"
				if c.Addr.Scheme == SchemeNpipe {
					source = "well-known pipe"
				}
				if c.Explicit || c.Source != source || c.Engine != tt.opt.Host || c.TLS != nil {
					t.Errorf("candidate %+v", c)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestContainersConf(t *testing.T) {
	service := func(name, uri string) string {
		return "[engine.service_destinations." + name + "]\nuri = \"" + uri + "\"\n"
	}
	for _, tt := range []struct {
		name  string
		vars  vars
		files vars
		want  string
	}{
		{"what podman 4.3 writes", nil, vars{"/etc/containers/containers.conf": `[containers]

[engine]
  active_service = "s"
  [engine.service_destinations]
    [engine.service_destinations.one]
      uri = "unix:///one.sock"
    [engine.service_destinations.s]
      uri = "ssh://u@127.0.0.1:5/run/x.sock"
      identity = "/tmp/id"

[machine]
`}, "ssh://u@127.0.0.1:5/run/x.sock"},
		{"the user's before the system's", nil, vars{
			"/usr/share/containers/containers.conf": "[engine]\nactive_service='a'\n" + service("a", "unix:///dist"),
			"/etc/containers/containers.conf":       service("a", "unix:///system"),
			userConf:                                service("a", "unix:///user"),
		}, "unix:///user"},
		{"drop-ins in order", nil, vars{
			userConf:                                    "[engine]\nactive_service='a'\n" + service("a", "unix:///user"),
			userConf + ".d/20.conf":                     service("a", "unix:///20"),
			userConf + ".d/10.conf":                     service("a", "unix:///10"),
			userConf + ".d/30.bak":                      service("a", "unix:///30"),
			userConf + ".d/d.conf/x":                    service("a", "unix:///d"),
			"/etc/containers/containers.conf.d/99.conf": service("a", "unix:///99"),
		}, "unix:///20"},
		{"CONTAINERS_CONF alone", vars{"CONTAINERS_CONF": "/my.conf"}, vars{
			"/my.conf": "[engine]\nactive_service='a'\n" + service("a", "unix:///mine"),
			userConf:   service("a", "unix:///user"),
		}, "unix:///mine"},
		{"CONTAINERS_CONF_OVERRIDE last", vars{"CONTAINERS_CONF": "/my.conf", "CONTAINERS_CONF_OVERRIDE": "/over.conf"}, vars{
			"/my.conf":   "[engine]\nactive_service='a'\n" + service("a", "unix:///mine") + service("b", "unix:///b"),
			"/over.conf": "[engine]\nactive_service='b'\n",
		}, "unix:///b"},
		{"XDG_CONFIG_HOME", vars{"XDG_CONFIG_HOME": "/cfg"}, vars{
			"/cfg/containers/containers.conf": "[engine]\nactive_service='a'\n" + service("a", "unix:///cfg"),
		}, "unix:///cfg"},
		{"podman-connections.json before containers.conf", nil, vars{
			userConf:     "[engine]\nactive_service='a'\n" + service("a", "unix:///conf") + service("one", "unix:///conf-one"),
			connections1: podmanOne,
		}, "unix:///one.sock"},
		{"its connection is the default of containers.conf", nil, vars{
			userConf:     "[engine]\nactive_service='one'\n",
			connections1: `{"Connection":{"Connections":{"one":{"URI":"unix:///j"}}}}`,
		}, "unix:///j"},
		{"PODMAN_CONNECTIONS_CONF", vars{"PODMAN_CONNECTIONS_CONF": "/c.json"}, vars{
			"/c.json":    `{"Connection":{"Default":"x","Connections":{"x":{"URI":"unix:///x"}}}}`,
			connections1: podmanOne,
		}, "unix:///x"},
		{"inline and quoted", nil, vars{
			userConf: "engine = { active_service = 'a b', service_destinations = { 'a b' = { uri = 'unix:///in' } } }\n",
		}, "unix:///in"},
		{"remote_uri of podman 3", nil, vars{userConf: "[engine]\nremote_uri = 'ssh://h/p'\nremote_identity='/id'\n"}, "ssh://h/p"},
		{"no default", nil, vars{userConf: service("a", "unix:///a")}, "unix:///var/run/docker.sock"},
		{"empty", nil, vars{userConf: "", connections1: ""}, "unix:///var/run/docker.sock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, notes, err := Candidates(envtest.Machine{UID: 1000, Vars: tt.vars, Files: tt.files}.Env(), Options{})
			if err != nil || notes != nil || len(list) == 0 || list[0].Host != tt.want {
				t.Errorf("Candidates() = %+v, %v, %v; want %s", list, notes, err, tt.want)
			}
		})
	}
}

func TestContainersConfThatIsNotUnderstood(t *testing.T) {
	env := envtest.Machine{Files: vars{userConf: "[engine]\nnew = @syntax\nactive_service = 'a'\n[engine.service_destinations.a]\nuri = 'unix:///a'\n"}}.Env()
	list, notes, err := Candidates(env, Options{})
	if err != nil || len(list) != 1 || list[0].Host != "unix:///a" {
		t.Errorf("Candidates() = %+v, %v", list, err)
	}
	if len(notes) != 1 || notes[0].Message != userConf+": line 2 is not understood and left out" {
		t.Errorf("notes = %v", notes)
	}
}

func TestDockerTLS(t *testing.T) {
	d := "/home/u/.docker/"
	client := vars{d + "cert.pem": "", d + "key.pem": ""}
	for _, tt := range []struct {
		name  string
		host  string
		vars  vars
		files vars
		want  *TLSFiles
		notes int
	}{
		{"nothing set", "tcp://h:1", nil, client, nil, 0},
		{"verify", "tcp://h:1", vars{"DOCKER_TLS_VERIFY": "1"}, client, &TLSFiles{CA: d + "ca.pem", Cert: d + "cert.pem", Key: d + "key.pem"}, 0},
		{"verify is true for 0", "tcp://h:1", vars{"DOCKER_TLS_VERIFY": "0"}, client, &TLSFiles{CA: d + "ca.pem", Cert: d + "cert.pem", Key: d + "key.pem"}, 0},
		{"verify is false for nothing", "tcp://h:1", vars{"DOCKER_TLS_VERIFY": ""}, client, nil, 0},
		{"no certificate of ours", "tcp://h:1", vars{"DOCKER_TLS_VERIFY": "1"}, nil, &TLSFiles{CA: d + "ca.pem"}, 0},
		{"half a certificate is not overlooked", "tcp://h:1", vars{"DOCKER_TLS_VERIFY": "1"}, vars{d + "key.pem": ""}, &TLSFiles{CA: d + "ca.pem", Cert: d + "cert.pem", Key: d + "key.pem"}, 0},
		{"DOCKER_TLS", "tcp://h:1", vars{"DOCKER_TLS": "1"}, nil, &TLSFiles{SkipVerify: true}, 0},
		{"DOCKER_CERT_PATH alone", "https://h:1", vars{"DOCKER_CERT_PATH": "/c"}, nil, &TLSFiles{Cert: "/c/cert.pem", Key: "/c/key.pem", SkipVerify: true}, 0},
		{"DOCKER_CERT_PATH and verify", "https://h:1", vars{"DOCKER_CERT_PATH": "/c", "DOCKER_TLS_VERIFY": "1"}, nil, &TLSFiles{CA: "/c/ca.pem", Cert: "/c/cert.pem", Key: "/c/key.pem"}, 0},
		{"DOCKER_CONFIG", "tcp://h:1", vars{"DOCKER_CONFIG": "/cfg", "DOCKER_TLS_VERIFY": "1"}, nil, &TLSFiles{CA: "/cfg/ca.pem"}, 0},
		{"not over a socket", "unix:///x", vars{"DOCKER_TLS_VERIFY": "1"}, nil, nil, 1},
		{"not over http", "http://h:1", vars{"DOCKER_TLS_VERIFY": "1"}, nil, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := envtest.Machine{Vars: tt.vars, Files: tt.files}.Env()
			list, notes, err := Candidates(env, Options{Host: tt.host})
			if err != nil || len(list) != 1 || len(notes) != tt.notes {
				t.Fatalf("Candidates() = %+v, %v, %v", list, notes, err)
			}
			if diff := cmp.Diff(tt.want, list[0].TLS); diff != "" {
				t.Error(diff)
			}
		})
	}

	// Docker's settings are not Podman's.
	env := envtest.Machine{Vars: vars{"CONTAINER_HOST": "tcp://h:1", "DOCKER_TLS_VERIFY": "1"}}.Env()
	if list, notes, err := Candidates(env, Options{}); err != nil || list[0].TLS != nil || notes != nil {
		t.Errorf("CONTAINER_HOST: %+v, %v, %v", list, notes, err)
	}
}

func TestContextTLS(t *testing.T) {
	ca, cert, key := contextFile("tls", "x", "docker/ca.pem"), contextFile("tls", "x", "docker/cert.pem"), contextFile("tls", "x", "docker/key.pem")
	for _, tt := range []struct {
		name  string
		files vars
		want  *TLSFiles
	}{
		{"no TLS", withContext(nil, "x", "tcp://h:1"), nil},
		{"all", withContext(vars{ca: "", cert: "", key: ""}, "x", "tcp://h:1"), &TLSFiles{CA: ca, Cert: cert, Key: key}},
		{"authority only", withContext(vars{ca: ""}, "x", "tcp://h:1"), &TLSFiles{CA: ca}},
		{"not over ssh", withContext(vars{ca: ""}, "x", "ssh://h"), nil},
		{"SkipTLSVerify", vars{contextFile("meta", "x", "meta.json"): `{"Endpoints":{"docker":{"Host":"tcp://h:1","SkipTLSVerify":true}}}`}, &TLSFiles{SkipVerify: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, _, err := Candidates(envtest.Machine{Files: tt.files}.Env(), Options{Context: "x"})
			if err != nil || len(list) != 1 {
				t.Fatalf("Candidates() = %+v, %v", list, err)
			}
			if diff := cmp.Diff(tt.want, list[0].TLS); diff != "" {
				t.Error(diff)
			}
		})
	}
}
