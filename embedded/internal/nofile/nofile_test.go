//go:build linux

package nofile_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/berthdev/berth/embedded/internal/nofile"
)

// The package itself must not import os, not even for its tests: hence another package.
func TestMain(m *testing.M) {
	if os.Getenv("BERTH_NOFILE_TEST") != "" {
		fmt.Println(nofile.Original())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestOriginal: the limit is read before the Go runtime's packages change it.
func TestOriginal(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `ulimit -Sn 123; ulimit -Hn 456; exec "$0"`, exe)
	cmd.Env = append(os.Environ(), "BERTH_NOFILE_TEST=1")
	if b, err := cmd.CombinedOutput(); err != nil || string(b) != "123 456 true\n" {
		t.Errorf("%q %v", b, err)
	}
}
