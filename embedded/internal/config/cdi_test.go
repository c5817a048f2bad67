//go:build linux

package config

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

const cdiYAML = `---
# Made by a program.
cdiVersion: 0.5.0
kind: "nvidia.com/gpu"
containerEdits:
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  deviceNodes:
  - path: /dev/nvidiactl
    hostPath: /dev/null
  mounts:
  - containerPath: /usr/lib/libcuda.so
    hostPath: /usr/lib/libcuda.so.1
    options: [ro, nosuid]
devices:
- name: "0"
  containerEdits:
    deviceNodes:
      - path: /dev/nvidia0
        hostPath: /dev/zero
        fileMode: 0666
        permissions: rw
- name: all # every one
  containerEdits:
    env: ["A=b: c", 'D=it''s']
    additionalGids:
      - 44
`

func TestYAML(t *testing.T) {
	text := strings.Replace(cdiYAML, "[ro, nosuid]", `["ro", "nosuid"]`, 1)
	text = strings.Replace(text, `'D=it''s'`, `"D=it's"`, 1)
	b, err := yamlToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"cdiVersion":"0.5.0","kind":"nvidia.com/gpu","containerEdits":{"env":["NVIDIA_VISIBLE_DEVICES=void"],
		"deviceNodes":[{"path":"/dev/nvidiactl","hostPath":"/dev/null"}],"mounts":[{"containerPath":"/usr/lib/libcuda.so","hostPath":"/usr/lib/libcuda.so.1","options":["ro","nosuid"]}]},
		"devices":[{"name":"0","containerEdits":{"deviceNodes":[{"path":"/dev/nvidia0","hostPath":"/dev/zero","fileMode":438,"permissions":"rw"}]}},
		{"name":"all","containerEdits":{"env":["A=b: c","D=it's"],"additionalGids":[44]}}]}`), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"a: |\n  text\n", "a: &x 1\n", "a:\n\tb: 1\n", "a: 1\na: 2\n", "a: 1\n  b: 2\n", "just text\n", "a: [ro, x]\n", "- 1\nb: 2\n", strings.Repeat("- ", 100) + "x"} {
		if b, err := yamlToJSON([]byte(bad)); err == nil {
			t.Errorf("%q is read as %s", bad, b)
		}
	}
}

func FuzzYAML(f *testing.F) {
	f.Add(cdiYAML)
	f.Add("a:\n- b: 1\n  c:\n  - d\n- e\n")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := yamlToJSON([]byte(s))
		if err == nil && !strings.HasPrefix(strings.TrimSpace(s), "{") && !json.Valid(b) {
			t.Errorf("%q becomes %q", s, b)
		}
	})
}

// TestCDIOrder: the last directory wins, and two files of one directory do not.
func TestCDIOrder(t *testing.T) {
	r := newRig(t)
	h := testHost()
	h.CDIDirs = []string{filepath.Join(r.dir, "a"), filepath.Join(r.dir, "b")}
	spec := func(value string) string {
		return `{"cdiVersion":"0.5.0","kind":"v.com/c","devices":[{"name":"d","containerEdits":{"env":["X=` + value + `"]}}]}`
	}
	r.write(filepath.Join(r.dir, "a/one.json"), spec("a"), 0o644)
	r.write(filepath.Join(r.dir, "b/one.json"), spec("b"), 0o644)
	r.write(filepath.Join(r.dir, "b/broken.json"), "{", 0o644)
	s := engine.Spec{CDIDevices: []string{"v.com/c=d"}}
	if got := getEnv(r.build(s, h).OCI.Process.Env, "X"); got != "b" {
		t.Errorf("X is %q, want the last directory's", got)
	}
	s.DeviceRequests = []engine.DeviceRequest{{Driver: "cdi", DeviceIDs: []string{"v.com/c=none"}}}
	if _, err := Build(t.Context(), r.input(&s, h)); err == nil || !strings.Contains(err.Error(), "broken.json") {
		t.Errorf("an unknown device beside a broken file: %v", err)
	}
	s.DeviceRequests = nil
	r.write(filepath.Join(r.dir, "b/two.json"), spec("c"), 0o644)
	if _, err := Build(t.Context(), r.input(&s, h)); err == nil || !strings.Contains(err.Error(), "two.json") {
		t.Errorf("two files describe the device: %v", err)
	}
	r.write(filepath.Join(r.dir, "b/gpu.yaml"), strings.Replace(strings.Replace(cdiYAML, "[ro, nosuid]", `["ro"]`, 1), `'D=it''s'`, `"D=e"`, 1), 0o644)
	out := r.build(engine.Spec{DeviceRequests: []engine.DeviceRequest{{Driver: "nvidia", DeviceIDs: []string{"0"}, Capabilities: [][]string{{"gpu", "utility"}}}}}, h)
	if len(out.OCI.Linux.Devices) != 2 || out.OCI.Linux.Devices[1].Path != "/dev/nvidia0" || out.OCI.Linux.Devices[1].FileMode.Perm() != 0o666 {
		t.Errorf("devices are %+v", out.OCI.Linux.Devices)
	}
}
