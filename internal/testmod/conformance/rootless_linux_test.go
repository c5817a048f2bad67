package conformance

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine/enginetest"
)

// refusals is a table of the cases that an ordinary user's engine refuses: the case, the option that the error names, and what
// is missing: "root", "cgroup" (a group of cgroup v2 that is delegated to him), or "engine" (root's refuses it too).
//
//go:embed testdata/rootless.txt
var refusals string

// checkRefusals compares what the suite comes to with the table.
func checkRefusals(t *testing.T, cfg enginetest.Config) {
	want := map[string][2]string{}
	const table = "testdata/rootless.txt"
	for line := range strings.Lines(refusals) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) != 3 {
			t.Fatalf("%s: %q", table, line)
		}
		want[fields[0]] = [2]string{fields[1], fields[2]}
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
			case o.Result == enginetest.Works && listed && w[1] != "cgroup":
				t.Errorf("%s works, and %s says that it is refused", o.Case, table)
			}
		}
		t.Logf("an ordinary user: %v", count)
	})
}
