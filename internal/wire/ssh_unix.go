//go:build unix

package wire

import (
	"os/exec"
	"syscall"
)

// detach makes cmd a session of its own, without a terminal and its signals.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
