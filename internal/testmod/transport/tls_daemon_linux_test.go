package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/leaktest"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestTLSDaemon: everything works with a real engine that ends TLS itself and
// demands client certificates: a second dockerd, or a second service of Podman
// (5.7 and later; before, Podman has no TLS), in the surroundings of the engine.
func TestTLSDaemon(t *testing.T) {
	e := rig.NeedEngine(t)
	if ok, why := e.Owned(t); !ok {
		t.Skip("a second engine needs the namespaces of the first: ", why)
	}
	if e.Name == "podman43" {
		t.Skip("Podman 4.3 has no TLS of its own")
	}
	leaktest.Check(t)
	rig.NoEnvironment(t)
	c := newCerts(t)
	c.server = c.ca.Issue(t, false, e.Addr)
	dir := rig.ShortDir(t)
	rig.CertDir(t, dir, c.ca.PEM, c.server)
	addr := net.JoinHostPort(e.Addr, "2376")
	var args []string
	if e.Docker() {
		// It shares the first one's bridge: with "none" dockerd removes docker0, which is the first one's.
		args = []string{"dockerd", "--host", "tcp://" + addr, "--tlsverify", "--tlscacert", dir + "/ca.pem", "--tlscert", dir + "/cert.pem", "--tlskey", dir + "/key.pem",
			"--data-root", dir + "/data", "--exec-root", dir + "/exec", "--pidfile", dir + "/pid", "--bridge", "docker0", "--iptables=false"}
	} else {
		args = []string{"podman", "system", "service", "--time", "0", "--tls-client-ca", dir + "/ca.pem", "--tls-cert", dir + "/cert.pem", "--tls-key", dir + "/key.pem", "tcp://" + addr}
	}
	startDaemon(t, e.Name, args, addr)

	cli := rig.Connect(t, tlsWays(c)["WithTLSFiles"](t, addr)...)
	if e.Docker() {
		copyImage(t, e.Connect(t), cli)
	}
	rig.Exercise(t, cli)

	t.Run("without a certificate", func(t *testing.T) {
		_, err := berth.New(t.Context(), berth.WithHost("tcp://"+addr), berth.WithTLSFiles(filepath.Join(dir, "ca.pem"), "", ""))
		rig.Says(t, err, "remote error: tls:", "certificate") // required, or bad in the words of older servers
		if !errors.Is(err, berth.ErrUnavailable) {
			t.Errorf("%v is not ErrUnavailable", err)
		}
	})
	t.Run("without TLS", func(t *testing.T) {
		_, err := berth.New(t.Context(), berth.WithHost("tcp://"+addr))
		rig.Says(t, err, "HTTPS")
	})
}

// startDaemon runs a program in the engine's surroundings until the test's end,
// and returns when it listens at addr.
func startDaemon(t *testing.T, engine string, args []string, addr string) {
	t.Helper()
	script, err := filepath.Abs("../../../scripts/engines")
	if err != nil {
		t.Fatal(err)
	}
	var log rig.Buffer
	cmd := exec.Command(script, append([]string{"exec", engine}, args...)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"} // podman minds CONTAINER_HOST, even if empty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = 10 * time.Second // its children have the same output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := <-exited; err != nil {
			t.Logf("%s: %v", args[0], err)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", args[0], &log)
		}
	})
	for {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("%s: %v\n%s", args[0], err, &log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// copyImage gives the image of one engine to another.
func copyImage(t *testing.T, from, to *berth.Client) {
	t.Helper()
	r, err := from.Images.Save(t.Context(), []string{rig.Image})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var saved bytes.Buffer
	if _, err := io.Copy(&saved, r); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Images.Load(t.Context(), &saved); err != nil {
		t.Fatal(err)
	}
}
