package oracle

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/berthdev/berth"
)

// TestDockerExec compares exec_run in all its shapes.
func TestDockerExec(t *testing.T) {
	w := newWorld(t, "docker", "docker")
	w.run("shapes", dockerExecShapes)
	w.run("options", dockerExecOptions)
	w.run("inspect", dockerExecInspect)
	w.run("socket", dockerExecSocket)
}

// shape is what came of a command.
type shape struct {
	code      int
	out, errs string
	err       error
}

// command runs a Cmd with its streams apart.
func command(w *world, cmd *berth.Cmd) shape {
	var out, errs bytes.Buffer
	cmd.Stdout = &out
	if !cmd.TTY {
		cmd.Stderr = &errs
	}
	err := cmd.Run(w.ctx)
	if _, ok := errors.AsType[*berth.ExitError](err); err != nil && !ok {
		w.t.Errorf("%v: %v", cmd, err)
	}
	return shape{cmd.ExitCode(), out.String(), errs.String(), err}
}

func dockerExecShapes(w *world) {
	c := w.start(sleeper())
	for _, line := range []string{"echo out; exit 0", "echo out; sleep 0.3; echo err >&2; exit 7", "echo err >&2", "exit 3", "printf '\\377\\000\\376'", "kill -9 $$"} {
		w.py.with["cmd"] = []string{"sh", "-c", line}
		got := command(w, c.Command("sh", "-c", line))
		one := func(s string) any {
			if s == "" {
				return nil // docker-py's None
			}
			return s
		}
		equal(w.t, line+": default", w.py.eval(c.ID(), "c.exec_run(cmd)"), l{got.code, got.out + got.errs})
		equal(w.t, line+": demux", w.py.eval(c.ID(), "c.exec_run(cmd, demux=True)"), l{got.code, l{one(got.out), one(got.errs)}})
		equal(w.t, line+": stderr=False", w.py.eval(c.ID(), "c.exec_run(cmd, stderr=False)"), l{got.code, got.out})
		equal(w.t, line+": stdout=False", w.py.eval(c.ID(), "c.exec_run(cmd, stdout=False)"), l{got.code, got.errs})
		tty := c.Command("sh", "-c", line)
		tty.TTY = true
		inTTY := command(w, tty)
		equal(w.t, line+": tty", w.py.eval(c.ID(), "c.exec_run(cmd, tty=True)"), l{inTTY.code, inTTY.out})
		equal(w.t, line+": tty, demux", w.py.eval(c.ID(), "c.exec_run(cmd, tty=True, demux=True)"), l{inTTY.code, l{one(inTTY.out), nil}})
		// docker-py has no exit code for these (docker-py 2557, 2450, 2396); the output must be the same all the same.
		equal(w.t, line+": stream", w.py.eval(c.ID(), `(lambda r: [r.exit_code, b"".join(r.output)])(c.exec_run(cmd, stream=True))`), l{nil, got.out + got.errs})
		equal(w.t, line+": stream, demux",
			w.py.eval(c.ID(), `(lambda r: [b"".join(p[i] or b"" for p in r) for i in (0, 1)])(list(c.exec_run(cmd, stream=True, demux=True).output))`), l{got.out, got.errs})
		silent := w.py.eval(c.ID(), "c.exec_run(cmd, stdout=False, stderr=False)").([]any)
		quiet := c.Command("sh", "-c", line)
		err := quiet.Run(w.ctx)
		// docker-py asks for it before the command has ended, as a rule.
		if silent[0] != nil && diff(w.t, silent[0], got.code) != "" || quiet.ExitCode() != got.code {
			w.t.Errorf("%s without output: exit code %v in docker-py, %d in Berth (%v), want %d", line, silent[0], quiet.ExitCode(), err, got.code)
		}
	}
	// The string form is taken apart as a POSIX shell does.
	for _, text := range []string{`echo "a b"  'c' d\ e`, `sh -c "echo x; exit 2"`} {
		w.py.with["cmd"] = text
		args := must(berth.SplitCommand(text))
		got := command(w, c.Command(args[0], args[1:]...))
		equal(w.t, text, w.py.eval(c.ID(), "c.exec_run(cmd)"), l{got.code, got.out})
	}
	// A command that does not exist: docker-py gives the engine's words as its output. Berth: no output, ErrCommandNotFound, 127 always.
	py := w.py.eval(c.ID(), `c.exec_run("/nosuch")`).([]any)
	got := command(w, c.Command("/nosuch"))
	if s, _ := py[1].(pyBytes); s == "" || got.out+got.errs != "" || got.code != 127 || !errors.Is(got.err, berth.ErrCommandNotFound) {
		w.t.Errorf("a missing command: docker-py %v, Berth %+v", py, got)
	}
}

