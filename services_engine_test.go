package berth

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// unique is a name that nothing else on an engine has.
func unique(prefix string) string {
	return "berth-test-" + prefix + "-" + strings.ToLower(rand.Text()[:10])
}

// afterwards runs a removal when the test ends; that there is nothing to remove is fine.
func afterwards(t *testing.T, remove func(context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := remove(ctx); err != nil && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestEngineImages(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		ctx := t.Context()
		name := "localhost/" + unique("image")
		afterwards(t, func(ctx context.Context) error {
			_, err := cli.Images.Remove(ctx, name+":1", ImageRemoveOptions{Force: true})
			return err
		})
		var root bytes.Buffer
		w := tar.NewWriter(&root)
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "unique", Size: int64(len(name)), Mode: 0o644})
		io.WriteString(w, name)
		w.Close()
		img, err := cli.Images.Import(ctx, &root, ImportOptions{Reference: name + ":1", Message: "made by a test", Changes: []string{"ENV A=b", "LABEL l=m"}})
		if err != nil {
			t.Fatal(err)
		}
		a := img.Attrs()
		if !strings.HasPrefix(img.ID(), "sha256:") || !slices.Contains(a.Config.Env, "A=b") || img.Labels()["l"] != "m" || img.Ref() != name+":1" {
			t.Errorf("%v: %+v", img, a)
		}
		if err := img.Tag(ctx, name+":2"); err != nil || !slices.Contains(img.Tags(), name+":2") {
			t.Errorf("tags are %q, %v", img.Tags(), err)
		}
		if h, err := img.History(ctx); err != nil || len(h) == 0 {
			t.Errorf("history %+v, %v", h, err)
		}
		for ref, want := range map[string]bool{name + ":1": true, name + ":2": true, img.ID(): true, name + ":3": false} {
			if ok, err := cli.Images.Exists(ctx, ref); ok != want || err != nil {
				t.Errorf("%s exists: %t, %v", ref, ok, err)
			}
		}
		if _, err := cli.Images.Get(ctx, name+":3"); !errors.Is(err, ErrImageNotFound) || !errors.Is(err, ErrNotFound) {
			t.Errorf("missing image: %v", err)
		}
		if _, err := cli.Images.Pull(ctx, name+":3", PullOptions{Policy: PullNever}); !errors.Is(err, ErrImageNotFound) {
			t.Errorf("missing image, never pulled: %v", err)
		}
		if i, err := cli.Images.Pull(ctx, name+":1", PullOptions{Policy: PullMissing}); err != nil || !i.Equal(img) {
			t.Errorf("image that is there: %v, %v", i, err)
		}
		list, err := cli.Images.List(ctx, ImageListOptions{Filters: Filters{"label": {"l=m"}}})
		if err != nil || !slices.ContainsFunc(list, img.Equal) {
			t.Errorf("list %v, %v", list, err)
		}

		rc, err := img.Save(ctx)
		if err != nil {
			t.Fatal(err)
		}
		archive, err := io.ReadAll(rc)
		if err = errors.Join(err, rc.Close()); err != nil {
			t.Fatal(err)
		}
		if r, err := cli.Images.Remove(ctx, name+":2"); err != nil || len(r.Untagged) == 0 || len(r.Deleted) > 0 {
			t.Errorf("remove of a name: %+v, %v", r, err)
		}
		if r, err := img.Remove(ctx); err != nil || len(r.Deleted) == 0 {
			t.Errorf("remove: %+v, %v", r, err)
		}
		if err := img.Reload(ctx); !errors.Is(err, ErrImageNotFound) {
			t.Errorf("reload of a removed image: %v", err)
		}
		loaded, err := cli.Images.Load(ctx, bytes.NewReader(archive))
		if err != nil || len(loaded) != 1 || !slices.Contains(loaded[0].Tags(), name+":1") || loaded[0].Labels()["l"] != "m" {
			t.Errorf("loaded %v, %v", loaded, err)
		}
		if _, err := cli.Images.Load(ctx, strings.NewReader("no archive")); err == nil {
			t.Error("garbage was loaded")
		}
	})
}

