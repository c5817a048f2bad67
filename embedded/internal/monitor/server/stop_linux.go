package server

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// current is the run that is in progress, begun; nil if there is none.
func (m *monitor) current() *run {
	m.mu.Lock()
	r := m.run
	m.mu.Unlock()
	if r == nil {
		return nil
	}
	<-r.begun
	if r.proc == nil {
		return nil
	}
	select {
	case <-r.ended:
		return nil
	default:
		return r
	}
}

// running is current, or ErrNotRunning.
func (m *monitor) running() (*run, error) {
	if r := m.current(); r != nil {
		return r, nil
	}
	return nil, notRunning(m.id)
}

// signal sends a signal to the first process. One that is over is no error.
func (r *run) signal(sig int) error {
	conn, err := r.proc.pidfd.SyscallConn()
	if err != nil {
		return nil // closed: it is over
	}
	var serr error
	conn.Control(func(fd uintptr) { serr = unix.PidfdSendSignal(int(fd), unix.Signal(sig), nil, 0) })
	if serr == unix.ESRCH {
		return nil
	}
	return os.NewSyscallError("kill", serr)
}

// stop ends the container: the signal, after the timeout SIGKILL. It returns when the end is recorded.
// With again the policy's restart is not given up for good, since the caller starts it itself.
func (m *monitor) stop(signal string, timeout *time.Duration, kind string) error {
	if m.giveUpRestart() {
		m.stoppedByUser(true)
		return nil
	}
	r := m.current()
	if r == nil {
		return nil
	}
	sig, wait := r.cfg.StopSignal, r.cfg.StopTimeout
	if signal != "" {
		var err error
		if sig, _, err = engine.ParseSignal(signal); err != nil {
			return err
		}
	}
	if sig == 0 {
		sig = int(unix.SIGTERM)
	}
	if timeout != nil {
		wait = *timeout
	}
	m.mu.Lock()
	r.final = true
	paused := m.status == engine.StatusPaused
	if !paused && m.run == r {
		m.setRunStatus(r, engine.StatusStopping)
	}
	m.mu.Unlock()
	m.stoppedByUser(true)
	m.emit("kill", map[string]string{"signal": strconv.Itoa(sig)})
	if err := r.signal(sig); err != nil {
		return err
	}
	if paused {
		m.thaw(r)
	}
	if !r.endsWithin(wait) {
		m.emit("kill", map[string]string{"signal": "9"})
		m.killAll(r)
		<-r.ended
	}
	if kind != "" {
		m.emit(kind, nil)
	}
	return nil
}

// endsWithin waits for the recorded end; a negative time has none.
func (r *run) endsWithin(d time.Duration) bool {
	if d < 0 {
		<-r.ended
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ended:
		return true
	case <-t.C:
		return false
	}
}

// killAll kills the first process, and all others where they would outlive it.
func (m *monitor) killAll(r *run) {
	m.mu.Lock()
	r.killed = true
	m.mu.Unlock()
	r.signal(int(unix.SIGKILL))
	if r.group != nil && !ownPIDs(r.oci) {
		r.group.Kill()
	}
	m.mu.Lock()
	paused := m.status == engine.StatusPaused
	m.mu.Unlock()
	if paused {
		m.thaw(r) // the frozen do not die
	}
}

// kill sends a signal. SIGKILL returns when the end is recorded.
func (m *monitor) kill(signal string) error {
	if signal == "" {
		signal = "SIGKILL"
	}
	sig, _, err := engine.ParseSignal(signal)
	if err != nil {
		return err
	}
	r, err := m.running()
	if err != nil {
		return err
	}
	ends := sig == int(unix.SIGKILL)
	if ends || sig == r.cfg.StopSignal {
		m.mu.Lock()
		r.final = true
		m.mu.Unlock()
	}
	m.stoppedByUser(true)
	m.emit("kill", map[string]string{"signal": strconv.Itoa(sig)})
	if ends {
		m.killAll(r)
		<-r.ended
		return nil
	}
	return r.signal(sig)
}

