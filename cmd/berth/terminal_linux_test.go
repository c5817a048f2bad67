package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/fakeregistry"
)

// session is the command on a terminal of its own, and a person at it.
type session struct {
	t           *testing.T
	cmd         *exec.Cmd
	master, tty *os.File
	before      unix.Termios

	mu     sync.Mutex
	output bytes.Buffer
	read   chan struct{} // gets a value when there may be more output
}

// openPTY opens a new pseudo-terminal. Its files are the caller's.
func openPTY(t *testing.T) (master, tty *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return master, tty
}

// openSession starts the command on a new terminal of 24 rows and 80 columns.
func openSession(t *testing.T, args ...string) *session {
	t.Helper()
	s := &session{t: t, read: make(chan struct{}, 1)}
	s.master, s.tty = openPTY(t)
	s.resize(24, 80)
	s.before = s.mode()
	s.cmd = command(t, append([]string{"--debug", "--host", os.Getenv("BERTH_ENGINE_HOST")}, args...)...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.tty, s.tty, s.tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go s.follow(done)
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.tty.Close()
		s.master.Close()
		<-done
	})
	return s
}

// follow collects what is written to the terminal.
func (s *session) follow(done chan<- struct{}) {
	defer close(done)
	buf := make([]byte, 4096)
	for {
		n, err := s.master.Read(buf)
		s.mu.Lock()
		s.output.Write(buf[:n])
		s.mu.Unlock()
		select {
		case s.read <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// expect waits for text in the output, and forgets the output up to its end.
func (s *session) expect(text string) {
	s.t.Helper()
	for limit := time.After(untilPatience); ; {
		s.mu.Lock()
		_, rest, found := strings.Cut(s.output.String(), text)
		if found {
			s.output.Reset()
			s.output.WriteString(rest)
		}
		have := s.output.String()
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-s.read:
		case <-limit:
			s.t.Fatalf("the terminal shows %q, want %q", have, text)
		}
	}
}

// write types text.
func (s *session) write(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) resize(rows, cols uint16) {
	s.t.Helper()
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) mode() unix.Termios {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *mode
}

// wantRaw checks that what is typed goes to the container as it is.
func (s *session) wantRaw() {
	s.t.Helper()
	if s.mode().Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0 {
		s.t.Error("the terminal is not raw")
	}
}

// wantEnd waits for the command's end, and checks its code and that the terminal is as it was.
func (s *session) wantEnd(code int) {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-time.After(untilPatience):
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Fatalf("the command does not end; the terminal shows %q", s.output.String())
	}
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if got != code {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Errorf("exit code is %d, want %d; the terminal shows %q", got, code, s.output.String())
	}
	if after := s.mode(); after != s.before {
		s.t.Errorf("the terminal's mode is %+v, was %+v", after, s.before)
	}
}

// prefix begins the names of the containers of a test, which are removed after it.
func prefix(t *testing.T, cli *berth.Client) string {
	name := "berth-cmd-" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() { removeAll(t, cli, name) })
	return name
}

func TestRunTerminal(t *testing.T) {
	cli := testEngine(t)
	name := prefix(t, cli)

	t.Run("shell", func(t *testing.T) {
		s := openSession(t, "run", "-it", "--rm", "--name", name+"-sh", testImage, "sh", "-c", "echo ready; exec sh")
		s.expect("ready")
		s.write("stty size; echo done\n")
		s.expect("24 80")
		s.wantRaw()
		s.resize(50, 132)
		s.write("until stty size | grep '^50 132'; do sleep 0.05; done; echo resi''zed\n")
		s.expect("resized")
		s.write("sleep 100; echo interrup''ted $?\n")
		s.expect("echo interrup")
		time.Sleep(200 * time.Millisecond) // for the shell to start sleep
		s.write("\x03")
		s.write("echo alive''.\n")
		s.expect("alive.")
		s.write("exit 3\n")
		s.wantEnd(3)
		if ok, err := cli.Containers.Exists(t.Context(), name+"-sh"); ok || err != nil {
			t.Errorf("the container is there: %v, %v", ok, err)
		}
	})
	t.Run("detach", func(t *testing.T) {
		s := openSession(t, "run", "-it", "--name", name+"-detach", testImage, "sh", "-c", "echo ready; exec sh")
		s.expect("ready")
		s.write("\x10")
		time.Sleep(100 * time.Millisecond) // as a person types: Podman knows the keys one at a time only
		s.write("\x11")
		s.wantEnd(0)
		wantRunning(t, cli, name+"-detach")
	})
	t.Run("leave", func(t *testing.T) {
		s := openSession(t, "run", "-it", "--name", name+"-leave", testImage, "sh", "-c", "trap : TERM; echo ready; while :; do sleep 0.1; done")
		s.expect("ready")
		s.wantRaw()
		for range 3 {
			s.cmd.Process.Signal(syscall.SIGTERM)
			time.Sleep(100 * time.Millisecond) // signals of one kind that wait are one
		}
		s.wantEnd(143)
		wantRunning(t, cli, name+"-leave")
	})
	t.Run("missing command", func(t *testing.T) {
		s := openSession(t, "run", "-it", "--rm", testImage, "nosuchcommand")
		s.expect("berth: ")
		s.wantEnd(127)
	})
	t.Run("exec", func(t *testing.T) {
		c, err := cli.Containers.Start(t.Context(), berth.Spec{Image: testImage, Name: name + "-exec", Command: []string{"sleep", "300"}})
		if err != nil {
			t.Fatal(err)
		}
		s := openSession(t, "exec", "-it", c.ID(), "sh", "-c", "echo ready; exec sh")
		s.expect("ready")
		s.write("stty size; echo done\n")
		s.expect("24 80")
		s.wantRaw()
		s.resize(33, 77)
		s.write("until stty size | grep '^33 77'; do sleep 0.05; done; echo resi''zed\n")
		s.expect("resized")
		s.write("exit 4\n")
		s.wantEnd(4)
	})
}

