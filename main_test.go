package berth

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/connect"
	"github.com/berthdev/berth/internal/fakeengine"
	"github.com/berthdev/berth/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// programs are what the fake engine's containers can run.
var programs = map[string]fakeengine.Program{
	"true": func(p *fakeengine.Proc) int { return 0 },
	"echo": func(p *fakeengine.Proc) int { // echo OUT ERR CODE
		io.WriteString(p.Stdout, p.Args[1])
		if len(p.Args) > 2 {
			io.WriteString(p.Stderr, p.Args[2])
		}
		if len(p.Args) > 3 {
			code, _ := strconv.Atoi(p.Args[3])
			return code
		}
		return 0
	},
	"env": func(p *fakeengine.Proc) int {
		var keys []string
		for k := range p.Env {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			io.WriteString(p.Stdout, k+"="+p.Env[k]+"\n")
		}
		return 0
	},
	"cat": func(p *fakeengine.Proc) int {
		if len(p.Args) > 1 {
			return 1 // it has no files
		}
		io.Copy(p.Stdout, p.Stdin)
		return 0
	},
	"sleep": func(p *fakeengine.Proc) int {
		<-p.Killed
		return 0
	},
	"hello-sleep": func(p *fakeengine.Proc) int {
		io.WriteString(p.Stdout, "hello\n")
		<-p.Killed
		return 0
	},
	"yes": func(p *fakeengine.Proc) int {
		for {
			if _, err := io.WriteString(p.Stdout, "y\n"); err != nil {
				return 1
			}
		}
	},
	"random": func(p *fakeengine.Proc) int { // as randomBytes, on both streams
		out, errw := randomBytes(1), randomBytes(2)
		for i := 0; i < len(out); i += 10_000 {
			p.Stdout.Write(out[i:min(i+10_000, len(out))])
			p.Stderr.Write(errw[i:min(i+10_000, len(out))])
		}
		return 0
	},
	"eot": func(p *fakeengine.Proc) int { // reads a terminal's end of file, and shows it
		buf := make([]byte, 1)
		for line := true; ; {
			if n, err := p.Stdin.Read(buf); n == 0 || err != nil {
				return 1
			}
			p.Stdout.Write(buf)
			if buf[0] == 4 {
				if line {
					return 0
				}
				line = true
				continue
			}
			line = buf[0] == '\n'
		}
	},
	"detach": func(p *fakeengine.Proc) int { // is left by its client at ^Q
		buf := make([]byte, 1)
		for buf[0] != 0x11 {
			p.Stdin.Read(buf)
		}
		p.Detach()
		<-p.Killed
		return 0
	},
	"signal": func(p *fakeengine.Proc) int {
		select {
		case s := <-p.Signals:
			io.WriteString(p.Stdout, s)
		case <-p.Killed:
		}
		return 0
	},
}

func randomBytes(seed uint64) []byte {
	b := make([]byte, 2_000_000)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(b)
	return b
}

// noEnv is a machine without any configuration.
var noEnv = connect.Env{GOOS: "linux"}

// newFake is a client of a fake engine.
func newFake(t *testing.T, opts ...Option) (*Client, *fakeengine.Engine) {
	t.Helper()
	e := fakeengine.New(programs)
	cli, err := New(context.Background(), append([]Option{WithEngine(e), withEnv(noEnv)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, id := range e.Left() {
			e.ContainerRemove(context.Background(), id, engine.RemoveOptions{Force: true})
		}
		if err := cli.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return cli, e
}

// spec is a container that runs a command.
func spec(command ...string) Spec { return Spec{Image: "busybox", Command: command} }

// noneLeft fails when the engine has a container.
func noneLeft(t *testing.T, e *fakeengine.Engine) {
	t.Helper()
	if left := e.Left(); len(left) > 0 {
		t.Errorf("%d containers were left behind", len(left))
	}
}

// soon is a context for what must not hang.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// pipe is an os.Pipe whose ends are closed with the test.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}
