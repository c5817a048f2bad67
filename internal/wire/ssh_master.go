package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// exitTimeout bounds how long Close waits for an ssh to acknowledge that it shall exit: it is a process of ours on this machine, not the network.
const exitTimeout = 5 * time.Second

// probeCommand finds out which of the two engines' clients reaches its engine: with nothing on its stdin, dial-stdio connects and ends. Its stderr says why neither does.
const probeCommand = `sh -c 'for c in docker podman; do $c system dial-stdio </dev/null >/dev/null && echo $c && exit; done; exit 1'`

// sshMaster is one ssh connection, a process in the background that carries sessions. ssh calls its unix socket a control path. A nil one stands for none.
type sshMaster struct {
	control  string // path
	forward  string // path of the local end of SocketPath
	sessions atomic.Int32
	limit    atomic.Int32 // of sessions; maxSessions until the server refuses one
	used     atomic.Bool  // it has carried a session
}

func (m *sshMaster) take() {
	if m != nil {
		m.sessions.Add(1)
	}
}

func (m *sshMaster) release() {
	if m != nil {
		m.sessions.Add(-1)
	}
}

// settled notes that a session was opened.
func (m *sshMaster) settled() {
	if m != nil {
		m.used.Store(true)
	}
}

// alive says whether the master answers. ssh removes the socket when it ends, but not when it is killed; and for a
// moment connections to one that is being killed succeed.
func (m *sshMaster) alive(ctx context.Context) bool { return m.greet(ctx) == nil }

// startMaster logs in. ssh goes to the background when it has.
func (s *SSH) startMaster(ctx context.Context, number int) (*sshMaster, error) {
	m := &sshMaster{control: filepath.Join(s.dir, "control"+strconv.Itoa(number))}
	m.limit.Store(maxSessions)
	args := []string{"-f", "-N", "-o", "ControlMaster=yes", "-o", "ControlPersist=" + persist, "-o", "ClearAllForwardings=yes"}
	if _, err := s.run(ctx, m, s.cfg.Interactive, args, ""); err != nil {
		return nil, err
	}
	if s.cfg.SocketPath == "" {
		return m, nil
	}
	m.forward = filepath.Join(s.dir, "engine"+strconv.Itoa(number))
	if err := m.listen(ctx, m.forward, s.cfg.SocketPath); err != nil {
		_ = s.exit(m)
		return nil, s.failure(err, nil)
	}
	return m, nil
}

// sessionArgs are those of an ssh that runs a remote command without a master.
func sessionArgs() []string {
	return []string{"-T", "-o", "ControlMaster=no", "-o", "ClearAllForwardings=yes"}
}

// probe returns the remote command that reaches an engine.
func (s *SSH) probe(ctx context.Context, m *sshMaster) (string, error) {
	var out []byte
	var err error
	if m != nil {
		out, err = s.output(ctx, m, probeCommand)
	} else {
		out, err = s.run(ctx, nil, false, sessionArgs(), probeCommand)
	}
	if err != nil {
		return "", fmt.Errorf("neither docker nor podman reaches an engine there: %w", err)
	}
	return string(bytes.TrimSpace(out)) + " system dial-stdio", nil
}

// output runs a remote command with nothing on its stdin to its end, as a session of m, and returns its stdout.
func (s *SSH) output(ctx context.Context, m *sshMaster, command string) ([]byte, error) {
	var files [3]*os.File
	var err error
	if files[0], err = os.Open(os.DevNull); err != nil {
		return nil, err
	}
	defer files[0].Close()
	for i := 1; i < len(files); i++ {
		if files[i], err = s.scratch(); err != nil {
			return nil, err
		}
		defer files[i].Close()
	}
	end, err := m.session(ctx, command, files)
	if err == nil {
		m.settled()
		stop := context.AfterFunc(ctx, end.stop)
		err = end.wait()
		if !stop() {
			err = contextError(ctx)
		}
		end.stop()
	}
	if err != nil {
		return nil, s.failure(err, files[2])
	}
	return contents(files[1])
}

