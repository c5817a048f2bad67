package normal

import (
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestExitKind(t *testing.T) {
	missing, denied := engine.ErrCommandNotFound, engine.ErrCommandNotExecutable
	const (
		docker20 = "OCI runtime exec failed: exec failed: unable to start container process: "
		start20  = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
		start28  = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: "
		podman   = "Error: runc: exec failed: unable to start container process: "
		startPod = "runc: runc create failed: unable to start container process: "
		reset    = "Error: read unixpacket @->/proc/self/fd/14/attach: read: connection reset by peer\n"
	)
	for _, c := range []struct {
		code int
		text string
		want error
	}{
		// Exec: what Docker 20.10, 28.5 and Podman 4.3, 5.8 write to the streams.
		{126, docker20 + `exec: "nosuch": executable file not found in $PATH: unknown` + "\r\n", missing},
		{126, docker20 + `exec: "/nosuch": stat /nosuch: no such file or directory: unknown` + "\r\n", missing},
		{126, docker20 + `exec: "/etc": permission denied: unknown` + "\r\n", denied},
		{127, docker20 + `exec: "nosuch": executable file not found in $PATH` + "\r\n", missing},
		{126, docker20 + `exec: "/etc": is a directory: permission denied` + "\r\n", denied},
		{127, podman + `exec: "nosuch": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found` + "\n" + reset, missing},
		{126, podman + `exec: "/etc/passwd": permission denied: OCI permission denied` + "\n", denied},
		{125, podman + `exec: "/etc": is a directory: OCI runtime error` + "\n" + reset, denied},
		{127, "Error: crun: executable file `nosuch` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found\n", missing},
		{127, "Error: crun: executable file `/nosuch` not found: No such file or directory: OCI runtime attempted to invoke a command that was not found\n", missing},
		{126, "Error: crun: open executable: Permission denied: OCI permission denied\n", denied},
		{1, "exec /badfmt: exec format error\n", denied},
		{255, "exec /badint: no such file or directory\n", denied},
		{255, "exec /with: colon: permission denied\n", denied},

		// Start: the message of the answer.
		{0, start20 + `exec: "nosuch": executable file not found in $PATH: unknown`, missing},
		{0, start20 + `exec: "/etc/passwd": permission denied: unknown`, denied},
		{0, start28 + `exec: "/nosuch": stat /nosuch: no such file or directory`, missing},
		{0, start28 + `exec: "/etc": is a directory: permission denied`, denied},
		{127, start28 + `exec: "/nosuch": stat /nosuch: no such file or directory`, missing},
		{0, startPod + `error during container init: exec: "/etc": is a directory: OCI runtime error`, denied},
		{0, startPod + `exec: "nosuch": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found`, missing},
		{0, start28 + `exec: "a\"b: permission denied\\": executable file not found in $PATH`, missing},
		{0, start28 + `exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory`, missing},

		// Not about the command.
		{127, docker20 + `chdir to cwd ("/nowd") set in config.json failed: no such file or directory` + "\r\n", nil},
		{127, podman + `chdir to cwd ("/nowd") set in config.json failed: no such file or directory: OCI runtime attempted to invoke a command that was not found` + "\n", nil},
		{126, "unable to find user nouser: no matching entries in passwd file\r\n", nil},
		{0, start28 + `error mounting "/x" to rootfs at "/y": no such file or directory`, nil},
		{0, "crun: chdir to `/nowd`: No such file or directory: OCI runtime attempted to invoke a command that was not found", nil},
		{0, `workdir "/etc/passwd" exists on container b5, but is not a directory`, nil},
		{0, start28 + `exec: "unfinished`, nil},
		{0, start28 + `exec: "x": something else`, nil},
		{0, "", nil},

		// The program's own words.
		{127, "sh: nosuch: not found\n", nil},
		{126, "sh: /etc/passwd: Permission denied\n", nil},
		{127, "log: something\n" + docker20 + `exec: "nosuch": executable file not found in $PATH` + "\n", nil},
		{1, docker20 + `exec: "nosuch": executable file not found in $PATH` + "\n", nil},
		{137, docker20 + `exec: "nosuch": executable file not found in $PATH` + "\n", nil},
		{1, "exec /x: exec format error\nand more\n", nil},
		{1, "exec x: exec format error\n", nil},
		{1, "exec /x: broken\n", nil},
		{1, "exec /x\n", nil},
		{2, "exec /x: exec format error\n", nil},
	} {
		if got := ExitKind(c.code, c.text); got != c.want {
			t.Errorf("%d %q: %v, want %v", c.code, c.text, got, c.want)
		}
	}
}

func FuzzExitKind(f *testing.F) {
	f.Add(126, `OCI runtime exec failed: exec: "a\"b": permission denied`)
	f.Add(255, "exec /x: exec format error\n")
	f.Fuzz(func(t *testing.T, code int, text string) {
		switch err := ExitKind(code, text); err {
		case nil, engine.ErrCommandNotFound, engine.ErrCommandNotExecutable:
		default:
			t.Fatal(err)
		}
	})
}
