package embedded

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestDirectories(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/data")
	t.Setenv("XDG_RUNTIME_DIR", "/runtime")
	for _, c := range []struct {
		name     string
		o        options
		rootless bool
		root     string
		run      string // "" is one of its own
	}{
		{"default", options{}, false, "/var/lib/berth", "/run/berth"},
		{"rootless", options{}, true, "/data/berth", "/runtime/berth"},
		{"both", options{root: "/a/", runRoot: "/b/."}, false, "/a", "/b"},
		{"root alone", options{root: "/a"}, false, "/a", ""},
		{"run root alone", options{runRoot: "/b"}, false, "/var/lib/berth", "/b"},
	} {
		root, run, err := directories(&c.o, c.rootless)
		if err != nil || root != c.root || c.run != "" && run != c.run {
			t.Errorf("%s: %s and %s, %v", c.name, root, run, err)
		}
		if c.run == "" && (run == "/run/berth" || filepath.Dir(run) != "/run") {
			t.Errorf("%s: run root %s is that of other roots", c.name, run)
		}
	}
	for _, bad := range []options{{root: "relative"}, {root: "/a:b"}, {root: "/a,b"}, {runRoot: "./x"}} {
		if _, _, err := directories(&bad, false); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

func TestRegistered(t *testing.T) {
	if _, ok := engine.Opener("embedded"); !ok {
		t.Error("importing the package does not register the engine")
	}
}

func TestRuntimeThatIsNotThere(t *testing.T) {
	_, err := Open(t.Context(), WithRoot(t.TempDir()), WithRunRoot(t.TempDir()), WithRuntime("berth-nosuch"))
	if !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
