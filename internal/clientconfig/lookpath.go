package clientconfig

import (
	"io/fs"
	"os/exec"
	"strings"
)

// LookPath finds a program in the absolute directories of PATH, as
// exec.LookPath does for this process. The error is an *exec.Error around
// exec.ErrNotFound.
func (e Env) LookPath(name string) (string, error) {
	separator, suffixes := ":", []string{""}
	if e.GOOS == "windows" {
		separator = ";"
		if suffixes = strings.Split(e.Var("PATHEXT"), ";"); suffixes[0] == "" {
			suffixes = []string{".exe", ".cmd", ".bat"}
		}
	}
	for dir := range strings.SplitSeq(e.Var("PATH"), separator) {
		if !e.isAbs(dir) || e.Stat == nil {
			continue
		}
		for _, suffix := range suffixes {
			file := e.Join(dir, name+suffix)
			if info, err := e.Stat(file); err == nil && e.isProgram(info) {
				return file, nil
			}
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

func (e Env) isProgram(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && (e.GOOS == "windows" || info.Mode()&0o111 != 0)
}

// isAbs tells whether a directory of PATH is absolute.
func (e Env) isAbs(dir string) bool {
	if e.GOOS == "windows" {
		return len(dir) > 2 && dir[1] == ':' || strings.HasPrefix(dir, `\\`)
	}
	return strings.HasPrefix(dir, "/")
}
