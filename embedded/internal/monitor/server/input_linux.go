package server

import (
	"os"
	"sync"
)

// input is the standard input of the container's runs.
type input struct {
	mu     sync.Mutex
	open   chan struct{} // closed while there is a run that takes input
	file   *os.File      // the pipe's or the terminal's end; nil when there is none
	owned  bool          // file is ours to close: a pipe
	closed bool          // for good, in this run
}

func (i *input) init() { i.open = make(chan struct{}) }

// set gives a new run's end. owned says that closing it is the process's end of file.
func (i *input) set(f *os.File, owned bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.file, i.owned, i.closed = f, owned, false
	close(i.open)
}

// reset is the end of the run.
func (i *input) reset() {
	i.mu.Lock()
	defer i.mu.Unlock()
	select {
	case <-i.open:
		i.open = make(chan struct{})
	default:
		return
	}
	if i.file != nil && i.owned {
		i.file.Close()
	}
	i.file, i.closed = nil, false
}

// wait is closed as soon as there is a run that takes input.
func (i *input) wait() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.open
}

// write gives the process data, waiting until it takes it. It fails when it takes no more.
func (i *input) write(p []byte) error {
	i.mu.Lock()
	f := i.file
	i.mu.Unlock()
	if f == nil {
		return os.ErrClosed
	}
	_, err := f.Write(p)
	return err
}

// end makes the process read end of file: a pipe is closed. At a terminal nothing
// happens: there is no such thing, but the character for it.
func (i *input) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.file != nil && i.owned && !i.closed {
		i.file.Close()
		i.file, i.closed = nil, true
	}
}
