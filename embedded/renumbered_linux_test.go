package embedded

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"github.com/berthdev/berth/engine"
)

// TestCommitOwners: an image of a container with users of its own has the owners that they see. With the host's processes such a container
// has the host's procfs.
func TestCommitOwners(t *testing.T) {
	r := newRig(t)
	if !r.host.IDMappedLayers {
		t.Skip("before Linux 6.15 root's containers have no users of their own")
	}
	id := r.create(engine.Spec{UsernsMode: "auto", PIDMode: "host", CgroupNS: "host"}, "sh", "-c", "touch /mine /other; chown 5:6 /other; readlink /proc/self/ns/pid")
	r.check(r.ContainerStart(t.Context(), id, engine.StartOptions{}))
	if code := r.ended(id); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	l, err := r.ContainerLogs(t.Context(), id, engine.LogOptions{})
	r.check(err)
	b, err := io.ReadAll(l)
	r.check(err)
	l.Close()
	if want := link(t, "/proc/self/ns/pid"); !bytes.Contains(b, []byte(want)) {
		t.Errorf("%q, want %s", b, want)
	}
	img, err := r.ContainerCommit(t.Context(), id, engine.CommitOptions{Repository: "owners"})
	r.check(err)
	spec := engine.Spec{Image: img, NetworkMode: "none", Command: []string{"stat", "-c", "%u:%g", "/mine", "/other"}}
	res, err := r.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
	r.check(err)
	t.Cleanup(func() { r.check(r.ContainerRemove(context.Background(), res.ID, engine.RemoveOptions{Force: true})) })
	r.check(r.ContainerStart(t.Context(), res.ID, engine.StartOptions{}))
	if code := r.ended(res.ID); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if l, err = r.ContainerLogs(t.Context(), res.ID, engine.LogOptions{}); err != nil {
		t.Fatal(err)
	}
	b, err = io.ReadAll(l)
	r.check(err)
	l.Close()
	if got := bytes.Fields([]byte(text(b))); len(got) != 2 || !slices.Equal(got[0], []byte("0:0")) || !slices.Equal(got[1], []byte("5:6")) {
		t.Errorf("the owners are %s", got)
	}
}
