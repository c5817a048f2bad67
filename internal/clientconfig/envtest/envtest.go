package envtest

import (
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/berthdev/berth/internal/clientconfig"
)

// Machine is an Env to be made.
type Machine struct {
	// GOOS is "linux" if empty.
	GOOS string
	// UID is the user's; 0 is root, as always.
	UID int
	// Home is "/home/u" if empty, and unknown if "-".
	Home string
	// Vars is the environment, Files the content of files by absolute name.
	Vars, Files map[string]string
	// Denied are names below which nothing may be read.
	Denied []string
}

// Env makes the Env. Windows paths are taken with slashes of either kind.
func (m Machine) Env() clientconfig.Env {
	if m.GOOS == "" {
		m.GOOS = "linux"
	}
	switch m.Home {
	case "":
		m.Home = "/home/u"
	case "-":
		m.Home = ""
	}
	files := make(fstest.MapFS)
	for name, content := range m.Files {
		files[inside(name)] = &fstest.MapFile{Data: []byte(content), Mode: 0o755}
	}
	check := func(name string) error {
		for _, d := range m.Denied {
			if name == d || strings.HasPrefix(name, d+"/") {
				return &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
			}
		}
		return nil
	}
	return clientconfig.Env{
		Getenv: func(key string) string { return m.Vars[key] },
		Home:   m.Home,
		GOOS:   m.GOOS,
		UID:    m.UID,
		Stat: func(name string) (fs.FileInfo, error) {
			if err := check(name); err != nil {
				return nil, err
			}
			return fs.Stat(files, inside(name))
		},
		ReadFile: func(name string) ([]byte, error) {
			if err := check(name); err != nil {
				return nil, err
			}
			data, err := fs.ReadFile(files, inside(name))
			if err != nil {
				return nil, fmt.Errorf("open %s: %w", name, err)
			}
			return data, nil
		},
		ReadDir: func(name string) ([]fs.DirEntry, error) {
			if err := check(name); err != nil {
				return nil, err
			}
			return fs.ReadDir(files, inside(name))
		},
	}
}

// inside is an absolute name as package fs wants it.
func inside(name string) string {
	return strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/")
}
