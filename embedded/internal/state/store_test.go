//go:build linux

package state

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

func TestCreateFindRemove(t *testing.T) {
	s := open(t)
	cfg := testConfig("one")
	oci := &specs.Spec{Version: "1.0.2", Hostname: "h"}
	must(t, s.Create(cfg, oci, map[string]File{
		"hosts":    {Data: []byte("127.0.0.1"), Mode: 0o644},
		"secret/a": {Data: []byte("s"), Mode: 0o400, UID: 12, GID: 34},
	}))
	other := create(t, s, "two")

	got, err := s.Config(cfg.ID)
	must(t, err)
	if diff := cmp.Diff(cfg, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Error("config:", diff)
	}
	gotOCI, err := s.OCI(cfg.ID)
	must(t, err)
	if diff := cmp.Diff(oci, gotOCI); diff != "" {
		t.Error("oci:", diff)
	}
	for _, ref := range []string{cfg.ID, "one", "/one", cfg.ID[:20]} {
		if id, err := s.Find(ref); err != nil || id != cfg.ID {
			t.Errorf("Find(%q) = %q, %v", ref, id, err)
		}
	}
	for _, ref := range []string{"nosuch", NewID(), "../" + cfg.ID, ".new", "x/y", cfg.ID + "0"} {
		if id, err := s.Find(ref); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("Find(%q) = %q, %v", ref, id, err)
		}
	}
	if _, err := s.Find(""); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("Find of nothing: %v", err)
	}

	dir := s.Dir(cfg.ID)
	for name, mode := range map[string]os.FileMode{
		".": 0o700, "upper": 0o755, "work": 0o700, "log": 0o700, "files": 0o755, "files/hosts": 0o644,
		"files/secret/a": 0o400, "container.json": 0o600, "config.json": 0o600, "lock": 0o600,
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), mode)
		}
	}
	var st unix.Stat_t
	must(t, unix.Lstat(filepath.Join(dir, "files/secret/a"), &st))
	if st.Uid != 12 || st.Gid != 34 {
		t.Errorf("secret belongs to %d:%d", st.Uid, st.Gid)
	}

	ids, err := s.IDs()
	must(t, err)
	slices.Sort(ids)
	want := []string{cfg.ID, other}
	slices.Sort(want)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}

	mustRemove(t, s, cfg.ID)
	if _, err := s.Find("one"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after its removal: %v", err)
	}
	for what, err := range map[string]error{
		"remove": s.Remove(cfg.ID), "config": second(s.Config(cfg.ID)), "oci": second(s.OCI(cfg.ID)), "state": second(s.State(cfg.ID)),
		"lock": second(s.Lock(t.Context(), cfg.ID)), "rename": s.Rename(cfg.ID, "three"),
	} {
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s of a container that is gone: %v", what, err)
		}
	}
	mustRemove(t, s, other)
	wantEmpty(t, s)
}

func second[T any](_ T, err error) error { return err }

func TestCreateRefuses(t *testing.T) {
	s := open(t)
	id := create(t, s, "one")
	before := tree(t, s)
	again := testConfig("one")
	sameID := testConfig("two")
	sameID.ID = id
	for what, c := range map[string]struct {
		cfg  *Config
		file string
		kind error
	}{
		"name taken": {again, "x", engine.ErrConflict},
		"ID taken":   {sameID, "x", engine.ErrConflict},
		"bad name":   {testConfig("../x"), "x", engine.ErrInvalid},
		"no name":    {testConfig(""), "x", engine.ErrInvalid},
		"bad ID":     {&Config{ID: "../../x", Name: "x"}, "x", engine.ErrInvalid},
		"bad file":   {testConfig("three"), "../x", engine.ErrInvalid},
	} {
		err := s.Create(c.cfg, &specs.Spec{}, map[string]File{c.file: {}})
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if diff := cmp.Diff(before, tree(t, s)); diff != "" {
		t.Error("a refused call left:", diff)
	}
}

func TestAmbiguousPrefix(t *testing.T) {
	s := open(t)
	for i, id := range []string{strings.Repeat("ab", 32), "ab" + strings.Repeat("cd", 31)} {
		cfg := testConfig([]string{"one", "two"}[i])
		cfg.ID = id
		must(t, s.Create(cfg, &specs.Spec{}, nil))
	}
	if _, err := s.Find("ab"); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
	if id, err := s.Find("abab"); err != nil || id != strings.Repeat("ab", 32) {
		t.Error(id, err)
	}
}

func TestRename(t *testing.T) {
	s := open(t)
	id, other := create(t, s, "one"), create(t, s, "two")
	must(t, s.Rename(id, "one"))
	if err := s.Rename(id, "two"); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), other) {
		t.Errorf("to a taken name: %v", err)
	}
	if err := s.Rename(id, "a b"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("to a bad name: %v", err)
	}
	must(t, s.Rename(id, "/three"))
	if _, err := s.Find("one"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the old name: %v", err)
	}
	if got, err := s.Find("three"); got != id {
		t.Error(got, err)
	}
	cfg, err := s.Config(id)
	must(t, err)
	if cfg.Name != "three" || cfg.Spec.Name != "three" {
		t.Error(cfg.Name, cfg.Spec.Name)
	}
	create(t, s, "one") // is free
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	openAt(t, dir)
	have, err := os.ReadFile(filepath.Join(dir, "root/version"))
	if string(have) != "1\n" {
		t.Errorf("%q %v", have, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "root/version"), []byte("2\n"), 0o644))
	_, err = Open(filepath.Join(dir, "root"), filepath.Join(dir, "run"))
	if !errors.Is(err, engine.ErrUnsupported) || !strings.Contains(err.Error(), "format 2") {
		t.Error(err)
	}
}

func TestUserNamespaceOwnsUpper(t *testing.T) {
	s := open(t)
	cfg := testConfig("one")
	cfg.UIDMap = []engine.IDMap{{ContainerID: 0, HostID: 100_000, Size: 65536}}
	cfg.GIDMap = []engine.IDMap{{ContainerID: 0, HostID: 200_000, Size: 65536}}
	must(t, s.Create(cfg, &specs.Spec{}, nil))
	var st unix.Stat_t
	must(t, unix.Stat(s.Dir(cfg.ID)+"/upper", &st))
	if st.Uid != 100_000 || st.Gid != 200_000 {
		t.Error(st.Uid, st.Gid)
	}
	must(t, unix.Stat(s.Dir(cfg.ID), &st))
	if st.Uid != 0 || st.Gid != 200_000 || st.Mode&0o777 != 0o710 {
		t.Errorf("%d %d %o", st.Uid, st.Gid, st.Mode)
	}
}

// Many goroutines want one name: one gets it, and nothing of the others is left.
func TestCreateRace(t *testing.T) {
	s := open(t)
	errs := make(chan error)
	for range 16 {
		go func() { errs <- s.Create(testConfig("one"), &specs.Spec{}, nil) }()
	}
	ok := 0
	for range 16 {
		switch err := <-errs; {
		case err == nil:
			ok++
		case !errors.Is(err, engine.ErrConflict):
			t.Error(err)
		}
	}
	if ok != 1 {
		t.Errorf("%d have the name", ok)
	}
	id, err := s.Find("one")
	must(t, err)
	mustRemove(t, s, id)
	wantEmpty(t, s)
}
