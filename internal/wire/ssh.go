package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

const (
	// maxSessions is how many connections share one ssh connection. sshd's MaxSessions is 10 unless configured; a server that allows fewer says so.
	maxSessions = 8
	// persist is how many seconds an ssh connection without a session lives when nobody closes it: it does not outlive a killed program for long.
	persist = "600"
	// maxSocketPath is the longest path of a unix socket that every system takes, in bytes.
	maxSocketPath = 100
)

var errSSHClosed = fmt.Errorf("ssh: %w", net.ErrClosed)

// SSHConfig says how an SSH reaches its host and the engine there. Only Host is required. What is not said here is in the user's ssh configuration.
type SSHConfig struct {
	User, Host, Port string
	// SocketPath is the engine's unix socket on the host, which ssh forwards. Without it, each connection is a command on the host, DialStdio.
	SocketPath string
	// DialStdio is the command that connects its stdin and stdout to the engine; nil means "docker system dial-stdio" or "podman system dial-stdio", the first that reaches its engine.
	DialStdio []string
	// Binary is the ssh to run; "ssh" when empty.
	Binary string
	// ExtraArgs are further arguments for it, before the host.
	ExtraArgs []string
	// IdentityFile is the private key to log in with, besides those that ssh finds.
	IdentityFile string
	// Interactive lets ssh ask for passwords and unknown host keys on the terminal. Without it both are errors.
	Interactive bool
}

// SSH dials an engine through the user's ssh, so that ~/.ssh/config, agents and known_hosts are in force. Host keys are checked as that configuration says.
//
// One ssh connection (OpenSSH's ControlMaster, its socket in a private directory) carries all that is dialled, up to 8 connections at a time; more make a second one. They are the only processes, since an SSH speaks to
// them itself. Where ssh has no ControlMaster, on Windows, each connection is a process and an ssh connection of its own. An SSH runs no goroutine. It is safe for concurrent use; the caller closes it.
type SSH struct {
	cfg    SSHConfig
	dir    string          // of the sockets; 0700
	life   context.Context // ends with Close
	end    context.CancelFunc
	turn   chan struct{} // holds one token: who takes it may use what follows
	next   int           // number of the next master
	list   []*sshMaster
	remote string // the remote command, once it is known
	mux    bool   // there are masters
	close  func() error
}

// NewSSH returns an SSH. It makes a temporary directory, but connects to nothing.
func NewSSH(cfg SSHConfig) (*SSH, error) {
	switch {
	case cfg.Host == "" || strings.HasPrefix(cfg.Host, "-"):
		return nil, fmt.Errorf("ssh: invalid host %q", cfg.Host)
	case cfg.SocketPath != "" && strings.Contains(cfg.SocketPath, ":"):
		return nil, fmt.Errorf("ssh: socket path %q: ssh cannot forward a path with a colon", cfg.SocketPath)
	case cfg.SocketPath != "" && !canMultiplex():
		return nil, fmt.Errorf("ssh: socket path %q on %s: %w", cfg.SocketPath, runtime.GOOS, errors.ErrUnsupported)
	}
	if cfg.Binary == "" {
		cfg.Binary = "ssh"
	}
	dir, err := os.MkdirTemp("", "berth-ssh-")
	if err == nil && len(dir)+len("/control99.")+16 > maxSocketPath { // 16 is what ssh adds while it binds
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "berth-ssh-")
	}
	if err != nil {
		return nil, fmt.Errorf("ssh: %w", err)
	}
	s := &SSH{cfg: cfg, dir: dir, turn: make(chan struct{}, 1), remote: quoteCommand(cfg.DialStdio), mux: canMultiplex()}
	s.turn <- struct{}{}
	s.life, s.end = context.WithCancel(context.Background())
	s.close = sync.OnceValue(s.closeAll)
	return s, nil
}

// canMultiplex says whether this system's ssh has ControlMaster.
func canMultiplex() bool { return runtime.GOOS != "windows" }

// Dial opens a connection to the engine. ctx governs the dialling only. What ssh says on its stderr is in the error; when the remote command fails after the dial, it is in that of the first Read.
func (s *SSH) Dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(errSSHClosed) })()
	conn, err := s.dial(ctx)
	if err != nil && s.life.Err() != nil {
		err = errSSHClosed
	}
	return conn, err
}

func (s *SSH) dial(ctx context.Context) (net.Conn, error) {
	for {
		m, err := s.acquire(ctx)
		if err != nil {
			return nil, err
		}
		var conn net.Conn
		if s.cfg.SocketPath != "" {
			conn, err = s.dialForward(ctx, m)
		} else {
			conn, err = s.session(ctx, m)
		}
		// A master that has served before may have ended since, or be at the limit of its server: nothing has been sent, so another one is as good.
		if err == nil || ctx.Err() != nil || m == nil || !m.used.Load() {
			return conn, err
		}
		if !errors.Is(err, errMuxRefused) && !errors.Is(err, errMuxLost) {
			return nil, err
		}
		if err := s.retire(ctx, m, errors.Is(err, errMuxRefused)); err != nil {
			return nil, err
		}
	}
}

// lock takes the turn; unlock gives it back.
func (s *SSH) lock(ctx context.Context) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return contextError(ctx)
	}
}

func (s *SSH) unlock() { s.turn <- struct{}{} }

// acquire returns a master with a place for a session, and takes the place for a session, whose end releases it. One master is started at a time: sshd drops those who log in all at once. The master is nil where ssh has none.
func (s *SSH) acquire(ctx context.Context) (*sshMaster, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	m, err := s.free(ctx)
	if err != nil {
		return nil, err
	}
	if s.remote == "" && s.cfg.SocketPath == "" {
		if s.remote, err = s.probe(ctx, m); err != nil {
			return nil, err
		}
	}
	if s.cfg.SocketPath == "" {
		m.take()
	}
	return m, nil
}

// free returns a master with a place, a new one if need be.
func (s *SSH) free(ctx context.Context) (*sshMaster, error) {
	if !s.mux {
		return nil, nil
	}
	for i := 0; i < len(s.list); {
		m := s.list[i]
		switch {
		case !m.alive(ctx): // it had no session for too long, or lost its network
			if ctx.Err() != nil {
				return nil, contextError(ctx)
			}
			s.list = slices.Delete(s.list, i, i+1)
		case s.cfg.SocketPath != "" || m.sessions.Load() < m.limit.Load():
			return m, nil
		default:
			i++
		}
	}
	m, err := s.startMaster(ctx, s.next)
	if err != nil {
		return nil, err
	}
	s.next++
	s.list = append(s.list, m)
	return m, nil
}

// retire forgets m and ends it; or, when it is only full and has sessions, gives it no more than those.
func (s *SSH) retire(ctx context.Context, m *sshMaster, full bool) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if n := m.sessions.Load(); full && n > 0 {
		m.limit.Store(n)
		return nil
	}
	if i := slices.Index(s.list, m); i >= 0 {
		s.list = slices.Delete(s.list, i, i+1)
		_ = s.exit(m) // it may be gone already
	}
	return nil
}

// Close ends the ssh connections, and with them all that was dialled, and removes the directory. It is idempotent.
func (s *SSH) Close() error { return s.close() }

func (s *SSH) closeAll() error {
	s.end()
	<-s.turn // for good: whoever wants it sees that life has ended
	var errs []error
	for _, m := range s.list {
		errs = append(errs, s.exit(m))
	}
	errs = append(errs, os.RemoveAll(s.dir))
	return errors.Join(errs...)
}

// quoteCommand returns args as one command for a POSIX shell, which is what sshd hands a command to.
func quoteCommand(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}
