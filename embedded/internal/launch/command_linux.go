package launch

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// command adds the execve. A name without slash is looked up in the PATH of env by
// trying, as the C library does: what is not there, or lies under a file, is passed
// over; when nothing could be executed, a file that may not be executed is the
// error rather than one that is missing. Relative directories in PATH are passed over.
func (b *builder) command(args, env []string) {
	name := executing + quote(args[0])
	argv, envv := b.strs(args), b.strs(env)
	if strings.Contains(args[0], "/") {
		b.add(name, "execve", b.str(args[0]), argv, envv)
		return
	}
	var dirs []string
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			dirs = slices.DeleteFunc(strings.Split(v, ":"), func(d string) bool { return !path.IsAbs(d) })
			break
		}
	}
	try := func(dir string) *step {
		return b.add(name, "execve", b.str(strings.TrimRight(dir, "/")+"/"+args[0]), argv, envv)
	}
	// While nothing was found.
	var tries []*step
	for _, d := range dirs {
		s := try(d)
		b.ignore(s, unix.ENOENT, unix.ENOTDIR)
		tries = append(tries, s)
	}
	b.add(name, opFail, num(uint32(unix.ENOENT))).Detail = "not found in PATH"
	// When a file was found that may not be executed: the rest once more.
	for i, s := range tries {
		b.on(s, unix.EACCES, b.here()+i)
	}
	for i, d := range dirs {
		if i > 0 {
			b.ignore(try(d), unix.ENOENT, unix.ENOTDIR, unix.EACCES)
		}
	}
	b.add(name, opFail, num(uint32(unix.EACCES)))
}

// executing begins the names of the steps whose error is the command's.
const executing = "execute "

// quote puts a name into quotes.
func quote(s string) string { return `"` + s + `"` }
