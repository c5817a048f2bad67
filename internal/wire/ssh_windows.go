package wire

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach makes cmd a process group of its own, without a console and its signals.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
}

// There is no master, since ssh here cannot be one.

func (m *sshMaster) session(context.Context, string, [3]*os.File) (sshEnd, error) {
	return nil, errors.ErrUnsupported
}
func (m *sshMaster) listen(context.Context, string, string) error { return errors.ErrUnsupported }
func (m *sshMaster) exit(context.Context) error                   { return errors.ErrUnsupported }
func (m *sshMaster) greet(context.Context) error                  { return errors.ErrUnsupported }
