package reexec

import (
	"os"
	"syscall"
)

// FD is the descriptor of the socket to the process that started the role.
const FD = 3

// Register runs f and exits with status 0 if this process was started in the role
// name; otherwise it returns at once. Call it in an init function, once per name.
func Register(name string, f func()) {
	if len(os.Args) == 0 || os.Args[0] != name || !connected(FD) {
		return
	}
	f()
	os.Exit(0)
}

// connected says that fd is a SEQPACKET unix socket to a process of our user.
//
// The other end's program is not compared: it may be a sealed copy of this one, or
// another program that uses this one as its monitor. A process that can make such
// a socket and call us by that name is one that could run us anyway.
func connected(fd int) bool {
	const soDomain = 39 // SO_DOMAIN
	if v, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, soDomain); err != nil || v != syscall.AF_UNIX {
		return false
	}
	if v, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE); err != nil || v != syscall.SOCK_SEQPACKET {
		return false
	}
	if _, err := syscall.Getpeername(fd); err != nil {
		return false
	}
	for range 2 {
		cred, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if err != nil {
			return false
		}
		if int(cred.Uid) == os.Getuid() {
			return true
		}
		// Between the two our user namespace may just have been given its maps.
	}
	return false
}
