package bench

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/embedded"
)

// The embedded engine beside a daemon (BERTH_ENGINE_HOST) and beside crun, in one run: compare the sub-benchmarks'
// medians over several counts (-count 5), as ratios. All of them start `true` with Docker's default seccomp profile.
//
// As root: BERTH_BENCH_EMBEDDED=1 go test -run '^$' -bench Embedded ./bench

// local is the embedded engine on directories of this benchmark.
type local struct {
	cli       *berth.Client
	root, run string
}

func openLocal(b *testing.B, dir string, opts ...embedded.Option) *local {
	b.Helper()
	l := &local{root: filepath.Join(dir, "root"), run: runOf(dir)}
	e, err := embedded.Open(b.Context(), append([]embedded.Option{embedded.WithRoot(l.root), embedded.WithRunRoot(l.run)}, opts...)...)
	if err != nil {
		b.Fatal(err)
	}
	l.cli, err = berth.New(b.Context(), berth.WithEngine(e))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.cli.Close() })
	return l
}

// runOf is the directory of state that goes with a boot: on a tmpfs, as the default one is where an init system has made /run, and as
// scripts/engines gives daemons theirs.
func runOf(dir string) string {
	for _, at := range []string{"/run", "/dev/shm"} {
		var st unix.Statfs_t
		if unix.Statfs(at, &st) == nil && st.Type == unix.TMPFS_MAGIC {
			return filepath.Join(at, filepath.Base(dir))
		}
	}
	return filepath.Join("/run", filepath.Base(dir))
}

// newLocal opens the engine on a fresh directory, with the busybox image in it.
func newLocal(b *testing.B, opts ...embedded.Option) *local {
	b.Helper()
	if os.Getenv("BERTH_BENCH_EMBEDDED") == "" {
		b.Skip("BERTH_BENCH_EMBEDDED is not set: these run containers on this machine, as root")
	}
	dir, err := os.MkdirTemp("/var/lib", "berth-bench-") // a state directory's place: not on tmpfs
	if err != nil {
		b.Fatal(err)
	}
	l := openLocal(b, dir, opts...)
	b.Cleanup(func() {
		l.removeAll(b)
		os.RemoveAll(dir)
		os.RemoveAll(l.run)
	})
	l.busybox(b, 1)
	return l
}

func (l *local) removeAll(b *testing.B) {
	ctx := context.WithoutCancel(b.Context())
	list, err := l.cli.Containers.List(ctx, berth.ListOptions{All: true})
	if err != nil {
		b.Error(err)
	}
	for _, c := range list {
		if err := c.Remove(ctx, berth.RemoveOptions{Force: true, Volumes: true}); err != nil {
			b.Error(err)
		}
	}
}

// busybox imports the machine's static busybox and puts further layers on top.
func (l *local) busybox(b *testing.B, layers int) string {
	b.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		b.Skip("no busybox: apt-get install busybox-static")
	}
	program, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, dir := range []string{"bin/", "etc/", "tmp/", "proc/", "sys/", "dev/"} {
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755})
	}
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755, Size: int64(len(program))})
	w.Write(program)
	for _, name := range []string{"sh", "true", "sleep", "cat"} {
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777})
	}
	w.Close()
	if _, err := l.cli.Images.Import(b.Context(), &buf, berth.ImportOptions{Reference: image}); err != nil {
		b.Fatal(err)
	}
	name := image
	for n := 1; n < layers; n++ {
		c, err := l.cli.Containers.Create(b.Context(), berth.Spec{Image: name, Command: []string{"true"}})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.WriteFile(b.Context(), fmt.Sprintf("/tmp/layer%d", n), []byte("x"), 0o644); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Commit(b.Context(), berth.CommitOptions{Repository: "layers", Tag: fmt.Sprint(n + 1)}); err != nil {
			b.Fatal(err)
		}
		if err := c.Remove(b.Context()); err != nil {
			b.Fatal(err)
		}
		name = fmt.Sprintf("layers:%d", n+1)
	}
	return name
}

// runTrue is docker run -d and docker wait and docker rm.
func runTrue(ctx context.Context, cli *berth.Client, spec berth.Spec) error {
	c, err := cli.Containers.Start(ctx, spec)
	if err != nil {
		return err
	}
	exit, err := c.Wait(ctx)
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		return fmt.Errorf("exit code %d", exit.Code)
	}
	return c.Remove(ctx)
}

func BenchmarkEmbeddedRun(b *testing.B) {
	l := newLocal(b)
	for _, network := range []string{"bridge", "none"} {
		spec := berth.Spec{Image: image, Command: []string{"true"}, NetworkMode: network}
		b.Run(network+"/embedded", func(b *testing.B) {
			for b.Loop() {
				if err := runTrue(b.Context(), l.cli, spec); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(network+"/daemon", func(b *testing.B) {
			t := connect(b)
			for b.Loop() {
				if err := runTrue(b.Context(), t.cli, spec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("none/crun", func(b *testing.B) { benchmarkCrun(b, l) })
}

// benchmarkCrun runs the configuration that the embedded engine has made with crun: the bundle's root is a plain
// directory, without overlay, and there is no log and no record, which flatters crun.
func benchmarkCrun(b *testing.B, l *local) {
	run := newCrun(b, l)
	if run == nil {
		b.Skip("no crun: apt-get install crun")
	}
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

// writeBundle makes an OCI bundle of a container of the embedded engine.
func writeBundle(b *testing.B, l *local, id, bundle string) {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(l.root, "containers", id, "config.json"))
	if err != nil {
		b.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		b.Fatal(err)
	}
	config["root"] = map[string]any{"path": "rootfs"}
	config["linux"].(map[string]any)["cgroupsPath"] = "/berth-bench"
	if data, err = json.Marshal(config); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), data, 0o600); err != nil {
		b.Fatal(err)
	}
	c, err := l.cli.Containers.Get(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	r, err := c.Export(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	rootfs := filepath.Join(bundle, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("tar", "-C", rootfs, "-xf", "-")
	cmd.Stdin = r
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("tar: %v: %s", err, out)
	}
}

func BenchmarkEmbeddedExec(b *testing.B) {
	run := func(b *testing.B, cli *berth.Client) {
		c, err := cli.Containers.Start(b.Context(), berth.Spec{Image: image, Command: []string{"sleep", "1000000"}, StopTimeout: new(zero)})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Remove(context.WithoutCancel(b.Context()), berth.RemoveOptions{Force: true})
		for b.Loop() {
			if err := c.Command("true").Run(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("embedded", func(b *testing.B) { run(b, newLocal(b).cli) })
	b.Run("daemon", func(b *testing.B) { run(b, connect(b).cli) })
}

// BenchmarkEmbedded100 is 100 containers from start to removal, 8 at a time.
func BenchmarkEmbedded100(b *testing.B) {
	run := func(b *testing.B, cli *berth.Client) {
		for b.Loop() {
			errs := make(chan error)
			work := make(chan struct{})
			for range 8 {
				go func() {
					var err error
					for range work {
						if err == nil {
							err = runTrue(b.Context(), cli, berth.Spec{Image: image, Command: []string{"true"}, NetworkMode: "none"})
						}
					}
					errs <- err
				}()
			}
			for range 100 {
				work <- struct{}{}
			}
			close(work)
			for range 8 {
				if err := <-errs; err != nil {
					b.Error(err)
				}
			}
		}
	}
	b.Run("embedded", func(b *testing.B) { run(b, newLocal(b).cli) })
	b.Run("daemon", func(b *testing.B) { run(b, connect(b).cli) })
}
