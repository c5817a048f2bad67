package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/events"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/reexec"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/embedded/internal/volume"
	"github.com/berthdev/berth/engine"
)

// Role is the monitor's name, its argv[0].
const Role = "berth-monitor"

func init() { reexec.Register(Role, serveRole) }

// A monitor is small, and there are many: garbage is collected at every megabyte or so. But a
// start makes little of it, and nobody shall wait for that: it is collected, and given
// back, when the monitor has nothing better to do.
const (
	gcPercent   = 25
	memoryLimit = 64 << 20
	startLimit  = 32 << 20 // some ten starts leave that much behind
	settleAfter = time.Second
)

// hurry lets garbage lie.
func hurry() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(startLimit)
}

// settle gives back what starting has used.
func settle() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	debug.FreeOSMemory()
}

// serveRole is the monitor, on the main goroutine.
func serveRole() {
	unix.Umask(0o022)
	unix.CloseOnExec(reexec.FD)
	unix.SetNonblock(reexec.FD, true)
	p := &lifetime{control: os.NewFile(reexec.FD, "control")}
	p.helper = newHelper()
	p.begun, p.looked = look()
	for p.serve() {
	}
	exit()
}

// lifetime is what outlives a monitor in a process that is the monitor of one container after the other.
type lifetime struct {
	control *os.File
	warm    warmed
	helper  *helper
	hello   proto.Hello  // of the one that opened the store
	store   *state.Store // nil before the first
	begun   residue      // what there was before the first
	looked  error        // why that is not known
}

// serve is one container's monitor. It is true when the process can be another one's.
func (p *lifetime) serve() bool {
	hurry()
	m, err := p.open()
	if err != nil {
		return false
	}
	m.hold(func() {
		// Whoever has started us is a client until it has connected, or died.
		var b [len(proto.Keep)]byte
		n, _ := p.control.Read(b[:])
		m.mu.Lock()
		m.keep = string(b[:n]) == proto.Keep
		m.mu.Unlock()
		if !m.keep {
			p.control.Close()
		}
	})
	go m.accept()
	for f := range m.main {
		f()
	}
	return m.keep && p.again(m)
}

// answer tells the program that has started us how that went.
func (p *lifetime) answer(err error) {
	data, _ := json.Marshal(proto.Response{Error: proto.Encode(err)})
	p.control.Write(data)
}

// open waits for the hello message, makes the monitor that it asks for, and answers.
func (p *lifetime) open() (*monitor, error) {
	if p.store == nil {
		p.warm = warm()
	} else {
		idle := time.AfterFunc(settleAfter, settle)
		defer func() {
			if !idle.Stop() {
				hurry()
			}
		}()
	}
	buf := make([]byte, 16<<10)
	p.control.SetReadDeadline(time.Now().Add(proto.SpareLife))
	n, err := p.control.Read(buf)
	p.control.SetReadDeadline(time.Time{})
	if err != nil {
		return nil, fmt.Errorf("read hello: %w", err)
	}
	m, err := p.monitor(buf[:n])
	p.answer(err)
	return m, err
}

// monitor makes a container's monitor.
func (p *lifetime) monitor(hello []byte) (*monitor, error) {
	var h proto.Hello
	if err := json.Unmarshal(hello, &h); err != nil {
		return nil, fmt.Errorf("decode hello: %w", err)
	}
	m := &monitor{
		id:     h.ID,
		main:   make(chan func()),
		hello:  h,
		warm:   p.warm,
		helper: p.helper,
		log:    slog.New(slog.DiscardHandler), // until it is known where to
		execs:  make(map[string]*execution),
	}
	m.in.init()
	m.out.lost = m.lostOutput
	var err error
	if p.store == nil || h.Root != p.hello.Root || h.Run != p.hello.Run {
		if p.store, err = state.Open(h.Root, h.Run); err != nil {
			return nil, err
		}
		p.hello = h
	}
	m.store = p.store
	if m.lock, err = m.store.HoldMonitor(h.ID); err != nil {
		return nil, err
	}
	if err := m.load(); err != nil {
		if !errors.Is(err, engine.ErrConflict) { // a dead monitor's is for whoever recovers
			m.store.RemoveRun(h.ID)
		}
		m.lock.Close()
		return nil, err
	}
	m.settled = time.AfterFunc(settleAfter, settle)
	return m, nil
}

// load listens, and reads what the monitor needs to know.
func (m *monitor) load() (err error) {
	// First of all: what a dead monitor has left is not ours to remove, whatever fails below.
	if m.listener, err = m.store.ListenMonitor(m.id); err != nil {
		return err
	}
	if m.cfg, err = m.store.Peek(m.id); err != nil {
		return err
	}
	m.log = newLog(filepath.Join(m.store.Dir(m.id), logName))
	if m.volumes, err = volume.Open(m.store.Root() + "/volumes"); err != nil {
		return err
	}
	m.events = events.Open(m.store.Root())
	m.networks, err = network.Open(m.store.Root(), m.store.RunRoot(), network.Options{NoForwardCheck: m.hello.NoForwardCheck, Rootless: m.hello.Rootless, Log: m.log})
	if err != nil {
		return err
	}
	if m.last, err = m.store.ReadExit(m.id); err != nil {
		return err
	}
	m.status = engine.StatusCreated
	if m.last != nil && !m.last.StartedAt.IsZero() {
		m.status = engine.StatusExited
	}
	return nil
}

// exit ends the process: what is not closed here the kernel closes.
func exit() { syscall.Exit(0) }
