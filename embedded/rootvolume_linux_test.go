package embedded

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// TestRootVolume: of an image with VOLUME / a container is made, with a volume that has all that is in the image, and no
// start succeeds, as with Docker 28, where runc refuses it. It is inspected, copied from and removed as any other.
func TestRootVolume(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.ImageImport(ctx, testenv.Busybox(t), engine.ImportOptions{Reference: "rooted", Changes: []string{"VOLUME /"}})
	r.check(err)
	for _, runtime := range []string{"", "runc"} {
		res, err := r.ContainerCreate(ctx, &engine.Spec{Image: "rooted", Command: []string{"/bin/true"}, NetworkMode: "none", Runtime: runtime}, engine.CreateOptions{})
		r.check(err)
		defer func() { // where the test ends before it is removed
			_ = r.ContainerRemove(context.WithoutCancel(ctx), res.ID, engine.RemoveOptions{Force: true, Volumes: true})
		}()
		err = r.ContainerStart(ctx, res.ID, engine.StartOptions{})
		r.want("start", err, engine.ErrInvalid)
		if err == nil || !strings.Contains(err.Error(), "VOLUME /") {
			t.Errorf("start: %v", err)
		}
		a, err := r.ContainerInspect(ctx, res.ID, engine.InspectOptions{})
		r.check(err)
		if a.State.Status != engine.StatusCreated || a.State.ExitCode != 128 || len(a.Mounts) != 1 || a.Mounts[0].Target != "/" || a.Mounts[0].Type != engine.MountVolume {
			t.Fatalf("state %+v, mounts %+v", a.State, a.Mounts)
		}
		if _, err := os.Lstat(filepath.Join(a.Mounts[0].Source, "bin/busybox")); err != nil {
			t.Errorf("the volume is not filled: %v", err)
		}
		tar, _, err := r.ContainerGetArchive(ctx, res.ID, "/bin/busybox", engine.ArchiveOptions{})
		r.check(err)
		if n, err := io.Copy(io.Discard, tar); err != nil || n == 0 {
			t.Errorf("copied %d bytes, %v", n, err)
		}
		tar.Close()
		r.check(r.ContainerRemove(ctx, res.ID, engine.RemoveOptions{Volumes: true}))
		if got := r.volumes(); len(got) != 0 {
			t.Errorf("volumes left: %v", got)
		}
	}
}
