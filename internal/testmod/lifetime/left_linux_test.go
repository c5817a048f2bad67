package lifetime

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables"
)

// traces is all that the engine could leave behind, each in words.
func (w *world) traces(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, find := range []func(t *testing.T, add func(format string, args ...any)){
		w.files, mounts, w.cgroups, interfaces, tables,
		func(t *testing.T, add func(string, ...any)) {
			for _, pid := range monitors(t) {
				add("monitor %d", pid)
			}
		},
	} {
		find(t, func(format string, args ...any) { all[fmt.Sprintf(format, args...)] = true })
	}
	return all
}

// files are those of root and run root.
func (w *world) files(t *testing.T, add func(format string, args ...any)) {
	for _, dir := range []string{w.root, w.run} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case os.IsNotExist(err):
				return nil // gone meanwhile
			case err != nil:
				return err
			case filepath.Dir(path) == filepath.Join(w.root, "layers") && d.IsDir() && !strings.HasPrefix(d.Name(), "."):
				add("layer %s", d.Name())
				return filepath.SkipDir
			}
			add("file %s", path)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func mounts(t *testing.T, add func(format string, args ...any)) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 4 {
			add("mount %s", f[4])
		}
	}
}

// cgroups are those of all containers that there ever were here, in every hierarchy.
func (w *world) cgroups(t *testing.T, add func(format string, args ...any)) {
	for _, id := range w.everyID(t) {
		for _, pattern := range []string{"/sys/fs/cgroup/*/berth/", "/sys/fs/cgroup/berth/"} {
			found, err := filepath.Glob(pattern + id)
			if err != nil {
				t.Fatal(err)
			}
			for _, dir := range found {
				add("cgroup %s", dir)
			}
		}
	}
}

// everyID is the IDs of all containers that there ever were here: events tell of them.
func (w *world) everyID(t *testing.T) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(w.root, "events"))
	if err != nil {
		return nil
	}
	defer f.Close()
	ids := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var ev struct{ Actor struct{ ID string } }
		if json.Unmarshal(lines.Bytes(), &ev) == nil && len(ev.Actor.ID) == 64 {
			ids[ev.Actor.ID] = true
		}
	}
	dirs, err := os.ReadDir(filepath.Join(w.root, "containers"))
	if err != nil {
		t.Error(err)
	}
	for _, d := range dirs {
		if len(d.Name()) == 64 {
			ids[d.Name()] = true
		}
	}
	return slices.Collect(maps.Keys(ids))
}

func interfaces(t *testing.T, add func(format string, args ...any)) {
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		add("interface %s", i.Name)
	}
}

// tables are the nft tables of this network namespace, and what is in them.
func tables(t *testing.T, add func(format string, args ...any)) {
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, tb := range list {
		add("table %s", tb.Name)
		sets, err := c.GetSets(tb)
		if err != nil {
			continue // removed meanwhile
		}
		for _, set := range sets {
			elements, err := c.GetSetElements(set)
			if err != nil {
				continue
			}
			add("set %s %s of %d", tb.Name, set.Name, len(elements))
		}
	}
}

// ours is what does not matter of all that: it is there from the first use on, for good.
func ours(trace string) bool {
	name := filepath.Base(trace)
	return name == "lock" || strings.HasSuffix(name, ".lock") || name == "events" || strings.HasPrefix(name, "events.") || name == "empty" || name == "resumed"
}

// nothingNew waits until all traces that were not there before have gone.
func (w *world) nothingNew(t *testing.T, before map[string]bool) {
	t.Helper()
	eventually(t, "it has left something", func() error {
		var left []string
		for _, trace := range slices.Sorted(maps.Keys(w.traces(t))) {
			if !before[trace] && !ours(trace) {
				left = append(left, trace)
			}
		}
		if len(left) > 0 {
			return fmt.Errorf("%d traces:\n\t%s", len(left), strings.Join(left[:min(len(left), 30)], "\n\t"))
		}
		return nil
	})
}

// settled is traces after the first container of a world: what stays for good is there.
func (w *world) settled(t *testing.T) map[string]bool {
	t.Helper()
	cli := w.client(t)
	if _, err := cli.Containers.Run(t.Context(), sleeperThatEnds()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first monitor", func() error {
		if m := monitors(t); len(m) > 0 {
			return fmt.Errorf("%v", m)
		}
		return nil
	})
	return w.traces(t)
}
