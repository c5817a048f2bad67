package server

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/engine"
)

// checker runs a container's health check.
type checker struct {
	check *engine.Healthcheck
	timer *time.Timer
	busy  sync.Mutex // one check at a time
	since time.Time  // the start period's beginning
}

// Docker's defaults and bounds.
const (
	healthInterval      = 30 * time.Second
	healthTimeout       = 30 * time.Second
	healthStartInterval = 5 * time.Second
	healthRetries       = 3
	healthLog           = 5       // results that are kept
	healthOutput        = 4 << 10 // bytes of output of each
)

// checked says that hc is a test that can be run.
func checked(hc *engine.Healthcheck) bool {
	return hc != nil && len(hc.Test) > 0 && hc.Test[0] != "NONE"
}

// armHealth begins the checks of a run. m.mu is held.
func (m *monitor) armHealth(r *run) {
	hc := r.cfg.Healthcheck
	if r.health != nil {
		r.health.timer.Stop()
		r.health = nil
	}
	if !checked(hc) {
		r.record.Health = nil
		return
	}
	r.record.Health = &engine.Health{Status: engine.HealthStarting}
	c := &checker{check: hc, since: time.Now()}
	r.health = c
	c.timer = time.AfterFunc(c.next(engine.HealthStarting), func() { m.tick(r, c) })
}

// next is the pause before the next run.
func (c *checker) next(status engine.HealthStatus) time.Duration {
	if status == engine.HealthStarting && c.check.StartPeriod > 0 && time.Since(c.since) < c.check.StartPeriod {
		return or(c.check.StartInterval, healthStartInterval)
	}
	return or(c.check.Interval, healthInterval)
}

func or(d, byDefault time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return byDefault
}

// tick is a scheduled run.
func (m *monitor) tick(r *run, c *checker) {
	m.mu.Lock()
	due := r.health == c && m.run == r && m.status == engine.StatusRunning
	again := r.health == c && m.run == r
	m.mu.Unlock()
	if due {
		m.check(r, c)
	}
	if !again || r.ctx.Err() != nil {
		return
	}
	m.mu.Lock()
	if r.health == c && r.record.Health != nil {
		c.timer.Reset(c.next(r.record.Health.Status))
	}
	m.mu.Unlock()
}

// healthcheck runs the check now.
func (m *monitor) healthcheck() (*engine.HealthResult, error) {
	r, err := m.running()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	c := r.health
	m.mu.Unlock()
	if c == nil {
		return nil, conflict("container " + m.id + " has no defined healthcheck")
	}
	if m.isPaused() {
		return nil, conflict("container " + m.id + " is paused")
	}
	res := m.check(r, c)
	if r.ctx.Err() != nil && res == nil {
		return nil, notRunning(m.id)
	}
	return res, nil
}

// check runs the test once and takes its result into account.
func (m *monitor) check(r *run, c *checker) *engine.HealthResult {
	c.busy.Lock()
	defer c.busy.Unlock()
	res := m.probe(r, c.check)
	if r.ctx.Err() != nil {
		return nil // the container's end was the end of the test
	}
	m.mu.Lock()
	h := r.record.Health
	if r.health != c || h == nil {
		m.mu.Unlock()
		return &res
	}
	now := *h
	now.Log = append(now.Log[:len(now.Log):len(now.Log)], res)
	if n := len(now.Log) - c.keep(); n > 0 {
		now.Log = now.Log[n:]
	}
	switch {
	case res.Healthy:
		now.Status, now.FailingStreak = engine.HealthHealthy, 0
	case now.Status == engine.HealthStarting && res.Start.Sub(c.since) < c.check.StartPeriod:
		// Failures do not count yet.
	default:
		now.FailingStreak++
		if now.FailingStreak >= c.retries() {
			now.Status = engine.HealthUnhealthy
		}
	}
	changed := now.Status != h.Status
	r.record.Health = &now
	m.writeRun(&r.record)
	m.broadcast()
	m.mu.Unlock()
	if changed {
		m.emit("health_status", map[string]string{"health_status": string(now.Status)})
		if now.Status == engine.HealthUnhealthy {
			m.hold(func() { m.unhealthy(c.check.OnFailure) })
		}
	}
	return &res
}

