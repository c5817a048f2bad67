//go:build linux

package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

var update = flag.Bool("update", false, "write the goldens")

// separator stands between the spec and what is made of it.
const separator = "----------\n"

// TestGoldens holds what Build makes of a Spec, one file a case: the Spec; where the case is about a container of the
// image of rig with other words, the image's configuration; then config.json, container.json and the files, or the error.
// The directory of the state is DIR. What differs from machine to machine is left out.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.SplitN(string(b), separator, 2)
			got := parts[0] + separator + golden(t, parts[0])
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(b), got); diff != "" {
				t.Errorf("-want +got (see -update):\n%s", diff)
			}
		})
	}
}

// goldenInput is the first part of a golden.
type goldenInput struct {
	Spec  engine.Spec     `json:"spec"`
	Image json.RawMessage `json:"image"` // the configuration of containers
	V2    bool            `json:"v2"`    // on a machine with cgroup v2
	CDI   map[string]json.RawMessage
}

func golden(t *testing.T, text string) string {
	r := newRig(t)
	var in goldenInput
	d := json.NewDecoder(strings.NewReader(strings.ReplaceAll(text, "DIR/", r.dir+"/")))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		t.Fatal(err)
	}
	if in.Image != nil {
		if err := json.Unmarshal(in.Image, &r.img.Config.Config); err != nil {
			t.Fatal(err)
		}
	}
	h := testHost()
	h.CgroupV2 = in.V2
	h.CDIDirs = []string{filepath.Join(r.dir, "cdi")}
	for name, text := range in.CDI {
		r.write(filepath.Join(r.dir, "cdi", name), string(text), 0o644)
	}
	r.write(filepath.Join(r.dir, "host/f"), "", 0o644)
	other := &state.Config{ID: otherID, Name: "other", Created: time.Unix(0, 0), Spec: engine.Spec{Image: "img", IPCMode: "shareable", Hostname: "other-host"}, Mounts: []state.Mount{
		{MountPoint: engine.MountPoint{Type: engine.MountVolume, Name: "theirs", Source: r.dir + "/volumes/theirs/data", Target: "/theirs", ReadWrite: true, Driver: "local"}, Anonymous: true},
		{MountPoint: engine.MountPoint{Type: engine.MountBind, Source: r.dir + "/host", Target: "/bound", ReadWrite: true, Propagation: "rprivate"}},
	}}
	r.others["other"], r.others[otherID] = other, other
	out, err := Build(t.Context(), r.input(&in.Spec, h))
	if err != nil {
		return strings.ReplaceAll("error: "+err.Error()+"\n", r.dir, "DIR")
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(r.dir, "DIR", `"HOSTNAME=`+host+`"`, `"HOSTNAME=THIS-HOST"`).Replace(show(t, out))
}

// show prints what Build has made.
func show(t *testing.T, out *Output) string {
	var b strings.Builder
	oci, err := clone(out.OCI)
	if err != nil {
		t.Fatal(err)
	}
	if s := oci.Linux.Seccomp; s != nil { // its rules depend on the machine
		oci.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: s.DefaultAction}
	}
	b.WriteString(indented(t, oci))
	b.WriteString(separator)
	cfg := *out.Config
	cfg.Spec = engine.Spec{} // it is above
	if cfg.Platform == "linux/"+runtime.GOARCH {
		cfg.Platform = "linux/amd64"
	}
	b.WriteString(indented(t, cfg))
	b.WriteString(separator)
	for _, name := range sortedKeys(out.Files) {
		f := out.Files[name]
		fmt.Fprintf(&b, "file %s %o %d:%d\n", name, f.Mode, f.UID, f.GID)
	}
	for _, c := range out.CopyUp {
		fmt.Fprintf(&b, "copy %s to volume %s at %s\n", c.Path, c.Volume, c.Mountpoint)
	}
	for _, v := range out.NewVolumes {
		fmt.Fprintf(&b, "new volume %s\n", v)
	}
	return b.String()
}

func indented(t *testing.T, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
