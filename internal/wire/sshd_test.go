//go:build unix

package wire

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/leaktest"
)

// sshd is a real server of OpenSSH on a loopback port, with keys and a client configuration of its own.
type sshd struct {
	dir  string
	port string
	user string
}

// startSSHD starts an sshd that ends with the test; what it runs has env, and a home without the shell start-up files of this machine. Without one on this machine the test is skipped, but fails where BERTH_CI=1 says that there has to be one.
func startSSHD(t *testing.T, env ...string) *sshd {
	return startSSHDWith(t, "MaxSessions 10", env...)
}

// startSSHDWith is startSSHD with a line for its configuration.
func startSSHDWith(t *testing.T, config string, env ...string) *sshd {
	t.Helper()
	t.Helper()
	binary := "/usr/sbin/sshd"
	for _, b := range []string{binary, "ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(b); err != nil {
			if os.Getenv("BERTH_CI") == "1" {
				t.Fatalf("BERTH_CI is set, but: %v", err)
			}
			t.Skipf("no OpenSSH server here (apt-get install openssh-server): %v", err)
		}
	}
	leaktest.Check(t)
	dir, err := os.MkdirTemp("", "sshd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &sshd{dir: dir, user: username(t)}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd's privilege separation insists
			t.Fatal(err)
		}
	}
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.file(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	s.write(t, "authorized_keys", s.read(t, "user.pub"))
	s.write(t, "known_hosts", fmt.Sprintf("[127.0.0.1]:%s %s", s.port, s.read(t, "host.pub")))
	s.write(t, "sshd_config", fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nMaxStartups 10:30:100\n%s\nSetEnv HOME=%s GORACE=atexit_sleep_ms=0 %s\n",
		s.port, s.file("host"), s.file("authorized_keys"), config, dir, strings.Join(env, " ")))
	s.write(t, "ssh_config", fmt.Sprintf("UserKnownHostsFile %s\nGlobalKnownHostsFile none\nIdentitiesOnly yes\nIdentityAgent none\nControlMaster auto\nControlPath /nonexistent/%%C\nLocalForward 1 127.0.0.1:1\n", s.file("known_hosts")))
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
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s", s.read(t, "log"))
		}
	})
	for { // until it listens; go test's own timeout bounds that
		if conn, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			conn.Close()
			return s
		}
		if strings.Contains(s.read(t, "log"), "rror") {
			t.Fatalf("sshd: %s", s.read(t, "log"))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func username(t *testing.T) string {
	out, err := exec.Command("id", "-un").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (s *sshd) file(name string) string { return filepath.Join(s.dir, name) }

func (s *sshd) write(t *testing.T, name, text string) {
	if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *sshd) read(t *testing.T, name string) string {
	b, err := os.ReadFile(s.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// client returns an SSH to s that is closed with the test.
func (s *sshd) client(t *testing.T, cfg SSHConfig) *SSH {
	cfg.Host, cfg.Port, cfg.User = "127.0.0.1", s.port, s.user
	cfg.IdentityFile = s.file("user")
	cfg.ExtraArgs = append(cfg.ExtraArgs, "-F", s.file("ssh_config"))
	ssh, err := NewSSH(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := ssh.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		}
		if _, err := os.Stat(ssh.dir); !os.IsNotExist(err) {
			t.Errorf("the directory of sockets is left behind: %v", err)
		}
		if left := sshProcesses(ssh.dir); len(left) > 0 {
			t.Errorf("processes left behind: %q", left)
		}
	})
	return ssh
}

// sshProcesses returns the command lines of the ssh processes that use the sockets in dir, once those that end have ended.
func sshProcesses(dir string) (lines []string) {
	for range 100 {
		if lines = liveSSHProcesses(dir); len(lines) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return lines
}

// liveSSHProcesses returns them as they are now. ssh's own title of a master in the background has the path of its socket too.
func liveSSHProcesses(dir string) (lines []string) {
	out, _ := exec.Command("ps", "-eo", "args").Output()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) {
			lines = append(lines, line)
		}
	}
	return lines
}