// restart stops the container, if it runs, and starts it.
func (m *monitor) restart(ctx context.Context, signal string, timeout *time.Duration) error {
	m.mu.Lock()
	retired, autoRemove := m.retired, m.cfg.Spec.AutoRemove
	if autoRemove && !retired {
		m.restarting++ // its end is not the end of the container
		defer func() {
			m.mu.Lock()
			m.restarting--
			m.mu.Unlock()
		}()
	}
	m.mu.Unlock()
	if retired {
		return notFound(m.id)
	}
	if err := m.stop(signal, timeout, ""); err != nil {
		return err
	}
	if err := m.start(ctx, 0); err != nil {
		return err
	}
	m.emit("restart", nil)
	return nil
}

// stoppedByUser keeps in container.json what the policy unless-stopped wants to know after a reboot.
func (m *monitor) stoppedByUser(stopped bool) {
	cfg := m.container()
	if name := cfg.Spec.RestartPolicy.Name; name != "always" && name != "unless-stopped" || cfg.StoppedByUser == stopped {
		return
	}
	unlock, err := m.store.Lock(context.Background(), m.id)
	if err != nil {
		return
	}
	defer unlock()
	m.writeStopped(stopped)
}

// writeStopped is stoppedByUser with the container's lock held.
func (m *monitor) writeStopped(stopped bool) {
	cfg, err := m.store.Config(m.id)
	if err != nil {
		return
	}
	cfg.StoppedByUser = stopped
	if m.store.WriteConfig(cfg) == nil {
		m.mu.Lock()
		m.cfg = cfg
		m.mu.Unlock()
	}
}

// setRunStatus changes the status of a run that goes on. m.mu is held.
func (m *monitor) setRunStatus(r *run, s engine.Status) {
	r.record.Status = s
	m.writeRun(&r.record)
	m.setStatus(s)
}

// turn is the one client's that may pause or unpause the running container, until unlock.
func (m *monitor) turn() (r *run, paused bool, unlock func(), err error) {
	if r, err = m.running(); err != nil {
		return nil, false, nil, err
	}
	if !m.freezer.TryLock() {
		return nil, false, nil, conflict("container is being paused or unpaused")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return r, m.status == engine.StatusPaused, m.freezer.Unlock, nil
}

// pause freezes the container.
func (m *monitor) pause(ctx context.Context) error {
	r, paused, unlock, err := m.turn()
	if err != nil {
		return err
	}
	defer unlock()
	if paused {
		return conflict("container is already paused")
	}
	if r.group == nil {
		return &engine.UnsupportedError{Option: "Container.Pause", Engine: "embedded", Reason: "the container has no cgroup"}
	}
	if err := r.freeze(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	if m.run != r || r.killed {
		m.mu.Unlock()
		r.group.Thaw(ctx) // the frozen do not die
		return notRunning(m.id)
	}
	m.setRunStatus(r, engine.StatusPaused)
	m.mu.Unlock()
	m.emit("pause", nil)
	return nil
}

// freeze freezes the processes. A program with threads that is just being executed keeps cgroup v1 from that
// for good (its threads wait for each other, frozen): it is let go on for a moment then.
func (r *run) freeze(ctx context.Context) error {
	for patience := 100 * time.Millisecond; ; patience *= 2 {
		try, cancel := context.WithTimeout(ctx, patience)
		err := r.group.Freeze(try)
		cancel()
		if err == nil || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || r.ctx.Err() != nil {
			return err
		}
	}
}

// unpause lets it go on.
func (m *monitor) unpause() error {
	r, paused, unlock, err := m.turn()
	if err != nil {
		return err
	}
	defer unlock()
	if !paused {
		return conflict("container is not paused")
	}
	if err := m.thaw(r); err != nil {
		return err
	}
	m.emit("unpause", nil)
	return nil
}

// thaw lets a frozen container go on.
func (m *monitor) thaw(r *run) error {
	if err := r.group.Thaw(context.Background()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.run == r && m.status == engine.StatusPaused {
		s := engine.StatusRunning
		if r.final {
			s = engine.StatusStopping
		}
		m.setRunStatus(r, s)
	}
	return nil
}
