package embedded

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/berthdev/berth/engine"
)

// refused: what an ordinary user cannot have says why.
func (r *userRig) refused() {
	limit := engine.Spec{Image: image1, NetworkMode: "none"}
	limit.Resources.Memory = 64 * engine.MiB
	for _, c := range []struct {
		spec engine.Spec
		say  string
	}{
		{limit, "cgroup v2"},
		{engine.Spec{Image: image1, NetworkMode: "bridge"}, "pasta"},
		{engine.Spec{Image: image1, NetworkMode: "mine"}, "rootless"},
		{engine.Spec{Image: image1, NetworkMode: "none", UsernsMode: "keep-id:size=9"}, "uid=N"},
		{engine.Spec{Image: image1, NetworkMode: "none", CgroupParent: "/x"}, "cgroup v2"},
		{engine.Spec{Image: image1, NetworkMode: "none", PIDMode: "ns:/proc/1/ns/pid"}, "running containers"},
		{engine.Spec{Image: image1, NetworkMode: "ns:/proc/1/ns/net"}, "running containers"},
		{engine.Spec{Image: image1, NetworkMode: "none", DeviceCgroupRules: []string{"c 1:3 rwm"}}, "root"},
	} {
		_, err := r.ContainerCreate(r.t.Context(), &c.spec, engine.CreateOptions{})
		if _, ok := errors.AsType[*engine.UnsupportedError](err); !ok || !strings.Contains(err.Error(), c.say) {
			if c.say == "cgroup v2" && r.host.CgroupV2 {
				continue
			}
			r.t.Errorf("%+v: %v, want %s", c.spec, err, c.say)
		}
	}
	_, err := r.NetworkCreate(r.t.Context(), engine.NetworkCreateOptions{Name: "mine"})
	if !errors.Is(err, engine.ErrUnsupported) {
		r.t.Error(err)
	}
}

// options: what an ordinary user's container has in another way than root's.
func (r *userRig) options() {
	own := "0 0 1"
	for _, c := range []struct {
		spec         engine.Spec
		script, want string
	}{
		{engine.Spec{Devices: []engine.Device{{Host: "/dev/zero", Container: "/dev/sub/nought"}}}, "head -c 2 /dev/sub/nought | od -An -tx1; test -c /dev/sub/nought", "00 00"},
		{engine.Spec{Domainname: "d.example"}, "cat /proc/sys/kernel/domainname", "d.example"},
		{engine.Spec{Sysctls: map[string]string{"kernel.domainname": "e.example"}}, "cat /proc/sys/kernel/domainname", "e.example"},
		{engine.Spec{IPCMode: "host"}, "readlink /proc/self/ns/ipc", link(r.t, "/proc/self/ns/ipc")},
		{engine.Spec{UTSMode: "host"}, "readlink /proc/self/ns/uts", link(r.t, "/proc/self/ns/uts")},
		// The namespace of the user is the host's, as far as there is one.
		{engine.Spec{UsernsMode: "host"}, "awk '{$1=$1};1' /proc/self/uid_map | head -1", own},
		{engine.Spec{UsernsMode: "private"}, "awk '{$1=$1};1' /proc/self/uid_map | head -1", own},
		{engine.Spec{UsernsMode: "auto"}, "awk '{$1=$1};1' /proc/self/uid_map | head -1", own},
	} {
		if code, out := r.sh(c.spec, c.script); code != 0 || strings.TrimSpace(out) != c.want {
			r.t.Errorf("%s: exit code %d, %q, want %q", c.script, code, out, c.want)
		}
	}
	if got := link(r.t, "/proc/self/ns/user"); strings.Contains(r.output(engine.Spec{UsernsMode: "host"}, "readlink /proc/self/ns/user"), got) {
		r.t.Error("a container has the user namespace of the machine")
	}
	r.layered()
	_, err := r.SecretCreate(r.t.Context(), "token", []byte("secret"), engine.SecretCreateOptions{})
	r.check(err)
	for _, user := range []string{"", "nobody"} {
		if r.single && user != "" {
			continue
		}
		spec := engine.Spec{User: user, SecretEnv: map[string]string{"TOKEN": "token"}, Secrets: []engine.SecretMount{{Source: "token"}}}
		if out := r.output(spec, "echo $TOKEN; cat /run/secrets/token"); out != "secret\nsecret" {
			r.t.Errorf("secrets of user %q: %q", user, out)
		}
	}
	r.check(r.SecretRemove(r.t.Context(), "token"))
	// The helper of a container that shares another's namespaces, but not its network, finds its way in.
	if len(r.host.NetworkHelpers) > 0 {
		id := r.start(engine.Spec{IPCMode: "shareable"}, "sleep", "1000")
		if code, out := r.sh(engine.Spec{NetworkMode: r.host.NetworkHelpers[0], IPCMode: "container:" + id}, "ip addr show eth0"); code != 0 {
			r.t.Errorf("%d: %s", code, out)
		}
	}
}

