package server

import (
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/berthdev/berth/embedded/internal/launch"
)

// A program that executes one command after the other in a container pays for entering it once: from the second one on
// a process that is in there forks them, until none has come for a moment. Meanwhile garbage may gather, too.

const (
	rowPause   = time.Second     // execs are in a row that are no further apart
	rowRest    = 2 * time.Second // after the last one
	rowPercent = 200             // of garbage
)

// row are the execs of a run that come one after the other.
type row struct {
	mu      sync.Mutex
	last    time.Time      // when one was executed
	forker  *launch.Forker // nil is none
	making  chan struct{}  // closed when one has been made, or not; nil: none is being made
	useless bool           // here are no forkers
	over    bool
	rest    *time.Timer
}

// exec executes a command.
func (x *row) exec(m *monitor, cfg launch.ExecConfig) (p *launch.Process, err error) {
	x.mu.Lock()
	f := x.forker
	x.mu.Unlock()
	if f != nil {
		p, err = f.Exec(cfg)
		if !errors.Is(err, launch.ErrForker) {
			x.executed(m, cfg)
			return p, err
		}
		x.drop(f)
	}
	m.onMain(func() { p, err = launch.Exec(cfg) })
	if err == nil {
		x.executed(m, cfg)
	}
	return p, err
}

// executed notes an exec. If it was not the first in a row, a process is made that forks the next ones.
func (x *row) executed(m *monitor, cfg launch.ExecConfig) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.last
	x.last = time.Now()
	if x.rest != nil {
		x.rest.Reset(rowRest)
	}
	if x.forker != nil || x.making != nil || x.useless || x.over || x.last.Sub(before) > rowPause {
		return
	}
	if x.rest == nil {
		debug.SetGCPercent(rowPercent)
		x.rest = time.AfterFunc(rowRest, x.end)
	}
	made := make(chan struct{})
	x.making = made
	cfg.Stdin, cfg.Stdout, cfg.Stderr = nil, nil, nil // they are closed by now
	go func() {
		defer close(made)
		var f *launch.Forker
		var err error
		m.onMain(func() { f, err = launch.NewForker(cfg) })
		x.mu.Lock()
		defer x.mu.Unlock()
		x.making = nil
		if err != nil {
			x.useless = errors.Is(err, launch.ErrForker)
			return
		}
		x.forker = f
	}()
}

// drop gives a forker up.
func (x *row) drop(f *launch.Forker) {
	x.mu.Lock()
	if x.forker == f {
		x.forker = nil
	}
	x.mu.Unlock()
	f.Close()
}

// end is that of a row.
func (x *row) end() {
	x.mu.Lock()
	f, over, rest := x.forker, x.over, x.rest
	x.forker, x.rest = nil, nil
	x.mu.Unlock()
	if f != nil {
		f.Close()
	}
	switch {
	case !over:
		settle()
	case rest != nil:
		debug.SetGCPercent(gcPercent)
	}
}

// close ends what is left when the container has ended.
func (x *row) close() {
	x.mu.Lock()
	x.over = true
	making := x.making
	if x.rest != nil {
		x.rest.Stop()
	}
	x.mu.Unlock()
	if making != nil {
		<-making
	}
	x.end()
}
