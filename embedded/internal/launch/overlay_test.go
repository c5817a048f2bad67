//go:build linux

package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// layers makes an overlay of the root file system and n layers above it, each with a file.
func layers(t testing.TB, c *Config, n int) {
	t.Helper()
	dir := filepath.Dir(c.Spec.Root.Path)
	o := &Overlay{Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work")}
	for i := range n {
		l := filepath.Join(dir, strings.Repeat("a-long-name-of-a-layer-", 3)+fmt.Sprint(i))
		write(t, filepath.Join(l, "order"), fmt.Sprint(i), 0o644)
		write(t, filepath.Join(l, fmt.Sprint("layer", i)), "", 0o644)
		o.Lower = append([]string{l}, o.Lower...)
	}
	o.Lower = append(o.Lower, c.Spec.Root.Path)
	for _, d := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.Overlay, c.Spec.Root.Path = o, ""
}

// TestOverlay: layers in their order, changes in the upper directory only, nothing mounted on the host.
func TestOverlay(t *testing.T) {
	const line = "cat order; ls -d /layer* | wc -l; echo new > /new; rm /bin/id; cat /new; grep -c ' / / ' /proc/self/mountinfo; mkdir /etc2 && rm -r /etc && mkdir /etc && ls /etc"
	for name, o := range map[string]options{"fork": {}, "stage": {reexec: true}, "5.10": {kernel: &kernel{}}} {
		for _, n := range []int{1, 100} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				var upper string
				r := mustRun(t, line, func(c *Config) {
					c.options = o
					layers(t, c, n)
					c.Overlay.Volatile = n == 1
					upper = c.Overlay.Upper
				})
				if want := fmt.Sprintf("%d%d\nnew\n1\n", n-1, n); r.out != want || r.Code != 0 {
					t.Errorf("%q %q %d, want %q", r.out, r.err, r.Code, want)
				}
				if b, err := os.ReadFile(filepath.Join(upper, "new")); err != nil || string(b) != "new\n" {
					t.Errorf("the upper directory: %q %v", b, err)
				}
				if fi, err := os.Lstat(filepath.Join(upper, "bin/id")); err != nil || fi.Mode()&os.ModeCharDevice == 0 {
					t.Errorf("bin/id has no whiteout: %v", err)
				}
				if b, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(b), upper) {
					t.Errorf("a mount is left on the host (%v)", err)
				}
			})
		}
	}
}

// TestOverlayReadOnly has no upper directory.
func TestOverlayReadOnly(t *testing.T) {
	for _, n := range []int{0, 1} {
		r := mustRun(t, "touch /new 2>/dev/null || echo read-only", func(c *Config) {
			layers(t, c, n)
			c.Overlay.Upper, c.Overlay.Work = "", ""
			c.Spec.Root.Readonly = true
		})
		if r.out != "read-only\n" {
			t.Errorf("%d layers: %q %q", n, r.out, r.err)
		}
	}
}

// TestOverlayRefused: an upper directory that the kernel does not take is an error that says so.
func TestOverlayRefused(t *testing.T) {
	for name, k := range map[string]*kernel{"now": nil, "5.10": {}} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "true", func(c *Config) { layers(t, c, 1); c.options.kernel = k })
			// The upper directory lies on an overlay, as for an engine in a container.
			host := t.TempDir()
			mnt := t.TempDir()
			for _, d := range []string{"u", "w", "l"} {
				os.Mkdir(filepath.Join(host, d), 0o755)
			}
			if err := unix.Mount("overlay", mnt, "overlay", 0, fmt.Sprintf("lowerdir=%[1]s/l,upperdir=%[1]s/u,workdir=%[1]s/w", host)); err != nil {
				t.Fatal(err)
			}
			defer unix.Unmount(mnt, unix.MNT_DETACH)
			for _, d := range []string{"upper", "work"} {
				os.Mkdir(filepath.Join(mnt, d), 0o755)
			}
			cfg.Overlay.Upper, cfg.Overlay.Work = filepath.Join(mnt, "upper"), filepath.Join(mnt, "work")
			_, err := output(t, cfg)
			if err == nil || !strings.HasPrefix(err.Error(), "mount the root: invalid argument (") || !strings.Contains(err.Error(), "upper") {
				t.Errorf("got %v", err)
			}
			t.Log(err)
		})
	}
}
