package launch

import "errors"

type options struct{}

var errTODO = errors.New("launch: not written yet")

// Start starts a container's first process. It returns when execve has succeeded.
func Start(cfg Config) (*Process, error) { return nil, errTODO }

// Exec starts a process in a running container. It returns when execve has succeeded.
func Exec(cfg ExecConfig) (*Process, error) { return nil, errTODO }

// Program is the printable list of steps that Start would run.
func Program(cfg Config) (string, error) { return "", errTODO }

// Probe says what the kernel lacks, in one error.
func Probe() error { return errTODO }

// Wait waits for the end of the process and reaps it.
func (p *Process) Wait() (Status, error) { return Status{}, errTODO }
