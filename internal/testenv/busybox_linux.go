package testenv

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Busybox is the tar of the root file system that scripts/engines gives the other
// engines as an image: this machine's static busybox and its applets.
func Busybox(t testing.TB) io.Reader {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("the image is made of a static busybox (Debian: busybox-static): %v", err)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	applets, err := exec.Command(path, "--list").Output()
	if err != nil {
		t.Fatalf("list the applets of busybox: %v", err)
	}
	i := &image{}
	i.w = tar.NewWriter(&i.buf)
	for d := range strings.FieldsSeq("bin dev etc home mnt proc root run sys tmp usr usr/bin var") {
		mode := int64(0o755)
		if d == "tmp" {
			mode = 0o1777
		}
		i.add(tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: mode}, nil)
	}
	i.add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, binary)
	for a := range strings.FieldsSeq(string(applets)) {
		if a != "busybox" {
			i.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + a, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	i.add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0:root:/root:/bin/sh\ndaemon:x:2:2:daemon:/sbin:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n"))
	i.add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644}, []byte("root:x:0:\ndaemon:x:2:\nnobody:x:65534:\n"))
	if i.err == nil {
		i.err = i.w.Close()
	}
	if i.err != nil {
		t.Fatal(i.err)
	}
	return &i.buf
}

// image is a tar that is being written, and the first error.
type image struct {
	buf bytes.Buffer
	w   *tar.Writer
	err error
}

func (i *image) add(h tar.Header, data []byte) {
	if i.err != nil {
		return
	}
	h.Size = int64(len(data))
	if i.err = i.w.WriteHeader(&h); i.err == nil {
		_, i.err = i.w.Write(data)
	}
}