func dockerExecOptions(w *world) {
	spec := sleeper()
	spec.Env = map[string]string{"A": "container", "B": "container"}
	c := w.start(spec)
	w.py.with["cmd"] = []string{"sh", "-c", "id -u; pwd; echo $A $B; grep CapEff /proc/self/status; test -t 0 && echo tty"}
	for expr, set := range map[string]func(*berth.Cmd){
		"":                          func(*berth.Cmd) {},
		`user="65534"`:              func(c *berth.Cmd) { c.User = "65534" },
		`user="daemon:root"`:        func(c *berth.Cmd) { c.User = "daemon:root" },
		`workdir="/tmp"`:            func(c *berth.Cmd) { c.Dir = "/tmp" },
		`environment={"A": "exec"}`: func(c *berth.Cmd) { c.Env = map[string]string{"A": "exec"} },
		`environment=["A=1", "B="]`: func(c *berth.Cmd) { c.Env = map[string]string{"A": "1", "B": ""} },
		`privileged=True`:           func(c *berth.Cmd) { c.Privileged = true },
		`tty=True`:                  func(c *berth.Cmd) { c.TTY = true },
		`user="nosuch"`:             func(c *berth.Cmd) { c.User = "nosuch" },
		`workdir="/nosuch"`:         func(c *berth.Cmd) { c.Dir = "/nosuch" },
	} {
		cmd := c.Command("sh", "-c", w.py.with["cmd"].([]string)[2])
		set(cmd)
		var out bytes.Buffer
		cmd.Stdout = &out
		err := cmd.Run(w.ctx)
		v, perr := w.py.try(c.ID(), "c.exec_run(cmd, "+expr+")")
		var ee *berth.ExitError
		switch {
		case err == nil:
			if perr != nil {
				w.t.Errorf("%s: docker-py %v, Berth succeeds", expr, perr)
				continue
			}
			equal(w.t, expr, v, l{0, out.String()})
		case perr != nil, errors.As(err, &ee) && ee.Code != 0:
		default:
			// What the engine cannot start: docker-py has an exit code and the engine's words as output, Berth an error with them.
			if py, _ := v.([]any); len(py) != 2 || py[0] == nil || simple(py[0]) == nil {
				w.t.Errorf("%s: docker-py %v, Berth %v", expr, v, err)
			}
		}
	}
}

func dockerExecInspect(w *world) {
	c := w.start(sleeper())
	cmd := c.Command("sh", "-c", "exit 4")
	cmd.TTY, cmd.User, cmd.Detach = true, "0:0", true
	w.must(cmd.Start(w.ctx))
	if err := cmd.Wait(); cmd.ExitCode() != 4 {
		w.t.Fatal(err)
	}
	st := must(cmd.Inspect(w.ctx))
	w.py.with["exec"] = cmd.ID()
	py := w.py.dict("", "client.api.exec_inspect(exec)")
	config := py["ProcessConfig"].(map[string]any)
	equal(w.t, "ID", py["ID"], st.ID)
	equal(w.t, "ContainerID", py["ContainerID"], st.ContainerID)
	equal(w.t, "Running", py["Running"], st.Running)
	equal(w.t, "ExitCode", py["ExitCode"], st.ExitCode)
	equal(w.t, "Pid", py["Pid"], st.PID)
	equal(w.t, "tty", config["tty"], st.TTY)
	equal(w.t, "user", config["user"], st.User)
	equal(w.t, "command", append(l{config["entrypoint"]}, config["arguments"].([]any)...), st.Command)
}

// dockerExecSocket compares the raw connection: frames and all.
func dockerExecSocket(w *world) {
	c := w.start(sleeper())
	w.py.with["cmd"] = []string{"sh", "-c", "cat; sleep 0.3; echo done >&2"}
	py := w.py.eval(c.ID(), `(lambda s: [s._sock.sendall(b"input"), s._sock.shutdown(1), s.read()][2])(c.exec_run(cmd, stdin=True, socket=True).output)`)
	cmd := c.Command("sh", "-c", "cat; sleep 0.3; echo done >&2")
	s := must(cmd.Conn(w.ctx))
	defer s.Close()
	must(s.Write([]byte("input")))
	w.must(s.CloseWrite())
	equal(w.t, "frames", py, string(must(io.ReadAll(s))))
	w.must(cmd.Wait())
}
