//go:build unix

package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth/internal/leaktest"
)

// echo is a script that answers requests with what they say; a hijacked one like cat, in capitals, after its end.
func echo(p *peer) {
	for req := p.request(); req != nil; req = p.request() {
		if req.Header.Get("Upgrade") != "" {
			p.send("HTTP/1.1 101 UPGRADED\r\n\r\n")
			b, _ := io.ReadAll(p.br)
			p.Conn.Write(bytes.ToUpper(b))
			return
		}
		body, _ := io.ReadAll(req.Body)
		text := req.URL.Path + " " + string(body)
		p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
	}
}

// noMaster is the mode in which each connection is a process, as where ssh has no masters.
const noMaster = "processes"

// sshModes are the ways to an engine behind ssh.
func sshModes(engine *server) map[string]SSHConfig {
	return map[string]SSHConfig{
		"dial-stdio": {DialStdio: []string{os.Args[0], "dial-stdio", engine.path}},
		"forwarded":  {SocketPath: engine.path},
		noMaster:     {DialStdio: []string{os.Args[0], "dial-stdio", engine.path}},
	}
}

func TestSSH(t *testing.T) {
	host := startSSHD(t)
	engine := serve(t, echo)
	for mode, cfg := range sshModes(engine) {
		t.Run(mode, func(t *testing.T) {
			ssh := host.client(t, cfg)
			ssh.mux = mode != noMaster
			c := New(Config{Dial: ssh.Dial})
			t.Cleanup(func() { c.Close() })

			var text string
			if _, err := c.Call(t.Context(), Request{Method: "POST", Path: "/x", Body: strings.NewReader("hello")}, &text); err != nil || text != "/x hello" {
				t.Fatalf("Call = %q, %v", text, err)
			}

			// Binary, larger than every buffer between, and half-closed.
			conn, err := c.Hijack(t.Context(), attach)
			if err != nil {
				t.Fatal(err)
			}
			sent := bytes.Repeat([]byte("abc\x00\xff\r\n~.\n"), 200_000)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := conn.Write(sent); err != nil {
					t.Errorf("Write = %v", err)
				}
				if err := conn.CloseWrite(); err != nil {
					t.Errorf("CloseWrite = %v", err)
				}
			})
			got, err := io.ReadAll(conn)
			wg.Wait()
			if !bytes.Equal(got, bytes.ToUpper(sent)) || err != nil {
				t.Errorf("read %d bytes of %d, %v", len(got), len(sent), err)
			}
			conn.Close()

			// More connections at once than one ssh connection carries sessions, all held open.
			var conns []*Conn
			for range maxSessions + 4 {
				conn, err := c.Hijack(t.Context(), attach)
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
			want := map[string]int{"dial-stdio": 2, "forwarded": 1, noMaster: 0}[mode]
			if n := len(ssh.list); n != want {
				t.Errorf("%d ssh connections, want %d", n, want)
			}
			if mode != noMaster {
				if list := liveSSHProcesses(ssh.dir); len(list) != want {
					t.Errorf("%d processes, want %d: %q", len(list), want, list)
				}
			}
			for _, conn := range conns {
				io.WriteString(conn, "x")
				conn.CloseWrite()
				if b, err := io.ReadAll(conn); string(b) != "X" || err != nil {
					t.Errorf("read %q, %v", b, err)
				}
				conn.Close()
			}
			for _, m := range ssh.list {
				if n := m.sessions.Load(); n > 1 { // the pooled one
					t.Errorf("%d sessions are still counted", n)
				}
			}
		})
	}
}

// TestSSHCancel: a cancelled read over ssh leaves no process and no goroutine.
func TestSSHCancel(t *testing.T) {
	host := startSSHD(t)
	over := make(chan struct{})
	engine := serve(t, func(p *peer) {
		p.request()
		p.send("HTTP/1.1 101 UPGRADED\r\n\r\n")
		<-over
	})
	defer close(over)
	for mode, cfg := range sshModes(engine) {
		t.Run(mode, func(t *testing.T) {
			ssh := host.client(t, cfg)
			ssh.mux = mode != noMaster
			c := New(Config{Dial: ssh.Dial})
			ready := make(chan struct{})
			conn, err := c.Hijack(cancelWhen(t, ready, errCause), attach)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			close(ready)
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, errCause) || !errors.Is(err, context.Canceled) {
				t.Errorf("Read = %v, want the context's error", err)
			}
		})
	}
}

