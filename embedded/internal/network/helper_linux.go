package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// Helpers are the programs that give a container of an ordinary user its network, the preferred one first. The
// name of one stands for the network where an engine is rootless.
var Helpers = []string{"pasta", "slirp4netns"}

// helperInterface is what the helper's interface is called in the container.
const helperInterface = "eth0"

// helper is a program that carries packets between a namespace and sockets of its own. It ends with the monitor.
type helper struct {
	process *os.Process
	ended   chan struct{}
	said    *bytes.Buffer // once it has ended
}

// startHelper starts a helper for the namespaces of a process and waits until the interface is there.
func startHelper(ctx context.Context, name string, pid int, dir string) (*helper, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, &engine.UnsupportedError{Option: "Spec.NetworkMode", Value: name, Engine: "embedded", Need: "the program " + name, Reason: err.Error()}
	}
	userns, netns, unbind, err := namespaceFiles(pid, dir)
	if err != nil {
		return nil, err
	}
	defer unbind()
	ready, cmd, err := helperCommand(name, path, filepath.Join(dir, fmt.Sprintf("%d.ready", pid)), userns, netns)
	if err != nil {
		return nil, err
	}
	h := &helper{ended: make(chan struct{}), said: &bytes.Buffer{}}
	cmd.Stdout, cmd.Stderr = h.said, h.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func() {
		// It is killed when the thread ends that has started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		for _, f := range cmd.ExtraFiles {
			f.Close()
		}
		started <- err
		if err == nil {
			cmd.Wait()
			close(h.ended)
		}
	}()
	if err := <-started; err != nil {
		ready.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	h.process = cmd.Process
	come := make(chan struct{})
	go func() {
		// The end without a word, if it comes so, is seen by h.ended.
		var b [1]byte
		if n, _ := ready.Read(b[:]); n > 0 {
			close(come)
		}
	}()
	defer func() {
		ready.Close()
		if fifo := ready.Name(); filepath.IsAbs(fifo) {
			os.Remove(fifo)
		}
	}()
	select {
	case <-come:
		return h, nil
	case <-h.ended:
		return nil, &engine.APIError{Engine: "embedded", Op: "connect network", Object: name, Message: name + " has failed: " + plain(h.said.String())}
	case <-ctx.Done():
		h.stop()
		return nil, context.Cause(ctx)
	}
}

// plain is what a helper has said, without what it says of there being no system log.
func plain(said string) string {
	var out []string
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "Failed to send ") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "; ")
}

// namespaceFiles binds a process's user and network namespaces to files of dir, until unbind is called. A helper that has given up
// its capabilities cannot always look into the process: one that has joined another container's namespaces is closed to it.
func namespaceFiles(pid int, dir string) (userns, netns string, unbind func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", nil, err
	}
	var bound []string
	unbind = func() {
		for _, path := range bound {
			unix.Unmount(path, unix.MNT_DETACH)
			os.Remove(path)
		}
	}
	for _, kind := range []string{"user", "net"} {
		path := filepath.Join(dir, fmt.Sprintf("%d.%s", pid, kind))
		if err = os.WriteFile(path, nil, 0o600); err == nil {
			bound = append(bound, path)
			err = unix.Mount(fmt.Sprintf("/proc/%d/ns/%s", pid, kind), path, "", unix.MS_BIND, "")
		}
		if err != nil {
			unbind()
			return "", "", nil, fmt.Errorf("bind the %s namespace to a file: %w", kind, err)
		}
	}
	return bound[0], bound[1], unbind, nil
}

// helperCommand is how a helper is called. What it writes first to ready says that the interface is there; fifo is the path of one
// that it may make for that.
func helperCommand(name, path, fifo, userns, netns string) (ready *os.File, cmd *exec.Cmd, err error) {
	if name == "slirp4netns" {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		cmd := exec.Command(path, "--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=3", "--userns-path="+userns, "--netns-type=path", netns, helperInterface)
		cmd.ExtraFiles = []*os.File{w}
		return r, cmd, nil
	}
	// It writes its pid, when it is ready, to a file that it opens by name.
	if err := os.Remove(fifo); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		return nil, nil, fmt.Errorf("make a pipe for %s: %w", name, err)
	}
	// For reading and writing: otherwise the end of file comes before the writer does.
	ready, err = os.OpenFile(fifo, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return ready, exec.Command(path, "--foreground", "--quiet", "--stderr", "--config-net", "--ns-ifname", helperInterface, "--no-map-gw", "--no-netns-quit",
		"-t", "none", "-u", "none", "-T", "none", "-U", "none", "--pid", fifo, "--userns", userns, "--netns", netns), nil
}

// stop ends it and waits for its end.
func (h *helper) stop() {
	h.process.Kill()
	<-h.ended
}
