//go:build linux

package launch

import (
	"encoding/json"
	"testing"
)

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFirst(t *testing.T) {
	r := mustRun(t, "id; hostname; cat /proc/self/mountinfo; ls -l /dev /proc/self/fd; ps; exit 7", nil)
	t.Log(r.out, r.err, r.Status)
}

func TestStage(t *testing.T) {
	r := mustRun(t, "id; hostname; ls -l /proc/self/fd; ps; exit 7", func(c *Config) { c.options.reexec = true })
	t.Log(r.out, r.err, r.Status)
}
