package engine

import (
	"encoding/json"
	"strings"
)

// SplitCommand splits a line into words as a POSIX shell would, without
// expanding anything: it is Python's shlex.split, which docker-py applies to commands.
// Quotes and backslashes are understood; variables, globs, pipes and comments are
// not special (for those see [Shell]). An unclosed quote and a backslash at the
// end are InvalidErrors. No words is an empty non-nil slice.
func SplitCommand(line string) ([]string, error) {
	bad := func(reason string) ([]string, error) {
		return nil, &InvalidError{Option: "command", Value: line, Reason: reason}
	}
	words := []string{}
	var word strings.Builder
	inWord := false // a word has begun; it may be empty, as in ''
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case 0:
			return bad("it has a NUL byte")
		case ' ', '\t', '\r', '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
			continue
		case '\\':
			if i++; i == len(line) {
				return bad("a backslash ends it")
			}
			if line[i] == 0 {
				return bad("it has a NUL byte")
			}
			word.WriteByte(line[i])
		case '\'':
			n := strings.IndexByte(line[i+1:], '\'')
			if n < 0 {
				return bad("a quote is not closed")
			}
			text := line[i+1 : i+1+n]
			if strings.IndexByte(text, 0) >= 0 {
				return bad("it has a NUL byte")
			}
			word.WriteString(text)
			i += n + 1
		case '"':
			for i++; ; i++ {
				if i >= len(line) {
					return bad("a quote is not closed")
				}
				if line[i] == '"' {
					break
				}
				// A backslash quotes only itself and the quote.
				if line[i] == '\\' && i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\\') {
					i++
				}
				if line[i] == 0 {
					return bad("it has a NUL byte")
				}
				word.WriteByte(line[i])
			}
		default:
			word.WriteByte(c)
		}
		inWord = true
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// Shell is the command that runs line in the container's shell: {"/bin/sh", "-c",
// line}. It is for Spec.Command and exec; a health check wants [CmdShell].
func Shell(line string) []string { return []string{"/bin/sh", "-c", line} }

// Cmd is Healthcheck.Test for a program and its arguments: {"CMD", args…}.
func Cmd(args ...string) []string { return append([]string{"CMD"}, args...) }

// CmdShell is Healthcheck.Test for a line of the container's shell: {"CMD-SHELL", line}.
func CmdShell(line string) []string { return []string{"CMD-SHELL", line} }

// ParseHealthTest reads Healthcheck.Test in the form of podman run --health-cmd:
// "none" turns the check off, a JSON array is a program and its arguments (with or
// without a leading CMD, CMD-SHELL or NONE), anything else is a line of the shell. Errors are InvalidErrors.
func ParseHealthTest(s string) ([]string, error) {
	bad := func(reason string) ([]string, error) {
		return nil, &InvalidError{Option: "health check", Value: s, Reason: reason}
	}
	switch t := strings.TrimSpace(s); {
	case t == "":
		return bad("it is empty")
	case strings.EqualFold(t, "none"):
		return []string{"NONE"}, nil
	case strings.HasPrefix(t, "["):
		var test []string
		if err := json.Unmarshal([]byte(t), &test); err != nil || len(test) == 0 {
			break // a line of the shell: [ -f /ready ]
		}
		switch test[0] {
		case "CMD", "CMD-SHELL", "NONE":
		default:
			test = Cmd(test...)
		}
		if reason := testFault(test); reason != "" {
			return bad(reason)
		}
		return test, nil
	}
	if strings.IndexByte(s, 0) >= 0 {
		return bad("it has a NUL byte")
	}
	return CmdShell(s), nil
}

// testFault is why test is no Healthcheck.Test; "" if it is one.
func testFault(test []string) string {
	if len(test) == 0 {
		return ""
	}
	switch kind, args := test[0], test[1:]; kind {
	case "NONE":
		if len(args) > 0 {
			return "NONE takes no arguments"
		}
	case "CMD":
		if len(args) == 0 || args[0] == "" {
			return "CMD lacks a command"
		}
	case "CMD-SHELL":
		if len(args) != 1 || args[0] == "" {
			return "CMD-SHELL takes one line"
		}
	default:
		return "it starts with " + kind + ", want CMD, CMD-SHELL or NONE"
	}
	return ""
}
