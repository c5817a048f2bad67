package rig

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// socketVariable tells the child "dial-stdio" where to connect to.
const socketVariable = "BERTH_TEST_SOCKET"

// DialStdio puts a program of this name (docker or podman) first into the PATH of
// the server's sessions. It knows "system dial-stdio" alone, and does it to the
// socket: it is this test binary, started again.
func (s *SSHD) DialStdio(t testing.TB, name, socket string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\n[ \"$*\" = 'system dial-stdio' ] || { echo \"%s: what is $*?\" >&2; exit 64; }\nGORACE=atexit_sleep_ms=0 %s=dial-stdio %s='%s' exec '%s'\n",
		name, childVariable, socketVariable, socket, exe)
	WriteFile(t, filepath.Join(s.Remote, name), []byte(script), 0o755)
}

// dialStdio connects stdin and stdout to a unix socket, with half-closes, until
// the socket ends, and returns an exit code.
func dialStdio(socket string) int {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, "dial-stdio:", err)
		return 1
	}
	defer conn.Close()
	go func() {
		io.Copy(conn, os.Stdin)
		conn.(*net.UnixConn).CloseWrite()
	}()
	if _, err := io.Copy(os.Stdout, conn); err != nil {
		fmt.Fprintln(os.Stderr, "dial-stdio:", err)
		return 1
	}
	return 0
}
