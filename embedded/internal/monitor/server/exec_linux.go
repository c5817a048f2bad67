package server

import (
	"errors"
	"maps"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// execution is a command run in the container.
type execution struct {
	id   string
	spec engine.ExecSpec
	run  *run

	out output
	in  input

	mu      sync.Mutex
	started bool
	begun   chan struct{} // of one that was started: closed when it has begun, or failed to
	over    bool
	code    *int
	proc    *launch.Process
	done    chan struct{} // closed when it is over
	size    engine.Size
}

// execCreate prepares a command.
func (m *monitor) execCreate(spec *engine.ExecSpec) (string, error) {
	e, err := m.newExec(proto.NewExecID(m.id), spec)
	if err != nil {
		return "", err
	}
	m.emit("exec_create", e.attributes(nil))
	return e.id, nil
}

// newExec prepares a command under an ID. The caller has an event to tell of.
func (m *monitor) newExec(id string, spec *engine.ExecSpec) (*execution, error) {
	r, err := m.running()
	if err != nil {
		return nil, err
	}
	if m.isPaused() {
		return nil, conflict("container " + m.id + " is paused, unpause the container before exec")
	}
	if len(spec.Cmd) == 0 {
		return nil, &engine.InvalidError{Option: "ExecSpec.Cmd", Reason: "it is empty"}
	}
	if spec.DetachKeys != "" {
		if _, err := engine.ParseDetachKeys(spec.DetachKeys); err != nil {
			return nil, err
		}
	}
	e := &execution{id: id, spec: *spec, run: r, done: make(chan struct{})}
	e.in.init()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.execs[id] != nil || !proto.IsExecID(id, m.id) {
		return nil, conflict("exec " + id + " exists, or cannot be one of container " + m.id)
	}
	if m.run == r && !r.record.Execs {
		r.record.Execs = true
		m.writeRun(&r.record)
	}
	m.execs[id] = e
	m.order = append(m.order, id)
	m.boundExecs()
	return e, nil
}

// hungUp tells that the other end of a connection has been closed.
func hungUp(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	n := 0
	err = raw.Control(func(fd uintptr) { n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd)}}, 0) }) // an end is told without asking
	return err != nil || n > 0
}

func (m *monitor) isPaused() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status == engine.StatusPaused
}

// attributes are those of the exec's events.
func (e *execution) attributes(more map[string]string) map[string]string {
	a := map[string]string{"execID": e.id}
	maps.Copy(a, more)
	return a
}

// emitExec writes events of the exec.
func (m *monitor) emitExec(e *execution, actions ...string) {
	var events []engine.Event
	for _, a := range actions {
		events = append(events, engine.Event{Action: a, Attributes: e.attributes(nil)})
	}
	m.emitEvents(events...)
}

// find gives an exec that can still be started or asked about.
func (m *monitor) find(id string) (*execution, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.execs[id]; e != nil {
		return e, nil
	}
	return nil, &failure{"No such exec instance: " + id, engine.ErrNotFound}
}

// execStart runs a command and serves its streams. With a Spec it creates the exec before, and its first answer is of that.
func (m *monitor) execStart(conn *net.UnixConn, q *proto.Request) {
	var e *execution
	var err error
	if q.Spec != nil {
		e, err = m.newExec(q.Exec, q.Spec)
	} else {
		e, err = m.find(q.Exec)
	}
	if err != nil {
		proto.Write(conn, proto.Response{Error: proto.Encode(err)})
		return
	}
	answer := func(a proto.Response) error {
		if q.Spec != nil {
			return proto.WriteAll(conn, proto.Response{ID: e.id}, a)
		}
		return proto.Write(conn, a)
	}
	o := *q.Start
	attached := !o.Detach
	events := []string{"exec_start"}
	if q.Spec != nil {
		events = []string{"exec_create", "exec_start"}
		// Who gives the call up kills what has been started, and is told that there is no such exec if that is not here yet.
		if attached && hungUp(conn) {
			m.emitExec(e, events[:1]...)
			e.end(nil)
			return
		}
	}
	tty := e.spec.TTY || o.TTY
	var keys []byte
	if tty {
		if keys, err = engine.ParseDetachKeys(m.keysOr(e.spec.DetachKeys)); err != nil {
			m.emitExec(e, events[:len(events)-1]...)
			answer(proto.Response{Error: proto.Encode(err)})
			return
		}
	}
	var s *sink
	if attached {
		// A terminal has one output, whichever is asked for.
		s = newSink(conn, e.spec.AttachStdout || tty, e.spec.AttachStderr)
		s.held = true // until the answer is written
		e.out.add(s, nil)
	}
	if err := m.runExec(e, o, tty, attached, events); err != nil {
		answer(proto.Response{Error: proto.Encode(err)})
		return
	}
	if err := answer(proto.Response{TTY: tty}); err != nil || !attached {
		if s != nil {
			s.drop()
		}
		return
	}
	s.release()
	go m.readInput(s, conn, e.spec.AttachStdin, tty, keys, &e.in, e.in.end)
	s.serve()
}

