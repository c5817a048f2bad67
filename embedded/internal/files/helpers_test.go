//go:build linux

package files

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/layer"
	"github.com/berthdev/berth/engine"
)

// TestMain is the process of a container too: see container.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "berth-files-container" {
		if err := containerMain(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// containerMain makes DIR its root, with an overlay and mounts, and waits for the end of its input.
func containerMain() error {
	runtime.LockOSThread()
	dir := os.Getenv("DIR")
	root := dir + "/root"
	mount := func(source, target, kind string, flags uintptr, data string) error {
		if err := unix.Mount(source, target, kind, flags, data); err != nil {
			return fmt.Errorf("mount %s: %w", target, err)
		}
		return nil
	}
	for _, d := range []string{"/proc", "/tmp", "/ro", "/dev"} {
		os.MkdirAll(dir+"/layer"+d, 0o755)
	}
	err := errors.Join(
		mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		mount("overlay", root, "overlay", 0, "lowerdir="+dir+"/layer,upperdir="+dir+"/upper,workdir="+dir+"/work,index=off,redirect_dir=off,metacopy=off"),
		mount("proc", root+"/proc", "proc", 0, ""),
		mount("tmp", root+"/tmp", "tmpfs", 0, ""),
		mount("dev", root+"/dev", "tmpfs", 0, ""),
		mount(dir+"/ro", root+"/ro", "", unix.MS_BIND, ""),
		mount("", root+"/ro", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""),
		os.WriteFile(root+"/tmp/in-memory", []byte("memory"), 0o644),
		os.WriteFile(root+"/dev/node", nil, 0o644),
	)
	if err == nil && os.Getenv("READONLY") != "" {
		err = mount("", root, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
	}
	if err == nil {
		err = errors.Join(os.Chdir(root), unix.PivotRoot(".", "."), unix.Unmount(".", unix.MNT_DETACH), os.Chdir("/"))
	}
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// rig is a container's directories: layer, upper, work, root and ro.
type rig struct{ dir string }

func newRig(t testing.TB) rig {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "berth-test-files-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	r := rig{dir}
	for _, d := range []string{"layer/etc", "layer/d/sub", "upper", "work", "root", "ro"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.write(t, "layer/etc/passwd", "root:x:0:0::/:\n")
	r.write(t, "layer/d/f", "content\n")
	r.write(t, "ro/kept", "kept")
	r.symlink(t, "/d/f", "layer/link")
	r.symlink(t, "../d", "layer/d/up")
	r.symlink(t, "/nosuch", "layer/dangling")
	r.symlink(t, "loop", "layer/loop")
	r.symlink(t, "../../../../../../etc", "layer/out")
	return r
}

func (r rig) write(t testing.TB, name, data string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r rig) symlink(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(r.dir, name)); err != nil {
		t.Fatal(err)
	}
}

func (r rig) stopped() Stopped {
	return Stopped{LayerDirs: []string{r.dir + "/layer"}, Upper: r.dir + "/upper", Work: r.dir + "/work", Root: r.dir + "/root"}
}

func (r rig) open(t *testing.T, s Stopped) *View {
	t.Helper()
	v, err := OpenStopped(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// run starts a container and returns its pid.
func (r rig) run(t *testing.T, env ...string) int {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "berth-files-container")
	cmd.Env = append([]string{"DIR=" + r.dir}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the container says %q, %v", line, err)
	}
	return cmd.Process.Pid
}

func (r rig) running(t *testing.T, env ...string) *View {
	t.Helper()
	v, err := Running(r.run(t, env...), 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// mounts counts the mounts of this process.
func mounts(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// untar reads a tar into names and contents; links are "-> target", hard links "=> name".
func untar(t *testing.T, r io.Reader) (map[string]string, map[string]*tar.Header) {
	t.Helper()
	got, headers := map[string]string{}, map[string]*tar.Header{}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return got, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		headers[h.Name] = h
		switch h.Typeflag {
		case tar.TypeSymlink:
			got[h.Name] = "-> " + h.Linkname
		case tar.TypeLink:
			got[h.Name] = "=> " + h.Linkname
		default:
			data, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			got[h.Name] = string(data)
		}
	}
}

func get(t *testing.T, v *View, name string) (map[string]string, engine.PathStat) {
	t.Helper()
	r, st, err := v.GetArchive(t.Context(), name, engine.ArchiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := untar(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return got, st
}

// tarOf makes a tar; a header without time gets one, and its size.
func tarOf(t *testing.T, entries ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(entries); i++ {
		h := entries[i].(tar.Header)
		data := ""
		if i+1 < len(entries) {
			if s, ok := entries[i+1].(string); ok {
				data = s
				i++
			}
		}
		h.Size = int64(len(data))
		if h.ModTime.IsZero() {
			h.ModTime = time.Unix(1e9, 0)
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, v *View, name string, data []byte, opts PutOptions) {
	t.Helper()
	if err := v.PutArchive(t.Context(), name, bytes.NewReader(data), opts); err != nil {
		t.Fatal(err)
	}
}

func changes(t *testing.T, r rig) string {
	t.Helper()
	list, err := Diff(t.Context(), r.dir+"/upper", []string{r.dir + "/layer"}, layer.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprintf("%c%s", "CAD"[c.Kind], c.Path))
	}
	return strings.Join(out, " ")
}
