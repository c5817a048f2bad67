package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/embedded/internal/config"
	"github.com/berthdev/berth/embedded/internal/launch"
	"github.com/berthdev/berth/engine"
)

// bundle is a container as an OCI runtime sees it.
type bundle struct {
	m       *monitor
	program string
	dir     string // below the run directory: it goes with it
	console *net.UnixListener

	noCgroup bool // an ordinary user has none: runc sees that by itself
}

// startWithRuntime starts the container with runc, crun or a runtime that is called as they are. It
// makes the container, the monitor gives it its network, and it starts it. The first process becomes a
// child of the monitor, the subreaper, when the runtime has ended; it is not killed with it.
func (m *monitor) startWithRuntime(r *run, s *streams) (*process, error) {
	program, err := exec.LookPath(r.cfg.Runtime)
	if err != nil {
		return nil, &engine.UnsupportedError{Option: "Spec.Runtime", Value: r.cfg.Runtime, Engine: "embedded", Reason: err.Error()}
	}
	if r.oci.Linux != nil && r.oci.Linux.Personality != nil {
		// runc before 1.2 passes over it in silence.
		return nil, &engine.UnsupportedError{Option: "Spec.Podman.Personality", Engine: "embedded", Reason: "with the runtime " + r.cfg.Runtime}
	}
	if m.hello.Rootless && r.oci.Linux != nil && r.oci.Linux.Sysctl["kernel.domainname"] != "" {
		return nil, &engine.UnsupportedError{Option: "Spec.Domainname", Engine: "embedded", Reason: "runtimes write it to a file that belongs to the host's root"}
	}
	if err := launch.CheckProfile(launch.ProfileToApply(r.oci.Process.ApparmorProfile)); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("prctl", err)
	}
	b := &bundle{m: m, program: program, dir: filepath.Join(m.store.RunDir(m.id), "bundle")}
	if err := b.write(r); err != nil {
		return nil, err
	}
	defer func() {
		if b.console != nil {
			b.console.Close()
		}
	}()
	if err := b.create(r, s); err != nil {
		return nil, err
	}
	p, err := b.process()
	if err == nil {
		err = m.connect(r, p.pid, nil)
	}
	if err == nil && b.console != nil {
		p.console, err = b.terminal()
	}
	if err == nil {
		err = b.run(nil, "start", m.id)
	}
	if err != nil {
		b.run(nil, "delete", "--force", m.id)
		if p != nil {
			p.wait()
			p.pidfd.Close()
		}
		return nil, err
	}
	return p, nil
}

// write writes the bundle, and makes the socket that the terminal comes over.
func (b *bundle) write(r *run) error {
	os.RemoveAll(b.dir)
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	oci := *r.oci
	root := specs.Root{}
	if oci.Root != nil {
		root = *oci.Root
	}
	root.Path = filepath.Join(b.m.store.Dir(b.m.id), "root")
	oci.Root = &root
	process := *r.oci.Process
	process.ApparmorProfile = launch.ProfileToApply(process.ApparmorProfile)
	oci.Process = &process
	linux := specs.Linux{}
	if oci.Linux != nil {
		linux = *oci.Linux
	}
	if linux.CgroupsPath = ""; r.group != nil {
		linux.CgroupsPath = r.group.OCIPath()
	}
	if b.noCgroup = b.m.hello.Rootless && linux.CgroupsPath == ""; b.noCgroup {
		linux.Resources = nil // limits were refused; what is left is unlimited, and device rules
	}
	if slices.ContainsFunc(linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.UserNamespace && n.Path != "" }) && len(linux.UIDMappings) == 0 {
		// runc wants to know them also of a namespace that it joins: as all of an ordinary user's have them.
		var err error
		if linux.UIDMappings, linux.GIDMappings, err = config.OwnMappings(); err != nil {
			return err
		}
	}
	oci.Linux = &linux
	data, err := json.Marshal(&oci)
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "config.json"), data, 0o600); err != nil {
		return err
	}
	if !oci.Process.Terminal {
		return nil
	}
	dir, err := os.Open(b.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	// A socket's path is limited to 107 bytes.
	b.console, err = net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d/console", dir.Fd())})
	if err == nil {
		b.console.SetUnlinkOnClose(false)
	}
	return err
}

// create has the runtime make the container in a mount namespace in which its root file system is mounted.
// That namespace is of one thread, which ends with it.
func (b *bundle) create(r *run, s *streams) error {
	args := []string{"create", "--bundle", b.dir, "--pid-file", filepath.Join(b.dir, "pid")}
	if b.console != nil {
		args = append(args, "--console-socket", "console") // in its working directory
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread goes with the goroutine
		err := b.mountRoot(r)
		if err == nil {
			err = b.run(s, append(args, b.m.id)...)
		}
		done <- err
	}()
	return <-done
}