func TestEngineVolumes(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		ctx := t.Context()
		name := unique("volume")
		v, err := cli.Volumes.Create(ctx, VolumeCreateOptions{Name: name, Labels: map[string]string{"of": name}})
		if err != nil {
			t.Fatal(err)
		}
		afterwards(t, func(ctx context.Context) error { return v.Remove(ctx) })
		if v.Name() != name || v.Labels()["of"] != name || v.Attrs().Mountpoint == "" || v.Attrs().Driver != "local" {
			t.Errorf("%+v", v.Attrs())
		}
		if g, err := cli.Volumes.Get(ctx, name); err != nil || !g.Equal(v) {
			t.Errorf("get: %v, %v", g, err)
		}
		if list, err := cli.Volumes.List(ctx, Filters{"label": {"of=" + name}}); err != nil || len(list) != 1 || !list[0].Equal(v) {
			t.Errorf("list: %v, %v", list, err)
		}
		s := spec("sleep", "60")
		s.Mounts = []Mount{{Type: MountVolume, Source: name, Target: "/v"}}
		c, err := cli.Containers.Create(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		afterwards(t, func(ctx context.Context) error { return c.Remove(ctx, RemoveOptions{Force: true}) })
		if err := v.Remove(ctx); !errors.Is(err, ErrConflict) {
			t.Errorf("remove of a volume in use: %v, want ErrConflict", err)
		}
		if err := c.Remove(ctx); err != nil {
			t.Fatal(err)
		}
		if err := v.Remove(ctx); err != nil {
			t.Error(err)
		}
		if _, err := cli.Volumes.Get(ctx, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("get of a removed volume: %v", err)
		}
	})
}

func TestEngineNetworks(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		ctx := t.Context()
		name := unique("net")
		b := make([]byte, 2)
		rand.Read(b)
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 200 + b[0]%50, b[1], 0}), 24)
		opts := NetworkCreateOptions{Name: name, Labels: map[string]string{"of": name}, Internal: true, Subnets: []Subnet{{Subnet: subnet}}}
		n, err := cli.Networks.Create(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		afterwards(t, func(ctx context.Context) error { return n.Remove(ctx) })
		if n.Name() != name || n.ID() == "" || n.Labels()["of"] != name || !n.Attrs().Internal || len(n.Attrs().Subnets) != 1 || n.Attrs().Subnets[0].Subnet != subnet {
			t.Errorf("%+v", n.Attrs())
		}
		if _, err := cli.Networks.Create(ctx, opts); !errors.Is(err, ErrConflict) {
			t.Errorf("second network of that name: %v, want ErrConflict", err)
		}
		if list, err := cli.Networks.List(ctx, Filters{"label": {"of=" + name}}); err != nil || len(list) != 1 || !list[0].Equal(n) {
			t.Errorf("list: %v, %v", list, err)
		}
		s := spec("sleep", "60")
		s.NetworkMode = "bridge"
		c, err := cli.Containers.Start(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		afterwards(t, func(ctx context.Context) error { return c.Remove(ctx, RemoveOptions{Force: true, Volumes: true}) })
		if err := n.Connect(ctx, c.ID(), Endpoint{Aliases: []string{"other"}}); err != nil {
			t.Fatal(err)
		}
		if a, err := c.Inspect(ctx); err != nil || !subnet.Contains(a.Networks[name].IPv4.Addr()) {
			t.Errorf("networks are %+v, %v", a.Networks, err)
		}
		if err := n.Reload(ctx); err != nil || len(n.Attrs().Containers) != 1 {
			t.Errorf("containers are %+v, %v", n.Attrs().Containers, err)
		}
		if err := n.Disconnect(ctx, c.ID()); err != nil {
			t.Error(err)
		}
		if a, err := c.Inspect(ctx); err != nil || a.Networks[name].IPv4.IsValid() {
			t.Errorf("networks are %+v, %v", a.Networks, err)
		}
		if err := n.Remove(ctx); err != nil {
			t.Error(err)
		}
		if _, err := cli.Networks.Get(ctx, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("get of a removed network: %v", err)
		}
	})
}

func TestEngineSecrets(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		ctx := t.Context()
		name := unique("secret")
		s, err := cli.Secrets.Create(ctx, name, []byte("hidden"))
		if !cli.Supports(FeatureSecrets) {
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("error is %v, want ErrUnsupported", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		afterwards(t, s.Remove)
		if _, err := cli.Secrets.Create(ctx, name, []byte("hidden")); !errors.Is(err, ErrConflict) {
			t.Errorf("second secret of that name: %v, want ErrConflict", err)
		}
		if g, err := cli.Secrets.Get(ctx, name); err != nil || !g.Equal(s) || g.Name() != name {
			t.Errorf("get: %v, %v", g, err)
		}
		list, err := cli.Secrets.List(ctx)
		if err != nil || !slices.ContainsFunc(list, s.Equal) {
			t.Errorf("list: %v, %v", list, err)
		}
		sp := spec("cat", "/run/secrets/"+name)
		sp.Secrets = []SecretMount{{Source: name}}
		res, err := cli.Containers.Run(ctx, sp)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("hidden", string(res.Stdout)); diff != "" {
			t.Error(diff)
		}
		if err := s.Remove(ctx); err != nil {
			t.Error(err)
		}
		if _, err := cli.Secrets.Get(ctx, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("get of a removed secret: %v", err)
		}
	})
}
