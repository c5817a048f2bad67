package podman

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

// TestStdinOnce: Podman closes a container's standard input when the first client that attached it is gone.
func TestStdinOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{Command: []string{"cat"}, OpenStdin: true, StdinOnce: true})
		w, err := e.ContainerWait(ctx, id, "")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		s, err := e.ContainerAttach(ctx, id, engine.AttachOptions{Stdin: true, Stdout: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(s, "x\n"); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if exit, err := w.Wait(); err != nil || exit.Code != 0 {
			t.Errorf("%+v, %v", exit, err)
		}
	})
}

// TestSeccompFile: a profile is read from a file of the engine's host.
func TestSeccompFile(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("seccomp")
		host := engine.Spec{Mounts: []engine.Mount{engine.Bind("/var/tmp", "/h")}}
		id := started(t, e, host)
		defer execOut(t, e, id, "sh", "-c", "rm -f /h/"+name)
		profile := `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}`
		if err := e.ContainerPutArchive(ctx, id, "/h", bytes.NewReader(archiveOf(t, name, profile)), engine.PutArchiveOptions{}); err != nil {
			t.Fatal(err)
		}
		if out := run(t, e, engine.Spec{SecurityOpt: []string{"seccomp=/var/tmp/" + name}}, "mkdir /x 2>&1 || true"); !strings.Contains(out, "not permitted") {
			t.Errorf("mkdir says %q", out)
		}
		_, err := runErr(t, e, engine.Spec{SecurityOpt: []string{"seccomp=/no/such/profile"}}, "true")
		wantKind(t, "missing profile", err, engine.ErrInvalid)
	})
}

// TestTimeout: a container runs no longer than its Timeout.
func TestTimeout(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		res, err := runErr(t, e, engine.Spec{Timeout: time.Second}, "sleep 1000")
		if err != nil || res.exit.Code == 0 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

func TestMissingCDIDevice(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		_, err := runErr(t, e, engine.Spec{DeviceRequests: []engine.DeviceRequest{engine.GPUs(-1)}}, "true")
		wantKind(t, "GPU", err, engine.ErrInvalid)
	})
}

func TestPutArchiveOverDirectory(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		id := started(t, e, engine.Spec{})
		execOut(t, e, id, "mkdir", "-p", "/d/sub", "/d/sub2")
		err := e.ContainerPutArchive(ctx, id, "/d", bytes.NewReader(archiveOf(t, "sub", "x")), engine.PutArchiveOptions{NoOverwriteDirNonDir: true})
		if err == nil {
			t.Error("a file took the place of a directory")
		}
		if out := execOut(t, e, id, "sh", "-c", "test -d /d/sub && echo kept"); out != "kept" {
			t.Error("the directory is gone")
		}
		if err := e.ContainerPutArchive(ctx, id, "/d", bytes.NewReader(archiveOf(t, "sub2", "x")), engine.PutArchiveOptions{}); err != nil {
			t.Errorf("over an empty directory: %v", err)
		}
	})
}

// TestCreateInNamespaceOfAnother joins a container's namespaces.
func TestCreateInNamespaceOfAnother(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		other := started(t, e, engine.Spec{Command: []string{"sleep", "4321"}, IPCMode: "shareable"})
		mac := execOut(t, e, other, "cat", "/sys/class/net/eth0/address")
		got := run(t, e, engine.Spec{NetworkMode: "container:" + other, PIDMode: "container:" + other, IPCMode: "container:" + other, UTSMode: "container:" + other},
			"cat /sys/class/net/eth0/address; ps | grep -c 'sleep 432[1]'; hostname")
		if want := mac + "\n1\n" + execOut(t, e, other, "hostname"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestCreateVolumesFrom takes over another's volumes.
func TestCreateVolumesFrom(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		other := started(t, e, engine.Spec{Mounts: []engine.Mount{engine.Volume("", "/v")}})
		execOut(t, e, other, "touch", "/v/x")
		if got := run(t, e, engine.Spec{VolumesFrom: []string{other + ":ro"}}, "ls /v; touch /v/y 2>&1 || true"); !strings.HasPrefix(got, "x\n") || !strings.Contains(got, "Read-only") {
			t.Errorf("got %q", got)
		}
	})
}

func TestCreateVolumeSubpath(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("vol")
		run(t, e, engine.Spec{Mounts: []engine.Mount{engine.Volume(name, "/v")}}, "mkdir /v/sub && echo in >/v/sub/f")
		t.Cleanup(func() { e.VolumeRemove(ctx, name, true) })
		m := engine.Volume(name, "/s")
		m.Subpath = "sub"
		spec := engine.Spec{Image: "busybox", Mounts: []engine.Mount{m}}
		if e.version < vVolumeSubpath {
			_, err := e.ContainerCreate(ctx, &spec, engine.CreateOptions{})
			wantUnsupported(t, err, "Spec.Mounts[0].Subpath")
		} else if got := run(t, e, spec, "cat /s/f"); got != "in" {
			t.Errorf("got %q", got)
		}
		if err := e.VolumeRemove(ctx, name, false); err != nil {
			t.Error(err)
		}
	})
}
