package server

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/cgroup"
	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/logs"
	"github.com/berthdev/berth/embedded/internal/network"
	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// run is one run of the container, from its start to the removal of its last trace.
type run struct {
	cfg       *state.Config
	oci       *specs.Spec         // as it was started
	trees     map[string]*os.File // sources of binds in oci, by destination: config.Started.Trees
	root      *os.File            // the root, where it is made already: config.Started.Root
	mountInfo []byte              // /proc/self/mountinfo at the start
	restarts  int

	begun chan struct{} // closed when the start has succeeded or failed
	ended chan struct{} // closed when the end is recorded
	gone  chan struct{} // closed when nothing is left
	// ctx ends with the container's first process.
	ctx    context.Context
	cancel context.CancelFunc

	// These are set before begun is closed.
	proc    *process // nil if the start has failed
	group   *cgroup.Group
	groupFD *os.File
	mountNS *os.File // the mount namespace, of a container without root whose end the kernel does not see to; nil otherwise
	session *network.Session
	pumps   []*pump
	mounted []string // volumes
	execs   prepared
	started time.Time

	// These are under the monitor's mu.
	record state.Run
	final  bool // no restart follows, whatever the policy says
	killed bool // by SIGKILL, from here
	health *checker
}

// process is a first process, however it was started.
type process struct {
	pid     int
	start   uint64
	pidfd   *os.File
	console *os.File
	wait    func() (launch.Status, error)
}

func ofLaunch(p *launch.Process) *process {
	return &process{pid: p.PID, start: p.StartTime, pidfd: p.Pidfd, console: p.Console, wait: p.Wait}
}

