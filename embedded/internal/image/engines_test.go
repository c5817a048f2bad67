//go:build linux

package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
)

// onEngines runs a test on every engine of BERTH_ENGINES ("docker28=/run/x.sock podman58=…").
func onEngines(t *testing.T, test func(t *testing.T, cli *berth.Client, name string)) {
	t.Helper()
	if os.Getenv("BERTH_ENGINES") == "" {
		t.Skip("BERTH_ENGINES names no engine")
	}
	for word := range strings.FieldsSeq(os.Getenv("BERTH_ENGINES")) {
		name, socket, ok := strings.Cut(word, "=")
		if !ok {
			t.Fatalf("BERTH_ENGINES: %q", word)
		}
		t.Run(name, func(t *testing.T) {
			cli, err := berth.New(t.Context(), berth.WithHost("unix://"+strings.TrimPrefix(socket, "unix://")))
			if err != nil {
				t.Fatal(err)
			}
			defer cli.Close()
			test(t, cli, name)
		})
	}
}

// busyTree is a tar of a root file system with what may go wrong on the way through an engine, and the machine's busybox.
func busyTree(t *testing.T) []byte {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("this machine has no busybox to run in a container: ", err)
	}
	shell, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, d := range []string{"bin", "etc", "proc", "sys", "dev", "tmp", "d/e"} {
		os.MkdirAll(filepath.Join(dir, d), 0o755)
	}
	os.WriteFile(dir+"/bin/busybox", shell, 0o755)
	os.Symlink("busybox", dir+"/bin/sh")
	os.Symlink("busybox", dir+"/bin/true")
	writeFile(t, dir+"/d/gone", "1")
	writeFile(t, dir+"/d/e/gone", "2")
	writeFile(t, dir+"/etc/file", "3")
	os.Link(dir+"/etc/file", dir+"/etc/link")
	os.Chmod(dir+"/tmp", 0o1777|os.ModeSticky)
	data, err := exec.Command("tar", "-C", dir, "-cf", "-", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What we save, the engines load with the same ID and layers and run; what they
// save then, and what they make of it, we load with the same ID and layers.
func TestEngines(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *berth.Client, engineName string) {
		s, ctx := open(t), t.Context()
		ref := fmt.Sprintf("localhost/berth-image-%08x:v1", rand.Uint32())
		base, err := s.Import(ctx, bytes.NewReader(busyTree(t)), berth.ImportOptions{Changes: []string{"ENV PATH=/bin", `CMD ["sh"]`}})
		if err != nil {
			t.Fatal(err)
		}
		img, err := s.Commit(ctx, CommitOptions{Base: base, Names: []string{ref}, Message: "second", Changes: []string{"LABEL a=b", "HEALTHCHECK --start-interval=2s CMD true", "EXPOSE 80"},
			Tar: bytes.NewReader(tarOf(t, "d/.wh.gone", "", "d/e/.wh..wh..opq", "", "d/e/new", "4", "etc/file2", "5"))})
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{DockerArchive, OCIArchive} {
			if format == OCIArchive && strings.HasPrefix(engineName, "docker") {
				continue // docker load takes it from 25 on with another image store only
			}
			t.Run(format, func(t *testing.T) {
				loaded, err := cli.Images.Load(ctx, bytes.NewReader(saved(t, s, format, ref)))
				if err != nil {
					t.Fatal(err)
				}
				defer cli.Images.Remove(ctx, ref, berth.ImageRemoveOptions{Force: true})
				if len(loaded) != 1 || loaded[0].ID() != img.ID {
					t.Fatalf("loaded %v, want %s", loaded, img.ID)
				}
				attrs, err := cli.Images.Inspect(ctx, ref)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(img.DiffIDs, attrs.Layers); diff != "" {
					t.Error(diff)
				}
				ours, err := s.Inspect(ref)
				if err != nil {
					t.Fatal(err)
				}
				if engineName == "docker28" { // others know no StartInterval
					if diff := cmp.Diff(ours.Config, attrs.Config); diff != "" {
						t.Error(diff)
					}
				}
				if strings.HasPrefix(engineName, "docker") && ours.Size != attrs.Size {
					t.Errorf("size is %d, the engine says %d", ours.Size, attrs.Size)
				}
				res, err := cli.Containers.Run(ctx, berth.Spec{Image: ref, Command: []string{"sh", "-c", "busybox find d -type f; busybox cat etc/link etc/file; busybox readlink bin/sh | busybox wc -c | busybox tr -d '\\n'; busybox stat -c 6,%a /tmp"}})
				if err != nil || string(res.Stdout) != "d/e/new\n3386,1777\n" {
					t.Errorf("output %q, %v", res.Stdout, err)
				}
				fromEngine(t, cli, ref, img)
				committed(t, cli, ref, img)
			})
		}
	})
}

// fromEngine loads what an engine saves.
func fromEngine(t *testing.T, cli *berth.Client, ref string, want *Image) {
	t.Helper()
	into := open(t)
	loadFrom(t, cli, into, ref)
	got, err := into.Resolve(ref)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.DiffIDs, got.DiffIDs); diff != "" || got.ID != want.ID {
		t.Errorf("saved by the engine: %s, %s", got.ID, diff)
	}
	clean(t, into)
}

func loadFrom(t *testing.T, cli *berth.Client, into *Store, ref string) {
	t.Helper()
	r, err := cli.Images.Save(t.Context(), []string{ref})
	if err != nil {
		t.Fatal(err)
	}
	refs, err := into.Load(t.Context(), r)
	_, rest := io.Copy(io.Discard, r)
	if err := errors.Join(err, rest, r.Close()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(refs, ref) {
		t.Errorf("loaded %v", refs)
	}
}

// committed loads an image that an engine has made of a container.
func committed(t *testing.T, cli *berth.Client, ref string, base *Image) {
	t.Helper()
	ctx := t.Context()
	c, err := cli.Containers.Create(ctx, berth.Spec{Image: ref, Command: []string{"sh", "-c", "echo hi > /etc/made; busybox rm /etc/file2; busybox rm -r /d/e; busybox mkdir /d/e"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(ctx, berth.RemoveOptions{Force: true})
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	repo := strings.TrimSuffix(ref, ":v1")
	made, err := c.Commit(ctx, berth.CommitOptions{Repository: repo, Tag: "v2"})
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Images.Remove(ctx, repo+":v2", berth.ImageRemoveOptions{Force: true})
	attrs, err := cli.Images.Inspect(ctx, repo+":v2")
	if err != nil {
		t.Fatal(err)
	}
	into := open(t)
	loadFrom(t, cli, into, repo+":v2")
	got, err := into.Resolve(repo + ":v2")
	if err != nil {
		t.Fatal(err)
	}
	if got.DiffIDs[0] != base.DiffIDs[0] || len(got.DiffIDs) != 3 || content(t, into, got, "etc/made") != "hi\n" {
		t.Errorf("layers are %v", got.DiffIDs)
	}
	if diff := cmp.Diff(attrs.Layers, got.DiffIDs); diff != "" {
		t.Error(diff)
	}
	if strings.HasPrefix(cli.Engine().Name, "docker") && got.ID != made.ID() {
		t.Errorf("ID is %s, the engine says %s", got.ID, made.ID())
	}
}
