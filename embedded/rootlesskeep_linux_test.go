package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// keepID: the user has the same number inside, or another one that he chooses, and his files are his there; the image's are root's.
func (r *userRig) keepID() {
	ctx := r.t.Context()
	home := r.t.TempDir()
	r.check(os.WriteFile(filepath.Join(home, "mine"), []byte("mine"), 0o600))
	bind := []engine.Mount{{Type: engine.MountBind, Source: home, Target: "/home/me"}}
	own, root := ordinaryID, "0:0"
	for _, c := range []struct {
		mode     string
		uid, gid int
	}{{"keep-id", own, own}, {"keep-id:uid=200,gid=210", 200, 210}, {"keep-id:uid=70000", 70000, own}, {"keep-id:uid=0,gid=0", 0, 0}} {
		if r.single {
			root = fmt.Sprintf("%d:%d", c.uid, c.gid) // there is nobody else
		}
		spec := engine.Spec{UsernsMode: c.mode, Mounts: append(bind, engine.Mount{Type: engine.MountVolume, Target: "/vol"}, engine.Mount{Type: engine.MountImage, Source: image1, Target: "/image"})}
		got := r.output(spec, `id -u; id -g
			stat -c %u:%g / /bin /bin/busybox /etc/hosts /image/bin
			stat -c %u:%g /home/me /home/me/mine; cat /home/me/mine; echo
			echo x >/home/me/new && stat -c %u:%g /home/me/new
			echo x >/vol/new && echo volume
			(echo x >/bin/new) 2>/dev/null && echo image
			grep -c . /proc/self/uid_map; rm /home/me/new; true`)
		me := fmt.Sprintf("%d:%d", c.uid, c.gid)
		want := []string{fmt.Sprint(c.uid), fmt.Sprint(c.gid), root, root, root, root, root, me, me, "mine", me, "volume"}
		if r.single || c.uid == 0 {
			want = append(want, "image") // what belongs to him he can write to
		}
		lines := strings.Split(got, "\n")
		if len(lines) < 2 || !slices.Equal(lines[:len(lines)-1], want) {
			r.t.Errorf("%s: %q, want %q", c.mode, lines, want)
		}
	}

	// Everything that goes in and comes out has the numbers of the inside.
	id := r.start(engine.Spec{UsernsMode: "keep-id", Mounts: bind}, "sh", "-c", "echo x >/home/me/made; touch /home/me/done; exec sleep 1000")
	await(r.t, func() bool { _, err := os.Stat(filepath.Join(home, "done")); return err == nil })
	if got := r.owner(filepath.Join(home, "made")); got != own {
		r.t.Errorf("a file of the user belongs to %d outside", got)
	}
	if got, want := r.inside(id, "id -u"), fmt.Sprint(own); got != want {
		r.t.Errorf("exec is %s, want %s", got, want)
	}
	rootID := 0
	if r.single {
		rootID = own
	} else {
		x, err := r.ExecCreate(ctx, id, engine.ExecSpec{Cmd: []string{"sh", "-c", "touch /byroot; chown 5:6 /byroot"}, User: "0"})
		r.check(err)
		s, err := r.ExecStart(ctx, x, engine.ExecStartOptions{})
		r.check(err)
		r.check(s.Close())
		await(r.t, func() bool { return r.inside(id, "stat -c %u:%g /byroot") == "5:6" })
		if got := r.owner(filepath.Join(r.store.Dir(id), "upper", "byroot")); got == own || got < subordinateID {
			r.t.Errorf("a file of another user belongs to %d outside", got)
		}
	}
	for _, state := range []string{"running", "stopped"} {
		if _, owner := r.get(id, "/bin/busybox"); owner != rootID {
			r.t.Errorf("%s: the image's file belongs to %d", state, owner)
		}
		r.check(r.ContainerPutArchive(ctx, id, "/", archive("put"+state, "put", own), engine.PutArchiveOptions{}))
		if got, owner := r.get(id, "/put"+state); got != "put" || owner != own {
			r.t.Errorf("%s: %q of %d", state, got, owner)
		}
		if state == "running" {
			r.check(r.ContainerKill(ctx, id, "KILL"))
		}
	}
	diff, err := r.ContainerDiff(ctx, id)
	r.check(err)
	if !slices.ContainsFunc(diff, func(c engine.Change) bool { return c.Path == "/putstopped" }) ||
		slices.ContainsFunc(diff, func(c engine.Change) bool { return strings.HasPrefix(c.Path, "/bin/") }) {
		r.t.Errorf("diff is %+v", diff)
	}
	// An image of it, for containers with the usual users.
	img, err := r.ContainerCommit(ctx, id, engine.CommitOptions{})
	r.check(err)
	want := fmt.Sprintf("%d\n0", own)
	if r.single {
		want = "0\n0"
	}
	if code, out := r.sh(engine.Spec{Image: img, User: "0"}, "stat -c %u /putstopped /bin/busybox"); code != 0 || out != want {
		r.t.Errorf("%d: %q, want %q", code, out, want)
	}
	for id := range r.all2() {
		r.remove(id)
	}
	_, err = r.ImageRemove(ctx, img, engine.ImageRemoveOptions{Force: true})
	r.check(err)

	// A network, a neighbour in the same namespaces, the reaper, and the host's processes.
	if len(r.host.NetworkHelpers) > 0 {
		if out := r.output(engine.Spec{UsernsMode: "keep-id", NetworkMode: r.host.NetworkHelpers[0]}, "ip addr show eth0 | grep -c inet"); out == "0" {
			r.t.Error("no address")
		}
	}
	first := r.start(engine.Spec{UsernsMode: "keep-id", IPCMode: "shareable"}, "sleep", "1000")
	beside := engine.Spec{IPCMode: "container:" + first, PIDMode: "container:" + first, User: fmt.Sprintf("%d:%d", own, own)}
	if got, want := r.output(beside, "id -u; stat -c %u /bin/busybox; ps | grep -c '[s]leep 1000'"), fmt.Sprintf("%d\n%d\n1", own, rootID); got != want {
		r.t.Errorf("beside: %q, want %q", got, want)
	}
	if got := r.output(engine.Spec{UsernsMode: "keep-id", Init: new(true), PIDMode: "host"}, "id -u"); got != fmt.Sprint(own) {
		r.t.Errorf("with an init: %s", got)
	}
	if !r.single {
		if got := r.output(engine.Spec{UsernsMode: "keep-id", User: "0"}, "id -u; touch /root/f && echo made"); got != "0\nmade" {
			r.t.Errorf("as root: %q", got)
		}
	}
	for _, mode := range []string{"keep-id:size=5", "keep-id:uid=x"} {
		spec := engine.Spec{Image: image1, NetworkMode: "none", UsernsMode: mode}
		if _, err := r.ContainerCreate(ctx, &spec, engine.CreateOptions{}); !errors.Is(err, engine.ErrUnsupported) && !errors.Is(err, engine.ErrInvalid) {
			r.t.Errorf("%s: %v", mode, err)
		}
	}
}
