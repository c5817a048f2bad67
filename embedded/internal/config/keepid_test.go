//go:build linux

package config

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

// ids are maps: the container's ID, the host's, and how many, of each.
func ids(n ...uint32) (out []engine.IDMap) {
	for ; len(n) > 0; n = n[3:] {
		out = append(out, engine.IDMap{ContainerID: n[0], HostID: n[1], Size: n[2]})
	}
	return out
}

// TestKeep: the maps around an ID. No range spans two of the namespace above, every ID is there once, and none is left out.
func TestKeep(t *testing.T) {
	one, many := []engine.IDMap{{Size: 1}}, []engine.IDMap{{Size: 1}, {ContainerID: 1, HostID: 1, Size: 100}, {ContainerID: 101, HostID: 101, Size: 50}}
	for _, c := range []struct {
		have []engine.IDMap
		id   uint32
		want []engine.IDMap
	}{
		{one, 1000, ids(1000, 0, 1)},
		{one, 0, one},
		{many, 0, ids(0, 0, 1, 1, 1, 100, 101, 101, 50)},
		{many, 1, ids(0, 1, 1, 1, 0, 1, 2, 2, 99, 101, 101, 50)},
		{many, 40, ids(0, 1, 40, 40, 0, 1, 41, 41, 60, 101, 101, 50)},
		{many, 99, ids(0, 1, 99, 99, 0, 1, 100, 100, 1, 101, 101, 50)},
		{many, 100, ids(0, 1, 100, 100, 0, 1, 101, 101, 50)},
		{many, 120, ids(0, 1, 100, 100, 101, 20, 120, 0, 1, 121, 121, 30)},
		{many, 149, ids(0, 1, 100, 100, 101, 49, 149, 0, 1, 150, 150, 1)},
		{many, 150, ids(0, 1, 100, 100, 101, 50, 150, 0, 1)},
		{many, 70000, ids(0, 1, 100, 100, 101, 50, 70000, 0, 1)},
		{[]engine.IDMap{{Size: 10}}, 3, ids(0, 1, 3, 3, 0, 1, 4, 4, 6)},
	} {
		if diff := cmp.Diff(c.want, keep(c.have, c.id)); diff != "" {
			t.Errorf("%v around %d: (-want +got)\n%s", c.have, c.id, diff)
		}
	}
}

// TestKept: whose number it is, and what else is said of it.
func TestKept(t *testing.T) {
	h := Host{UID: 1000, GID: 1001}
	for text, want := range map[string][2]uint32{"": {1000, 1001}, "uid=5": {5, 1001}, "gid=6": {1000, 6}, "uid=0,gid=7": {0, 7}} {
		if uid, gid, err := kept(text, h); err != nil || uid != want[0] || gid != want[1] {
			t.Errorf("%q: %d, %d, %v", text, uid, gid, err)
		}
	}
	for text, want := range map[string]error{"size=5": engine.ErrUnsupported, "uid=": engine.ErrInvalid, "uid=-1": engine.ErrInvalid, "uid=4294967295": engine.ErrInvalid, "uid=1,": engine.ErrUnsupported} {
		if _, _, err := kept(text, h); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestKeepID: the image's layers are copies, the process is the user, and the files of the engine belong to root inside.
func TestKeepID(t *testing.T) {
	h := testHost()
	h.Rootless, h.CgroupV2, h.UID, h.GID = true, true, 1000, 1000
	h.UIDMap = []engine.IDMap{{Size: 1}, {ContainerID: 1, HostID: 1, Size: 65536}}
	h.GIDMap = h.UIDMap
	r := newRig(t)
	in := r.input(&engine.Spec{UsernsMode: "keep-id", NetworkMode: "host"}, h)
	asked := 0
	in.Renumber = func(diffIDs []string, uids, gids []engine.IDMap) (dirs, ids []string, err error) {
		asked += len(diffIDs)
		if diff := cmp.Diff(keep(h.UIDMap, 1000), uids); diff != "" {
			t.Error(diff)
		}
		return in.LayerDirs, []string{"sha256:copy"}, nil
	}
	out, err := Build(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if u := out.OCI.Process.User; asked == 0 || u.UID != 1000 || u.GID != 1000 || out.Config.Layers[0] != "sha256:copy" || !Renumbered(out.Config) || !HasRoot(out.Config) {
		t.Errorf("%d layers, %+v, %+v", asked, u, out.Config)
	}
	if f := out.Files["hosts"]; f.UID != 1 || f.GID != 1 {
		t.Errorf("a file of the engine's belongs to %d:%d", f.UID, f.GID)
	}
	h.UIDMap, h.GIDMap = h.UIDMap[:1], h.GIDMap[:1]
	in = r.input(&engine.Spec{UsernsMode: "keep-id", NetworkMode: "host"}, h)
	in.Renumber = func(diffIDs []string, uids, gids []engine.IDMap) (dirs, ids []string, err error) {
		return in.LayerDirs, diffIDs, nil
	}
	if out, err := Build(t.Context(), in); err != nil || HasRoot(out.Config) {
		t.Errorf("a root, where there is none: %v", err)
	}
}