func (c *checker) retries() int {
	if c.check.Retries > 0 {
		return c.check.Retries
	}
	return healthRetries
}

func (c *checker) keep() int {
	if n := c.check.LogMaxCount; n != nil && *n > 0 {
		return int(*n)
	}
	return healthLog
}

// unhealthy does what is asked for when a container has become so.
func (m *monitor) unhealthy(action string) {
	switch action {
	case "kill":
		if r := m.current(); r != nil {
			m.emit("kill", map[string]string{"signal": "9"})
			m.killAll(r) // the restart policy decides what follows
			<-r.ended
		}
	case "stop":
		m.stop("", nil, "stop")
	case "restart":
		m.restart(context.Background(), "", nil)
	}
}

// probe runs the test.
func (m *monitor) probe(r *run, hc *engine.Healthcheck) (res engine.HealthResult) {
	res.Start = time.Now()
	spec := engine.ExecSpec{AttachStdout: true, AttachStderr: true}
	switch hc.Test[0] {
	case "CMD":
		spec.Cmd = hc.Test[1:]
	case "CMD-SHELL":
		spec.Cmd = append([]string{"/bin/sh", "-c"}, hc.Test[1:]...)
	default:
		spec.Cmd = hc.Test
	}
	defer func() { res.Healthy = res.ExitCode == 0 }()
	p, s, err := m.startExec(r, spec, engine.Size{}, false, true, true)
	if err != nil {
		res.End, res.ExitCode, res.Output = time.Now(), -1, err.Error()
		if errors.Is(err, engine.ErrCommandNotFound) {
			res.ExitCode = 127
		} else if errors.Is(err, engine.ErrCommandNotExecutable) {
			res.ExitCode = 126
		}
		return res
	}
	limit := healthOutput
	if n := hc.LogMaxSize; n != nil && *n > 0 {
		limit = int(*n)
	}
	out := &tail{limit: limit}
	pumps := []*collector{collect(s.stdout, out), collect(s.stderr, out)}
	timeout := time.AfterFunc(or(hc.Timeout, healthTimeout), func() {
		out.mu.Lock()
		out.late = true
		out.mu.Unlock()
		conn, err := p.Pidfd.SyscallConn()
		if err == nil {
			conn.Control(func(fd uintptr) { unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
		}
	})
	st, err := p.Wait()
	timeout.Stop()
	for _, c := range pumps {
		c.file.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // for what its children have left
		<-c.done
		c.file.Close()
	}
	p.Pidfd.Close()
	res.End, res.ExitCode = time.Now(), st.Code
	if err != nil {
		res.ExitCode = -1
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	res.Output = out.text()
	if out.late {
		res.ExitCode = -1
		res.Output = "Health check exceeded timeout (" + or(hc.Timeout, healthTimeout).String() + ")" + prefixed(": ", res.Output)
	}
	return res
}

func prefixed(by, s string) string {
	if s == "" {
		return ""
	}
	return by + s
}

// tail collects the beginning of a test's output.
type tail struct {
	mu    sync.Mutex
	limit int
	buf   bytes.Buffer
	late  bool
}

func (t *tail) add(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := t.limit - t.buf.Len(); room > 0 {
		t.buf.Write(p[:min(room, len(p))])
	}
}

// text is what was collected, without half a character at its end.
func (t *tail) text() string {
	b := t.buf.Bytes()
	for n := 0; n < utf8.UTFMax && len(b) > 0; n++ {
		if r, size := utf8.DecodeLastRune(b); r != utf8.RuneError || size > 1 {
			break
		}
		b = b[:len(b)-1]
	}
	return string(b)
}

// collector reads one stream of a test.
type collector struct {
	file *os.File
	done chan struct{}
}

func collect(f *os.File, t *tail) *collector {
	c := &collector{f, make(chan struct{})}
	go func() {
		defer close(c.done)
		buf := make([]byte, 1<<10)
		for {
			n, err := f.Read(buf)
			t.add(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return c
}

// healthStatus is the running container's. m.mu is held.
func (m *monitor) healthStatus() engine.HealthStatus {
	if m.run == nil || m.run.record.Health == nil {
		return engine.HealthNone
	}
	return m.run.record.Health.Status
}
