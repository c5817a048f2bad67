package berth

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/leaktest"
)

func serviceClient(t *testing.T, e engine.Engine) *Client {
	t.Helper()
	leaktest.Check(t)
	o, err := newOptions([]Option{withEnv(noEnv)})
	if err != nil {
		t.Fatal(err)
	}
	cli := newClient(e, o)
	t.Cleanup(func() { cli.Close() })
	return cli
}

// serviceCalls are the calls of every service, with the requests they make of an engine.
func serviceCalls(t *testing.T, cli *Client) map[string]func(context.Context) error {
	get := func(ctx context.Context) (*Image, *Volume, *Network, *Secret) {
		i := cli.image(imageID, "ref")
		v, _ := cli.volume(&engine.VolumeAttrs{Name: "v"}, nil)
		n, _ := cli.network(&engine.NetworkAttrs{ID: "n", Name: "net"}, nil)
		s, _ := cli.secret(&engine.SecretAttrs{ID: "s", Name: "sec"}, nil)
		return i, v, n, s
	}
	i, v, n, s := get(t.Context())
	f := Filters{"label": {"x"}}
	return map[string]func(context.Context) error{
		"ImageInspect r":          func(ctx context.Context) error { _, err := cli.Images.Get(ctx, "r"); return err },
		"ImageInspect i":          func(ctx context.Context) error { _, err := cli.Images.Inspect(ctx, "i"); return err },
		"ImageInspect " + imageID: i.Reload,
		"ImageExists r":           func(ctx context.Context) error { _, err := cli.Images.Exists(ctx, "r"); return err },
		"ImageList {All:true Name: Filters:}": func(ctx context.Context) error {
			_, err := cli.Images.List(ctx, ImageListOptions{All: true})
			return err
		},
		"ImageHistory r":          func(ctx context.Context) error { _, err := cli.Images.History(ctx, "r"); return err },
		"ImageHistory " + imageID: func(ctx context.Context) error { _, err := i.History(ctx); return err },
		"ImageTag a b":            func(ctx context.Context) error { return cli.Images.Tag(ctx, "a", "b") },
		"ImageRemove r {Force:true NoPrune:true}": func(ctx context.Context) error {
			_, err := cli.Images.Remove(ctx, "r", ImageRemoveOptions{Force: true, NoPrune: true})
			return err
		},
		"ImageRemove " + imageID + " {Force:false NoPrune:false}": func(ctx context.Context) error { _, err := i.Remove(ctx); return err },
		"ImagePrune map[label:[x]]":                               func(ctx context.Context) error { _, err := cli.Images.Prune(ctx, f); return err },
		"ImagePush r true":                                        func(ctx context.Context) error { return cli.Images.Push(ctx, "r", PushOptions{AllTags: true}) },
		"ImageSave [a b] oci-archive": func(ctx context.Context) error {
			_, err := cli.Images.Save(ctx, []string{"a", "b"}, SaveOptions{Format: "oci-archive"})
			return err
		},
		"ImageSave [ref]": func(ctx context.Context) error { _, err := i.Save(ctx); return err },

		"VolumeCreate name driver": func(ctx context.Context) error {
			_, err := cli.Volumes.Create(ctx, VolumeCreateOptions{Name: "name", Driver: "driver"})
			return err
		},
		"VolumeInspect r":           func(ctx context.Context) error { _, err := cli.Volumes.Get(ctx, "r"); return err },
		"VolumeInspect v":           v.Reload,
		"VolumeList map[label:[x]]": func(ctx context.Context) error { _, err := cli.Volumes.List(ctx, f); return err },
		"VolumeRemove r true":       func(ctx context.Context) error { return cli.Volumes.Remove(ctx, "r", VolumeRemoveOptions{Force: true}) },
		"VolumeRemove v false":      func(ctx context.Context) error { return v.Remove(ctx) },
		"VolumePrune":               func(ctx context.Context) error { _, err := cli.Volumes.Prune(ctx); return err },
		"NetworkCreate net": func(ctx context.Context) error {
			_, err := cli.Networks.Create(ctx, NetworkCreateOptions{Name: "net"})
			return err
		},
		"NetworkInspect r":           func(ctx context.Context) error { _, err := cli.Networks.Get(ctx, "r"); return err },
		"NetworkInspect n":           n.Reload,
		"NetworkList map[label:[x]]": func(ctx context.Context) error { _, err := cli.Networks.List(ctx, f); return err },
		"NetworkConnect r c [a]": func(ctx context.Context) error {
			return cli.Networks.Connect(ctx, "r", "c", Endpoint{Aliases: []string{"a"}})
		},
		"NetworkConnect n c []": func(ctx context.Context) error { return n.Connect(ctx, "c") },
		"NetworkDisconnect r c true": func(ctx context.Context) error {
			return cli.Networks.Disconnect(ctx, "r", "c", NetworkDisconnectOptions{Force: true})
		},
		"NetworkDisconnect n c false": func(ctx context.Context) error { return n.Disconnect(ctx, "c") },
		"NetworkRemove r true": func(ctx context.Context) error {
			return cli.Networks.Remove(ctx, "r", NetworkRemoveOptions{Force: true})
		},
		"NetworkRemove n false":       func(ctx context.Context) error { return n.Remove(ctx) },
		"NetworkPrune map[label:[x]]": func(ctx context.Context) error { _, err := cli.Networks.Prune(ctx, f); return err },
		"SecretCreate name data true": func(ctx context.Context) error {
			_, err := cli.Secrets.Create(ctx, "name", []byte("data"), SecretCreateOptions{Replace: true})
			return err
		},
		"SecretInspect r": func(ctx context.Context) error { _, err := cli.Secrets.Get(ctx, "r"); return err },
		"SecretList":      func(ctx context.Context) error { _, err := cli.Secrets.List(ctx); return err },
		"SecretRemove r":  func(ctx context.Context) error { return cli.Secrets.Remove(ctx, "r") },
		"SecretRemove s":  s.Remove,
	}
}

