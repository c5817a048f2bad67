package engine

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ParseEnv reads variables of the environment in the form of docker run -e.
// "K=V" sets K. A bare "K" takes over what lookup knows of K, as a rule
// os.LookupEnv; where it knows nothing, or is nil, K is in unset (Spec.UnsetEnv). Of
// several entries for one variable the last counts. Errors are InvalidErrors.
func ParseEnv(list []string, lookup func(string) (string, bool)) (env map[string]string, unset []string, err error) {
	env = make(map[string]string, len(list))
	removed := map[string]bool{}
	for _, s := range list {
		key, value, ok := strings.Cut(s, "=")
		if reason := envKeyFault(key); reason != "" {
			return nil, nil, &InvalidError{Option: "environment variable", Value: s, Reason: reason}
		}
		if strings.IndexByte(value, 0) >= 0 {
			return nil, nil, &InvalidError{Option: "environment variable", Value: key, Reason: "the value has a NUL byte"}
		}
		if !ok && lookup != nil {
			value, ok = lookup(key)
		}
		if ok {
			env[key] = value
			delete(removed, key)
		} else {
			removed[key] = true
			delete(env, key)
		}
	}
	for key := range removed {
		unset = append(unset, key)
	}
	slices.Sort(unset)
	return env, unset, nil
}

// maxEnvLine bounds a line of a file of variables: execve(2) takes no string of more than 128 KiB.
const maxEnvLine = 1 << 20

// ParseEnvFile reads a file of variables in the form of docker run --env-file: a
// line each; blank lines, and lines that start with #, count for nothing. Values are
// taken as they are: quotes belong to them. A bare name takes over what lookup
// knows of it; where that is nothing, or lookup is nil, there is nothing to take over, and
// the variable is left alone. Malformed lines are InvalidErrors, which name the line's number but
// do not show it.
func ParseEnvFile(r io.Reader, lookup func(string) (string, bool)) (map[string]string, error) {
	env := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEnvLine)
	n := 0
	bad := func(reason string) error {
		return &InvalidError{Option: fmt.Sprintf("environment file, line %d", n), Reason: reason}
	}
	for lines.Scan() {
		line := lines.Text()
		if n++; n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		line = strings.TrimLeft(line, " \t\r\f\v")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			key = strings.TrimRight(key, " \t\r\f\v")
		}
		switch reason := envKeyFault(key); {
		case reason != "":
			return nil, bad(reason)
		case strings.ContainsAny(key, " \t\r\f\v"):
			return nil, bad("the name has a space in it")
		case !utf8.ValidString(line):
			return nil, bad("it is not UTF-8")
		case strings.IndexByte(value, 0) >= 0:
			return nil, bad("the value has a NUL byte")
		}
		if !ok && lookup != nil {
			value, ok = lookup(key)
		}
		if ok {
			env[key] = value
		}
	}
	if err := lines.Err(); err != nil {
		if err == bufio.ErrTooLong {
			n++
			return nil, bad("it is too long")
		}
		return nil, fmt.Errorf("read environment file: %w", err)
	}
	return env, nil
}

// envKeyFault is why key cannot name a variable; "" if it can.
func envKeyFault(key string) string {
	switch {
	case key == "":
		return "the name is empty"
	case strings.ContainsAny(key, "=\x00"):
		return "the name has a = or NUL in it"
	}
	return ""
}

// ParseLabels reads "KEY=VALUE" and "KEY", whose value is empty. Of several
// entries for one key the last counts. Errors are InvalidErrors.
func ParseLabels(list []string) (map[string]string, error) {
	labels := make(map[string]string, len(list))
	for _, s := range list {
		key, value, _ := strings.Cut(s, "=")
		if key == "" {
			return nil, &InvalidError{Option: "label", Value: s, Reason: "the key is empty"}
		}
		labels[key] = value
	}
	return labels, nil
}
