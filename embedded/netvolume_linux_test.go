package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/testenv"
)

// TestNFS: volumes of the driver local that are mounted from a server: the kernel's own, which is told by hand what mountd
// would tell it. It needs a kernel with nfsd, in which nobody else has set that up: .ci/run runs it in a machine of its own.
func TestNFS(t *testing.T) {
	if os.Getenv(asUser) != "" {
		refusedNFS(t)
		return
	}
	if os.Getenv("BERTH_NETVOLUMES") == "" {
		t.Skip("BERTH_NETVOLUMES is not set: the kernel's servers are started in .ci/run's emulated machine")
	}
	r := newRig(t)
	served := serveNFS(t)
	ctx := t.Context()
	for name, c := range map[string]struct{ kind, o, want string }{
		"v4":   {"nfs", "addr=localhost,rw,nfsvers=4,soft,nolock,timeo=70", ",soft,"},
		"v4.2": {"nfs4", "addr=127.0.0.1,vers=4.2,ro,nosuid", "ro,nosuid,"},
	} {
		readOnly := c.kind == "nfs4"
		_, err := r.VolumeCreate(ctx, engine.VolumeCreateOptions{Name: name, DriverOptions: map[string]string{"type": c.kind, "device": ":/", "o": c.o}})
		r.check(err)
		spec := engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Source: name, Target: "/data"}}}
		a := &armor{r.Engine, t, "", ""}
		script := "cat /data/f; grep ' /data nfs4 ' /proc/mounts; (echo in >/data/g) 2>/dev/null && sync /data/g; echo end"
		id := a.start(spec, script+"; exec sleep 1000")
		out := a.output(id)
		if !strings.HasPrefix(out, "served\n:/ /data nfs4 ") || !strings.Contains(out, c.want) || !strings.Contains(out, "addr=127.0.0.1") {
			t.Errorf("%s: inside: %q", name, out)
		}
		text, err := os.ReadFile(filepath.Join(served, "g"))
		if readOnly != errors.Is(err, os.ErrNotExist) || err == nil && string(text) != "in\n" {
			t.Errorf("%s: on the server: %q, %v", name, text, err)
		}
		os.Remove(filepath.Join(served, "g"))
		// Two containers have it: it stays until the second one ends.
		second := a.start(spec, "exec sleep 1000")
		r.check(r.ContainerRemove(ctx, second, engine.RemoveOptions{Force: true}))
		if out := a.run(id, engine.ExecSpec{}, "cat /data/f"); out != "served\n" {
			t.Errorf("%s: with the other's end: %q", name, out)
		}
		r.check(r.ContainerKill(ctx, id, "KILL"))
		r.ended(id)
		unmounted(t)
		// Files of a container that does not run.
		rc, _, err := r.ContainerGetArchive(ctx, id, "/data/f", engine.ArchiveOptions{})
		r.check(err)
		copied, err := io.ReadAll(rc)
		if err = errors.Join(err, rc.Close()); err != nil || !strings.Contains(string(copied), "served\n") {
			t.Errorf("%s: copied out: %q, %v", name, copied, err)
		}
		r.check(r.ContainerRemove(ctx, id, engine.RemoveOptions{Force: true}))
		r.check(r.VolumeRemove(ctx, name, false))
	}
	if text, err := os.ReadFile(filepath.Join(served, "f")); err != nil || string(text) != "served\n" {
		t.Errorf("the volumes are gone, the server has %q, %v", text, err)
	}
	var out bytes.Buffer
	user := exec.Command("/proc/self/exe", "-test.run=^TestNFS$", "-test.v="+fmt.Sprint(testing.Verbose()))
	user.Env = []string{asUser + "=nfs"}
	user.Stdout, user.Stderr = &out, &out
	if err := (testenv.Ordinary{}).Run(user); err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, &out)
	}
}

// refusedNFS: an ordinary user's containers cannot have such a volume.
func refusedNFS(t *testing.T) {
	e, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	a := &armor{e, t, "", ""}
	_, err = e.ImageImport(t.Context(), testenv.Busybox(t), engine.ImportOptions{Reference: image1, Changes: []string{"ENV PATH=/bin"}})
	a.check(err)
	_, err = e.VolumeCreate(t.Context(), engine.VolumeCreateOptions{Name: "v", DriverOptions: map[string]string{"type": "nfs", "device": ":/", "o": "addr=127.0.0.1,vers=4,soft"}})
	a.check(err)
	c, err := e.ContainerCreate(t.Context(), &engine.Spec{Image: image1, Command: []string{"true"}, NetworkMode: "none", Mounts: []engine.Mount{{Type: engine.MountVolume, Source: "v", Target: "/data"}}}, engine.CreateOptions{})
	a.check(err)
	if err := e.ContainerStart(t.Context(), c.ID, engine.StartOptions{}); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("start: %v", err)
	}
	a.check(e.ContainerRemove(t.Context(), c.ID, engine.RemoveOptions{Force: true}))
}

