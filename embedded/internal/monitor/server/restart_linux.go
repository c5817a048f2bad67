package server

import (
	"context"
	"strconv"
	"time"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// backoff is a restart that is due.
type backoff struct {
	delay time.Duration
	timer *time.Timer
}

// The pauses between restarts are Docker's: the first is 100 ms, each is twice the one before, up to a
// minute; a run of 10 s or more begins anew.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = time.Minute
	goodRun    = 10 * time.Second
)

// restartAfter says whether the policy wants another run, and after which pause. m.mu is held.
func (m *monitor) restartAfter(r *run, e state.Exit) (time.Duration, bool) {
	p := m.cfg.Spec.RestartPolicy
	if r.final || m.retired {
		return 0, false
	}
	switch p.Name {
	case "always", "unless-stopped":
	case "on-failure":
		if e.Code == 0 || p.MaximumRetryCount > 0 && r.restarts >= p.MaximumRetryCount {
			return 0, false
		}
	default:
		return 0, false
	}
	if e.FinishedAt.Sub(e.StartedAt) >= goodRun || m.lastPause == 0 {
		m.lastPause = firstDelay
	} else {
		m.lastPause = min(2*m.lastPause, lastDelay)
	}
	return m.lastPause, true
}

// restartLater starts the container again after the pause, unless somebody stops or starts it before.
func (m *monitor) restartLater(r *run, delay time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.waitFor
	if b == nil {
		return // stopped meanwhile
	}
	b.timer = time.AfterFunc(delay, func() {
		m.mu.Lock()
		if m.waitFor != b {
			m.mu.Unlock()
			return
		}
		m.users++
		m.mu.Unlock()
		defer m.quit()
		if m.start(context.Background(), r.restarts+1) != nil {
			m.mu.Lock()
			m.lastPause = 0
			m.mu.Unlock()
		}
	})
}

// cancelRestart forgets a restart that is due, and says whether there was one. m.mu is held.
func (m *monitor) cancelRestart() bool {
	b := m.waitFor
	if b == nil {
		return false
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	m.waitFor = nil
	return true
}

// giveUpRestart makes a container that waits for its restart an ended one. It is false if it does not wait.
func (m *monitor) giveUpRestart() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.cancelRestart() {
		return false
	}
	rec := state.Run{Status: engine.StatusExited}
	if m.last != nil {
		rec.StartedAt, rec.Restarts = m.last.StartedAt, m.last.Restarts
	}
	m.writeRun(&rec)
	m.setStatus(engine.StatusExited)
	return true
}

// exitAttributes are those of a die event.
func exitAttributes(e state.Exit) map[string]string {
	return map[string]string{
		"exitCode":     strconv.Itoa(e.Code),
		"execDuration": strconv.Itoa(int(e.FinishedAt.Sub(e.StartedAt).Seconds())),
	}
}