// TestSSHClosed: reading ends when the connection is closed, and so does what is dialled after Close.
func TestSSHClosed(t *testing.T) {
	host := startSSHD(t)
	engine := serve(t, echo)
	ssh := host.client(t, sshModes(engine)["dial-stdio"])
	conn, err := ssh.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read = %v, want net.ErrClosed", err)
		}
	})
	wg.Go(func() { conn.Close() })
	wg.Wait()
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write = %v, want net.ErrClosed", err)
	}

	// One whose ssh ends under it has lost its connection.
	if conn, err = ssh.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := ssh.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(conn); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Read after the end of the ssh connection = %v, want io.ErrUnexpectedEOF", err)
	}
	if _, err := ssh.Dial(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial after Close = %v", err)
	}
}

// TestSSHMasterGone: when the ssh connection has ended since, the next dial makes another.
func TestSSHMasterGone(t *testing.T) {
	host := startSSHD(t)
	engine := serve(t, echo)
	for mode, cfg := range sshModes(engine) {
		if mode == noMaster {
			continue
		}
		for _, socket := range []string{"removed", "left"} {
			t.Run(mode+"/"+socket, func(t *testing.T) {
				ssh := host.client(t, cfg)
				c := New(Config{Dial: ssh.Dial})
				defer c.Close()
				for i := range 2 {
					var text string
					if _, err := c.Call(t.Context(), get("/x"), &text); err != nil || text != "/x " {
						t.Errorf("Call %d = %q, %v", i, text, err)
					}
					c.Close()
					if i == 1 {
						break
					}
					m := ssh.list[0]
					if err := ssh.exit(m); err != nil {
						t.Fatal(err)
					}
					if left := sshProcesses(ssh.dir); len(left) > 0 {
						t.Fatalf("the master lives on: %q", left)
					}
					if socket == "left" { // as by a master that was killed
						leaveSocket(t, m.control)
						if m.forward != "" {
							os.Remove(m.forward)
							leaveSocket(t, m.forward)
						}
					}
				}
			})
		}
	}
}