// TestSilentServer: who does not wait any more for a server that does not answer is let go, at creation and at the start, and nothing stays
// mounted when the server has gone.
func TestSilentServer(t *testing.T) {
	if os.Getenv("BERTH_NETVOLUMES") == "" {
		t.Skip("BERTH_NETVOLUMES is not set: the kernel's servers are started in .ci/run's emulated machine")
	}
	load(t, "nfs", "nfsv4")
	r := newRig(t)
	for _, target := range []string{"/home", "/data"} { // the image has the first one: the volume is mounted at creation, to be filled
		l, err := net.Listen("tcp", "127.0.0.1:0")
		r.check(err)
		defer l.Close()
		ctx, cancel := context.WithCancel(t.Context())
		conns := make(chan net.Conn, 1)
		go func() {
			c, err := l.Accept()
			if err == nil {
				c.Read(make([]byte, 1))
				conns <- c
			}
			cancel()
		}()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		name := "silent" + filepath.Base(target)
		_, err = r.VolumeCreate(t.Context(), engine.VolumeCreateOptions{Name: name, DriverOptions: map[string]string{"type": "nfs", "device": ":/", "o": "addr=localhost,vers=4,soft,timeo=10,retrans=1,port=" + port}})
		r.check(err)
		spec := engine.Spec{Image: image1, Command: []string{"true"}, NetworkMode: "none", Mounts: []engine.Mount{{Type: engine.MountVolume, Source: name, Target: target}}}
		c, err := r.ContainerCreate(ctx, &spec, engine.CreateOptions{})
		if target == "/data" {
			r.check(err)
			err = r.ContainerStart(ctx, c.ID, engine.StartOptions{})
		}
		r.want(target, err, context.Canceled)
		r.check(errors.Join((<-conns).Close(), l.Close()))
		if target == "/data" {
			r.check(r.ContainerRemove(t.Context(), c.ID, engine.RemoveOptions{Force: true}))
		}
		r.check(r.VolumeRemove(t.Context(), name, false))
		unmounted(t)
	}
}

// TestSMB: the kernel asks the server for which the options say so, and what it says to the failure names no password.
func TestSMB(t *testing.T) {
	if os.Getenv("BERTH_NETVOLUMES") == "" {
		t.Skip("BERTH_NETVOLUMES is not set: the kernel's servers are started in .ci/run's emulated machine")
	}
	load(t, "cifs")
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.check(err)
	asked := make(chan []byte, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(asked)
				return
			}
			head := make([]byte, 8) // a length, and the protocol
			io.ReadFull(c, head)
			c.Close()
			asked <- head
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_, err = r.VolumeCreate(t.Context(), engine.VolumeCreateOptions{Name: "smb", DriverOptions: map[string]string{
		"type": "cifs", "device": "//localhost/share", "o": "username=u,password=hush,vers=3.0,file_mode=0777,port=" + port,
	}})
	r.check(err)
	id := r.create(engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Source: "smb", Target: "/data"}}}, "true")
	err = r.ContainerStart(t.Context(), id, engine.StartOptions{})
	if err == nil || !strings.Contains(err.Error(), "//localhost/share") || strings.Contains(err.Error(), "hush") {
		t.Errorf("start: %v", err)
	}
	r.check(l.Close())
	if head := <-asked; len(head) != 8 || string(head[4:]) != "\xfeSMB" {
		t.Errorf("the server was asked %q", head)
	}
}

// unmounted waits until no file system of a server is mounted: a container's end is told before its volumes are unmounted.
func unmounted(t *testing.T) {
	t.Helper()
	for list := nfsMounts(t); len(list) > 0; list = nfsMounts(t) {
		select {
		case <-t.Context().Done():
			t.Fatalf("mounted for nobody: %v", list)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// load loads modules of the kernel.
func load(t *testing.T, modules ...string) {
	t.Helper()
	if out, err := exec.Command("modprobe", append([]string{"-a"}, modules...)...).CombinedOutput(); err != nil {
		t.Fatalf("modprobe %v: %v: %s", modules, err, out)
	}
}

// nfsMounts are the mount points of NFS in this namespace.
func nfsMounts(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); strings.HasPrefix(f[2], "nfs") && f[2] != "nfsd" {
			list = append(list, f[1])
		}
	}
	return list
}

// serveNFS serves a directory as "/" to this network namespace, over NFS 4.
func serveNFS(t *testing.T) (dir string) {
	t.Helper()
	load(t, "nfsd", "nfs", "nfsv4")
	dir = testenv.StateDir(t)
	const nfsd, rpc = "/proc/fs/nfsd", "/proc/net/rpc"
	steps := []func() error{
		func() error { return os.Chmod(dir, 0o777) },
		func() error { return os.WriteFile(filepath.Join(dir, "f"), []byte("served\n"), 0o644) },
		func() error { return os.MkdirAll("/var/lib/nfs/v4recovery", 0o700) }, // where it keeps its clients
		func() error { return unix.Mount("nfsd", nfsd, "nfsd", 0, "") },
	}
	for _, w := range []struct{ file, text string }{
		{nfsd + "/versions", "-3 +4 +4.1 +4.2"}, // 3 wants a portmapper
		{nfsd + "/nfsv4gracetime", "10"},
		{rpc + "/auth.unix.ip/channel", "nfsd 127.0.0.1 %d berth"},
		{rpc + "/nfsd.fh/channel", `berth 1 \x00000000 %d ` + dir},
		// 0x2402: any port, no check of the subtree, a number of its own, which is the last one
		{rpc + "/nfsd.export/channel", "berth " + dir + " %d 9218 65534 65534 0"},
		{nfsd + "/portlist", "tcp 2049"},
		{nfsd + "/threads", "2"},
	} {
		if strings.Contains(w.text, "%d") {
			w.text = fmt.Sprintf(w.text, time.Now().Add(time.Hour).Unix())
		}
		steps = append(steps, func() error { return os.WriteFile(w.file, []byte(w.text+"\n"), 0) })
	}
	t.Cleanup(func() {
		if err := errors.Join(os.WriteFile(nfsd+"/threads", []byte("0\n"), 0), unix.Unmount(nfsd, 0)); err != nil {
			t.Error(err)
		}
	})
	for _, f := range steps {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	// For ten seconds it lets clients of before its start come back first. It cannot be told that there are none, in a network namespace.
	for {
		if text, err := os.ReadFile(nfsd + "/v4_end_grace"); err != nil || string(text) == "Y\n" {
			return dir
		}
		time.Sleep(10 * time.Millisecond)
	}
}