// layered: overlays of an image of two layers, and of a directory of the user's.
func (r *userRig) layered() {
	ctx := r.t.Context()
	id := r.create(engine.Spec{}, "sh", "-c", "echo new >/f; rm /etc/group")
	r.check(r.ContainerStart(ctx, id, engine.StartOptions{}))
	w, err := r.ContainerWait(ctx, id, engine.WaitNotRunning)
	r.check(err)
	_, err = w.Wait()
	r.check(errors.Join(err, w.Close()))
	image, err := r.ContainerCommit(ctx, id, engine.CommitOptions{})
	r.check(err)
	r.remove(id)
	dir := r.t.TempDir()
	r.check(os.WriteFile(dir+"/below", []byte("below"), 0o600))
	for _, m := range []engine.Mount{
		{Type: engine.MountImage, Source: image, Target: "/m"},
		{Type: engine.MountImage, Source: image, Target: "/m", Options: []string{"rw"}},
		{Type: engine.MountOverlay, Source: dir, Target: "/m"},
	} {
		script := "cat /m/f; test ! -e /m/etc/group; echo $?; touch /m/x 2>/dev/null && rm -r /m/bin && echo written"
		want := "new\n0"
		if len(m.Options) > 0 {
			want += "\nwritten"
		}
		if m.Type == engine.MountOverlay {
			script, want = "cat /m/below; rm /m/below; ls /m; touch /m/x; ls /m", "belowx"
		}
		if _, out := r.sh(engine.Spec{Mounts: []engine.Mount{m}}, script); out != want {
			r.t.Errorf("%+v: %q, want %q", m, out, want)
		}
	}
	if _, err := os.Stat(dir + "/below"); err != nil {
		r.t.Error(err)
	}
	_, err = r.ImageRemove(ctx, image, engine.ImageRemoveOptions{Force: true})
	r.check(err)
}

// output is what a command writes that ends well.
func (r *userRig) output(spec engine.Spec, script string) string {
	r.t.Helper()
	code, out := r.sh(spec, script)
	if code != 0 {
		r.t.Errorf("%s: exit code %d: %s", script, code, out)
	}
	return out
}