func TestServicesAskTheEngineOnce(t *testing.T) {
	e := &serviceEngine{}
	failure := errors.New("engine says no")
	for want, call := range serviceCalls(t, serviceClient(t, e)) {
		e.calls, e.err = nil, nil
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if len(e.calls) != 1 || e.calls[0] != want {
			t.Errorf("calls are %q, want %q", e.calls, want)
		}
		e.err = failure
		if err := call(t.Context()); !errors.Is(err, failure) {
			t.Errorf("%s: error is %v, want the engine's", want, err)
		}
	}
}

func TestServicesRefuseBadArguments(t *testing.T) {
	e := &serviceEngine{}
	cli := serviceClient(t, e)
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"image get":         second(cli.Images.Get(ctx, "")),
		"image exists":      second(cli.Images.Exists(ctx, "")),
		"image history":     second(cli.Images.History(ctx, "")),
		"image tag":         cli.Images.Tag(ctx, "a", ""),
		"image pull":        second(cli.Images.Pull(ctx, "")),
		"image pull policy": second(cli.Images.Pull(ctx, "a", PullOptions{Policy: "sometimes"})),
		"image pull twice":  second(cli.Images.Pull(ctx, "a", PullOptions{}, PullOptions{})),
		"image push":        cli.Images.Push(ctx, ""),
		"image load":        second(cli.Images.Load(ctx, nil)),
		"image import":      second(cli.Images.Import(ctx, nil)),
		"image save":        second(cli.Images.Save(ctx, nil)),
		"image save name":   second(cli.Images.Save(ctx, []string{""})),
		"image list twice":  second(cli.Images.List(ctx, ImageListOptions{}, ImageListOptions{})),
		"image remove":      second(cli.Images.Remove(ctx, "")),
		"image prune twice": second(cli.Images.Prune(ctx, nil, nil)),
		"volume get":        second(cli.Volumes.Get(ctx, "")),
		"volume remove":     cli.Volumes.Remove(ctx, ""),
		"volume create":     second(cli.Volumes.Create(ctx, VolumeCreateOptions{}, VolumeCreateOptions{})),
		"network create":    second(cli.Networks.Create(ctx, NetworkCreateOptions{})),
		"network get":       second(cli.Networks.Get(ctx, "")),
		"network connect":   cli.Networks.Connect(ctx, "n", ""),
		"network endpoints": cli.Networks.Connect(ctx, "n", "c", Endpoint{}, Endpoint{}),
		"network leave":     cli.Networks.Disconnect(ctx, "", "c"),
		"network remove":    cli.Networks.Remove(ctx, ""),
		"secret create":     second(cli.Secrets.Create(ctx, "", nil)),
		"secret get":        second(cli.Secrets.Get(ctx, "")),
		"secret remove":     cli.Secrets.Remove(ctx, ""),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	for _, err := range cli.Images.Pulling(ctx, "a", PullOptions{}, PullOptions{}) {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("pulling: %v, want ErrInvalid", err)
		}
	}
	if len(e.calls) > 0 {
		t.Errorf("the engine was asked: %q", e.calls)
	}
}