// exit ends m and its sessions.
func (s *SSH) exit(m *sshMaster) error {
	ctx, cancel := context.WithTimeout(context.Background(), exitTimeout)
	defer cancel()
	if err := m.exit(ctx); err != nil && (ctx.Err() != nil || m.alive(ctx)) {
		return s.failure(err, nil)
	}
	return nil
}

// command returns an ssh that uses m, with args before the host and remote, unless empty, as the remote command. A process without a terminal gets none of its signals either: the ^C that cancels what the program does must not
// cut the connection over which it cleans up.
func (s *SSH) command(ctx context.Context, m *sshMaster, terminal bool, args []string, remote string) *exec.Cmd {
	all := []string{"-o", "RemoteCommand=none", "-o", "ForwardX11=no", "-o", "PermitLocalCommand=no"}
	if m != nil {
		all = append(all, "-o", "ControlPath="+m.control)
	} else {
		all = append(all, "-o", "ControlPath=none")
	}
	if !s.cfg.Interactive {
		all = append(all, "-o", "BatchMode=yes")
	}
	all = append(all, args...)
	for _, o := range []struct{ flag, value string }{{"-l", s.cfg.User}, {"-p", s.cfg.Port}, {"-i", s.cfg.IdentityFile}} {
		if o.value != "" {
			all = append(all, o.flag, o.value)
		}
	}
	all = append(append(all, s.cfg.ExtraArgs...), "--", s.cfg.Host)
	if remote != "" {
		all = append(all, remote)
	}
	cmd := exec.CommandContext(ctx, s.cfg.Binary, all...)
	if !terminal {
		detach(cmd)
	}
	return cmd
}

// run runs an ssh to its end and returns its stdout.
func (s *SSH) run(ctx context.Context, m *sshMaster, terminal bool, args []string, remote string) ([]byte, error) {
	cmd := s.command(ctx, m, terminal, args, remote)
	var files [2]*os.File // not pipes: an ssh that goes to the background may keep them open
	for i := range files {
		f, err := s.scratch()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		files[i] = f
	}
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = contextError(ctx)
		}
		return nil, s.failure(err, files[1])
	}
	return contents(files[0])
}

// contents is the whole of f.
func contents(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, 0, info.Size()))
}

// scratch returns a file without a name.
func (s *SSH) scratch() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, "std")
	if err != nil {
		return nil, fmt.Errorf("ssh: %w", err)
	}
	_ = os.Remove(f.Name()) // Windows keeps it until Close removes the directory
	return f, nil
}

// unknownKey is what ssh says of a host that is not in known_hosts; of one whose key has changed it says more.
const unknownKey = "Host key verification failed."

// hostKeyName is the host's name in known_hosts, as far as it is not changed by the user's configuration.
func (s *SSH) hostKeyName() string {
	if s.cfg.Port == "" || s.cfg.Port == "22" {
		return s.cfg.Host
	}
	return "[" + s.cfg.Host + "]:" + s.cfg.Port
}

// failure returns err, the end of an ssh, with what it said, if anything.
func (s *SSH) failure(err error, stderr *os.File) error {
	const most = 4 << 10 // the tail says why
	var text []byte
	if info, e := stderr.Stat(); e == nil { // of no file: an error, too
		text = make([]byte, min(info.Size(), most))
		n, _ := stderr.ReadAt(text, info.Size()-int64(len(text)))
		text = bytes.TrimSpace(bytes.ReplaceAll(text[:n], []byte("\r"), nil))
	}
	if len(text) == 0 {
		return fmt.Errorf("ssh %s: %w", s.cfg.Host, err)
	}
	if string(text) == unknownKey { // which is all it says where it cannot ask
		return fmt.Errorf("ssh %s: %w: %s The host key of %s is not known: log in with ssh once, or add it to known_hosts", s.cfg.Host, err, text, s.hostKeyName())
	}
	return fmt.Errorf("ssh %s: %w: %s", s.cfg.Host, err, text)
}