func wantRunning(t *testing.T, cli *berth.Client, name string) {
	t.Helper()
	c, err := cli.Containers.Get(context.WithoutCancel(t.Context()), name)
	if err != nil {
		t.Fatal(err)
	}
	if status := c.Attrs().State.Status; status != berth.StatusRunning {
		t.Errorf("the container is %s", status)
	}
}

// TestProgressOnTerminal: on a terminal the progress is one line, rewritten, which fits and is taken away.
func TestProgressOnTerminal(t *testing.T) {
	master, tty := openPTY(t)
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 21}); err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	bar := (&app{stderr: tty}).newProgress("image", false)
	bar.update(berth.PullProgress{Total: 2_000_000, Current: 1_000_000})
	bar.update(berth.PullProgress{Total: 2_000_000, Current: 1_000_001}) // too soon after
	bar.clear()
	bar.clear()
	tty.Close()
	var got []byte
	for buf := make([]byte, 4096); ; {
		n, err := master.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			break // the other end is closed
		}
	}
	if want := "\rpulling image: 1MB o\x1b[K\r\x1b[K"; string(got) != want {
		t.Errorf("the terminal got %q, want %q", got, want)
	}
}

// TestPullTerminal: a pull shows on a terminal how far it is, and its last line is the image's ID.
func TestPullTerminal(t *testing.T) {
	cli := testEngine(t)
	engineName := filepath.Base(filepath.Dir(os.Getenv("BERTH_ENGINE_HOST"))) // of scripts/engines
	ctx := t.Context()
	args := []string{"pull"}
	var plain *bool // HTTP: Docker's daemon is configured for it
	if cli.Engine().Name == "podman" {
		plain, args = new(bool), append(args, "--tls-verify=false")
	}
	ref := fakeregistry.Start(t, engineName, "").Host + "/" + prefix(t, cli) + ":1"

	data := make([]byte, 20<<20) // enough to be seen on its way
	rand.Read(data)
	var file bytes.Buffer
	w := tar.NewWriter(&file)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "data", Size: int64(len(data)), Mode: 0o644}), func() error { _, err := w.Write(data); return err }(), w.Close()); err != nil {
		t.Fatal(err)
	}
	img, err := cli.Images.Import(ctx, &file, berth.ImportOptions{Reference: ref})
	if err != nil {
		t.Fatal(err)
	}
	gone := func(ctx context.Context) error {
		_, err := cli.Images.Remove(ctx, ref, berth.ImageRemoveOptions{Force: true})
		return err
	}
	t.Cleanup(func() { gone(context.WithoutCancel(ctx)) })
	if err := cli.Images.Push(ctx, ref, berth.PushOptions{TLSVerify: plain}); err != nil {
		t.Fatal(err)
	}
	if err := gone(ctx); err != nil {
		t.Fatal(err)
	}

	s := openSession(t, append(args, ref)...)
	s.expect("\rpulling " + ref)
	s.expect("\r\x1b[K") // the line is taken away
	s.expect(img.ID())
	s.wantEnd(0)
}