// runExec starts the command. The last one of the events is that of a command that runs.
func (m *monitor) runExec(e *execution, o engine.ExecStartOptions, tty, attached bool, events []string) (err error) {
	defer func() {
		if err != nil {
			m.emitExec(e, events[:len(events)-1]...)
		}
	}()
	e.mu.Lock()
	if e.started {
		e.mu.Unlock()
		return conflict("exec " + e.id + " has been started already")
	}
	e.started = true
	e.begun = make(chan struct{})
	e.spec.TTY = tty
	e.size = o.Size
	e.mu.Unlock()
	defer close(e.begun)
	r := e.run
	select {
	case <-r.ended:
		e.end(nil)
		return notRunning(m.id)
	default:
	}
	p, s, err := m.startExec(r, e.spec, e.size, attached && e.spec.AttachStdin, attached && e.spec.AttachStdout, attached && e.spec.AttachStderr)
	if err != nil && !errors.Is(err, engine.ErrCommandNotFound) && !errors.Is(err, engine.ErrCommandNotExecutable) && r.proc.dying(err) {
		// The kernel has many words for it: no memory, for one, in a pid namespace without its first process.
		e.end(nil)
		return notRunning(m.id)
	}
	if err != nil {
		code := 126
		if errors.Is(err, engine.ErrCommandNotFound) {
			code = 127
		}
		e.end(&code)
		return err
	}
	e.mu.Lock()
	e.proc = p
	e.mu.Unlock()
	m.emitExec(e, events...)
	var pumps []*pump
	if s.tty {
		if attached {
			pumps = append(pumps, startPump(p.Console, proto.Stdout, &e.out))
			e.in.set(p.Console, false)
		} else {
			pumps = append(pumps, startPump(p.Console, proto.Stdout, &output{})) // somebody must read, or it blocks
		}
	} else {
		for _, f := range []struct {
			file *os.File
			st   proto.Stream
		}{{s.stdout, proto.Stdout}, {s.stderr, proto.Stderr}} {
			if f.file != nil {
				pumps = append(pumps, startPump(f.file, f.st, &e.out))
			}
		}
		if s.stdin != nil {
			e.in.set(s.stdin, true)
		}
	}
	m.hold(func() { m.watchExec(e, p, pumps) })
	return nil
}

// lastMoments is how long a process without namespaces and memory any more may take to end, on a busy machine: in milliseconds.
const lastMoments = 2000

// dying tells that err comes of the end of the process, before anybody has waited for it
// too. Some errors tell of that a moment before it is over.
func (p *process) dying(err error) bool {
	wait := 0
	for _, e := range []error{unix.ENOENT, unix.ESRCH, unix.ENOMEM} {
		if errors.Is(err, e) {
			wait = lastMoments
		}
	}
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return true // it is closed: all is over
	}
	n := 0
	err = conn.Control(func(fd uintptr) { n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, wait) })
	return err != nil || n > 0
}

// startExec starts a process in the container. The caller reads and closes its streams.
func (m *monitor) startExec(r *run, spec engine.ExecSpec, size engine.Size, in, out, err bool) (*launch.Process, *streams, error) {
	proc, failed := config.ExecProcess(r.cfg, r.oci, procPath(r.proc.pid, "root"), spec)
	if failed != nil {
		return nil, nil, failed
	}
	s := &streams{tty: proc.Terminal}
	if s.tty {
		if size != (engine.Size{}) {
			proc.ConsoleSize = &specs.Box{Height: uint(size.Rows), Width: uint(size.Cols)}
		}
	} else if failed := s.open(in, out, err); failed != nil {
		return nil, nil, failed
	}
	cfg := launch.ExecConfig{
		Container: r.proc.pid, ContainerPidfd: r.proc.pidfd, Process: proc,
		Stdin: s.theirIn, Stdout: s.theirOut, Stderr: s.theirErr, MakeCwd: true,
		NoRoot: !config.HasRoot(r.cfg),
	}
	if r.oci.Linux != nil {
		if !spec.Privileged {
			cfg.Seccomp = r.oci.Linux.Seccomp
			if cfg.Filter, failed = r.execs.filter(r.oci.Linux.Seccomp); failed != nil {
				s.closeTheirs()
				s.closeOurs()
				return nil, nil, failed
			}
		}
		cfg.Personality = r.oci.Linux.Personality
		cfg.UserNS = creates(r.oci, specs.UserNamespace)
	}
	if r.group != nil {
		cfg.TasksFiles = r.group.TasksFiles()
	}
	if r.groupFD != nil {
		cfg.CgroupFD = int(r.groupFD.Fd())
	}
	p, failed := r.execs.exec(m, cfg)
	s.closeTheirs()
	if failed != nil {
		s.closeOurs()
		return nil, nil, failed
	}
	return p, s, nil
}

