package transport

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// sshTo starts an sshd behind which an engine's socket is, and gives the ways to
// it: a command there that dials it, and the socket's path.
func sshTo(t *testing.T, kind, socket string) (_ *rig.SSHD, ways map[string]string) {
	t.Helper()
	rig.NoEnvironment(t)
	s := rig.StartSSHD(t)
	s.Configure(t, "IdentityFile "+s.Identity())
	s.DialStdio(t, kind, socket)
	return s, map[string]string{"dial-stdio": s.Host(""), "socket": s.Host(socket)}
}

// nothingLeft fails the test if there is a directory of sockets, or a process,
// after the clients were closed.
func nothingLeft(t *testing.T, s *rig.SSHD) {
	t.Helper()
	s.Gone(t)
	left, err := filepath.Glob(filepath.Join(s.Temp, "berth-ssh-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestSSH: everything works over ssh, both ways, with one or two logins, and
// nothing is left after Close.
func TestSSH(t *testing.T) {
	e := rig.NeedEngine(t)
	leaktest.Check(t)
	s, ways := sshTo(t, e.Kind(), e.Socket)
	for name, host := range ways {
		t.Run(name, func(t *testing.T) {
			before := s.Logins(t)
			t.Run("client", func(t *testing.T) { // which is closed at the end of this
				cli := rig.Connect(t, berth.WithHost(host))
				if id := cli.Engine(); id.Host != host || id.Local || id.Name != e.Kind() {
					t.Errorf("engine is %+v", id)
				}
				rig.Exercise(t, cli)
			})
			if n := s.Logins(t) - before; n > 3 {
				t.Errorf("%d logins", n)
			}
			nothingLeft(t, s)
		})
	}
}

// TestSSHAtOnce: 64 calls at once, each of which is answered when all of them
// have arrived, take few logins and processes: with a socket's path one, else one
// for each 8. sshd drops those who log in all at once.
func TestSSHAtOnce(t *testing.T) {
	leaktest.Check(t)
	const calls = 64
	f := rig.StartFake(t, "docker")
	s, ways := sshTo(t, f.Kind, f.Path)
	for name, host := range ways {
		t.Run(name, func(t *testing.T) {
			cli := rig.Connect(t, berth.WithHost(host))
			before, runs := s.Logins(t), len(s.Runs(t))
			var arrived sync.WaitGroup
			arrived.Add(calls)
			most := 0
			count := sync.OnceFunc(func() { most = len(s.Processes(t)) })
			f.Answer(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/_ping" {
					arrived.Done()
					arrived.Wait()
					count()
				}
				f.Default(w, r)
			})
			defer f.Answer(nil)
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					if err := cli.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			logins := s.Logins(t) - before
			t.Logf("%d calls: %d logins, %d ssh processes at once, %d runs of ssh", calls, logins, most, len(s.Runs(t))-runs)
			wantLogins, wantProcesses := calls/8, calls/8
			if name == "socket" {
				wantLogins, wantProcesses = 0, 1
			}
			if logins > wantLogins || most > wantProcesses {
				t.Errorf("want at most %d logins and %d processes", wantLogins, wantProcesses)
			}
			if err := cli.Close(); err != nil {
				t.Error(err)
			}
			nothingLeft(t, s)
		})
	}
}

// TestSSHErrors: what ssh says on its stderr is in the error, and nothing is left.
func TestSSHErrors(t *testing.T) {
	leaktest.Check(t)
	f := rig.StartFake(t, "docker")
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, s *rig.SSHD)
		path  string
		says  []string
	}{
		"unknown host key": {func(t *testing.T, s *rig.SSHD) { s.ForgetHost(t) }, "", []string{"Host key verification failed", "127.0.0.1]:"}},
		"no identity":      {func(t *testing.T, s *rig.SSHD) { s.Configure(t, "IdentityFile none") }, "", []string{"Permission denied"}},
		"no client there": {func(t *testing.T, s *rig.SSHD) {
			if err := os.Remove(filepath.Join(s.Remote, "docker")); err != nil {
				t.Fatal(err)
			}
		}, "", []string{"neither docker nor podman reaches an engine"}},
		"no engine there": {func(t *testing.T, s *rig.SSHD) { s.DialStdio(t, "docker", "/nonexistent/engine.sock") }, "", []string{"/nonexistent/engine.sock"}},
		"no socket there": {func(*testing.T, *rig.SSHD) {}, "/nonexistent/engine.sock", []string{"no engine answers at /nonexistent/engine.sock"}},
		"nobody listens":  {func(t *testing.T, s *rig.SSHD) { s.Port = "1" }, "", []string{"Connection refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := sshTo(t, f.Kind, f.Path)
			tt.spoil(t, s)
			if name == "no client there" {
				t.Setenv("PATH", os.Getenv("PATH"))
			}
			host := s.Host(tt.path)
			cli, err := berth.New(t.Context(), berth.WithHost(host))
			if err == nil {
				cli.Close()
			}
			rig.Says(t, err, append(tt.says, host)...)
			if _, ok := errors.AsType[*berth.ConnectError](err); !ok || !errors.Is(err, berth.ErrUnavailable) {
				t.Errorf("%v is no ConnectError", err)
			}
			nothingLeft(t, s)
		})
	}
}

