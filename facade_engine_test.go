package berth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// The tests of this file run on real engines (see onEngines). They hold what the
// fake engine cannot: that streams, exit codes and ends are as Run takes them to
// be. The conformance suite tests the rest.

func TestEngineRun(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		data := randomBytes(7)
		res, err := cli.Containers.Run(t.Context(), spec("cat"), RunOptions{Stdin: bytes.NewReader(data)})
		if err != nil || !bytes.Equal(res.Stdout, data) {
			t.Fatalf("cat: %v", err)
		}
		res, err = cli.Containers.Run(t.Context(), spec("sh", "-c", "echo out; echo err >&2; exit 3"))
		ee, ok := errors.AsType[*ExitError](err)
		if !ok || ee.Code != 3 || string(ee.Stderr) != "err\n" || string(res.Stdout) != "out\n" {
			t.Errorf("exit 3: %v", err)
		}
		for _, command := range []struct {
			path string
			code int
			kind error
		}{{"nosuch", 127, ErrCommandNotFound}, {"/etc/passwd", 126, ErrCommandNotExecutable}} {
			_, err = cli.Containers.Run(t.Context(), spec(command.path))
			if ee, ok := errors.AsType[*ExitError](err); !ok || ee.Code != command.code || !errors.Is(err, command.kind) {
				t.Errorf("%s: %v", command.path, err)
			}
		}
		s := spec("sh", "-c", "echo hi; exit 5")
		s.AutoRemove = true
		s.LogConfig.Driver = "none"
		for range 5 {
			res, err = cli.Containers.Run(t.Context(), s)
			if ee, ok := errors.AsType[*ExitError](err); !ok || ee.Code != 5 || string(res.Stdout) != "hi\n" {
				t.Errorf("with AutoRemove: %v", err)
			}
		}
		s = spec("sh", "-c", "stty raw -echo; cat")
		s.TTY = true
		s.Command = []string{"cat"}
		if res, err = cli.Containers.Run(t.Context(), s, RunOptions{Stdin: strings.NewReader("hi\n")}); err != nil || string(res.Stdout) != "hi\r\nhi\r\n" {
			t.Errorf("terminal: %q, %v", res.Stdout, err)
		}
	})
}

func TestEngineRunCancelled(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		name := fmt.Sprintf("berth-cancelled-%d", time.Now().UnixNano())
		for _, stdin := range []io.Reader{nil, blocked(t)} {
			ctx, cancel := context.WithCancel(t.Context())
			s := spec("sleep", "1000")
			s.Name = name
			_, err := cli.Containers.Run(ctx, s, RunOptions{Stdin: stdin, Started: func(*Container) { cancel() }})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if there, err := cli.Containers.Exists(t.Context(), name); there || err != nil {
				t.Errorf("left behind: %v, %v", there, err)
			}
		}
	})
}

// blocked is a reader that blocks until the test's end.
func blocked(t *testing.T) io.Reader {
	r, _ := pipe(t)
	return r
}

// A process that closes its outputs is not taken for a lost connection.
func TestEngineRunClosedOutputs(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		res, err := cli.Containers.Run(t.Context(), spec("sh", "-c", "echo hi; exec >/dev/null 2>&1 </dev/null; sleep 1"))
		if err != nil || string(res.Stdout) != "hi\n" {
			t.Errorf("%v", err)
		}
	})
}

func TestEngineWaitForAndLogs(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		s := spec("sh", "-c", "echo start; sleep 1; echo now listening >&2; touch /tmp/h; exec nc -ll -p 90 -e cat")
		s.Ports = []Port{{Container: "90"}}
		s.Healthcheck = &Healthcheck{Test: CmdShell("test -e /tmp/h"), Interval: time.Second, Retries: 100}
		c, err := cli.Containers.Start(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Remove(context.Background(), RemoveOptions{Force: true, Volumes: true}) })
		ctx := soon(t)
		for _, cond := range []Condition{LogMatches("now +listening"), Listening("90"), Healthy()} {
			if err := c.WaitFor(ctx, cond); err != nil {
				t.Error(err)
			}
		}
		addr, err := c.Addr(ctx, "90/tcp")
		if err != nil || !strings.HasPrefix(addr, "198.18.") && !strings.HasPrefix(addr, "127.") {
			t.Errorf("address %q, %v", addr, err)
		}
		var lines []string
		for line, err := range c.Logs(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprint(line.Stream, ":", line.Text))
		}
		if want := []string{"stdout:start", "stderr:now listening"}; !slices.Equal(lines, want) {
			t.Errorf("log %q", lines)
		}
		if err := c.Stop(ctx, StopOptions{Timeout: new(time.Duration(0))}); err != nil || c.Attrs().State.Status != StatusExited {
			t.Errorf("after Stop: %s, %v", c.Attrs().State.Status, err)
		}
		if err := c.WaitFor(ctx, Exited()); err != nil {
			t.Error(err)
		}
		if _, ok := errors.AsType[*WaitError](c.WaitFor(ctx, Listening("90"))); !ok {
			t.Error("waiting for an ended container to listen does not fail")
		}
	})
}

// The other ways of Listening: those for an engine that is elsewhere.
func TestEngineListeningFromAfar(t *testing.T) {
	onEngines(t, func(t *testing.T, local *Client, _ string) {
		cli := *local
		cli.noLocal = true
		c, err := cli.Containers.Start(t.Context(), spec("sh", "-c", "sleep 0.5; exec nc -ll -p 90 -e cat"))
		if err != nil {
			t.Fatal(err)
		}
		c.cli = &cli
		t.Cleanup(func() { c.Remove(context.Background(), RemoveOptions{Force: true, Volumes: true}) })
		if err := c.WaitFor(soon(t), Listening("90")); err != nil {
			t.Error(err)
		}
	})
}

// Long lines come whole, with the time of their first piece, with a terminal too.
func TestEngineLongLogLines(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		for _, tty := range []bool{false, true} {
			s := spec("sh", "-c", `head -c 40000 /dev/zero | tr '\0' a; echo; echo short; printf tail`)
			s.TTY = tty
			c, err := cli.Containers.Start(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Remove(context.Background(), RemoveOptions{Force: true, Volumes: true}) })
			if _, err := c.Wait(soon(t)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for line, err := range c.Logs(soon(t)) {
				if err != nil {
					t.Fatal(err)
				}
				if time.Since(line.Time) > time.Hour {
					t.Errorf("time %v", line.Time)
				}
				got = append(got, strings.TrimLeft(line.Text, "a")+fmt.Sprint(len(line.Text)))
			}
			if want := []string{"40000", "short5", "tail4"}; !slices.Equal(got, want) {
				t.Errorf("terminal %v: lines %q, want %q", tty, got, want)
			}
		}
	})
}
