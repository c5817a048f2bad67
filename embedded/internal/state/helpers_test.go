//go:build linux

package state

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/engine"
)

func open(t testing.TB) *Store {
	t.Helper()
	dir := t.TempDir()
	return openAt(t, dir)
}

func openAt(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testConfig(name string) *Config {
	volumes, check := []string{"/v"}, &engine.Healthcheck{Test: engine.CmdShell("true"), Interval: time.Second}
	return &Config{
		ImageVolumes: volumes, ImageHealthcheck: check,
		ID: NewID(), Name: name, Created: time.Now().UTC().Round(0),
		Spec:  engine.Spec{Image: "busybox", Name: name, Labels: map[string]string{"a": "b"}, StopTimeout: new(3 * time.Second)},
		Image: "busybox", ImageID: "sha256:" + NewID(), Path: "sh", Args: []string{"-c", "true"}, StopSignal: 15,
		ImageConfig: engine.ImageConfig{
			Env: []string{"A=b"}, Volumes: volumes, ExposedPorts: []string{"80/tcp"}, Healthcheck: check,
		},
		Healthcheck: &engine.Healthcheck{Test: engine.CmdShell("true"), Interval: time.Second},
		Mounts:      []Mount{{MountPoint: engine.MountPoint{Type: engine.MountVolume, Name: "v", Target: "/v", ReadWrite: true}, Anonymous: true}},
		Networks:    []Endpoint{{engine.Endpoint{Network: "bridge"}}},
		Log:         Log{Driver: "json-file", MaxFiles: 1},
		Cgroup:      "berth/x",
	}
}

func create(t testing.TB, s *Store, name string) string {
	t.Helper()
	cfg := testConfig(name)
	if err := s.Create(cfg, &specs.Spec{Version: "1.0.2"}, map[string]File{"hosts": {Data: []byte("x"), Mode: 0o644}}); err != nil {
		t.Fatal(err)
	}
	return cfg.ID
}

// tree is what is below the store's directories, without what every store has.
func tree(t testing.TB, s *Store) (list []string) {
	t.Helper()
	for _, top := range []string{s.root, filepath.Dir(s.run)} {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(filepath.Dir(top), path)
			switch rel {
			case "root", "root/version", "root/names", "root/names/.lock", "root/containers", "root/containers/.new", "root/containers/.dead", "run":
				return err
			}
			if path != s.run {
				list = append(list, rel)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func wantEmpty(t testing.TB, s *Store) {
	t.Helper()
	if left := tree(t, s); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustRemove(t testing.TB, s *Store, id string) {
	t.Helper()
	unlock, err := s.Lock(t.Context(), id)
	must(t, err)
	defer unlock()
	must(t, s.Remove(id))
}

func touch(t testing.TB, path string) {
	t.Helper()
	must(t, os.WriteFile(path, nil, 0o644))
}
