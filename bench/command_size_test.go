package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// commandMax is the contract: 20 MB for the stripped berth command on linux/amd64, with the embedded engine in it.
const commandMax = 20_000_000

// TestCommandSize holds the weight of the command. It is no measure of speed.
func TestCommandSize(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "berth")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, ".")
	cmd.Dir = filepath.Join("..", "cmd", "berth")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	st, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", st.Size())
	if st.Size() > commandMax {
		t.Errorf("the berth command is %d bytes, want at most %d", st.Size(), commandMax)
	}
}
