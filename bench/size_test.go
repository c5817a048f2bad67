package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// helloMax is the contract: 7.5 MB for a stripped linux/amd64 program that lists
// containers, of which net/http with TLS alone is 6.6.
const helloMax = 7_500_000

// TestHelloSize holds the weight of linking Berth. It is no measure of speed.
func TestHelloSize(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "hello")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./hello")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	st, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", st.Size())
	if st.Size() > helloMax {
		t.Errorf("the program is %d bytes, want at most %d", st.Size(), helloMax)
	}
}

// TestHelloModules: it links the standard library and golang.org/x/sys only.
func TestHelloModules(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./hello")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for m := range strings.FieldsSeq(string(out)) {
		switch m {
		case "github.com/berthdev/berth", "github.com/berthdev/berth/bench", "golang.org/x/sys":
		default:
			t.Errorf("it links module %s", m)
		}
	}
}
