package server

import (
	"log/slog"
	"maps"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/berthdev/berth/embedded/internal/events"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/volume"
	"github.com/berthdev/berth/engine"
)

// monitor is one container's.
type monitor struct {
	id       string
	hello    proto.Hello
	warm     warmed
	helper   *helper
	root     rootMount // of the run that there is or was; it is the launching goroutine's, then that of the monitor's end
	store    *state.Store
	events   *events.Log
	networks *network.Manager
	volumes  *volume.Store
	lock     *os.File // monitor.lock
	listener *net.UnixListener
	log      *slog.Logger
	main     chan func() // what the main goroutine does: all that forks
	settled  *time.Timer

	out output // of the container
	in  input

	freezer sync.Mutex // held while a client pauses or unpauses the container

	mu         sync.Mutex
	cfg        *state.Config
	status     engine.Status
	last       *state.Exit // of the last run that is over; nil if there is none
	run        *run        // the one that is being started or runs; nil otherwise
	cleanup    *run        // the one whose end has been recorded and whose rest is being removed
	users      int         // clients, and goroutines that must end before the process does
	leaving    bool
	keep       bool // the process may be another container's next
	runs       int  // starts that went well
	retired    bool // the container is being removed
	removed    bool
	size       engine.Size   // for the terminal of the next start
	keys       string        // detach keys of StartOptions
	waitFor    *backoff      // a restart that is due
	lastPause  time.Duration // before the last restart
	restarting int           // restarts by the user in progress: an end is not the last one
	waiters    map[*waiter]bool
	joined     bool          // it has been in a network
	lingering  chan struct{} // closed when the last run's interfaces have gone; nil: there was none
	execs      map[string]*execution
	order      []string // of the execs' creation
	failure    string   // the first of this run that nobody could be told of; see trouble
}

// at is a step, for the tests of a monitor that is killed there.
func (m *monitor) at(step string) {
	if m.hello.Die == step {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// onMain runs f on the main goroutine and waits for it.
func (m *monitor) onMain(f func()) {
	done := make(chan struct{})
	m.main <- func() {
		f()
		close(done)
	}
	<-done
}

// enter counts a user of the monitor; it is false when the monitor is leaving.
func (m *monitor) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaving {
		return false
	}
	m.users++
	return true
}

// quit is the end of a user. The last one's makes the monitor leave, if the container does not run.
func (m *monitor) quit() {
	m.mu.Lock()
	m.users--
	leave := m.users == 0 && m.run == nil && m.cleanup == nil && m.waitFor == nil && m.status != engine.StatusInitialized && !m.leaving
	if leave {
		m.leaving = true
	}
	m.mu.Unlock()
	if leave {
		m.leave()
	}
}

// hold runs f in a goroutine that keeps the monitor.
func (m *monitor) hold(f func()) {
	if !m.enter() {
		return
	}
	go func() {
		defer m.quit()
		f()
	}()
}

// idleBridge is how long a bridge stays after its last container: the next one finds it.
const idleBridge = 2 * time.Second

// leave ends the monitor. Whoever has connected and was not accepted connects again, to the next one.
func (m *monitor) leave() {
	m.settled.Stop()
	m.listener.Close()
	if !m.removed {
		m.store.RemoveRun(m.id)
	}
	m.lock.Close()
	m.unmountRoot()
	m.sweep()
	close(m.main)
}

// setStatus changes the status and tells those who wait for it. m.mu is held.
func (m *monitor) setStatus(s engine.Status) {
	m.status = s
	m.broadcast()
}

// container is the configuration as of now, which nobody changes.
func (m *monitor) container() *state.Config {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cfg
}

// emit writes an event of the container. That it cannot be written stops nothing.
func (m *monitor) emit(action string, attributes map[string]string) {
	m.emitEvents(engine.Event{Action: action, Attributes: attributes})
}

func (m *monitor) emitEvents(events ...engine.Event) {
	cfg := m.container()
	for i := range events {
		ev := &events[i]
		ev.Type, ev.ID, ev.Name, ev.Image = "container", m.id, cfg.Name, cfg.Image
		attrs := cfg.Labels()
		attrs["image"], attrs["name"] = cfg.Image, cfg.Name
		maps.Copy(attrs, ev.Attributes)
		ev.Attributes = attrs
	}
	if err := m.events.Emit(events...); err != nil {
		m.log.Warn("event", "error", err)
	}
}