// mountRoot mounts the container's root file system in a mount namespace of this thread's own.
func (b *bundle) mountRoot(r *run) error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	for _, mount := range r.oci.Mounts {
		if tree := r.trees[mount.Destination]; tree != nil {
			err := makePoint(tree, mount.Source)
			if err == nil {
				err = attach(tree, mount.Source)
			}
			if err != nil {
				return err
			}
		}
	}
	root := filepath.Join(b.m.store.Dir(b.m.id), "root")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	if r.root != nil {
		return attach(r.root, root)
	}
	o := b.m.overlay(r.cfg, creates(r.oci, specs.UserNamespace))
	if o == nil {
		return nil
	}
	// Short names in the working directory keep the options within their one page.
	lower := make([]string, len(o.Lower))
	for i, dir := range o.Lower {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer f.Close()
		lower[i] = "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	}
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + o.Upper + ",workdir=" + o.Work
	if o.Volatile {
		options += ",volatile"
	}
	if o.UserXattr {
		options += ",userxattr"
	}
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		return &os.PathError{Op: "mount overlay", Path: root, Err: err}
	}
	return nil
}

// makePoint makes what a detached tree can be mounted on: a directory, or a file.
func makePoint(tree *os.File, path string) error {
	info, err := tree.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// attach mounts a detached tree. The path is in the container's own directory, of which nothing is the image's.
func attach(tree *os.File, path string) error {
	if err := mountPoint(tree, path); err != nil {
		return err
	}
	if err := unix.MoveMount(int(tree.Fd()), "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return &os.PathError{Op: "mount", Path: path, Err: err}
	}
	return nil
}

// mountPoint makes what a tree is mounted on, if it is not there.
func mountPoint(tree *os.File, path string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(tree.Fd()), "", &st, unix.AT_EMPTY_PATH); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// run runs the runtime. The streams are the container's.
func (b *bundle) run(s *streams, args ...string) error {
	log := filepath.Join(b.dir, "log")
	os.Remove(log)
	global := []string{"--root", filepath.Join(b.dir, "state"), "--log", log, "--log-format", "json"}
	if b.noCgroup && filepath.Base(b.program) == "crun" {
		global = append(global, "--cgroup-manager=disabled")
	}
	cmd := exec.Command(b.program, append(global, args...)...)
	cmd.Dir = b.dir
	if s != nil && !s.tty {
		if s.theirIn != nil {
			cmd.Stdin = s.theirIn
		}
		cmd.Stdout, cmd.Stderr = s.theirOut, s.theirErr
	}
	err := cmd.Run()
	if err == nil {
		return nil
	}
	text := lastWords(log)
	if text == "" {
		return fmt.Errorf("%s %s: %w", filepath.Base(b.program), args[0], err)
	}
	return &failure{filepath.Base(b.program) + " " + args[0] + ": " + text, commandKind(text)}
}

// lastWords is the error in a runtime's log.
func lastWords(log string) (text string) {
	data, err := os.ReadFile(log)
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(data) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal(line, &entry) == nil && entry.Level == "error" {
			text = entry.Msg
		}
	}
	return text
}

// commandKind tells from a runtime's words whether the command is at fault.
func commandKind(text string) error {
	text = strings.ToLower(text)
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("executable file") && has("not found"),
		has("exec") && has("no such file or directory") && !has("mount"):
		return engine.ErrCommandNotFound
	case has("exec") && (has("permission denied") || has("exec format error") || has("is a directory")):
		return engine.ErrCommandNotExecutable
	}
	return nil
}

// process finds the container's first process, which is our child by now.
func (b *bundle) process() (*process, error) {
	data, err := os.ReadFile(filepath.Join(b.dir, "pid"))
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return nil, fmt.Errorf("read the runtime's pid file: %w", err)
	}
	p, err := launch.Adopt(pid)
	if err != nil {
		return nil, err
	}
	return ofLaunch(p), nil
}

// terminal takes the container's terminal from the runtime.
func (b *bundle) terminal() (*os.File, error) {
	conn, err := b.console.AcceptUnix()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	buf, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil {
		return nil, err
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(msgs) != 1 {
		return nil, errors.New("the runtime has sent no terminal")
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("the runtime has sent no terminal")
	}
	unix.CloseOnExec(fds[0])
	unix.SetNonblock(fds[0], true)
	return os.NewFile(uintptr(fds[0]), "console"), nil
}
