package berth

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/connect"
	"github.com/google/go-cmp/cmp"
)

func TestStartFailureRemoves(t *testing.T) {
	cli, e := newFake(t)
	_, err := cli.Containers.Start(soon(t), spec("nosuch"))
	if !errors.Is(err, ErrCommandNotFound) {
		t.Errorf("error %v", err)
	}
	noneLeft(t, e)
	// Cancelled during the start.
	ctx, cancel := context.WithCancel(t.Context())
	e.Hook = func(ctx context.Context, op, _ string) error {
		if op == "ContainerStart" {
			cancel()
		}
		return ctx.Err()
	}
	if _, err = cli.Containers.Start(ctx, spec("sleep")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	noneLeft(t, e)
}

// The engine's own report of a container that it could not remove becomes ours.
func TestCreateOrphan(t *testing.T) {
	cli, e := newFake(t)
	cause, cleanup := errors.New("warned"), errors.New("busy")
	e.Hook = failing("ContainerCreate", &engine.OrphanError{ID: "0123", Cause: cause, Cleanup: cleanup})
	_, err := cli.Containers.Create(soon(t), spec("true"))
	o, ok := errors.AsType[*OrphanError](err)
	if !ok || o.Container.ID() != "0123" || !errors.Is(err, cause) || !errors.Is(err, cleanup) {
		t.Errorf("error %v", err)
	}
}

func TestCreateWarnings(t *testing.T) {
	cli, _ := newFake(t)
	s := spec("true")
	s.Resources.BlkioWeight = 500
	c, err := cli.Containers.Create(soon(t), s, CreateOptions{AllowDiscarded: true})
	if err != nil || len(c.Warnings()) != 1 || !strings.Contains(c.Warnings()[0], "discarded") {
		t.Errorf("warnings %q, %v", c.Warnings(), err)
	}
}

func TestPullPolicies(t *testing.T) {
	denied := &engine.APIError{Kind: engine.ErrUnauthorized, Message: "denied"}
	for name, tc := range map[string]struct {
		image    string
		platform string
		policy   PullPolicy
		pull     error
		want     error
		calls    []string
	}{
		"missing, there":      {image: "busybox", calls: []string{"ContainerCreate"}},
		"missing, not there":  {image: "new", calls: []string{"ContainerCreate", "ImagePull", "ContainerCreate"}},
		"missing, refused":    {image: "new", pull: denied, want: ErrUnauthorized, calls: []string{"ContainerCreate", "ImagePull"}},
		"always":              {image: "busybox", policy: PullAlways, calls: []string{"ImagePull", "ContainerCreate"}},
		"always, refused":     {image: "busybox", policy: PullAlways, pull: denied, want: ErrUnauthorized, calls: []string{"ImagePull"}},
		"never, there":        {image: "busybox", policy: PullNever, calls: []string{"ContainerCreate"}},
		"never, not there":    {image: "new", policy: PullNever, want: ErrImageNotFound, calls: []string{"ContainerCreate"}},
		"newer":               {image: "busybox", policy: PullNewer, calls: []string{"ImagePull", "ContainerCreate"}},
		"newer, refused":      {image: "busybox", policy: PullNewer, pull: denied, calls: []string{"ImagePull", "ImageInspect", "ContainerCreate"}},
		"newer, neither":      {image: "new", policy: PullNewer, pull: denied, want: ErrUnauthorized, calls: []string{"ImagePull", "ImageInspect"}},
		"platform, the same":  {image: "busybox", platform: "linux/amd64", calls: []string{"ImageInspect", "ContainerCreate"}},
		"platform, another":   {image: "busybox", platform: "linux/arm64", calls: []string{"ImageInspect", "ImagePull", "ContainerCreate"}},
		"platform, never":     {image: "busybox", platform: "linux/arm64", policy: PullNever, want: ErrImageNotFound, calls: []string{"ImageInspect"}},
		"platform, not there": {image: "new", platform: "linux/amd64", calls: []string{"ImageInspect", "ImagePull", "ContainerCreate"}},
	} {
		t.Run(name, func(t *testing.T) {
			cli, e := newFake(t, NoRefresh())
			e.Pull = func(ref string, o engine.PullOptions) error {
				if ref != tc.image || o.Platform != tc.platform || o.Policy != PullAlways {
					t.Errorf("pull of %s with %+v", ref, o)
				}
				return tc.pull
			}
			s := Spec{Image: tc.image, Platform: tc.platform, Command: []string{"true"}}
			_, err := cli.Containers.Create(soon(t), s, CreateOptions{Pull: tc.policy})
			if !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			if diff := cmp.Diff(tc.calls, e.Calls()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// fileEnv is a machine with one file.
func fileEnv(name, content string) connect.Env {
	return connect.Env{
		GOOS: "linux", Home: "/home/u",
		ReadFile: func(path string) ([]byte, error) {
			if path == name {
				return []byte(content), nil
			}
			return nil, fs.ErrNotExist
		},
	}
}

func TestPullCredentials(t *testing.T) {
	env := fileEnv("/home/u/.docker/config.json", `{"auths":{"reg.example:5000":{"auth":"dXNlcjpzZWNyZXQ="}}}`)
	cli, e := newFake(t, withEnv(env))
	var got []*RegistryAuth
	e.Pull = func(_ string, o engine.PullOptions) error { got = append(got, o.Auth); return nil }
	own := &RegistryAuth{Username: "own"}
	for ref, o := range map[string]CreateOptions{"reg.example:5000/a": {}, "other.example/a": {}, "reg.example:5000/b": {Auth: own}} {
		got = nil
		if _, err := cli.Containers.Create(soon(t), Spec{Image: ref, Command: []string{"true"}}, o); err != nil {
			t.Fatal(err)
		}
		switch a := got[0]; ref {
		case "reg.example:5000/a":
			if a == nil || a.Username != "user" || a.Password != "secret" {
				t.Errorf("%s: %v", ref, a)
			}
		case "other.example/a":
			if a != nil {
				t.Errorf("%s: %v", ref, a)
			}
		default:
			if a != own {
				t.Errorf("%s: %v", ref, a)
			}
		}
	}
}

func TestConfigProxies(t *testing.T) {
	env := fileEnv("/home/u/.docker/config.json", `{"proxies":{"default":{"httpProxy":"http://p:1","noProxy":"localhost"}}}`)
	for name, tc := range map[string]struct {
		spec func(*Spec)
		want string
	}{
		"default": {func(*Spec) {}, "A=1\nHTTP_PROXY=http://p:1\nNO_PROXY=localhost\nhttp_proxy=http://p:1\nno_proxy=localhost\n"},
		"own":     {func(s *Spec) { s.Env["HTTP_PROXY"] = "" }, "A=1\nHTTP_PROXY=\nNO_PROXY=localhost\nhttp_proxy=http://p:1\nno_proxy=localhost\n"},
		"unset":   {func(s *Spec) { s.UnsetEnv = []string{"no_proxy", "NO_PROXY"} }, "A=1\nHTTP_PROXY=http://p:1\nhttp_proxy=http://p:1\n"},
		"off":     {func(s *Spec) { s.UseConfigProxy = new(false) }, "A=1\n"},
		"on":      {func(s *Spec) { s.UseConfigProxy = new(true); s.Env = nil }, "HTTP_PROXY=http://p:1\nNO_PROXY=localhost\nhttp_proxy=http://p:1\nno_proxy=localhost\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cli, _ := newFake(t, withEnv(env))
			s := spec("env")
			s.Env = map[string]string{"A": "1"}
			tc.spec(&s)
			before := s.Clone()
			res, err := cli.Containers.Run(soon(t), s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(res.Stdout)); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
			if !s.Equal(before) {
				t.Error("the caller's spec was modified")
			}
		})
	}
	cli, e := newFake(t, withEnv(fileEnv("/home/u/.docker/config.json", `{"proxies":[]}`)))
	if _, err := cli.Containers.Create(soon(t), spec("true")); !errors.Is(err, ErrInvalid) {
		t.Errorf("malformed configuration: %v", err)
	}
	if slices.Contains(e.Calls(), "ContainerCreate") {
		t.Error("a container was created")
	}
}