// start starts the container; one that runs is a success.
func (m *monitor) start(ctx context.Context, restarts int) error {
	unlock, err := m.lockIdle(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	m.mu.Lock()
	switch {
	case m.retired:
		m.mu.Unlock()
		return notFound(m.id)
	case m.status == engine.StatusPaused:
		m.mu.Unlock()
		return conflict("cannot start a paused container, unpause it instead")
	case m.run != nil:
		m.mu.Unlock()
		return nil
	}
	r := &run{restarts: restarts, begun: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	m.run = r
	m.cancelRestart()
	m.mu.Unlock()

	if err = m.launch(r); err != nil {
		m.failed(r, err)
	}
	close(r.begun)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.runs++
	m.mu.Unlock()
	go m.watch(r)
	return nil
}

// lockIdle takes the container's lock when the rest of the last run has gone.
func (m *monitor) lockIdle(ctx context.Context) (unlock func(), err error) {
	for {
		m.mu.Lock()
		rest := m.cleanup
		m.mu.Unlock()
		if rest != nil {
			<-rest.gone
		}
		if unlock, err = m.store.Lock(ctx, m.id); err != nil {
			return nil, err
		}
		m.mu.Lock()
		rest = m.cleanup
		m.mu.Unlock()
		if rest == nil {
			return unlock, nil
		}
		unlock()
	}
}

// launch makes everything that the container needs and starts it. After an error, [monitor.failed] removes what there is.
func (m *monitor) launch(r *run) (err error) {
	cfg, err := m.store.Peek(m.id)
	if err != nil {
		return err
	}
	if cfg.Cgroup != "" {
		r.mountInfo, _ = os.ReadFile("/proc/self/mountinfo") // where it cannot be read, who needs it says so
		if r.group, err = cgroup.Open(cfg.Cgroup, cgroup.Options{Rootless: m.hello.Rootless, MountInfo: r.mountInfo}); err != nil {
			return err
		}
	}
	ahead := m.makeAhead(r, cfg)
	defer func() {
		if err != nil {
			r.cancel() // nobody waits for networks any more
		}
		m.root = ahead.close()
	}()
	oci, err := m.store.OCI(m.id)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.cfg, r.cfg = cfg, cfg
	m.failure = ""
	m.mu.Unlock()
	m.forgetExecs()
	if cfg.StoppedByUser {
		m.writeStopped(false)
	}
	r.record = state.Run{Status: engine.StatusInitialized, Monitor: os.Getpid(), Restarts: r.restarts}
	if err := m.store.WriteRun(m.id, &r.record); err != nil {
		return err
	}
	m.at("starting")
	if err := m.mountVolumes(r); err != nil {
		return err
	}
	started, err := config.StartSpec(r.ctx, config.StartInput{
		Config: cfg, OCI: oci, LayerDirs: m.layers(cfg), Upper: m.store.Dir(m.id) + "/upper", Containers: m.lookUp,
	})
	if err != nil {
		return err
	}
	defer started.Close()
	r.oci, r.trees, r.root = started.OCI, started.Trees, started.Root
	ahead.goOn(m, r)
	w, err := logs.NewWriter(m.store.Dir(m.id)+"/log", cfg.Log)
	if err != nil {
		return err
	}
	m.out.setLog(w)
	streams, err := m.openStreams(r)
	if err != nil {
		return err
	}
	defer streams.closeTheirs()
	m.at("streams")
	if r.proc, err = m.startProcess(r, streams, ahead); err != nil {
		streams.closeOurs()
		return err
	}
	m.begin(r, streams)
	return nil
}

// begin is the moment when the container runs.
func (m *monitor) begin(r *run, s *streams) {
	r.started = time.Now()
	m.at("executed")
	if s.tty {
		s.stdout = r.proc.console
	}
	m.connectStreams(r, s)
	if m.hello.Rootless && !ownPIDs(r.oci) {
		r.mountNS, _ = os.Open(procPath(r.proc.pid, "ns/mnt")) // it may have ended already
	}
	m.mu.Lock()
	r.record.Status, r.record.PID, r.record.StartTime, r.record.StartedAt = engine.StatusRunning, r.proc.pid, r.proc.start, r.started
	if m.ownsNetwork(r.cfg) {
		r.record.Netns = procPath(r.proc.pid, "ns/net")
	}
	m.armHealth(r)
	m.writeRun(&r.record)
	m.setStatus(engine.StatusRunning)
	m.mu.Unlock()
	m.at("running")
	m.emit("start", nil)
	m.watchOOM(r)
	m.armTimeout(r)
}

// failed removes what a failed start has made, and records why it failed.
func (m *monitor) failed(r *run, cause error) {
	r.cancel()
	e := state.Exit{Code: 128, Error: message(cause), Restarts: r.restarts}
	switch {
	case errors.Is(cause, engine.ErrCommandNotFound):
		e.Code = 127
	case errors.Is(cause, engine.ErrCommandNotExecutable):
		e.Code = 126
	}
	m.closeLog()
	m.clean(r)
	m.root.close()
	close(r.gone)
	m.mu.Lock()
	before := m.last
	autoRemove := m.cfg.Spec.AutoRemove
	status := engine.StatusCreated // as on Docker: it has never run
	if before != nil && !before.StartedAt.IsZero() {
		status = engine.StatusExited
		e.StartedAt, e.FinishedAt = before.StartedAt, time.Now() // the start is that of the last run that there was
	}
	m.writeExit(&e)
	m.writeRun(&state.Run{Status: status, Error: e.Error, Restarts: r.restarts})
	m.run, m.last = nil, &e
	m.retired = m.retired || autoRemove
	m.setStatus(status)
	m.mu.Unlock()
	m.out.finish()
	m.in.reset()
	close(r.ended)
	if autoRemove {
		m.hold(m.removeSelf)
	}
}

// watch waits for the end of the first process.
func (m *monitor) watch(r *run) {
	st, err := r.proc.wait()
	if err != nil {
		st.Code = 255
	}
	r.cancel()
	m.end(r, st)
}

// end records the end of a run, tells everybody, and removes what is left.
func (m *monitor) end(r *run, st launch.Status) {
	if !ownPIDs(r.oci) {
		m.killLeft(r)
	}
	m.out.hurry()
	for _, p := range r.pumps {
		p.drain()
	}
	m.out.flush()
	m.endExecs()
	m.at("dead")
	e := state.Exit{Code: st.Code, StartedAt: r.started, FinishedAt: time.Now(), Restarts: r.restarts}
	if r.group != nil {
		kills, err := r.group.OOMKills()
		e.OOMKilled = err == nil && kills > 0
	}

	m.mu.Lock()
	autoRemove := m.cfg.Spec.AutoRemove && m.restarting == 0
	delay, again := m.restartAfter(r, e)
	status := engine.StatusExited
	if again {
		status = engine.StatusRestarting
	}
	m.writeExit(&e)
	m.at("exit written")
	m.closeLogFor(status, r)
	m.run, m.cleanup, m.last = nil, r, &e
	m.retired = m.retired || autoRemove && !again
	if again {
		m.waitFor = &backoff{delay: delay}
	}
	m.setStatus(status)
	m.mu.Unlock()
	code := st.Code
	m.emitEvents(engine.Event{Action: "die", ExitCode: &code, Attributes: exitAttributes(e)})
	m.out.finish()
	m.in.reset()
	close(r.ended)

	m.at("told")
	m.clean(r)
	m.at("clean")
	m.mu.Lock()
	m.cleanup = nil
	m.users++ // until this is over
	m.mu.Unlock()
	close(r.gone)
	switch {
	case again:
		m.restartLater(r, delay)
	case autoRemove:
		m.removeSelf()
	}
	m.quit()
}

// closeLogFor writes the state that follows the run and closes the log, in this order: who
// follows the log asks for the state when the file is closed. m.mu is held.
func (m *monitor) closeLogFor(status engine.Status, r *run) {
	rec := r.record
	rec.Status, rec.PID, rec.StartTime, rec.Netns, rec.Networks, rec.Ports = status, 0, 0, "", nil, nil
	m.writeRun(&rec)
	m.closeLog()
}

func (m *monitor) closeLog() {
	if w := m.out.setLog(nil); w != nil {
		w.Close()
	}
}

// clean removes what a run has left in the kernel.
func (m *monitor) clean(r *run) {
	ctx := context.Background()
	r.execs.close()
	if r.proc != nil {
		r.proc.pidfd.Close()
	}
	if r.groupFD != nil {
		r.groupFD.Close()
	}
	var beside sync.WaitGroup
	if r.group != nil {
		m.beside(&beside, func() {
			if err := r.group.Remove(ctx); err != nil {
				m.log.Warn("remove cgroup", "error", err)
			}
		})
	}
	if r.session != nil {
		m.closeNetwork(ctx, r.session)
	} else if r.cfg != nil && m.ownsNetwork(r.cfg) {
		m.networks.Release(ctx, m.id)
	}
	beside.Wait()
	m.unmountVolumes(r)
}
