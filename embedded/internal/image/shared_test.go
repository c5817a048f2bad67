//go:build linux

package image

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// TestShared: what is remembered of images and layers is as what is read anew, while other stores on the same
// directory, as other processes have, change names and remove.
func TestShared(t *testing.T) {
	s := open(t)
	other := openAt(t, s.root, s.opts)
	one := imported(t, other, "x", "a", "1")
	same := func() {
		t.Helper()
		got, err := s.Shared("x")
		want, werr := other.Resolve("x")
		if err := errors.Join(err, werr); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Image{})); diff != "" {
			t.Errorf("(-resolved +shared):\n%s", diff)
		}
		dirs, err := s.LayerDirs(got)
		wantDirs, werr := openAt(t, s.root, s.opts).LayerDirs(want)
		if err := errors.Join(err, werr); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantDirs, dirs); diff != "" {
			t.Errorf("(-read +remembered):\n%s", diff)
		}
	}
	same()
	same()
	two := imported(t, other, "x", "a", "2")
	if one.ID == two.ID {
		t.Fatal("one image")
	}
	same()
	if err := other.Tag(t.Context(), one.ID, "x"); err != nil {
		t.Fatal(err)
	}
	same()
	if err := os.RemoveAll(s.layerPath(one.DiffIDs[0])); err != nil {
		t.Fatal(err)
	}
	img, err := s.Shared("x")
	if err != nil {
		t.Fatal(err)
	}
	if dirs, err := s.LayerDirs(img); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a layer that is gone: %v, %v", dirs, err)
	}
	if _, err := s.Shared("nosuch"); !errors.Is(err, engine.ErrImageNotFound) {
		t.Error(err)
	}
}
