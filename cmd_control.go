package berth

import "context"

// Kill sends the process a signal, by name ("SIGTERM", "term") or number; "" is
// SIGKILL. A nil error means that the signal was delivered or the process is
// over; where the process cannot be reached the error is an [*ExecAliveError]: see
// Cmd.KillOnCancel.
func (c *Cmd) Kill(ctx context.Context, signal string) error {
	if c.run == nil {
		return notStarted("Cmd.Kill")
	}
	return c.run.kill(ctx, signal)
}

// Resize sets the size of the command's terminal.
func (c *Cmd) Resize(ctx context.Context, size Size) error {
	switch {
	case c.run == nil:
		return notStarted("Cmd.Resize")
	case !c.TTY:
		return &InvalidError{Option: "Cmd.Resize", Reason: "the command has no terminal"}
	}
	return c.c.cli.e.ExecResize(ctx, c.id, size)
}

// Inspect asks the engine for the state of the exec. Engines forget it some
// minutes after the process's end: that is an [ErrNotFound].
func (c *Cmd) Inspect(ctx context.Context) (*ExecState, error) {
	if c.id == "" {
		return nil, notStarted("Cmd.Inspect")
	}
	return c.c.cli.e.ExecInspect(ctx, c.id)
}

func notStarted(call string) error {
	return &InvalidError{Option: call, Reason: "the command has not been started"}
}
