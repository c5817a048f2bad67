// Package term makes a program's own terminal the terminal of a container: raw
// mode, its size and changes of it, and the way back on every path out.
//
//	t, err := term.Open(os.Stdin, os.Stdout)
//	…
//	err = t.Raw(ctx, func(ctx context.Context) error {
//		… // copy t.In() to the container and its output to t.Out()
//	})
//
// It draws nothing, emulates no terminal and opens no pseudo-terminal. Linux,
// macOS, the BSDs and Windows have it; elsewhere nothing is a terminal.
package term
