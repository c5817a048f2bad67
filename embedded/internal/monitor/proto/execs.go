package proto

import (
	"encoding/json"
	"os"

	"github.com/berthdev/berth/engine"
)

// ExecsFile is where a monitor leaves the execs of the run that has ended last, in the container's directory.
func ExecsFile(dir string) string { return dir + "/execs.json" }

// ReadExec finds an exec there; nil if there is none.
func ReadExec(dir, id string) *engine.ExecState {
	data, err := os.ReadFile(ExecsFile(dir))
	if err != nil {
		return nil
	}
	var states []*engine.ExecState
	if json.Unmarshal(data, &states) != nil {
		return nil
	}
	for _, s := range states {
		if s.ID == id {
			return s
		}
	}
	return nil
}
