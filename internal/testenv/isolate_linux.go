package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolated marks the process that has namespaces of its own.
const isolated = "BERTH_TEST_ISOLATED"

// Isolate runs this test binary again in a network and a mount namespace of its
// own, so that bridges, rules and mounts are nobody else's business. Call it first in
// TestMain: where done is true the tests have run, and code is for os.Exit; else
// this is the process that runs them.
func Isolate() (code int, done bool) {
	if os.Getenv(isolated) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "namespaces of the test:", err)
			return 1, true
		}
		return 0, false
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args, Env: append(os.Environ(), isolated+"=1"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL},
	}
	err := cmd.Start()
	if err == nil {
		ns, nerr := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
		err = cmd.Wait()
		if nerr == nil {
			endMonitors(ns)
		}
	}
	if ee, ok := errors.AsType[*exec.ExitError](err); ok && ee.ExitCode() > 0 {
		return ee.ExitCode(), true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run the test in namespaces of its own:", err)
		return 1, true
	}
	return 0, true
}

// endMonitors kills the monitors in a network namespace that nobody else uses any more, and their
// containers with them: those of tests that have failed, or run out of time, would go on for ever.
func endMonitors(ns string) {
	pids, err := monitorsIn(ns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "find what is left:", err)
	}
	for _, pid := range pids {
		n, err := strconv.Atoi(pid)
		if err != nil {
			continue
		}
		fmt.Fprintln(os.Stderr, "killed a monitor that was left:", n)
		syscall.Kill(n, syscall.SIGKILL)
	}
}

// settle makes the fresh namespaces fit for use: mounts stay here, and propagate
// between each other as on a machine with systemd; the loopback interface is up.
func settle() error {
	for _, how := range []uintptr{unix.MS_PRIVATE, unix.MS_SHARED} {
		if err := unix.Mount("", "/", "", how|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("set propagation: %w", err)
		}
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}
