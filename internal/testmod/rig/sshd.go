//go:build unix

package rig

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// SSHD is a server of OpenSSH on a port of the loopback interface, with host key,
// user key and configuration of its own.
type SSHD struct {
	Port string
	User string
	// Remote is the directory that comes first in the PATH of the server's sessions.
	Remote string
	// Temp is TMPDIR from the start of the server on.
	Temp string
	dir  string
	pid  int
}

// StartSSHD starts an sshd that ends with the test. The test is skipped where
// there is none, but fails if BERTH_CI=1 says that there has to be one.
//
// The ssh that Berth finds in PATH from now on is the user's own with a
// configuration of the test instead of ~/.ssh: known_hosts has the server's key,
// but no identity is configured. It notes each of its runs: see Runs.
func StartSSHD(t *testing.T) *SSHD {
	t.Helper()
	const binary = "/usr/sbin/sshd"
	ssh := ""
	for _, name := range []string{binary, "ssh-keygen", "ssh"} {
		path, err := exec.LookPath(name)
		if err != nil {
			if os.Getenv("BERTH_CI") == "1" {
				t.Fatalf("BERTH_CI is set, but: %v", err)
			}
			t.Skipf("no OpenSSH server (apt-get install openssh-server): %v", err)
		}
		ssh = path
	}
	s := &SSHD{dir: ShortDir(t), Temp: ShortDir(t)}
	t.Setenv("TMPDIR", s.Temp)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s.User = me.Username
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // its privilege separation insists
			t.Fatal(err)
		}
	}
	for _, key := range []string{"host", "identity"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.file(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	s.Port = freePort(t)
	s.Remote = s.file("remote")
	if err := os.Mkdir(s.Remote, 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(t, "authorized_keys", s.read(t, "identity.pub"))
	s.write(t, "known_hosts", fmt.Sprintf("[127.0.0.1]:%s %s", s.Port, s.read(t, "host.pub")))
	s.write(t, "sshd_config", strings.Join([]string{
		"ListenAddress 127.0.0.1:" + s.Port, "HostKey " + s.file("host"), "AuthorizedKeysFile " + s.file("authorized_keys"),
		"PidFile none", "StrictModes no", "PermitRootLogin yes", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"LogLevel VERBOSE", // A home of its own, for the shells there: those start slowly with what a machine's own home has.
		"SetEnv PATH=" + s.Remote + ":/usr/sbin:/usr/bin:/sbin:/bin HOME=" + s.Remote, "",
	}, "\n"))
	s.Configure(t)
	bin := s.file("bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	WriteFile(t, filepath.Join(bin, "ssh"), fmt.Appendf(nil, "#!/bin/sh\necho \"$$ $*\" >>%s\nexec %s -F %s \"$@\"\n", s.file("runs"), ssh, s.file("ssh_config")), 0o755)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s.start(t, binary)
	return s
}

// Configure writes the client's configuration with these further lines.
func (s *SSHD) Configure(t testing.TB, lines ...string) {
	t.Helper()
	s.write(t, "ssh_config", strings.Join(append(lines,
		"UserKnownHostsFile "+s.file("known_hosts"), "GlobalKnownHostsFile none", "IdentityAgent none", "IdentitiesOnly yes", ""), "\n"))
}

// Identity is the name of the private key that the server takes.
func (s *SSHD) Identity() string { return s.file("identity") }

// ForgetHost empties known_hosts.
func (s *SSHD) ForgetHost(t testing.TB) { s.write(t, "known_hosts", "") }

// Host is ssh://user@host:port with this path.
func (s *SSHD) Host(path string) string {
	return "ssh://" + s.User + "@127.0.0.1:" + s.Port + path
}

// Logins is how often somebody has logged in.
func (s *SSHD) Logins(t testing.TB) int {
	return strings.Count(s.read(t, "log"), "Accepted publickey")
}

// Runs are the arguments of each ssh that was started, after its process ID.
func (s *SSHD) Runs(t testing.TB) []string {
	data, err := os.ReadFile(s.file("runs"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// Processes are the command lines of the ssh clients that live: those with this
// server's configuration, and masters in the background, which call themselves
// by the path of their socket, which is in Temp.
func (s *SSHD) Processes(t testing.TB) []string {
	var lines []string
	for _, line := range s.clients(t) {
		lines = append(lines, line)
	}
	return lines
}

// clients are the same by their process IDs.
func (s *SSHD) clients(t testing.TB) map[int]string {
	found := map[int]string{}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Error(err)
	}
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(data) == 0 {
			continue
		}
		line := strings.TrimSpace(strings.ReplaceAll(string(data), "\x00", " "))
		if strings.Contains(line, s.file("ssh_config")) || strings.Contains(line, s.Temp) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			found[pid] = line
		}
	}
	return found
}

// Gone waits until no ssh client lives and says which do if they never end.
func (s *SSHD) Gone(t testing.TB) {
	t.Helper()
	var left []string
	for range 200 {
		if left = s.Processes(t); len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("ssh processes left behind: %q", left)
}

// PID is the server's process.
func (s *SSHD) PID() int { return s.pid }

func (s *SSHD) start(t *testing.T, binary string) {
	log, err := os.Create(s.file("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(binary, "-D", "-e", "-f", s.file("sshd_config"))
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s\nssh was run as:\n%s", s.read(t, "log"), strings.Join(s.Runs(t), "\n"))
		}
	})
	for { // until it listens, which go test's own timeout bounds
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+s.Port)
		if err == nil {
			conn.Close()
			return
		}
		if text := s.read(t, "log"); strings.Contains(text, "rror") || strings.Contains(text, "issing") {
			t.Fatalf("sshd: %s", text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *SSHD) file(name string) string { return filepath.Join(s.dir, name) }

func (s *SSHD) write(t testing.TB, name, text string) {
	t.Helper()
	WriteFile(t, s.file(name), []byte(text), 0o600)
}

func (s *SSHD) read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(s.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// freePort is a TCP port of the loopback interface that nobody used just now.
func freePort(t testing.TB) string {
	t.Helper()
	l := Listen(t, "tcp")
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// KillClients ends every ssh client of the server by SIGKILL, and returns when
// they are gone.
func (s *SSHD) KillClients(t testing.TB) {
	t.Helper()
	for pid := range s.clients(t) {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	}
	s.Gone(t)
}