func link(t *testing.T, path string) string {
	t.Helper()
	to, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// registry: images go to a registry and come back.
func (r *userRig) registry() {
	ctx := r.t.Context()
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer srv.Close()
	uid := 7
	if r.single {
		uid = 0
	}
	first, err := r.ImageImport(ctx, archive("owned", "x", uid), engine.ImportOptions{})
	r.check(err)
	ref := strings.TrimPrefix(srv.URL, "http://") + "/owned:1"
	r.check(r.ImageTag(ctx, first, ref))
	steps := 0
	r.check(r.ImagePush(ctx, ref, engine.PushOptions{Progress: func(engine.PullProgress) { steps++ }}))
	_, err = r.ImageRemove(ctx, ref, engine.ImageRemoveOptions{Force: true})
	r.check(err)
	_, err = r.ImageRemove(ctx, first, engine.ImageRemoveOptions{Force: true})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		r.t.Error(err)
	}
	id, err := r.ImagePull(ctx, ref, engine.PullOptions{Progress: func(engine.PullProgress) { steps++ }})
	if err != nil || id != first || steps == 0 {
		r.t.Errorf("pulled %s, %v, %d steps; want %s", id, err, steps, first)
	}
	c := r.create(engine.Spec{Image: ref}, "none")
	if got, owner := r.get(c, "/owned"); got != "x" || owner != uid {
		r.t.Errorf("%q of %d", got, owner)
	}
	r.remove(c)
	if _, err := r.ImagePull(ctx, ref+"nosuch", engine.PullOptions{}); !errors.Is(err, engine.ErrNotFound) {
		r.t.Errorf("a tag that is not there: %v", err)
	}
	_, err = r.ImageRemove(ctx, ref, engine.ImageRemoveOptions{Force: true})
	r.check(err)
}

// runtime: the same containers through an installed runtime.
func (r *userRig) runtime(name string) {
	ctx := r.t.Context()
	spec := engine.Spec{Runtime: name, Mounts: []engine.Mount{{Type: engine.MountVolume, Target: "/vol"}}}
	if len(r.host.NetworkHelpers) > 0 {
		spec.NetworkMode = r.host.NetworkHelpers[0]
	}
	want := "chown=0"
	if r.single {
		want = "chown=1"
	}
	id := r.start(spec, "sh", "-c", "id -u; echo x >/dev/null && touch /vol/f && chown 5 /vol/f; echo chown=$?; exec sleep 1000")
	await(r.t, func() bool { return strings.Contains(r.log(id), "chown=") })
	if got := strings.Split(r.log(id), "\n"); got[0] != "0" || !slices.Contains(got, want) {
		r.t.Errorf("%q, want %s", got, want)
	}
	x, err := r.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "readlink /proc/1/exe; ls /vol"}, AttachStdout: true})
	r.check(err)
	s, err := r.ExecStart(ctx, x, engine.ExecStartOptions{})
	r.check(err)
	b, err := io.ReadAll(s)
	r.check(errors.Join(err, s.Close()))
	if got := text(b); got != "/bin/busybox\nf\n" {
		r.t.Errorf("exec: %q", got)
	}
	r.check(r.ContainerPutArchive(ctx, id, "/vol", archive("put", "in", 0), engine.PutArchiveOptions{}))
	if got, _ := r.get(id, "/vol/put"); got != "in" {
		r.t.Errorf("archive: %q", got)
	}
	r.check(r.ContainerKill(ctx, id, "KILL"))
	await(r.t, func() bool {
		a, err := r.ContainerInspect(ctx, id, engine.InspectOptions{})
		r.check(err)
		return a.State.Status == engine.StatusExited && a.State.ExitCode == 137
	})
	if code, _ := r.sh(engine.Spec{Runtime: name}, "exit 7"); code != 7 {
		r.t.Errorf("exit code %d", code)
	}
	if got, want := r.output(engine.Spec{Runtime: name, PIDMode: "host"}, fmt.Sprintf("readlink /proc/self/ns/pid; test -d /proc/%d", os.Getpid())), link(r.t, "/proc/self/ns/pid"); got != want {
		r.t.Errorf("the host's processes: %s, want %s", got, want)
	}
	named := r.create(engine.Spec{Runtime: name, Domainname: "d.example"}, "true")
	defer r.remove(named)
	if err := r.ContainerStart(ctx, named, engine.StartOptions{}); !errors.Is(err, engine.ErrUnsupported) {
		r.t.Errorf("a domain name: %v", err)
	}
}