// TestSSHIdentity: the environment's ssh addresses, with the identity from ssh's
// own configuration or from CONTAINER_SSHKEY.
func TestSSHIdentity(t *testing.T) {
	leaktest.Check(t)
	for name, kind := range map[string]string{"DOCKER_HOST": "docker", "CONTAINER_HOST": "podman", "podman connection": "podman"} {
		t.Run(name, func(t *testing.T) {
			f := rig.StartFake(t, kind)
			s, ways := sshTo(t, kind, f.Path)
			source := name
			switch name {
			case "DOCKER_HOST":
				t.Setenv("DOCKER_HOST", ways["dial-stdio"])
				t.Setenv("CONTAINER_SSHKEY", "/nonexistent") // it is not for Docker
			case "CONTAINER_HOST":
				s.Configure(t, "IdentityFile none")
				t.Setenv("CONTAINER_HOST", ways["socket"])
				t.Setenv("CONTAINER_SSHKEY", s.Identity())
			default:
				s.Configure(t, "IdentityFile none")
				conf := t.TempDir() + "/podman-connections.json"
				rig.WriteFile(t, conf, []byte(`{"Connection":{"Connections":{"far":{"URI":"`+ways["socket"]+`","Identity":"`+s.Identity()+`"}}}}`), 0o600)
				t.Setenv("PODMAN_CONNECTIONS_CONF", conf)
				t.Setenv("CONTAINER_CONNECTION", "far")
				source = `podman connection "far" (CONTAINER_CONNECTION)`
			}
			cli := rig.Connect(t)
			if id := cli.Engine(); id.Source != source || id.Name != kind {
				t.Errorf("engine is %+v", id)
			}
			if err := cli.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			cli.Close()
			nothingLeft(t, s)
		})
	}
}

// TestSSHLost: when the ssh connection dies under a stream, the stream is an
// error, not an end; the next call logs in again.
func TestSSHLost(t *testing.T) {
	leaktest.Check(t)
	f := rig.StartFake(t, "docker")
	f.Answer(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") {
			rig.JSON(w, 200, `{"Type":"container","Action":"start","Actor":{"ID":"`+rig.ID+`"},"timeNano":1}`)
			w.(http.Flusher).Flush()
			f.Block(r)
			return
		}
		f.Default(w, r)
	})
	s, ways := sshTo(t, f.Kind, f.Path)
	for name, host := range ways {
		t.Run(name, func(t *testing.T) {
			cli := rig.Connect(t, berth.WithHost(host))
			seen := 0
			var last error
			for _, err := range cli.Events(t.Context()) {
				if err != nil {
					last = err
					break
				}
				seen++
				s.KillClients(t)
			}
			if seen != 1 || !errors.Is(last, berth.ErrUnavailable) {
				t.Errorf("%d events, then %v", seen, last)
			}
			if err := cli.Ping(t.Context()); err != nil {
				t.Errorf("the next call: %v", err)
			}
			cli.Close()
			nothingLeft(t, s)
		})
	}
}

// TestSSHCancelled: a New that is cancelled while ssh has not got through returns
// ctx's error and leaves nothing.
func TestSSHCancelled(t *testing.T) {
	leaktest.Check(t)
	f := rig.StartFake(t, "docker")
	s, ways := sshTo(t, f.Kind, f.Path)
	l := rig.Listen(t, "tcp") // accepts, as far as the kernel goes, and says nothing
	defer l.Close()
	_, s.Port, _ = strings.Cut(l.Addr().String(), ":")
	for name := range ways {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			path := ""
			if name == "socket" {
				path = f.Path
			}
			go func() {
				for len(s.Processes(t)) == 0 {
				}
				cancel()
			}()
			_, err := berth.New(ctx, berth.WithHost(s.Host(path)))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("New = %v, want context.Canceled", err)
			}
			nothingLeft(t, s)
		})
	}
}
