//go:build linux

package layer

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// In a user namespace, where an ordinary user is root: whiteouts can be made,
// device nodes cannot, and overlay reads its marks from user.overlay.*.
func TestApplyInUserNamespace(t *testing.T) {
	null := entry(tar.TypeChar, "dev/null", "")
	null.Devmajor, null.Devminor = 1, 3
	owned := file("d/new", "2")
	owned.Uid, owned.Gid, owned.Mode = 1000, 1000, 0o4755
	lower := pack(t, folder("d"), file("d/old", "1"), file("gone", "1"))
	upper := pack(t, folder("d"), file("d/.wh..wh..opq", ""), owned, file(".wh.gone", ""), null)
	if dir := os.Getenv("BERTH_TEST_USERNS"); dir != "" {
		inUserNamespace(dir, lower, upper)
		return
	}
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chown(dir, 100000, 100000)); err != nil {
		t.Fatal(err)
	}
	// The user of the namespace cannot read where the test's program is.
	program, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "program"), program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "program"), "-test.run=^TestApplyInUserNamespace$")
	cmd.Env = append(os.Environ(), "BERTH_TEST_USERNS="+dir)
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}}
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{}, Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS, UidMappings: ids, GidMappings: ids}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("all is well")) {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := describe(t, filepath.Join(dir, "upper"))["d/new"]; got != `104755 101000:101000 "2"` {
		t.Errorf("outside the file is %s", got)
	}
}

// inUserNamespace reports by what it prints; the parent judges.
func inUserNamespace(dir string, lower, upper []byte) {
	say := func(err error) bool {
		if err != nil {
			fmt.Println(err)
		}
		return err != nil
	}
	opts := Options{UserXattr: true}
	for name, data := range map[string][]byte{"lower": lower, "upper": upper} {
		target := Target{Dir: filepath.Join(dir, name)}
		if say(os.Mkdir(target.Dir, 0o755)) {
			return
		}
		if name == "upper" {
			if _, err := Apply(context.Background(), target, bytes.NewReader(data), opts); err == nil {
				fmt.Println("a device node was made")
				return
			}
			if say(os.RemoveAll(target.Dir)) || say(os.Mkdir(target.Dir, 0o755)) {
				return
			}
			opts.NoDevices = true
		}
		res, err := Apply(context.Background(), target, bytes.NewReader(data), opts)
		if say(err) {
			return
		}
		if name == "upper" && !slices.Equal(res.Skipped, []string{"dev/null: device node: not permitted here"}) {
			fmt.Println(res.Skipped)
			return
		}
	}
	merged := filepath.Join(dir, "merged")
	if say(os.Mkdir(merged, 0o755)) || say(unix.Mount("overlay", merged, "overlay", 0, "userxattr,lowerdir="+dir+"/upper:"+dir+"/lower")) {
		return
	}
	names, _ := filepath.Glob(merged + "/*")
	below, _ := filepath.Glob(merged + "/d/*")
	if !slices.Equal(append(names, below...), []string{merged + "/d", merged + "/dev", merged + "/d/new"}) {
		fmt.Println(names, below)
		return
	}
	fmt.Println("all is well")
}
