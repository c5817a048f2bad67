//go:build linux

package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func saved(t testing.TB, s *Store, format string, refs ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := s.Save(t.Context(), &buf, refs, format); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestSaveLoad(t *testing.T) {
	s, ctx := open(t), t.Context()
	base := imported(t, s, "base", "a", "1", "b", strings.Repeat("x", 100000))
	img, err := s.Commit(ctx, CommitOptions{Base: base, Tar: bytes.NewReader(tarOf(t, "dir/.wh.c", "", "d", "2")), Names: []string{"localhost/img:v1"}})
	if err != nil {
		t.Fatal(err)
	}
	stray := imported(t, s, "", "a", "3")
	if err := s.Tag(ctx, "localhost/img:v1", "other:v2"); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{DockerArchive, OCIArchive} {
		data := saved(t, s, format, "localhost/img:v1", "other:v2", "base", stray.ID)
		if !bytes.Equal(data, saved(t, s, format, "localhost/img:v1", "other:v2", "base", stray.ID)) {
			t.Errorf("%s: the same images make another archive", format)
		}
		for name, archive := range map[string][]byte{"plain": data, "gzip": gzipped(data), "zstd": zstded(data)} {
			into := open(t)
			refs, err := into.Load(ctx, bytes.NewReader(archive))
			if err != nil {
				t.Fatalf("%s, %s: %v", format, name, err)
			}
			if diff := cmp.Diff([]string{"other:v2", "localhost/img:v1", "base:latest", stray.ID}, refs); diff != "" {
				t.Errorf("%s, %s: %s", format, name, diff)
			}
			for ref, want := range map[string]string{"localhost/img:v1": img.ID, "other:v2": img.ID, "base": base.ID, stray.ID: stray.ID} {
				if got, err := into.Resolve(ref); err != nil || got.ID != want {
					t.Errorf("%s, %s: %s: %v", format, name, ref, err)
				}
			}
			if content(t, into, img, "d") != "2" || content(t, into, img, "a") != "1" {
				t.Error("content is wrong")
			}
			clean(t, into)
			// Once more: all is there.
			if _, err := into.Load(ctx, bytes.NewReader(archive)); err != nil {
				t.Errorf("%s, %s, again: %v", format, name, err)
			}
			if n := len(layerNames(t, into)); n != 3 {
				t.Errorf("%d layers", n)
			}
		}
	}
	if err := s.Save(ctx, io.Discard, []string{"nosuch"}, ""); !errors.Is(err, engine.ErrImageNotFound) {
		t.Error(err)
	}
	if err := s.Save(ctx, io.Discard, []string{"base"}, "zip"); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
	if err := s.Save(ctx, io.Discard, nil, ""); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Save(cancelled, io.Discard, []string{"base"}, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := s.Load(cancelled, bytes.NewReader(nil)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// archiveOf makes an archive in the order given; contents may be links, "-> name".
func archiveOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644}
		if to, ok := strings.CutPrefix(files[i+1], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size, files[i+1] = tar.TypeSymlink, to, 0, ""
		}
		tw.WriteHeader(h)
		io.WriteString(tw, files[i+1])
	}
	tw.Close()
	return buf.Bytes()
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Docker before 25 and Podman write links, and the manifest at the end.
func TestLoadForms(t *testing.T) {
	a, b := tarOf(t, "a", "1"), tarOf(t, "b", "2")
	empty := make([]byte, 1024)
	config := configOf(t, "amd64", a, b, a, empty)
	id := digestOf(config)
	list := []archiveImage{{Config: hexOf(id) + ".json", RepoTags: []string{"old:v1"}, Layers: []string{"1/layer.tar", "2/layer.tar", "3/layer.tar", "4/layer.tar"}}}
	m := manifest{SchemaVersion: 2, Config: descriptor{MediaType: ociConfig, Digest: id, Size: int64(len(config))}}
	gz := gzipped(a)
	for _, l := range [][]byte{gz, b, gz, empty} {
		m.Layers = append(m.Layers, descriptor{MediaType: ociLayer, Digest: digestOf(l), Size: int64(len(l))})
	}
	md := jsonOf(t, m)
	inner := jsonOf(t, manifest{SchemaVersion: 2, MediaType: ociIndex, Manifests: []descriptor{
		{Digest: sha256Prefix + strings.Repeat("0", 64), Platform: &platformJSON{OS: "unknown", Architecture: "unknown"}},
		{MediaType: ociManifest, Digest: digestOf([]byte(md)), Size: int64(len(md)), Platform: &platformJSON{OS: "linux", Architecture: "amd64"}},
		{MediaType: ociManifest, Digest: digestOf([]byte(md)), Size: int64(len(md)), Platform: &platformJSON{OS: "linux", Architecture: "arm64"}},
	}})
	index := func(annotations map[string]string) string {
		return jsonOf(t, manifest{SchemaVersion: 2, Manifests: []descriptor{{MediaType: ociIndex, Digest: digestOf([]byte(inner)), Size: int64(len(inner)), Annotations: annotations}}})
	}
	oci := func(annotations map[string]string) []byte {
		return archiveOf(t, "./blobs/sha256/"+hexOf(id), string(config), "blobs/sha256/"+sumHex(gz), string(gz), "blobs/sha256/"+sumHex(b), string(b), "blobs/sha256/"+sumHex(empty), string(empty),
			"blobs/sha256/"+sumHex([]byte(md)), md, "blobs/sha256/"+sumHex([]byte(inner)), inner, "index.json", index(annotations), "oci-layout", "{}")
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"docker":      {archiveOf(t, "1/VERSION", "1.0", "1/layer.tar", string(a), "2/layer.tar", string(gzipped(b)), "3/layer.tar", "-> ../1/layer.tar", "4/layer.tar", string(empty), hexOf(id)+".json", string(config), "manifest.json", jsonOf(t, list)), "old:v1"},
		"oci":         {oci(map[string]string{refNameAnnotation: "docker.io/library/old:v1"}), "old:v1"},
		"oci, tag":    {oci(map[string]string{refNameAnnotation: "v1"}), id},
		"oci, buildx": {oci(map[string]string{refNameAnnotation: "v1", fullNameAnnotation: "docker.io/library/old:v1"}), "old:v1"},
	} {
		s := open(t)
		refs, err := s.Load(t.Context(), bytes.NewReader(test.data))
		if diff := cmp.Diff([]string{test.want}, refs); diff != "" || err != nil {
			t.Errorf("%s: %s, %v", name, diff, err)
			continue
		}
		if img, err := s.Resolve(test.want); err != nil || img.ID != id {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	a := tarOf(t, "a", "1")
	config := configOf(t, "amd64", a)
	name := sumHex(config) + ".json"
	list := func(im archiveImage) string { return jsonOf(t, []archiveImage{im}) }
	good := list(archiveImage{Config: name, Layers: []string{"l.tar"}})
	many := configOf(t, "amd64", make([][]byte, maxLayers+1)...)
	for what, data := range map[string][]byte{
		"garbage":              []byte("garbage"),
		"nothing":              nil,
		"other tar":            tarOf(t, "a", "1"),
		"no layer":             archiveOf(t, name, string(config), "manifest.json", good),
		"no configuration":     archiveOf(t, "l.tar", string(a), "manifest.json", good),
		"other layer":          archiveOf(t, name, string(config), "l.tar", string(tarOf(t, "a", "2")), "manifest.json", good),
		"other configuration":  archiveOf(t, name, string(config)+" ", "l.tar", string(a), "manifest.json", good),
		"too few layers":       archiveOf(t, name, string(config), "manifest.json", list(archiveImage{Config: name})),
		"bad name":             archiveOf(t, name, string(config), "l.tar", string(a), "manifest.json", list(archiveImage{Config: name, Layers: []string{"l.tar"}, RepoTags: []string{"A B"}})),
		"bad JSON":             archiveOf(t, "manifest.json", "[{"),
		"cut":                  archiveOf(t, name, string(config), "l.tar", string(a), "manifest.json", good)[:2500],
		"evil layer":           archiveOf(t, "l.tar", string(tarOf(t, "../../../../x", "1")), "manifest.json", good),
		"loop of links":        archiveOf(t, name, string(config), "l.tar", "-> m.tar", "m.tar", "-> l.tar", "manifest.json", good),
		"link to the outside":  archiveOf(t, name, "-> ../../../../etc/passwd", "l.tar", string(a), "manifest.json", good),
		"index of nothing":     archiveOf(t, "index.json", `{"schemaVersion":2,"manifests":[{"digest":"sha256:`+strings.Repeat("0", 64)+`","size":1}]}`),
		"index of no digest":   archiveOf(t, "index.json", `{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}`),
		"long JSON":            archiveOf(t, "x.json", "{"+strings.Repeat(" ", maxConfig)+"}"),
		"too many layers":      archiveOf(t, sumHex(many)+".json", string(many), "manifest.json", list(archiveImage{Config: sumHex(many) + ".json"})),
		"configuration's path": archiveOf(t, "manifest.json", list(archiveImage{Config: "../../../etc/passwd"})),
	} {
		s := open(t)
		if _, err := s.Load(t.Context(), bytes.NewReader(data)); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
		clean(t, s)
		if n := len(layerNames(t, s)) + len(entries(t, s.path("blobs/sha256"))); n > 0 {
			t.Errorf("%s: %d things were left", what, n)
		}
	}
	// A layer that is there is verified as well.
	s := open(t)
	if _, err := s.Load(t.Context(), bytes.NewReader(archiveOf(t, name, string(config), sumHex(a)+".tar", string(a), "manifest.json", list(archiveImage{Config: name, Layers: []string{sumHex(a) + ".tar"}})))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), bytes.NewReader(archiveOf(t, sumHex(a)+".tar", string(tarOf(t, "a", "evil"))))); !errors.Is(err, engine.ErrInvalid) {
		t.Error(err)
	}
}

func TestImport(t *testing.T) {
	s, ctx := open(t), t.Context()
	plain := tarOf(t, "a", "1")
	for name, data := range map[string][]byte{"plain": plain, "gzip": gzipped(plain), "zstd": zstded(plain)} {
		img, err := s.Import(ctx, bytes.NewReader(data), engine.ImportOptions{})
		if err != nil || len(img.DiffIDs) != 1 || img.DiffIDs[0] != digestOf(plain) || img.Config.History[0].Comment != "Imported from -" {
			t.Errorf("%s: %+v, %v", name, img, err)
		}
	}
	for _, opts := range []engine.ImportOptions{{Reference: "A B"}, {Changes: []string{"FROM x"}}, {Platform: "a/b/c/d"}} {
		if _, err := s.Import(ctx, bytes.NewReader(plain), opts); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
	if _, err := s.Import(ctx, strings.NewReader("garbage"), engine.ImportOptions{}); err == nil {
		t.Error("garbage was imported")
	}
	clean(t, s)
}

func TestCommitUpper(t *testing.T) {
	s, ctx := open(t), t.Context()
	base := imported(t, s, "base", "a", "1")
	upper := t.TempDir()
	writeFile(t, upper+"/new", "2")
	img, err := s.Commit(ctx, CommitOptions{Base: base, Upper: upper, Config: &engine.ImageConfig{Cmd: []string{"c"}, Env: []string{"A=1"}}, Changes: []string{"ENV B=$A"}, OCI: true, Message: "m"})
	if err != nil || len(img.DiffIDs) != 2 || content(t, s, img, "new") != "2" || img.Parent != base.ID {
		t.Fatalf("%+v, %v", img, err)
	}
	if diff := cmp.Diff([]string{"A=1", "B=1"}, img.Config.Config.Env); diff != "" || img.Config.Comment != "" || len(base.Config.Config.Env) > 0 {
		t.Error(diff)
	}
	writeFile(t, upper+"/.wh.bad", "")
	if _, err := s.Commit(ctx, CommitOptions{Base: base, Upper: upper}); err == nil {
		t.Error("a name that layers cannot have was taken")
	}
	if _, err := s.Commit(ctx, CommitOptions{Base: base, Upper: upper + "/nosuch"}); err == nil {
		t.Error("a directory that is not there was taken")
	}
	clean(t, s)
}

func FuzzLoad(f *testing.F) {
	a := tarOf(f, "a", "1")
	config := configOf(f, "amd64", a)
	name := sumHex(config) + ".json"
	f.Add(archiveOf(f, name, string(config), "l.tar", string(a), "manifest.json", jsonOf(f, []archiveImage{{Config: name, Layers: []string{"l.tar"}}})))
	s := openAt(f, f.TempDir(), Options{NoSync: true})
	imported(f, s, "x", "a", "1")
	f.Add(saved(f, s, OCIArchive, "x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := open(t)
		refs, err := s.Load(t.Context(), bytes.NewReader(data))
		clean(t, s)
		if err != nil && len(refs) > 0 {
			t.Error(refs, err)
		}
		for _, ref := range refs {
			if _, err := s.Resolve(ref); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"config":{"digest":"sha256:`+strings.Repeat("0", 64)+`"}}`), "linux/arm/v7")
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:`+strings.Repeat("0", 64)+`","platform":{"os":"linux","architecture":"arm","variant":"v6"}}]}`), "linux/arm")
	f.Fuzz(func(t *testing.T, data []byte, platform string) {
		m, err := parseManifest(data)
		if p, perr := wanted(platform); err == nil && perr == nil && m.isIndex() {
			m.choose(p)
			m.platforms()
		}
		parseConfig(data)
	})
}
