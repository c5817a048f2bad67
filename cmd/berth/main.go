package main

import (
	"os"
)

func main() { os.Exit(run(os.Args[1:])) }

// run is the whole program: it returns the exit code.
func run(args []string) int {
	ctx, signals := catchSignals()
	defer signals.close()
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, signals: signals}
	defer a.close()
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return a.report(ctx, err)
}
