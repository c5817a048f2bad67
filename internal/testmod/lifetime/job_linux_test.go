package lifetime

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
)

// jobVariable holds the job of a process that a test starts: a program of its own that uses the state directory.
const jobVariable = "BERTH_LIFETIME_JOB"

// job is what such a process does.
type job struct {
	Root, Run string
	Name      string // of the function in jobs
	Args      []string
}

// jobs are those that there are. They get a client and a function that tells the test of something, in a line.
var jobs = map[string]func(ctx context.Context, cli *berth.Client, tell func(string), args []string) error{}

// runJob is such a process. It does the job when it is told to, by a line, or ends when it is told nothing, and says how that went.
func runJob() int {
	var j job
	if err := json.Unmarshal([]byte(os.Getenv(jobVariable)), &j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	tell := func(line string) { fmt.Println(line) }
	err := func() error {
		cli, err := connect(j.Root, j.Run)
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		defer cli.Close()
		tell("ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
		return jobs[j.Name](context.Background(), cli, tell, j.Args)
	}()
	tell("end " + kind(err))
	if err != nil {
		tell(strings.ReplaceAll(err.Error(), "\n", " / "))
	}
	return 0
}

// kind is what callers tell errors apart by.
func kind(err error) string {
	for _, k := range []struct {
		name string
		err  error
	}{
		{"not found", berth.ErrNotFound}, {"not running", berth.ErrNotRunning}, {"conflict", berth.ErrConflict},
		{"unavailable", berth.ErrUnavailable}, {"cut", io.ErrUnexpectedEOF}, {"unsupported", berth.ErrUnsupported}, {"invalid", berth.ErrInvalid},
	} {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	if _, ok := errors.AsType[*berth.ExitError](err); ok {
		return "exit"
	}
	if err != nil {
		return "other"
	}
	return "ok"
}

// program is a process with a job.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
	errs  bytes.Buffer
}

// start starts a program and returns when it has opened the engine. Its job waits for [program.begin].
func (w *world) start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	p := w.spawn(t, name, args...)
	if line := p.next(); line != "ready" {
		t.Fatalf("a program: %s %s", line, p.next())
	}
	return p
}

// spawn is start that does not wait.
func (w *world) spawn(t *testing.T, name string, args ...string) *program {
	t.Helper()
	data, err := json.Marshal(job{w.root, w.run, name, args})
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: exec.Command("/proc/self/exe")}
	p.cmd.Env = append(os.Environ(), jobVariable+"="+string(data))
	p.cmd.Stderr = &p.errs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// begin lets the job begin.
func (p *program) begin() { io.WriteString(p.in, "go\n") }

// next is the next line, "" at the end.
func (p *program) next() string {
	if p.lines.Scan() {
		return p.lines.Text()
	}
	return ""
}

// end waits for the job's end and returns its kind of error, and its text.
func (p *program) end() (kind, text string) {
	p.t.Helper()
	guard := guarded(p.t, "a program hangs", p.cmd.Process)
	defer guard()
	for p.lines.Scan() {
		if k, ok := strings.CutPrefix(p.lines.Text(), "end "); ok {
			kind = k
			text = p.next()
			break
		}
	}
	p.in.Close()
	err := p.cmd.Wait()
	if kind == "" {
		return "killed", fmt.Sprint(err, p.errs.String())
	}
	return kind, text
}

// kill kills it, also one that has ended.
func (p *program) kill() {
	p.in.Close()
	p.cmd.Process.Kill()
	p.cmd.Wait()
}
