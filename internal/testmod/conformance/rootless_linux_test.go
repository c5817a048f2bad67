package conformance

import (
	_ "embed"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine/enginetest"
	"github.com/berthdev/berth/internal/testenv"
)

// refusals is a table of the cases that an ordinary user's engine refuses: the case, the option that the error names, and what
// is missing: "root", "cgroup" (a group of cgroup v2 that is delegated to him), or "engine" (root's refuses it too).
//
//go:embed testdata/rootless.txt
var refusals string

// delegated has those of the table that are refused with such a group too, for want of cgroup v1.
//
//go:embed testdata/rootless-delegated.txt
var delegated string

// readRefusals adds the cases of a table.
func readRefusals(t *testing.T, table, text string, want map[string][2]string) {
	t.Helper()
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) != 3 {
			t.Fatalf("%s: %q", table, line)
		}
		want[fields[0]] = [2]string{fields[1], fields[2]}
	}
}

// checkRefusals compares what the suite comes to with the tables.
func checkRefusals(t *testing.T, cfg enginetest.Config) {
	want := map[string][2]string{}
	table := "testdata/rootless.txt"
	readRefusals(t, table, refusals, want)
	if testenv.CgroupV2() { // he has a group
		maps.DeleteFunc(want, func(_ string, w [2]string) bool { return w[1] == "cgroup" })
		table = "testdata/rootless-delegated.txt"
		readRefusals(t, table, delegated, want)
	}
	t.Cleanup(func() { // when the suite has written its results
		if t.Failed() {
			return
		}
		data, err := os.ReadFile(filepath.Join(cfg.Results, cfg.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var report enginetest.Report
		if err := json.Unmarshal(data, &report); err != nil {
			t.Fatal(err)
		}
		count := map[enginetest.Result]int{}
		for _, o := range report.Outcomes {
			count[o.Result]++
			w, listed := want[o.Case]
			switch {
			case o.Result == enginetest.Unsupported && (!listed || w[0] != o.Option):
				t.Errorf("%s is refused, and %s does not say so: %s", o.Case, table, o.Detail)
			case o.Result == enginetest.Works && listed:
				t.Errorf("%s works, and %s says that it is refused", o.Case, table)
			}
		}
		t.Logf("an ordinary user: %v", count)
	})
}
