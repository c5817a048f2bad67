package top

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// names tell what users and groups are called.
type names struct {
	users, groups func(id int) string
}

// hostNames are those of /etc/passwd and /etc/group of this machine, which are read when they are asked for.
func hostNames() *names {
	return &names{fileNames("/etc/passwd"), fileNames("/etc/group")}
}

// fileNames are the names in a file; a number without a name is its own.
func fileNames(path string) func(id int) string {
	var known map[int]string
	return func(id int) string {
		if known == nil {
			b, _ := os.ReadFile(path)
			known = parseNames(b)
		}
		if name, ok := known[id]; ok {
			return name
		}
		return strconv.Itoa(id)
	}
}

// parseNames reads the content of a passwd or group file. Of several names of a number the first counts.
func parseNames(b []byte) map[int]string {
	m := map[int]string{}
	for line := range bytes.Lines(b) {
		f := strings.SplitN(string(line), ":", 4)
		if len(f) < 4 || f[0] == "" {
			continue
		}
		id, err := strconv.Atoi(f[2])
		if _, taken := m[id]; err == nil && !taken {
			m[id] = f[0]
		}
	}
	return m
}
