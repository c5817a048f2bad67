package normal

import (
	"strings"

	"github.com/berthdev/berth/engine"
)

// ExitKind tells what an engine's words about a command that could not be run
// mean: ErrCommandNotFound, ErrCommandNotExecutable, or nil when they mean
// something else. text is either the engine's answer to a failed start, with
// code 0, or what an exec wrote to its stdout or stderr, with its exit code: engines
// write there as if they were the command. (Docker 20.10 gives 126 for a missing command, on stdout, and Podman 5.8 gives
// 125 for a directory.) An exec that exited with 0 is not to be asked about.
//
// A program's own words are not taken for the engine's: "sh: x: not found" with code 127 is the shell's result.
func ExitKind(code int, text string) error {
	switch code {
	case 0, 125, 126, 127, 128:
		return runtimeKind(text)
	case 1, 255:
		return initKind(text)
	}
	return nil
}

// runtimeKind reads what runc or crun says before the process starts.
func runtimeKind(text string) error {
	start := -1
	for _, sign := range [...]string{"OCI runtime ", "unable to start container process", "runc: ", "crun: ", "runc create failed"} {
		if i := strings.Index(text, sign); i >= 0 && (start < 0 || i < start) {
			start = i
		}
	}
	if start < 0 {
		return nil
	}
	// An engine's words are the first line of an exec's output.
	if strings.ContainsAny(strings.TrimLeft(text[:start], " \r\n"), "\r\n") {
		return nil
	}
	text = text[start:]
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i]
	}
	// runc: … exec: "NAME": REASON, where NAME is quoted as by Go.
	if _, after, ok := strings.Cut(text, `exec: "`); ok {
		return reasonKind(afterQuote(after))
	}
	// crun: executable file `NAME` not found…; open executable: Permission denied; exec format error.
	lower := strings.ToLower(text)
	if strings.Contains(lower, "executable file `") || strings.Contains(lower, "open executable") || strings.Contains(lower, "exec format error") {
		return reasonKind(lower)
	}
	return nil
}

// afterQuote is what follows the closing quote of a Go string literal.
func afterQuote(s string) string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[i+1:]
		}
	}
	return ""
}

func reasonKind(reason string) error {
	reason = strings.ToLower(reason)
	has := func(words string) bool { return strings.Contains(reason, words) }
	switch {
	case has("permission denied"), has("is a directory"), has("exec format error"), has("text file busy"), has("operation not permitted"):
		return engine.ErrCommandNotExecutable
	case has("not found"), has("no such file or directory"), has("not a directory"):
		return engine.ErrCommandNotFound
	}
	return nil
}

// initKind reads the one line that runc's init writes to stderr in the command's place when execve fails: the file exists, but
// not in a form that the kernel runs, or its interpreter does not exist. The exit code is 1, and 255 since runc 1.2.
func initKind(text string) error {
	line := strings.TrimRight(text, "\r\n")
	rest, ok := strings.CutPrefix(line, "exec /")
	if !ok || strings.ContainsAny(line, "\r\n") {
		return nil
	}
	if i := strings.LastIndex(rest, ": "); i >= 0 {
		switch rest[i+2:] {
		case "exec format error", "no such file or directory", "permission denied":
			return engine.ErrCommandNotExecutable
		}
	}
	return nil
}
