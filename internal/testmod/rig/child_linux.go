package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// childVariable names, in a test binary that was started again, the function to
// run instead of the tests.
const childVariable = "BERTH_TEST_CHILD"

// Main runs the function that childVariable names, when there is one, and prints
// its result as JSON: then it does not return. A test binary's TestMain calls it
// first. The child "dial-stdio" is there without being asked for: see DialStdio.
func Main(children map[string]func() any) {
	name := os.Getenv(childVariable)
	if name == "" {
		return
	}
	os.Unsetenv(childVariable)
	if name == "dial-stdio" {
		os.Exit(dialStdio(os.Getenv(socketVariable)))
	}
	child, ok := children[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no child function %q\n", name)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(child()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(0)
}

// Child runs the function of that name in this test binary, started again in a
// mount namespace of its own, in which it may hide what this machine has; the
// function's result is decoded into out. The test is skipped where that is not
// allowed.
func Child(t *testing.T, name string, out any, env ...string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), childVariable+"="+name, "GORACE=atexit_sleep_ms=0"), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = private()
	if err := cmd.Start(); err != nil {
		if os.Getenv("BERTH_CI") == "1" {
			t.Fatalf("BERTH_CI is set, but no mount namespace can be made: %v", err)
		}
		t.Skipf("no mount namespace can be made: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		t.Fatalf("%s: %v in %q", name, err, &stdout)
	}
}

// private makes a mount namespace, in a user namespace unless we are root.
func private() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// HideRun puts an empty file system over /run, and over /var/run where that is a
// directory of its own. It is for functions of Child.
func HideRun() error {
	for _, dir := range []string{"/run", "/var/run"} {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mount over %s: %w", dir, err)
		}
	}
	return nil
}
