package launch

import (
	"fmt"
	"syscall"

	"github.com/berthdev/berth/embedded/internal/nproc"
	"github.com/berthdev/berth/engine"
)

// Error is a start that failed: the step and the kernel's answer.
type Error struct {
	Step   string        // "mount proc on /proc"
	Errno  syscall.Errno // 0 where Detail says it all
	Detail string        // more words, of the kernel where it has some; may be empty
	// Kind is engine.ErrCommandNotFound, engine.ErrCommandNotExecutable, engine.ErrNotRunning (exec: the container is gone), engine.ErrInvalid (a path or a setting that cannot be) or nil.
	Kind error
}

func (e *Error) Error() string {
	switch {
	case e.Errno == 0:
		return fmt.Sprintf("%s: %s", e.Step, e.Detail)
	case e.Errno == syscall.EAGAIN && e.Detail == "": // of a fork, or of the execve of who is one too many
		return nproc.Explain(fmt.Errorf("%s: %w", e.Step, e.Errno)).Error()
	case e.Detail != "":
		return fmt.Sprintf("%s: %v (%s)", e.Step, e.Errno, e.Detail)
	}
	return fmt.Sprintf("%s: %v", e.Step, e.Errno)
}

// Unwrap gives the error number and the kind, for errors.Is.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Errno != 0 {
		errs = append(errs, e.Errno)
	}
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	return errs
}

// commandKind tells what a failed execve says of the command.
func commandKind(e syscall.Errno) error {
	switch e {
	case syscall.ENOENT, syscall.ENOTDIR:
		return engine.ErrCommandNotFound
	case syscall.EACCES, syscall.ENOEXEC, syscall.EISDIR, syscall.ELOOP, syscall.EPERM, syscall.ELIBBAD, syscall.ETXTBSY:
		return engine.ErrCommandNotExecutable
	}
	return nil
}
