package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals decides what a signal does. Interrupt, termination and hangup end
// the program's context, and the second of them the program; while a container or a command
// runs in the foreground, they are its affair, and so are others.
type signals struct {
	received chan os.Signal
	ended    chan struct{}
	cancel   context.CancelCauseFunc

	mu      sync.Mutex
	handle  func(os.Signal) // nil: the context ends
	restore func()          // of the terminal; nil while it is as it was
	count   int             // of signals that ended the context
}

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return "received signal: " + e.signal.String() }

// code is the exit code that tells of the signal.
func (e signalError) code() int { return 128 + int(e.signal) }

// catchSignals begins to receive signals, until close.
func catchSignals() (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &signals{received: make(chan os.Signal, 16), ended: make(chan struct{}), cancel: cancel}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) { // as nohup has it
			signal.Notify(s.received, sig)
		}
	}
	keepBrokenPipes()
	go func() {
		for {
			select {
			case sig := <-s.received:
				s.dispatch(sig)
			case <-s.ended:
				return
			}
		}
	}()
	return ctx, s
}

func (s *signals) dispatch(sig os.Signal) {
	s.mu.Lock()
	handle := s.handle
	if handle == nil {
		s.count++
	}
	again := s.count > 1
	s.mu.Unlock()
	number, _ := sig.(syscall.Signal)
	switch {
	case handle != nil:
		handle(sig)
	case again:
		s.leave(number)
	default:
		s.cancel(signalError{number})
	}
}

// divert gives all signals that can be passed on to handle, until undo. handle
// must not block.
func (s *signals) divert(handle func(os.Signal)) (undo func()) {
	s.set(handle)
	for _, sig := range passedOn {
		if !signal.Ignored(sig) {
			signal.Notify(s.received, sig)
		}
	}
	return func() { s.set(nil) }
}

func (s *signals) set(handle func(os.Signal)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle = handle
}

// guard has restore called before leave ends the program.
func (s *signals) guard(restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restore = restore
}

// leave ends the program at once, as by the signal, with the terminal restored. What
// runs in the engine runs on.
func (s *signals) leave(sig syscall.Signal) {
	s.mu.Lock()
	restore := s.restore
	s.mu.Unlock()
	if restore != nil {
		restore()
	}
	os.Exit(signalError{sig}.code())
}

// interrupt ends the program's context as the signal does.
func (s *signals) interrupt(sig syscall.Signal) { s.cancel(signalError{sig}) }

func (s *signals) close() {
	signal.Stop(s.received)
	close(s.ended)
	s.cancel(nil)
}

// isEnding tells that a signal asks programs to end.
func isEnding(sig os.Signal) bool {
	return sig == os.Interrupt || sig == syscall.SIGTERM
}

// patience is how many interrupts or terminations a container may get before berth
// leaves it alone, as docker does.
const patience = 2

// proxy passes signals on to a container with kill, until stop. When the third
// interrupt or termination comes, berth leaves, since the process pays no attention.
func (s *signals) proxy(ctx context.Context, kill func(ctx context.Context, signal string) error, warn func(string, ...any)) (stop func()) {
	count := 0
	return s.proxyUntil(ctx, kill, warn, func(sig os.Signal) bool {
		if !isEnding(sig) {
			return false
		}
		if count++; count > patience {
			warn("%v once more: leaving, and the container runs on", sig)
			s.leaveNow(sig)
		}
		return false
	})
}

// proxyUntil passes signals on with kill, in their order, until stop; those that
// taken says are dealt with are not.
func (s *signals) proxyUntil(ctx context.Context, kill func(ctx context.Context, signal string) error, warn func(string, ...any), taken func(os.Signal) bool) (stop func()) {
	names := make(chan string, 16)
	ctx, cancel := context.WithCancel(ctx)
	var worker sync.WaitGroup
	worker.Go(func() {
		for {
			select {
			case name := <-names:
				if err := kill(ctx, name); err != nil && ctx.Err() == nil {
					warn("pass on signal %s: %v", name, err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	undo := s.divert(func(sig os.Signal) {
		if taken(sig) {
			return
		}
		number, _ := sig.(syscall.Signal)
		if name := signalName(number); name != "" {
			select {
			case names <- name:
			default: // sixteen are waiting already
			}
		}
	})
	return func() {
		undo()
		cancel()
		worker.Wait()
	}
}

// leaveNow is leave as a handler of signals.
func (s *signals) leaveNow(sig os.Signal) {
	number, _ := sig.(syscall.Signal)
	s.leave(number)
}
