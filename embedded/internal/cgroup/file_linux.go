package cgroup

import (
	"bytes"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Files of cgroups are small and written in one write. They are opened without
// O_CREAT: a file that is not there is an error. Package os would register each descriptor for
// polling, which these files pretend to support.

// write replaces the content of a file.
func write(path, text string) error {
	fd, err := open(path, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		if _, err = unix.Write(fd, []byte(text)); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return &fs.PathError{Op: "write " + strconv.Quote(strings.TrimSpace(text)) + " to", Path: path, Err: err}
	}
	return nil
}

// read returns the content of a file without the space around it.
func read(path string) (string, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	buf := make([]byte, 4096)
	n := 0
	for {
		m, err := unix.Read(fd, buf[n:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return "", &fs.PathError{Op: "read", Path: path, Err: err}
		case m == 0:
			return string(bytes.TrimSpace(buf[:n])), nil
		default:
			if n += m; n == len(buf) {
				buf = append(buf, make([]byte, len(buf))...)
			}
		}
	}
}

func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		return fd, nil
	}
}

// exists says whether a path is there.
func exists(path string) bool { return unix.Access(path, unix.F_OK) == nil }

// words are the words of a file; none if it cannot be read.
func words(path string) []string {
	s, _ := read(path)
	return strings.Fields(s)
}

// number reads a file with one number in it.
func number(path string) (uint64, error) {
	s, err := read(path)
	if err != nil {
		return 0, err
	}
	return parseNumber(path, s)
}

// parseNumber reads a number; "max", and the -1 of v1, are the greatest.
func parseNumber(path, s string) (uint64, error) {
	if s == "max" || s == "-1" {
		return 1<<64 - 1, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, &fs.PathError{Op: "parse", Path: path, Err: err}
	}
	return n, nil
}

// table reads a file of lines "name number"; lines of another form are left out.
func table(path string) (map[string]uint64, error) {
	s, err := read(path)
	if err != nil {
		return nil, err
	}
	m := make(map[string]uint64, 48)
	for line := range strings.Lines(s) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			m[name] = n
		}
	}
	return m, nil
}
