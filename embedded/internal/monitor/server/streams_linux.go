package server

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berthdev/berth/embedded/internal/monitor/proto"
	"github.com/berthdev/berth/engine"
)

// streams are the pipes of a process: our ends and its own.
type streams struct {
	tty                         bool
	stdin, stdout, stderr       *os.File
	theirIn, theirOut, theirErr *os.File
}

// openPipe makes a pipe. Our end does not block; the process's does.
func openPipe(weRead bool) (ours, theirs *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	our, their := p[0], p[1]
	if !weRead {
		our, their = p[1], p[0]
	}
	unix.SetNonblock(our, true)
	return os.NewFile(uintptr(our), "ours"), os.NewFile(uintptr(their), "theirs"), nil
}

// open makes the pipes that are wanted.
func (s *streams) open(in, out, err bool) (failed error) {
	for _, p := range []struct {
		want         bool
		weRead       bool
		ours, theirs **os.File
	}{{in, false, &s.stdin, &s.theirIn}, {out, true, &s.stdout, &s.theirOut}, {err, true, &s.stderr, &s.theirErr}} {
		if !p.want {
			continue
		}
		if *p.ours, *p.theirs, failed = openPipe(p.weRead); failed != nil {
			s.closeTheirs()
			s.closeOurs()
			return failed
		}
	}
	return nil
}

func (s *streams) closeTheirs() {
	for _, f := range []**os.File{&s.theirIn, &s.theirOut, &s.theirErr} {
		if *f != nil {
			(*f).Close()
			*f = nil
		}
	}
}

func (s *streams) closeOurs() {
	for _, f := range []*os.File{s.stdin, s.stdout, s.stderr} {
		if f != nil {
			f.Close()
		}
	}
}

// openStreams makes the container's streams.
func (m *monitor) openStreams(r *run) (*streams, error) {
	s := &streams{tty: r.oci.Process.Terminal}
	if s.tty {
		m.mu.Lock()
		if m.size != (engine.Size{}) {
			r.oci.Process.ConsoleSize = &specs.Box{Height: uint(m.size.Rows), Width: uint(m.size.Cols)}
		}
		m.mu.Unlock()
		return s, nil
	}
	return s, s.open(r.cfg.Spec.OpenStdin, true, true)
}

// connectStreams begins to serve the streams of a container that runs.
func (m *monitor) connectStreams(r *run, s *streams) {
	if s.tty {
		r.pumps = []*pump{startPump(s.stdout, proto.Stdout, &m.out)}
		if r.cfg.Spec.OpenStdin {
			m.in.set(s.stdout, false)
		}
		return
	}
	r.pumps = []*pump{startPump(s.stdout, proto.Stdout, &m.out), startPump(s.stderr, proto.Stderr, &m.out)}
	if s.stdin != nil {
		m.in.set(s.stdin, true)
	}
}
