package berth

import (
	"io"
	"sync/atomic"
)

// outPipe is the caller's end of StdoutPipe or StderrPipe.
type outPipe struct {
	*io.PipeReader
	w    *io.PipeWriter
	read atomic.Int64 // bytes that the caller has read
}

func (p *outPipe) Read(b []byte) (int, error) {
	n, err := p.PipeReader.Read(b)
	p.read.Add(int64(n))
	return n, err
}

// pipeWriter is what Stdout or Stderr is set to by the pipes.
type pipeWriter struct{ *io.PipeWriter }

func isPipe(w io.Writer) bool {
	_, ok := w.(pipeWriter)
	return ok
}

// StdinPipe returns a pipe that is connected to the command's standard input
// when it starts. Closing it is end of file to the process. It is closed when
// the process has ended: a Write then is [io.ErrClosedPipe].
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	switch {
	case c.used:
		return nil, &InvalidError{Option: "Cmd.StdinPipe", Reason: "the command has been started already"}
	case c.Stdin != nil:
		return nil, &InvalidError{Option: "Cmd.Stdin", Reason: "is set"}
	}
	r, w := io.Pipe()
	c.Stdin, c.in = r, r
	return w, nil
}

// StdoutPipe returns a pipe that is connected to the command's standard output
// when it starts. The process's end is end of file; where the connection breaks before, a Read
// returns that error. Read it to its end before calling Wait. After
// a Close the rest of the output is discarded.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) { return c.outPipe("Stdout", &c.Stdout) }

// StderrPipe is StdoutPipe for standard error. Read both pipes at the same time:
// they share one connection, and what is not read of one holds up the other.
func (c *Cmd) StderrPipe() (io.ReadCloser, error) { return c.outPipe("Stderr", &c.Stderr) }

func (c *Cmd) outPipe(name string, w *io.Writer) (io.ReadCloser, error) {
	switch {
	case c.used:
		return nil, &InvalidError{Option: "Cmd." + name + "Pipe", Reason: "the command has been started already"}
	case *w != nil:
		return nil, &InvalidError{Option: "Cmd." + name, Reason: "is set"}
	}
	pr, pw := io.Pipe()
	p := &outPipe{PipeReader: pr, w: pw}
	c.out = append(c.out, p)
	*w = pipeWriter{pw}
	return p, nil
}

// pipesRead is how many bytes the caller has read of its pipes.
func (c *Cmd) pipesRead() (n int64) {
	for _, p := range c.out {
		n += p.read.Load()
	}
	return n
}

// closePipes ends the caller's pipes: with end of file, or with err if it is not nil. Only the first call counts.
func (c *Cmd) closePipes(err error) {
	if c.in != nil {
		c.in.CloseWithError(io.ErrClosedPipe)
	}
	for _, p := range c.out {
		p.w.CloseWithError(err)
	}
}