// leaveSocket makes a unix socket at path on which nobody listens.
func leaveSocket(t *testing.T, path string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// TestSSHFailures: what ssh, or the remote command, says is in the error.
func TestSSHFailures(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{
		"docker": "#!/bin/sh\necho docker: no daemon here >&2; exit 1\n",
		"podman": "#!/bin/sh\necho podman: no socket here >&2; exit 125\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	host := startSSHD(t, "PATH="+bin+":/usr/bin:/bin")
	unknown := filepath.Join(t.TempDir(), "known_hosts")
	for _, test := range []struct {
		name string
		cfg  SSHConfig
		want []string
		dial bool // it is the dial that fails
	}{
		{"unknown host key", SSHConfig{ExtraArgs: []string{"-o", "UserKnownHostsFile=" + unknown}}, []string{"Host key verification failed", "ssh 127.0.0.1: "}, true},
		{"no permission", SSHConfig{ExtraArgs: []string{"-o", "PreferredAuthentications=password"}}, []string{"Permission denied"}, true},
		{"no ssh", SSHConfig{Binary: "/nonexistent/ssh"}, []string{"/nonexistent/ssh"}, true},
		{"neither engine", SSHConfig{}, []string{"neither docker nor podman", "docker: no daemon here", "podman: no socket here"}, true},
		{"no command", SSHConfig{DialStdio: []string{"no such'command"}}, []string{"exit status 127", "no such'command"}, false},
		{"silent command", SSHConfig{DialStdio: []string{"true"}}, []string{"EOF"}, false},
		{"no socket", SSHConfig{SocketPath: "/nonexistent/engine.sock"}, []string{"no engine answers at /nonexistent/engine.sock on 127.0.0.1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := New(Config{Dial: host.client(t, test.cfg).Dial})
			_, err := c.Call(t.Context(), get("/x"), nil)
			if !Unavailable(err) {
				t.Fatalf("Call = %v, want unavailability", err)
			}
			if _, ok := errors.AsType[*DialError](err); ok != test.dial {
				t.Errorf("Call = %v, a *DialError: %t", err, ok)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if _, herr := c.Hijack(t.Context(), attach); !Unavailable(herr) {
				t.Errorf("Hijack = %v, want unavailability", herr)
			}
		})
	}
}

// TestSSHProbe: without a command given, that of the first engine which answers is taken.
func TestSSHProbe(t *testing.T) {
	engine := serve(t, echo)
	for name, scripts := range map[string]map[string]string{
		"docker": {"docker": "exec " + os.Args[0] + " dial-stdio " + engine.path, "podman": "exit 1"},
		"podman": {"docker": "echo no daemon >&2; exit 1", "podman": "exec " + os.Args[0] + " dial-stdio " + engine.path},
	} {
		t.Run(name, func(t *testing.T) {
			bin := t.TempDir()
			for name, script := range scripts {
				script = `#!/bin/sh
[ "$*" = "system dial-stdio" ] || exit 2
` + script + "\n"
				if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			ssh := startSSHD(t, "PATH="+bin+":/usr/bin:/bin").client(t, SSHConfig{})
			c := New(Config{Dial: ssh.Dial})
			defer c.Close()
			var text string
			if _, err := c.Call(t.Context(), get("/x"), &text); err != nil || text != "/x " || ssh.remote != name+" system dial-stdio" {
				t.Errorf("Call = %q, %v by %q", text, err, ssh.remote)
			}
		})
	}
}

// TestSSHDialCancelled: a server that accepts and says nothing does not hold a cancelled dial, nor those that wait for it, nor Close.
func TestSSHDialCancelled(t *testing.T) {
	leaktest.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ssh, err := NewSSH(SSHConfig{Host: "127.0.0.1", Port: port, ExtraArgs: []string{"-F", "none"}})
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			accepted <- struct{}{}
		}
	})
	dial := func(ctx context.Context, want error) {
		wg.Go(func() {
			if _, err := ssh.Dial(ctx); !errors.Is(err, want) {
				t.Errorf("Dial = %v, want %v", err, want)
			}
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	for range 3 {
		dial(ctx, errCause)
	}
	<-accepted
	cancel(errCause)
	dial(t.Context(), net.ErrClosed)
	<-accepted
	if err := ssh.Close(); err != nil {
		t.Error(err)
	}
	l.Close()
	wg.Wait()
}

func TestNewSSHRefuses(t *testing.T) {
	for _, cfg := range []SSHConfig{{}, {Host: "-oProxyCommand=x"}, {Host: "h", SocketPath: "/a:b"}} {
		if s, err := NewSSH(cfg); err == nil {
			s.Close()
			t.Errorf("NewSSH(%+v) is no error", cfg)
		}
	}
}

// TestSSHArguments: options of ours cannot be taken for others, and nothing weakens the check of host keys.
func TestSSHArguments(t *testing.T) {
	for _, interactive := range []bool{false, true} {
		ssh, err := NewSSH(SSHConfig{Host: "h", User: "-u", Port: "22", IdentityFile: "/k y", ExtraArgs: []string{"-v"}, Interactive: interactive, DialStdio: []string{"a b", "it's"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ssh.Close()
		args := ssh.command(t.Context(), &sshMaster{control: "/c"}, false, []string{"-T"}, ssh.remote).Args
		if got := slices.Contains(args, "BatchMode=yes"); got == interactive {
			t.Errorf("interactive %t: BatchMode %t", interactive, got)
		}
		if tail := strings.Join(args[len(args)-13:], "|"); !strings.HasSuffix(tail, `|-T|-l|-u|-p|22|-i|/k y|-v|--|h|'a b' 'it'\''s'`) {
			t.Errorf("arguments end with %s", tail)
		}
		if strings.Contains(strings.Join(args, " "), "StrictHostKeyChecking") {
			t.Errorf("arguments %q", args)
		}
	}
}
