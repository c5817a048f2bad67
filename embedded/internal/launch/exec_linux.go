package launch

import (
	"errors"
)

// Exec starts a process in a running container.
func Exec(cfg ExecConfig) (*Process, error) { return nil, errors.New("todo") }
