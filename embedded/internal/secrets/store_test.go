//go:build linux

package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecrets(t *testing.T) {
	root := t.TempDir()
	s := Open(root)
	if list, err := s.List(nil); err != nil || list == nil || len(list) != 0 {
		t.Errorf("before the first: %v %v", list, err)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 0 {
		t.Error("reading made something")
	}
	b, err := s.Create("b", []byte("data\x00of b"), engine.SecretCreateOptions{Labels: map[string]string{"k": "v"}})
	must(t, err)
	a, err := s.Create("a", []byte("a"), engine.SecretCreateOptions{Driver: "file"})
	must(t, err)
	if len(b.ID) != 25 || b.Name != "b" || b.Driver != "file" || b.Labels["k"] != "v" || b.Created.IsZero() || !b.Updated.Equal(b.Created) {
		t.Errorf("%+v", b)
	}
	if bytes.Contains(b.Raw, []byte("data")) || !bytes.Contains(b.Raw, []byte(b.ID)) {
		t.Errorf("raw: %s", b.Raw)
	}
	for _, ref := range []string{"b", b.ID, b.ID[:12]} {
		got, err := Open(root).Inspect(ref)
		must(t, err)
		if diff := cmp.Diff(b, got); diff != "" {
			t.Error(diff)
		}
		data, attrs, err := s.Data(ref)
		if err != nil || string(data) != "data\x00of b" || attrs.ID != b.ID {
			t.Errorf("%q %v %v", data, attrs, err)
		}
	}
	for filter, want := range map[string]string{
		"": "a b", "name=a": "a", "name=x": "", "id=" + a.ID[:8]: "a", "label=k": "b", "label=k=v": "b", "label=k=w": "",
	} {
		f, err := engine.ParseFilters(strings.Fields(filter))
		must(t, err)
		list, err := s.List(f)
		must(t, err)
		var names []string
		for _, s := range list {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s", filter, got)
		}
	}

	again, err := s.Create("b", []byte("new"), engine.SecretCreateOptions{Replace: true})
	must(t, err)
	if again.ID != b.ID || !again.Created.Equal(b.Created) || !again.Updated.After(b.Updated) || again.Labels != nil {
		t.Errorf("%+v", again)
	}
	if data, _, _ := s.Data("b"); string(data) != "new" {
		t.Errorf("%q", data)
	}
	must(t, s.Remove("b"))
	must(t, s.Remove(a.ID[:8]))
	for what, err := range map[string]error{"inspect": second(s.Inspect("b")), "remove": s.Remove("b"), "nothing": second(s.Inspect(""))} {
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if files, _ := filepath.Glob(root + "/secrets/[^.]*"); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRefusals(t *testing.T) {
	s := Open(t.TempDir())
	_, err := s.Create("taken", []byte("x"), engine.SecretCreateOptions{})
	must(t, err)
	for what, c := range map[string]struct {
		name string
		size int
		opts engine.SecretCreateOptions
		kind error
	}{
		"taken":     {"taken", 1, engine.SecretCreateOptions{}, engine.ErrConflict},
		"slash":     {"a/b", 1, engine.SecretCreateOptions{}, engine.ErrInvalid},
		"dots":      {"..", 1, engine.SecretCreateOptions{}, engine.ErrInvalid},
		"no name":   {"", 1, engine.SecretCreateOptions{}, engine.ErrInvalid},
		"long name": {strings.Repeat("a", 254), 1, engine.SecretCreateOptions{}, engine.ErrInvalid},
		"no data":   {"a", 0, engine.SecretCreateOptions{}, engine.ErrInvalid},
		"much data": {"a", 512000, engine.SecretCreateOptions{}, engine.ErrInvalid},
		"driver":    {"a", 1, engine.SecretCreateOptions{Driver: "pass"}, engine.ErrUnsupported},
		"options":   {"a", 1, engine.SecretCreateOptions{DriverOptions: map[string]string{"a": "b"}}, engine.ErrUnsupported},
	} {
		if _, err := s.Create(c.name, make([]byte, c.size), c.opts); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.List(engine.Filters{"nosuch": {"x"}}); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
	if list, err := s.List(nil); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

// Nobody but the owner reads them, and what a process that died has left is no hindrance.
func TestFiles(t *testing.T) {
	root := t.TempDir()
	s := Open(root)
	must(t, os.Mkdir(filepath.Join(root, "secrets"), 0o700))
	must(t, os.WriteFile(filepath.Join(root, "secrets", ".tmp"), []byte("left"), 0o644))
	must(t, os.WriteFile(filepath.Join(root, "secrets", "torn.json"), []byte("{"), 0o600))
	a, err := s.Create("a", []byte("x"), engine.SecretCreateOptions{})
	must(t, err)
	info, err := os.Stat(filepath.Join(root, "secrets", a.ID+".json"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	if list, err := s.List(nil); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

func TestRace(t *testing.T) {
	root := t.TempDir()
	var mu sync.Mutex
	var wg sync.WaitGroup
	ok := map[string]int{}
	for i := range 24 {
		wg.Go(func() {
			name := fmt.Sprintf("s%d", i%3)
			_, err := Open(root).Create(name, []byte("x"), engine.SecretCreateOptions{})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ok[name]++
			} else if !errors.Is(err, engine.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[string]int{"s0": 1, "s1": 1, "s2": 1}, ok); diff != "" {
		t.Error(diff)
	}
}
