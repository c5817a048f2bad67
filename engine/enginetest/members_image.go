package enginetest

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// imageMembers are those of images.
func imageMembers() []Case {
	return []Case{
		{Name: "images/get", Do: func(t *T) {
			img, err := t.Client().Images.Get(t.Context(), t.Config().Image)
			t.Check(err, "get")
			t.Check(img.Reload(t.Context()), "inspect")
			a := img.Attrs()
			if !strings.HasPrefix(a.ID, "sha256:") || a.OS != "linux" || a.Architecture == "" || a.Size == 0 || len(a.Layers) == 0 {
				t.Errorf("image is %+v", a)
			}
			_, err = t.Client().Images.Get(t.Context(), "localhost/berth-nosuch:v1")
			t.WantError("an image that does not exist", err, berth.ErrImageNotFound)
			t.WantError("an image that does not exist", err, berth.ErrNotFound)
			ok, err := t.Client().Images.Exists(t.Context(), "localhost/berth-nosuch:v1")
			t.Check(err, "exists")
			Equal(t, "exists", ok, false)
		}},
		{Name: "images/list", Do: func(t *T) {
			ref := t.image("LABEL berth.list=" + t.name)
			list, err := t.Client().Images.List(t.Context(), berth.ImageListOptions{Filters: berth.Filters{"label": {"berth.list=" + t.name}}})
			t.Check(err, "list")
			found := slices.ContainsFunc(list, func(i *berth.Image) bool { return slices.Contains(i.Tags(), ref) })
			Equal(t, "found", found, true)
			list, err = t.Client().Images.List(t.Context(), berth.ImageListOptions{Name: strings.TrimSuffix(ref, ":v1")})
			t.Check(err, "list by name")
			Equal(t, "images of the name", len(list), 1)
		}},
		{Name: "images/history", Do: func(t *T) {
			img := must(t.Client().Images.Get(t.Context(), t.Config().Image))
			h, err := img.History(t.Context())
			t.Check(err, "history")
			if len(h) == 0 || h[0].Created.IsZero() {
				t.Errorf("history is %+v", h)
			}
		}},
		{Name: "images/save-load", Do: func(t *T) {
			ref := t.image("ENV SAVED=yes")
			img := must(t.Client().Images.Get(t.Context(), ref))
			id := img.ID()
			r, err := t.Client().Images.Save(t.Context(), []string{ref})
			t.Check(err, "save")
			data, err := io.ReadAll(r)
			t.Check(err, "read")
			r.Close()
			_, err = t.Client().Images.Remove(t.Context(), ref)
			t.Check(err, "remove")
			loaded, err := t.Client().Images.Load(t.Context(), bytes.NewReader(data))
			t.Check(err, "load")
			if len(loaded) != 1 {
				t.Fatalf("loaded %v", loaded)
			}
			Equal(t, "ID of the loaded image", loaded[0].ID(), id)
			if _, err := t.Client().Images.Load(t.Context(), strings.NewReader("garbage")); err == nil {
				t.Error("garbage was loaded")
			}
		}},
		{Name: "images/import", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			r, err := c.Export(t.Context())
			t.Check(err, "export")
			defer r.Close()
			ref := "localhost/" + t.NewName() + ":v1"
			img, err := t.Client().Images.Import(t.Context(), r, berth.ImportOptions{Reference: ref, Changes: []string{"ENV IMPORTED=yes", "ENV PATH=/bin", `CMD ["sh","-c","echo $IMPORTED"]`}})
			t.Check(err, "import")
			defer t.removeImage(ref)
			spec := t.Spec()
			spec.Image, spec.Command = ref, nil
			Equal(t, "output", t.Output(spec), "yes\n")
			t.Contains("ID", img.ID(), "sha256:")
		}},
		{Name: "images/tag", Do: func(t *T) {
			img := must(t.Client().Images.Get(t.Context(), t.Config().Image))
			ref := "localhost/" + t.NewName() + ":tagged"
			t.Check(img.Tag(t.Context(), ref), "tag")
			report, err := t.Client().Images.Remove(t.Context(), ref)
			t.Check(err, "remove")
			if !slices.Contains(report.Untagged, ref) {
				t.Errorf("removal reports %+v", report)
			}
		}},
		{Name: "images/remove-in-use", Do: func(t *T) {
			ref := t.image("LABEL berth=in-use")
			spec := t.Sleeper()
			spec.Image = ref
			t.Start(spec)
			img := must(t.Client().Images.Get(t.Context(), ref))
			_, err := t.Client().Images.Remove(t.Context(), img.ID())
			t.WantError("removal of an image in use", err, berth.ErrConflict)
		}},
		{Name: "images/push-pull", Do: func(t *T) {
			ref := t.pushed("roundtrip")
			img := must(t.Client().Images.Get(t.Context(), ref))
			t.removeImage(ref)
			again, err := t.Client().Images.Pull(t.Context(), ref, berth.PullOptions{TLSVerify: t.plainHTTP()})
			t.Check(err, "pull")
			Equal(t, "ID", again.ID(), img.ID())
		}},
		{Name: "images/pull-missing", Do: func(t *T) {
			_, err := t.Client().Images.Pull(t.Context(), t.registry()+"/berth/nosuch:v1", berth.PullOptions{TLSVerify: t.plainHTTP()})
			t.WantError("an image that the registry does not have", err, berth.ErrImageNotFound)
		}},
		{Name: "images/prune", Serial: true, Do: func(t *T) {
			_, err := t.Client().Images.Prune(t.Context(), berth.Filters{"label": {"berth.prune=" + t.s.run}})
			t.Check(err, "prune")
		}},
	}
}
