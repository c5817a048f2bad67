package parity

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berthdev/berth/engine/enginetest"
)

// Read reads the results of the engines in dir.
func Read(dir string) (map[string]enginetest.Report, error) {
	reports := map[string]enginetest.Report{}
	for _, e := range engines {
		data, err := os.ReadFile(filepath.Join(dir, e+".json"))
		if err != nil {
			return nil, err
		}
		var r enginetest.Report
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		for i := range r.Outcomes {
			r.Outcomes[i].Detail = Stable(r.Outcomes[i].Detail)
		}
		reports[e] = r
	}
	return reports, nil
}

// Write stores results in dir, without what differs from run to run. Cases of
// old that the new results lack (the long ones, which take one engine in turn) are kept.
func Write(dir string, reports, old map[string]enginetest.Report) error {
	for _, e := range engines {
		r := reports[e]
		for _, o := range old[e].Outcomes {
			if outcome(r, o.Case).Result == "" && known(o.Case) {
				r.Outcomes = append(r.Outcomes, o)
			}
		}
		data, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, e+".json"), append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func known(name string) bool {
	for _, c := range enginetest.Cases() {
		if c.Name == name {
			return true
		}
	}
	return false
}

// Differences tells where results differ from the committed ones in what they
// came to; the engines' words may change. A case that is new and that no row of the page names is none.
func Differences(committed, results map[string]enginetest.Report) []string {
	var diffs []string
	for _, e := range engines {
		for _, o := range results[e].Outcomes {
			was := outcome(committed[e], o.Case)
			if was.Result == "" && !named(o.Case) {
				continue
			}
			if was.Result != o.Result || was.Option != o.Option {
				diffs = append(diffs, fmt.Sprintf("%s on %s: was %q %s, is %q %s", o.Case, e, was.Result, was.Option, o.Result, o.Option))
			}
		}
		for _, o := range committed[e].Outcomes {
			if outcome(results[e], o.Case).Result == "" && !long(o.Case) {
				diffs = append(diffs, fmt.Sprintf("%s on %s: was %q, was not run", o.Case, e, o.Result))
			}
		}
	}
	return diffs
}

// named tells that a row of the page stands on the case.
func named(name string) bool {
	for _, rows := range [][]Row{containerRows(), managerRows(), optionRows()} {
		for _, r := range rows {
			if slices.Contains(r.Cases, name) {
				return true
			}
		}
	}
	return false
}

func long(name string) bool {
	for _, c := range enginetest.Cases() {
		if c.Name == name {
			return c.Soak
		}
	}
	return false
}