func TestImageHandle(t *testing.T) {
	e := &serviceEngine{}
	cli := serviceClient(t, e)
	i, err := cli.Images.Get(t.Context(), "ref")
	if err != nil {
		t.Fatal(err)
	}
	list, err := cli.Images.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	listed := list[0]
	got := []any{i.ID(), i.ShortID(), i.Ref(), i.Tags(), i.Labels(), i.Attrs() != nil, i.Summary() == nil, i.String(),
		listed.Ref(), listed.Tags(), listed.Labels(), listed.Attrs() == nil, listed.Summary() != nil, listed.String(), list[1].Ref(),
		i.Equal(listed), i.Equal(list[1]), i.Equal(nil), (*Image)(nil).Equal(nil)}
	want := []any{imageID, "0123456789ab", "ref", []string{"name:tag"}, map[string]string{"a": "b"}, true, true, "Image(0123456789ab name:tag)",
		"x:y", []string{"x:y"}, map[string]string{"c": "d"}, true, true, "Image(0123456789ab x:y)", "other",
		true, false, false, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e.calls = nil
	old := i.Attrs()
	if err := i.Tag(t.Context(), "new"); err != nil || i.Attrs() == old {
		t.Errorf("tag: %v, the snapshot is the old one: %t", err, i.Attrs() == old)
	}
	if diff := cmp.Diff([]string{"ImageTag " + imageID + " new", "ImageInspect " + imageID}, e.calls); diff != "" {
		t.Error(diff)
	}
}

func TestObjectHandles(t *testing.T) {
	e := &serviceEngine{}
	cli := serviceClient(t, e)
	v, err1 := cli.Volumes.Get(t.Context(), "vol")
	n, err2 := cli.Networks.Get(t.Context(), "net")
	s, err3 := cli.Secrets.Create(t.Context(), "sec", nil, SecretCreateOptions{Labels: map[string]string{"a": "b"}})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	got := []any{v.Name(), v.String(), v.Labels(), v.Equal(v), v.Equal(nil), n.ID(), n.ShortID(), n.Name(), n.String(), n.Equal(n), n.Equal(nil),
		s.ID(), s.Name(), s.String(), s.Labels(), s.Attrs().Name, s.Equal(s), s.Equal(nil)}
	want := []any{"vol", "Volume(vol)", map[string]string{"n": "0"}, true, false, "0123456789abcdef", "0123456789ab", "net", "Network(0123456789ab net)", true, false,
		"id of sec", "sec", "Secret(sec)", map[string]string{"a": "b"}, "sec", true, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := errors.Join(v.Reload(t.Context()), n.Reload(t.Context())); err != nil || v.Labels()["n"] != "3" || n.Labels()["n"] != "4" {
		t.Errorf("labels after Reload: %v, %v, %v", v.Labels(), n.Labels(), err)
	}
}

func TestImagesPullPolicies(t *testing.T) {
	for policy, want := range map[PullPolicy][]string{
		"":          {"ImagePull r always  false", "ImageInspect " + imageID},
		PullAlways:  {"ImagePull r always  false", "ImageInspect " + imageID},
		PullMissing: {"ImageInspect r", "ImageInspect " + imageID},
		PullNever:   {"ImageInspect r", "ImageInspect " + imageID},
	} {
		e := &serviceEngine{}
		i, err := serviceClient(t, e).Images.Pull(t.Context(), "r", PullOptions{Policy: policy})
		if err != nil || i.ID() != imageID || i.Ref() != "r" || i.Attrs() == nil {
			t.Errorf("policy %q: %v, %v", policy, i, err)
		}
		if diff := cmp.Diff(want, e.calls); diff != "" {
			t.Errorf("policy %q: %s", policy, diff)
		}
	}
}

func TestImagesPulling(t *testing.T) {
	e := &serviceEngine{}
	cli := serviceClient(t, e)
	seq := cli.Images.Pulling(t.Context(), "r")
	if len(e.calls) > 0 {
		t.Error("something was pulled before the iteration")
	}
	for range seq {
	}
	var got []int64
	reported := 0
	seq = cli.Images.Pulling(t.Context(), "r", PullOptions{Progress: func(PullProgress) { reported++ }})
	for p, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Current)
	}
	if diff := cmp.Diff([]int64{0, 1, 2}, got); diff != "" || reported != 3 {
		t.Errorf("%s, reported %d times", diff, reported)
	}
	for range cli.Images.Pulling(t.Context(), "r") {
		break // gives up, and leaves nothing behind
	}
	e.err = errors.New("no such image")
	var errs []error
	for _, err := range cli.Images.Pulling(t.Context(), "r") {
		errs = append(errs, err)
	}
	if len(errs) != 4 || !errors.Is(errs[3], e.err) || errors.Join(errs[:3]...) != nil {
		t.Errorf("errors are %v, want one, at the end", errs)
	}
}

func TestImagesLoadAndImport(t *testing.T) {
	e := &serviceEngine{}
	cli := serviceClient(t, e)
	list, err := cli.Images.Load(t.Context(), strings.NewReader("archive"))
	if err != nil || len(list) != 2 || list[0].Ref() != "a" {
		t.Errorf("loaded %v, %v", list, err)
	}
	i, err := cli.Images.Import(t.Context(), strings.NewReader("root"), ImportOptions{Reference: "new:1"})
	if err != nil || i.Ref() != "new:1" {
		t.Errorf("imported %v, %v", i, err)
	}
	rc, err := i.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(rc); string(b) != "tar" || err != nil {
		t.Errorf("saved %q, %v", b, err)
	}
	want := []string{"ImageLoad archive", "ImageInspect a", "ImageInspect b", "ImageImport root new:1", "ImageInspect " + imageID, "ImageSave [new:1]"}
	if diff := cmp.Diff(want, e.calls); diff != "" {
		t.Error(diff)
	}
}
