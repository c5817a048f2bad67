//go:build linux

package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

const (
	testID  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	otherID = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

// testHost is a machine with all that Linux has.
func testHost() Host {
	return Host{
		Controllers:  []string{"cpu", "cpuset", "memory", "pids", "blkio", "devices", "freezer"},
		Capabilities: allCapabilities, RecursiveReadOnly: true,
	}
}

// rig is a state directory with an image of two layers, and what a container may refer to.
type rig struct {
	t      testing.TB
	dir    string
	layers []string // the topmost first
	img    *image.Image
	others map[string]*state.Config
	runs   map[string]*state.Run
	made   []string // volumes
	host   Host     // this machine; set by busybox
}

func newRig(t testing.TB) *rig {
	r := &rig{t: t, dir: t.TempDir(), others: map[string]*state.Config{}, runs: map[string]*state.Run{}}
	low, top := r.layer("low"), r.layer("top")
	r.layers = []string{top, low}
	r.write(filepath.Join(low, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nuser:x:1000:1001::/home/user:/bin/sh\n", 0o644)
	r.write(filepath.Join(low, "etc/group"), "root:x:0:\ndaemon:x:2:root\nusers:x:1001:\naudio:x:29:user,other\nvideo:x:44:user\n", 0o644)
	r.write(filepath.Join(top, "data/f"), "of the image\n", 0o644)
	r.img = &image.Image{ID: "sha256:" + testID, DiffIDs: []string{"sha256:low", "sha256:top"}, Config: &image.ConfigFile{
		OS: "linux", Architecture: "amd64",
		Config: image.ContainerConfig{Cmd: []string{"/bin/sh"}, Env: []string{"PATH=/bin", "OF_IMAGE=1"}},
	}}
	return r
}

// layer makes a layer's directory.
func (r *rig) layer(name string) string {
	d := filepath.Join(r.dir, "layers", name, "diff")
	if err := os.MkdirAll(d, 0o755); err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) write(path, text string, mode os.FileMode) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) containerDir(id string) string { return filepath.Join(r.dir, "containers", id) }

func (r *rig) input(spec *engine.Spec, h Host) Input {
	if spec.Image == "" && spec.Podman == nil {
		spec.Image = "img"
	}
	return Input{
		ID: testID, Name: "name", Created: time.Unix(1700000000, 0).UTC(), Spec: spec, Image: imageOf(r.img), LayerDirs: r.layers,
		Dir: r.containerDir(testID), Host: h, DefaultNetwork: "bridge",
		Containers: r.container,
		Secret: func(name string) ([]byte, *engine.SecretAttrs, error) {
			if name != "sec" {
				return nil, nil, failed("find secret", name, engine.ErrNotFound, "no such secret")
			}
			return []byte("hidden"), &engine.SecretAttrs{ID: "1", Name: name}, nil
		},
		Volume:     r.volume,
		ImageMount: func(string) ([]string, []string, error) { return r.layers, r.img.DiffIDs, nil },
	}
}

func (r *rig) container(ref string) (*state.Config, *state.Run, error) {
	if c := r.others[ref]; c != nil {
		return c, r.runs[c.ID], nil
	}
	return nil, nil, failed("find container", ref, engine.ErrNotFound, "No such container: %s", ref)
}

func (r *rig) volume(m engine.Mount) (*engine.VolumeAttrs, bool, error) {
	name := m.Source
	if name == "" {
		name = "anonymous" + itoa(len(r.made))
	}
	p := filepath.Join(r.dir, "volumes", name, "data")
	created := !exists(p)
	if err := os.MkdirAll(p, 0o755); err != nil {
		return nil, false, err
	}
	if created {
		r.made = append(r.made, name)
	}
	return &engine.VolumeAttrs{Name: name, Driver: "local", Mountpoint: p}, created, nil
}

// build makes a configuration, which must work.
func (r *rig) build(spec engine.Spec, h Host) *Output {
	r.t.Helper()
	out, err := Build(r.t.Context(), r.input(&spec, h))
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// start makes it ready.
func (r *rig) start(out *Output) (*Started, error) {
	r.t.Helper()
	upper := filepath.Join(r.containerDir(testID), "upper")
	for _, d := range []string{upper, filepath.Join(r.containerDir(testID), "work"), filepath.Join(r.containerDir(testID), "root")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	for name, f := range out.Files {
		r.write(filepath.Join(r.containerDir(testID), "files", name), string(f.Data), f.Mode)
		os.Chmod(filepath.Join(r.containerDir(testID), "files", name), f.Mode)
		os.Chown(filepath.Join(r.containerDir(testID), "files", name), f.UID, f.GID)
	}
	s, err := StartSpec(r.t.Context(), StartInput{Config: out.Config, OCI: out.OCI, LayerDirs: r.layers, Upper: upper, Containers: r.container})
	if err == nil {
		r.t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func mountAt(s *specs.Spec, target string) *specs.Mount {
	if i := slices.IndexFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == target }); i >= 0 {
		return &s.Mounts[i]
	}
	return nil
}

func hasNS(s *specs.Spec, typ specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == typ })
}

// imageOf is as the engine does it.
func imageOf(img *image.Image) *Image {
	return &Image{ID: img.ID, DiffIDs: img.DiffIDs, Config: img.Neutral()}
}
