package userns

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestRanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "subuid")
	text := "other:1:2\nme:100000:65536\n\n# me:5:5\nme:x:1\nme:7\n1000:300000:10\nme:4294967290:10\nme:9:0\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ranges(path, "me", 1000)
	want := []engine.IDMap{{HostID: 100000, Size: 65536}, {HostID: 300000, Size: 10}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if got, err := ranges(path+".nosuch", "me", 1000); err != nil || got != nil {
		t.Errorf("a missing file: %v, %v", got, err)
	}
	m := Maps{UIDs: stack([]engine.IDMap{{HostID: 1000, Size: 1}}, want)}
	inside, _ := m.Inside()
	// Each range stays one: the kernel refuses one that spans two of the namespace above.
	if diff := cmp.Diff([]engine.IDMap{{Size: 1}, {ContainerID: 1, HostID: 1, Size: 65536}, {ContainerID: 65537, HostID: 65537, Size: 10}}, inside); diff != "" {
		t.Errorf("inside: (-want +got)\n%s", diff)
	}
}

// TestDetectNoRanges: a user without ranges has one ID, and is told why.
func TestDetectNoRanges(t *testing.T) {
	m, err := detect("/nonexistent", "/nonexistent")
	if err != nil || !m.Single() || m.Reason == "" || len(m.UIDs) != 1 || int(m.UIDs[0].HostID) != os.Geteuid() {
		t.Errorf("%+v, %v", m, err)
	}
}
