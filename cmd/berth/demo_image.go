package main

import (
	"archive/tar"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// demoPrograms are what the demo's image has.
var demoPrograms = []string{"sh", "cat", "tee", "sleep", "ls"}

// writeDemoImage writes the tar of a root file system with a few of this
// machine's programs and the libraries that they need.
func writeDemoImage(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, dir := range []string{"bin", "etc", "proc", "sys", "dev", "tmp"} {
		mode := int64(0o755)
		if dir == "tmp" {
			mode = 0o1777
		}
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: mode}); err != nil {
			return err
		}
	}
	if err := writeDemoFile(tw, "etc/passwd", []byte("root:x:0:0:root:/:/bin/sh\n"), 0o644); err != nil {
		return err
	}
	libraries := map[string]bool{}
	for _, name := range demoPrograms {
		path, err := exec.LookPath(name)
		if err != nil {
			return err
		}
		if err := needed(path, libraries); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := copyDemoFile(tw, path, "bin/"+name); err != nil {
			return err
		}
	}
	for path := range libraries {
		if err := copyDemoFile(tw, path, strings.TrimPrefix(path, "/")); err != nil {
			return err
		}
	}
	return tw.Close()
}

// needed adds the libraries and the loader that the program at path needs: where
// they are found is where the loader of the image will look for them too.
func needed(path string, found map[string]bool) error {
	f, err := elf.Open(path)
	if err != nil {
		return err // a script, say
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(p.Open())
		if err != nil {
			return err
		}
		found[strings.TrimRight(string(name), "\x00")] = true
	}
	names, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range names {
		library, err := findLibrary(name, f.Machine)
		if err != nil {
			return err
		}
		if found[library] {
			continue
		}
		found[library] = true
		if err := needed(library, found); err != nil {
			return fmt.Errorf("%s: %w", library, err)
		}
	}
	return nil
}

// findLibrary looks where loaders look by themselves, for one of the same machine.
func findLibrary(name string, machine elf.Machine) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, pattern := range []string{"/lib/*-linux-*", "/usr/lib/*-linux-*", "/lib64", "/usr/lib64", "/lib", "/usr/lib"} {
		list, _ := filepath.Glob(filepath.Join(pattern, name)) // of a constant pattern: no error
		for _, path := range list {
			f, err := elf.Open(path)
			if err != nil {
				continue
			}
			same := f.Machine == machine
			f.Close()
			if same {
				return path, nil
			}
		}
	}
	return "", errors.New("library " + name + " not found")
}

func copyDemoFile(tw *tar.Writer, path, name string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return writeDemoFile(tw, name, data, 0o755)
}

func writeDemoFile(tw *tar.Writer, name string, data []byte, mode int64) error {
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := tw.Write(data)
	return err
}