// lateOutput is how long the children of a command that is over may write to its
// output: as long as with Docker.
const lateOutput = 2 * time.Second

// watchExec records the command's end and ends its streams.
func (m *monitor) watchExec(e *execution, p *launch.Process, pumps []*pump) {
	st, err := p.Wait()
	if err != nil {
		st.Code = 255
	}
	e.end(&st.Code)
	m.emit("exec_die", e.attributes(map[string]string{"exitCode": itoa(st.Code)}))
	e.out.hurry()
	var timeout <-chan time.Time
	for _, pump := range pumps {
		select {
		case <-pump.done:
			continue
		default:
		}
		if timeout == nil {
			t := time.NewTimer(lateOutput)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-pump.done:
		case <-e.run.ctx.Done():
		case <-timeout:
			timeout = closedTime
		}
		pump.drain()
	}
	e.out.finishWith(proto.AppendOutcome(nil, st.Code, p.PID))
	e.in.reset()
	p.Pidfd.Close()
	close(e.done)
}

// closedTime is a timer that has gone off for good.
var closedTime = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

// end records the end; a nil code is not known.
func (e *execution) end(code *int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over, e.code = true, code
}

func (m *monitor) execInspect(id string) (*engine.ExecState, error) {
	e, err := m.find(id)
	if err != nil {
		return nil, err
	}
	return e.state(m.id), nil
}

// state is the exec's, as of now.
func (e *execution) state(container string) *engine.ExecState {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := &engine.ExecState{
		ID: e.id, ContainerID: container, Started: e.started, Running: e.started && !e.over, ExitCode: e.code,
		TTY: e.spec.TTY, User: e.spec.User, Command: e.spec.Cmd,
	}
	if e.proc != nil {
		st.PID = e.proc.PID
	}
	return st
}

func (m *monitor) execResize(id string, size engine.Size) error {
	e, err := m.find(id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.over:
		return conflict("exec " + id + " is over")
	case !e.started:
		e.size = size
		return nil
	case e.proc == nil || e.proc.Console == nil:
		return conflict("exec " + id + " has no terminal")
	}
	if err := setSize(e.proc.Console, size); err != nil {
		return conflict("exec " + id + " is over")
	}
	return nil
}

func (m *monitor) execKill(id, signal string) error {
	if signal == "" {
		signal = "SIGKILL"
	}
	sig, _, err := engine.ParseSignal(signal)
	if err != nil {
		return err
	}
	e, err := m.find(id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	begun := e.begun
	e.mu.Unlock()
	if begun != nil {
		<-begun
	}
	e.mu.Lock()
	proc, over := e.proc, e.over
	e.mu.Unlock()
	if over || proc == nil {
		return nil
	}
	conn, err := proc.Pidfd.SyscallConn()
	if err != nil {
		return nil
	}
	var serr error
	conn.Control(func(fd uintptr) { serr = unix.PidfdSendSignal(int(fd), unix.Signal(sig), nil, 0) })
	if serr != nil && serr != unix.ESRCH {
		return os.NewSyscallError("kill", serr)
	}
	return nil
}

// execIDs are the execs that are not over.
func (m *monitor) execIDs() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := []string{}
	for _, id := range m.order {
		e := m.execs[id]
		e.mu.Lock()
		if !e.over {
			ids = append(ids, id)
		}
		e.mu.Unlock()
	}
	return ids
}

// maxExecs is how many execs that are over are remembered.
const maxExecs = 256

// boundExecs forgets the oldest ones that are over. m.mu is held.
func (m *monitor) boundExecs() {
	if len(m.order) <= maxExecs {
		return
	}
	extra := len(m.order) - maxExecs
	var kept []string
	for i, id := range m.order {
		if extra == 0 {
			if m.order = m.order[i:]; len(kept) > 0 {
				m.order = append(kept, m.order...)
			}
			return
		}
		e := m.execs[id]
		e.mu.Lock()
		if !e.over && e.started {
			kept = append(kept, id)
		} else {
			extra--
			delete(m.execs, id)
		}
		e.mu.Unlock()
	}
	m.order = kept
}

// endExecs waits for the commands of a container that has ended, and keeps how they went for those who ask later.
func (m *monitor) endExecs() {
	m.mu.Lock()
	var states []*engine.ExecState
	execs := make([]*execution, 0, len(m.order))
	for _, id := range m.order {
		execs = append(execs, m.execs[id])
	}
	m.mu.Unlock()
	for _, e := range execs {
		e.mu.Lock()
		running := e.proc != nil
		e.mu.Unlock()
		if running {
			<-e.done
		}
		states = append(states, e.state(m.id))
	}
	if len(states) > 0 {
		writeExecs(m.store.Dir(m.id), states)
	}
}

// forgetExecs is the beginning of another run.
func (m *monitor) forgetExecs() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.order) > 0 {
		clear(m.execs)
		m.order = nil
	}
	os.Remove(proto.ExecsFile(m.store.Dir(m.id)))
}
