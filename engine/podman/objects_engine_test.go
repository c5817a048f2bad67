package podman

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/fakeregistry"
)

// imported is an image of one file that is removed with the test: its name and ID.
func imported(t *testing.T, e *Engine, tag string) (name, id string) {
	t.Helper()
	name = "localhost/" + unique("img") + ":" + tag
	id, err := e.ImageImport(t.Context(), bytes.NewReader(archiveOf(t, "file", name)), engine.ImportOptions{
		Reference: name, Message: "made", Changes: []string{`CMD ["x"]`, "ENV A=b", "LABEL l=1", "EXPOSE 80"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.ImageRemove(context.WithoutCancel(t.Context()), name, engine.ImageRemoveOptions{Force: true})
	})
	return name, id
}

func TestImages(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name, id := imported(t, e, "one")
		img, err := e.ImageInspect(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if img.ID != id || !strings.HasPrefix(id, "sha256:") || img.OS != "linux" || img.Comment != "made" || !slices.Equal(img.RepoTags, []string{name}) || !slices.Equal(img.Config.Cmd, []string{"x"}) ||
			!slices.Contains(img.Config.Env, "A=b") || img.Config.Labels["l"] != "1" || len(img.Layers) != 1 || img.Created.IsZero() || !slices.Equal(img.Config.ExposedPorts, []string{"80/tcp"}) {
			t.Errorf("%+v", img)
		}
		for ref, want := range map[string]bool{id: true, name: true, strings.TrimPrefix(id, "sha256:")[:12]: true, "no.such/image": false} {
			if ok, err := e.ImageExists(ctx, ref); ok != want || err != nil {
				t.Errorf("%s: %v, %v", ref, ok, err)
			}
		}
		if h, err := e.ImageHistory(ctx, name); err != nil || len(h) != 1 || h[0].ID != id || h[0].Created.IsZero() || h[0].Size == 0 {
			t.Errorf("%+v, %v", h, err)
		}
		second := strings.TrimSuffix(name, ":one") + ":two"
		if err := e.ImageTag(ctx, name, second); err != nil {
			t.Fatal(err)
		}
		list, err := e.ImageList(ctx, engine.ImageListOptions{Name: strings.TrimSuffix(name, ":one")})
		if err != nil || len(list) != 1 || list[0].ID != id || len(list[0].RepoTags) != 2 || list[0].Dangling || list[0].Size == 0 || *list[0].Containers != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		save := func(refs []string, opts engine.SaveOptions) []byte {
			t.Helper()
			r, err := e.ImageSave(ctx, refs, opts)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		both, oci := save([]string{name, second}, engine.SaveOptions{}), save([]string{name}, engine.SaveOptions{Format: "oci-archive"})
		if names := tarNames(t, bytes.NewReader(both)); !slices.Contains(names, "manifest.json") {
			t.Errorf("docker-archive has %q", names)
		}
		if names := tarNames(t, bytes.NewReader(oci)); !slices.Contains(names, "oci-layout") {
			t.Errorf("oci-archive has %q", names)
		}
		report, err := e.ImageRemove(ctx, second, engine.ImageRemoveOptions{})
		if err != nil || !slices.Contains(report.Untagged, second) || len(report.Deleted) != 0 {
			t.Errorf("%+v, %v", report, err)
		}
		if report, err = e.ImageRemove(ctx, name, engine.ImageRemoveOptions{}); err != nil || !slices.Contains(report.Deleted, id) {
			t.Errorf("%+v, %v", report, err)
		}
		names, err := e.ImageLoad(ctx, bytes.NewReader(both))
		slices.Sort(names)
		if err != nil || !slices.Equal(names, []string{name, second}) {
			t.Errorf("loaded %v, %v", names, err)
		}
		for _, ref := range []string{name, second} {
			if _, err := e.ImageRemove(ctx, ref, engine.ImageRemoveOptions{}); err != nil {
				t.Error(err)
			}
		}
		if names, err := e.ImageLoad(ctx, bytes.NewReader(oci)); err != nil || len(names) != 1 {
			t.Errorf("loaded %v, %v", names, err)
		} else if _, err := e.ImageRemove(ctx, names[0], engine.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
		_, err = e.ImageLoad(ctx, strings.NewReader("no tar at all"))
		wantKind(t, "load of nonsense", err, engine.ErrInvalid)
		_, err = e.ImageImport(ctx, strings.NewReader("no tar at all"), engine.ImportOptions{})
		wantKind(t, "import of nonsense", err, engine.ErrInvalid)
		const missing = "no.such/image"
		for what, err := range map[string]error{
			"inspect": func() error { _, err := e.ImageInspect(ctx, missing); return err }(),
			"history": func() error { _, err := e.ImageHistory(ctx, missing); return err }(),
			"save":    func() error { _, err := e.ImageSave(ctx, []string{missing}, engine.SaveOptions{}); return err }(),
			"remove":  func() error { _, err := e.ImageRemove(ctx, missing, engine.ImageRemoveOptions{}); return err }(),
			"force": func() error {
				_, err := e.ImageRemove(ctx, missing, engine.ImageRemoveOptions{Force: true})
				return err
			}(),
			"tag": e.ImageTag(ctx, missing, "x:y"),
			"pull": func() error {
				_, err := e.ImagePull(ctx, missing, engine.PullOptions{Policy: engine.PullNever})
				return err
			}(),
			"push": e.ImagePush(ctx, missing, engine.PushOptions{}),
		} {
			wantKind(t, what+" of a missing image", err, engine.ErrImageNotFound)
		}
		wantKind(t, "tag", e.ImageTag(ctx, "busybox", "UPPER"), engine.ErrInvalid)
	})
}

// TestImageRemoveInUse: Podman would take the containers with it.
func TestImageRemoveInUse(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		img, err := e.ContainerCommit(ctx, id, engine.CommitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		user := made(t, e, engine.Spec{Image: img, Command: []string{"true"}})
		for _, force := range []bool{false, true} {
			_, err := e.ImageRemove(ctx, img, engine.ImageRemoveOptions{Force: force})
			wantKind(t, "remove", err, engine.ErrConflict)
		}
		if ok, err := e.ContainerExists(ctx, user); err != nil || !ok {
			t.Errorf("the container is gone: %v", err)
		}
		removeForced(t, e, user)
		if _, err := e.ImageRemove(ctx, img, engine.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
}

func TestPullAndPush(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		r := fakeregistry.Start(t, t.Name()[strings.LastIndex(t.Name(), "/")+1:], "secret")
		auth := &engine.RegistryAuth{Username: "user", Password: "secret"}
		plain := new(false)
		name, id := imported(t, e, "one")
		ref := r.Host + "/a/b:t"
		if err := e.ImageTag(ctx, name, ref); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "push without credentials", e.ImagePush(ctx, ref, engine.PushOptions{TLSVerify: plain}), engine.ErrUnauthorized)
		var words []string
		note := func(p engine.PullProgress) {
			words = append(words, fmt.Sprintf("%s %d/%d %d/%d", p.Status, p.Current, p.Total, p.Done, p.Layers))
		}
		if err := e.ImagePush(ctx, ref, engine.PushOptions{Auth: auth, TLSVerify: plain, Progress: note}); err != nil {
			t.Fatal(err)
		}
		if len(words) == 0 {
			t.Error("a push tells no progress")
		}
		if _, err := e.ImageRemove(ctx, ref, engine.ImageRemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.ImageRemove(ctx, name, engine.ImageRemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		_, err := e.ImagePull(ctx, ref, engine.PullOptions{TLSVerify: plain})
		wantKind(t, "pull without credentials", err, engine.ErrUnauthorized)
		_, err = e.ImagePull(ctx, r.Host+"/a/b:nosuch", engine.PullOptions{TLSVerify: plain, Auth: auth})
		wantKind(t, "pull of what the registry does not have", err, engine.ErrImageNotFound)
		_, err = e.ImagePull(ctx, r.Host+"/a/b:nosuch", engine.PullOptions{TLSVerify: plain, Auth: auth, Progress: note})
		wantKind(t, "pull with progress of what the registry does not have", err, engine.ErrImageNotFound)
		for _, opts := range []engine.PullOptions{{}, {Policy: engine.PullMissing}, {Policy: engine.PullNewer}, {Policy: engine.PullNever}, {Progress: note}} {
			words = nil
			opts.TLSVerify, opts.Auth = plain, auth
			got, err := e.ImagePull(ctx, ref, opts)
			if err != nil || got != id {
				t.Errorf("%q: %s, %v; want %s", opts.Policy, got, err, id)
			}
		}
		if len(words) == 0 {
			t.Error("a pull tells no progress")
		}
		if _, err := e.ImageRemove(ctx, ref, engine.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
		words = nil
		if got, err := e.ImagePull(ctx, ref, engine.PullOptions{TLSVerify: plain, Auth: auth, Progress: note}); err != nil || got != id {
			t.Errorf("%s, %v; want %s", got, err, id)
		}
		t.Logf("progress %q", words)
		if _, err := e.ImageRemove(ctx, ref, engine.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
		_, err = e.ImagePull(ctx, "UPPER", engine.PullOptions{})
		wantKind(t, "reference", err, engine.ErrInvalid)
		_, err = e.ImagePull(ctx, "x", engine.PullOptions{Policy: "sometimes"})
		wantKind(t, "policy", err, engine.ErrInvalid)
		_, err = e.ImagePull(ctx, ref, engine.PullOptions{Auth: &engine.RegistryAuth{RegistryToken: "t"}})
		wantUnsupported(t, err, "PullOptions.Auth")
		if got, err := e.ImagePull(ctx, "busybox", engine.PullOptions{Policy: engine.PullMissing}); err != nil || !strings.HasPrefix(got, "sha256:") {
			t.Errorf("what is here: %s, %v", got, err)
		}
	})
}

func TestVolumes(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name, label := unique("vol"), unique("label")
		opts := engine.VolumeCreateOptions{Name: name, Labels: map[string]string{label: "1"}}
		v, err := e.VolumeCreate(ctx, opts)
		if err != nil || v.Name != name || v.Driver != "local" || v.Labels[label] != "1" || v.Mountpoint == "" || v.Anonymous || v.Scope != "local" || time.Since(v.Created).Abs() > time.Hour {
			t.Fatalf("%+v, %v", v, err)
		}
		if again, err := e.VolumeCreate(ctx, opts); err != nil || again.Name != name {
			t.Errorf("again: %+v, %v", again, err)
		}
		opts.DriverOptions = map[string]string{"type": "tmpfs"}
		_, err = e.VolumeCreate(ctx, opts)
		wantKind(t, "another of the same name", err, engine.ErrConflict)
		list, err := e.VolumeList(ctx, engine.Filters{"label": {label}})
		if err != nil || len(list) != 1 || list[0].Name != name {
			t.Errorf("%+v, %v", list, err)
		}
		user := made(t, e, engine.Spec{Labels: map[string]string{label: ""}, Mounts: []engine.Mount{engine.Volume(name, "/v"), engine.Volume("", "/anon")}})
		for _, force := range []bool{false, true} {
			wantKind(t, "remove of one in use", e.VolumeRemove(ctx, name, force), engine.ErrConflict)
		}
		if ok, err := e.ContainerExists(ctx, user); err != nil || !ok {
			t.Errorf("the container is gone: %v", err)
		}
		a, err := e.ContainerInspect(ctx, user, engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		anonymous := a.Mounts[0].Name
		if err := e.ContainerRemove(ctx, user, engine.RemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		report, err := e.VolumePrune(ctx, engine.Filters{"label": {label}})
		if err != nil || len(report.Deleted) != 0 {
			t.Errorf("prune of the named: %+v, %v", report, err)
		}
		if v, err := e.VolumeInspect(ctx, anonymous); err != nil || !v.Anonymous {
			t.Errorf("%+v, %v", v, err)
		}
		if report, err = e.VolumePrune(ctx, engine.Filters{"label": {label}, "all": {"true"}}); err != nil || !slices.Equal(report.Deleted, []string{name}) {
			t.Errorf("prune of all: %+v, %v", report, err)
		}
		if err := e.VolumeRemove(ctx, anonymous, false); err != nil {
			t.Error(err)
		}
		wantKind(t, "remove of a missing one", e.VolumeRemove(ctx, name, false), engine.ErrNotFound)
		if err := e.VolumeRemove(ctx, name, true); err != nil {
			t.Errorf("forced: %v", err)
		}
		if _, err := e.VolumeInspect(ctx, name); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("inspect: %v", err)
		}
		if _, err := e.VolumeCreate(ctx, engine.VolumeCreateOptions{Name: unique("vol"), Driver: "no-such"}); err == nil {
			t.Error("a driver that does not exist was accepted")
		}
	})
}

func TestSecrets(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("secret")
		s, err := e.SecretCreate(ctx, name, []byte("\x00binary\xff"), engine.SecretCreateOptions{Labels: map[string]string{"a": "b"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.SecretRemove(context.WithoutCancel(ctx), name) })
		if s.Name != name || s.ID == "" || s.Driver != "file" || s.Labels["a"] != "b" || time.Since(s.Created).Abs() > time.Hour {
			t.Errorf("%+v", s)
		}
		list, err := e.SecretList(ctx, engine.Filters{"name": {name}})
		if err != nil || len(list) != 1 || list[0].ID != s.ID || list[0].Labels["a"] != "b" {
			t.Errorf("%+v, %v", list, err)
		}
		_, err = e.SecretCreate(ctx, name, []byte("x"), engine.SecretCreateOptions{})
		wantKind(t, "taken name", err, engine.ErrConflict)
		if _, err = e.SecretCreate(ctx, name, []byte("x"), engine.SecretCreateOptions{Replace: true}); e.version < vSecretReplace {
			wantUnsupported(t, err, "SecretCreateOptions.Replace")
		} else if err != nil {
			t.Errorf("replace: %v", err)
		}
		_, err = e.SecretCreate(ctx, name, nil, engine.SecretCreateOptions{})
		wantKind(t, "no data", err, engine.ErrInvalid)
		if err := e.SecretRemove(ctx, name); err != nil {
			t.Error(err)
		}
		_, err = e.SecretInspect(ctx, name)
		wantKind(t, "inspect of a missing one", err, engine.ErrNotFound)
		wantKind(t, "remove of a missing one", e.SecretRemove(ctx, name), engine.ErrNotFound)
	})
}

// TestEverything creates the container of the golden of that name, and looks into it.
func TestEverything(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		spec := goldenSpec(t, "everything")
		spec.Name = unique("all")
		spec.Command = []string{"sh", "-c", `echo $A; hostname; cat /proc/sys/kernel/domainname; pwd; id -G; umask; grep NoNewPrivs /proc/1/status | tr -d '\t'; ulimit -n; cat /proc/1/oom_score_adj
			df -k /mnt/t | tail -1 | tr -s ' ' | cut -d' ' -f2; touch /mnt/b/x 2>&1 | grep -c Read-only; touch /mnt/v/x 2>&1 | grep -c Read-only; ip -o -4 a show eth0 | tr -s ' ' | cut -d' ' -f4; cat /sys/class/net/eth0/address
			test -c /dev/foo && echo dev; grep h2 /etc/hosts | tr '\t' ' '; cat /sys/fs/cgroup/memory/memory.limit_in_bytes; cat /sys/fs/cgroup/pids/pids.max; sleep 1000`}
		id := started(t, e, spec)
		eventually(t, "the last line", func() bool { return strings.HasSuffix(logs(t, e, id), "\n67108864\n100\n") })
		got := logs(t, e, id)
		want := "1\nh1\nexample.org\n/w/x\n0 10\n0027\nNoNewPrivs:1\n1000\n100\n1024\n1\n1\n10.88.0.177/16\n02:42:0a:58:00:4d\ndev\n127.0.0.9 h2\n67108864\n100\n"
		if got != want {
			t.Errorf("got %q\nwant %q", got, want)
		}
		if err := e.ContainerStop(t.Context(), id, engine.StopOptions{}); err != nil {
			t.Error(err)
		}
	})
}
