package clientconfig

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// Env is everything that the lookups of connections and credentials may know of
// the process and its machine. OSEnv is the real one; tests make their own. A
// nil function finds nothing. An Env is read only and safe for concurrent use
// if its functions are.
type Env struct {
	// Getenv returns the value of an environment variable, "" when unset.
	Getenv func(key string) string
	// Environ is the environment given to credential helpers, as os.Environ.
	Environ func() []string
	// Home is the user's home directory, "" when unknown.
	Home string
	// GOOS selects the file layout, as runtime.GOOS.
	GOOS string
	// UID is the user's id, -1 on Windows.
	UID int
	// Stat, ReadFile and ReadDir are those of package os.
	Stat     func(name string) (fs.FileInfo, error)
	ReadFile func(name string) ([]byte, error)
	ReadDir  func(name string) ([]fs.DirEntry, error)
}

// OSEnv is the Env of this process.
func OSEnv() Env {
	home, _ := os.UserHomeDir() // unknown home: the files below it do not exist
	return Env{
		Getenv:   os.Getenv,
		Environ:  os.Environ,
		Home:     home,
		GOOS:     runtime.GOOS,
		UID:      os.Getuid(),
		Stat:     os.Stat,
		ReadFile: os.ReadFile,
		ReadDir:  os.ReadDir,
	}
}

// Var returns an environment variable, "" when unset.
func (e Env) Var(key string) string {
	if e.Getenv == nil {
		return ""
	}
	return e.Getenv(key)
}

// Read returns a file's content; without ReadFile no file exists.
func (e Env) Read(name string) ([]byte, error) {
	if e.ReadFile == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return e.ReadFile(name)
}

// List returns a directory's entries; without ReadDir no directory exists.
func (e Env) List(name string) ([]fs.DirEntry, error) {
	if e.ReadDir == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return e.ReadDir(name)
}

// Exists tells whether a file or directory of that name can be seen.
func (e Env) Exists(name string) bool {
	if e.Stat == nil {
		return false
	}
	_, err := e.Stat(name)
	return err == nil
}

// Join joins path elements with the separator of e.GOOS, which need not be the
// system this program runs on.
func (e Env) Join(elem ...string) string {
	if e.GOOS == runtime.GOOS {
		return filepath.Join(elem...)
	}
	if e.GOOS == "windows" {
		return strings.ReplaceAll(path.Join(elem...), "/", `\`)
	}
	return path.Join(elem...)
}

// InHome joins path elements below the home directory; it is "" when the home
// directory is unknown.
func (e Env) InHome(elem ...string) string {
	if e.Home == "" {
		return ""
	}
	return e.Join(append([]string{e.Home}, elem...)...)
}

// DockerDir is the directory of Docker's client configuration: DOCKER_CONFIG,
// else ~/.docker; "" when neither is known.
func (e Env) DockerDir() string {
	if d := e.Var("DOCKER_CONFIG"); d != "" {
		return d
	}
	return e.InHome(".docker")
}

// ContainersDir is the user's directory of Podman's client configuration:
// $XDG_CONFIG_HOME/containers, else ~/.config/containers; on Windows
// %APPDATA%\containers; "" when unknown.
func (e Env) ContainersDir() string {
	if e.GOOS == "windows" {
		if d := e.Var("APPDATA"); d != "" {
			return e.Join(d, "containers")
		}
		return e.InHome("AppData", "Roaming", "containers")
	}
	if d := e.Var("XDG_CONFIG_HOME"); d != "" {
		return e.Join(d, "containers")
	}
	return e.InHome(".config", "containers")
}
