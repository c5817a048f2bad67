// Package term makes a program's own terminal the terminal of a container: raw
// mode, its size and changes of it, and the way back on every path out.
//
// It draws nothing, emulates no terminal and opens no pseudo-terminal.
package term
