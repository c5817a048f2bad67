package transport

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// writeContext writes a Docker context into a configuration directory and returns
// the directory of its TLS files.
func writeContext(t *testing.T, dir, name, host string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	meta, tls := filepath.Join(dir, "contexts", "meta", id), filepath.Join(dir, "contexts", "tls", id, "docker")
	for _, d := range []string{meta, tls} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	rig.WriteFile(t, filepath.Join(meta, "meta.json"), []byte(`{"Name":"`+name+`","Metadata":{},"Endpoints":{"docker":{"Host":"`+host+`","SkipTLSVerify":false}}}`), 0o600)
	return tls
}

// TestChoice: each way to choose an engine finds it, says how, and wins over what
// comes after it.
func TestChoice(t *testing.T) {
	leaktest.Check(t)
	docker, podman := rig.StartFake(t, "docker"), rig.StartFake(t, "podman")
	connections := `{"Connection":{"Default":"one","Connections":{"one":{"URI":"` + podman.Host + `"},"two":{"URI":"` + docker.Host + `"}}}}`
	conf := "[engine]\nactive_service = \"conf\"\n[engine.service_destinations.conf]\nuri = \"" + podman.Host + "\"\n"
	for _, tt := range []struct {
		name         string
		opts         []berth.Option
		env          map[string]string
		current      string // Docker context
		files        map[string]string
		want, source string
		logged       string
	}{
		{"option", []berth.Option{berth.WithHost(podman.Host)}, map[string]string{"DOCKER_HOST": docker.Host}, "", nil, "podman", "WithHost", ""},
		{"context option", []berth.Option{berth.WithContext("far")}, map[string]string{"DOCKER_HOST": podman.Host}, "", nil, "docker", `docker context "far"`, ""},
		{"DOCKER_HOST", nil, map[string]string{"DOCKER_HOST": docker.Host, "DOCKER_CONTEXT": "far"}, "", nil, "docker", "DOCKER_HOST", "overrides DOCKER_CONTEXT"},
		{"CONTAINER_HOST", nil, map[string]string{"CONTAINER_HOST": podman.Host}, "far", nil, "podman", "CONTAINER_HOST", ""},
		{"both hosts", nil, map[string]string{"DOCKER_HOST": docker.Host, "CONTAINER_HOST": podman.Host}, "", nil, "docker", "DOCKER_HOST", "are both set: DOCKER_HOST is used"},
		{"DOCKER_CONTEXT", nil, map[string]string{"DOCKER_CONTEXT": "far"}, "", nil, "docker", `docker context "far" (DOCKER_CONTEXT)`, ""},
		{"CONTAINER_CONNECTION", nil, map[string]string{"CONTAINER_CONNECTION": "two"}, "", map[string]string{"podman-connections.json": connections}, "docker", `podman connection "two" (CONTAINER_CONNECTION)`, ""},
		{"current context", nil, nil, "far", map[string]string{"podman-connections.json": connections}, "docker", `docker context "far"`, ""},
		{"default connection", nil, nil, "", map[string]string{"podman-connections.json": connections}, "podman", `podman connection "one"`, ""},
		{"containers.conf", nil, nil, "", map[string]string{"containers.conf": conf}, "podman", `podman connection "conf"`, ""},
		{"CONTAINERS_CONF", nil, map[string]string{"CONTAINERS_CONF": "HOME/other.conf"}, "", map[string]string{"../../other.conf": conf}, "podman", `podman connection "conf"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := rig.NoEnvironment(t)
			writeContext(t, filepath.Join(home, ".docker"), "far", docker.Host)
			if tt.current != "" {
				rig.WriteFile(t, filepath.Join(home, ".docker", "config.json"), []byte(`{"currentContext":"`+tt.current+`"}`), 0o600)
			}
			dir := filepath.Join(home, ".config", "containers")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for name, text := range tt.files {
				rig.WriteFile(t, filepath.Join(dir, name), []byte(text), 0o600)
			}
			for k, v := range tt.env {
				t.Setenv(k, strings.Replace(v, "HOME", home, 1))
			}
			var log bytes.Buffer
			cli := rig.Connect(t, append(tt.opts, berth.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
			if id := cli.Engine(); id.Name != tt.want || id.Source != tt.source {
				t.Errorf("found %s by %s, want %s by %s", id.Name, id.Source, tt.want, tt.source)
			}
			if tt.logged == "" && log.Len() > 0 || !strings.Contains(log.String(), tt.logged) {
				t.Errorf("logged %q, want %q", &log, tt.logged)
			}
		})
	}
}

// TestChoiceFails: a choice that cannot be followed is the only one tried, though
// others would answer, and the error says which it was.
func TestChoiceFails(t *testing.T) {
	leaktest.Check(t)
	good := rig.StartFake(t, "docker")
	for _, tt := range []struct {
		name  string
		opts  []berth.Option
		env   map[string]string
		says  []string
		tried bool // a ConnectError with one attempt
	}{
		{"unknown context", nil, map[string]string{"DOCKER_CONTEXT": "nosuch"}, []string{`"nosuch"`, "no such context", "far"}, false},
		{"unknown context, by option", []berth.Option{berth.WithContext("nosuch")}, nil, []string{`"nosuch"`, "no such context"}, false},
		{"unknown connection", nil, map[string]string{"CONTAINER_CONNECTION": "nosuch"}, []string{`"nosuch"`, "no such connection"}, false},
		{"DOCKER_HOST that is gone", nil, map[string]string{"DOCKER_HOST": "unix:///nonexistent/s", "CONTAINER_HOST": "GOOD"}, []string{"/nonexistent/s", "DOCKER_HOST", "no such file"}, true},
		{"CONTAINER_HOST that is gone", nil, map[string]string{"CONTAINER_HOST": "unix:///nonexistent/s", "DOCKER_CONTEXT": "far"}, []string{"/nonexistent/s", "CONTAINER_HOST"}, true},
		{"malformed DOCKER_HOST", nil, map[string]string{"DOCKER_HOST": "gopher://x"}, []string{"DOCKER_HOST", "gopher"}, false},
		{"malformed option", []berth.Option{berth.WithHost("gopher://x")}, nil, []string{"gopher"}, false},
		{"an engine that is not linked in", []berth.Option{berth.WithHost("embedded")}, nil, []string{"embedded", "import _"}, true},
		{"host and context", []berth.Option{berth.WithHost("/x"), berth.WithContext("far")}, nil, []string{"/x", "far"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := rig.NoEnvironment(t)
			writeContext(t, filepath.Join(home, ".docker"), "far", good.Host)
			for k, v := range tt.env {
				t.Setenv(k, strings.Replace(v, "GOOD", good.Host, 1))
			}
			cli, err := berth.New(t.Context(), tt.opts...)
			if err == nil {
				cli.Close()
			}
			rig.Says(t, err, tt.says...)
			ce, ok := errors.AsType[*berth.ConnectError](err)
			if ok != tt.tried || ok && (len(ce.Tried) != 1 || !errors.Is(err, berth.ErrUnavailable)) {
				t.Errorf("%#v: want one attempt: %v", err, tt.tried)
			}
		})
	}
}

// TestExplicitChoiceHasTime: WithProbeTimeout is not for an address that somebody
// chose; that has as long as ctx.
func TestExplicitChoiceHasTime(t *testing.T) {
	leaktest.Check(t)
	rig.NoEnvironment(t)
	f := rig.StartFake(t, "docker")
	p := rig.NewProxy(t, f.Path)
	p.Stall(true)
	resume := time.AfterFunc(100*time.Millisecond, func() { p.Stall(false) })
	defer resume.Stop()
	cli := rig.Connect(t, berth.WithHost(p.Host()), berth.WithProbeTimeout(time.Millisecond))
	cli.Close()

	p.Stall(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := berth.New(ctx, berth.WithHost(p.Host()))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("New = %v, want context.DeadlineExceeded", err)
	}
	rig.Says(t, err, p.Host())
}

// TestNotAnEngine: what answers, but is no engine, is said to be none.
func TestNotAnEngine(t *testing.T) {
	leaktest.Check(t)
	rig.NoEnvironment(t)
	for name, text := range map[string]string{
		"a web server": "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 2\r\n\r\nhi",
		"an error":     "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<h1>gone</h1>",
		"a redirect":   "HTTP/1.1 301 Moved Permanently\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n",
		"no HTTP":      "SSH-2.0-OpenSSH_9.2\r\n",
		"nothing":      "",
	} {
		t.Run(name, func(t *testing.T) {
			host := answerRaw(t, text)
			cli, err := berth.New(t.Context(), berth.WithHost(host))
			if err == nil {
				cli.Close()
			}
			rig.Says(t, err, host)
			if _, ok := errors.AsType[*berth.ConnectError](err); !ok {
				t.Errorf("%v is no ConnectError", err)
			}
		})
	}
}

// answerRaw serves one text, whatever is asked, and returns the address.
func answerRaw(t *testing.T, text string) string {
	t.Helper()
	l := rig.Listen(t, "unix")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			conn.Write([]byte(text))
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "unix://" + l.Addr().String()
}
