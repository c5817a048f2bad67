package berth

import (
	"crypto/rand"
	"errors"
	"maps"
	"slices"

	"github.com/berthdev/berth/engine"
)

// markerVariable is what Cmd.KillOnCancel puts into the process's environment.
const markerVariable = "BERTH_EXEC"

// spec checks the fields and translates them. marker is NAME=VALUE of the
// variable by which the process can be found, "" when there is none.
func (c *Cmd) spec(conn bool) (spec engine.ExecSpec, marker string, err error) {
	args := c.Args
	if len(args) == 0 {
		args = []string{c.Path}
	}
	hasStreams := c.Stdin != nil || c.Stdout != nil || c.Stderr != nil
	switch {
	case c.c == nil:
		return spec, "", errors.New("berth: Cmd made without Container.Command")
	case c.Path == "":
		return spec, "", &InvalidError{Option: "Cmd.Path", Reason: "is empty"}
	case args[0] != c.Path:
		return spec, "", &InvalidError{Option: "Cmd.Args[0]", Value: args[0], Reason: "differs from Path, and an engine has no argv[0] of its own"}
	case c.TTY && c.Stderr != nil:
		return spec, "", &InvalidError{Option: "Cmd.Stderr", Reason: "a terminal has one output, which goes to Stdout"}
	case c.Size != Size{} && !c.TTY:
		return spec, "", &InvalidError{Option: "Cmd.Size", Reason: "needs TTY"}
	case c.DetachKeys != "" && !c.TTY:
		return spec, "", &InvalidError{Option: "Cmd.DetachKeys", Value: c.DetachKeys, Reason: "needs TTY"}
	case c.Detach && hasStreams:
		return spec, "", &InvalidError{Option: "Cmd.Detach", Reason: "a detached command has no Stdin, Stdout or Stderr"}
	case c.Detach && conn:
		return spec, "", &InvalidError{Option: "Cmd.Detach", Reason: "a detached command has no connection"}
	case conn && hasStreams:
		return spec, "", &InvalidError{Option: "Cmd.Conn", Reason: "the connection takes the place of Stdin, Stdout and Stderr"}
	case c.WaitDelay < 0:
		return spec, "", &InvalidError{Option: "Cmd.WaitDelay", Value: c.WaitDelay.String(), Reason: "is negative"}
	}
	spec = engine.ExecSpec{
		Cmd:          slices.Clone(args),
		Env:          maps.Clone(c.Env),
		UnsetEnv:     slices.Clone(c.UnsetEnv),
		WorkingDir:   c.Dir,
		User:         c.User,
		Privileged:   c.Privileged,
		TTY:          c.TTY,
		AttachStdin:  c.Stdin != nil || conn,
		AttachStdout: true, // also when nobody wants it: the end of the stream is the end of the process
		AttachStderr: true,
		DetachKeys:   c.DetachKeys,
	}
	if c.KillOnCancel && !c.Detach && !c.c.cli.e.Supports(engine.FeatureExecKill) {
		if spec.Env == nil {
			spec.Env = map[string]string{}
		}
		value := rand.Text()
		spec.Env[markerVariable] = value
		marker = markerVariable + "=" + value
	}
	return spec, marker, nil
}
