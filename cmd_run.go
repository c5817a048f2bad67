package berth

import (
	"bytes"
	"context"
)

// Run starts the command and waits for it: see [Cmd.Start] and [Cmd.Wait].
func (c *Cmd) Run(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the command and returns what it wrote to standard output, also
// when the error is not nil. All of it is kept in memory: set Stdout to stream
// instead. The end of what it wrote to standard error is in the [*ExitError].
func (c *Cmd) Output(ctx context.Context) ([]byte, error) {
	if c.Stdout != nil {
		return nil, &InvalidError{Option: "Cmd.Stdout", Reason: "is set, and Output collects it"}
	}
	var b bytes.Buffer
	c.Stdout = &b
	c.collects = c.Stderr == nil
	err := c.Run(ctx)
	return b.Bytes(), err
}

// CombinedOutput runs the command and returns what it wrote to standard output
// and standard error, in the order in which the engine passed it on, also when the error is not nil.
func (c *Cmd) CombinedOutput(ctx context.Context) ([]byte, error) {
	switch {
	case c.Stdout != nil:
		return nil, &InvalidError{Option: "Cmd.Stdout", Reason: "is set, and CombinedOutput collects it"}
	case c.Stderr != nil:
		return nil, &InvalidError{Option: "Cmd.Stderr", Reason: "is set, and CombinedOutput collects it"}
	}
	var b bytes.Buffer
	c.Stdout = &b
	if !c.TTY {
		c.Stderr = &b
	}
	c.collects = true
	err := c.Run(ctx)
	return b.Bytes(), err
}
