package berth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// sh makes a shell command in c.
func sh(c *Container, script string) *Cmd { return c.Command("sh", "-c", script) }

func TestEngineCmdShapes(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		t.Run("streams", func(t *testing.T) {
			var out, errw bytes.Buffer
			cmd := sh(c, "echo out; echo err >&2; exit 6")
			cmd.Stdout, cmd.Stderr = &out, &errw
			if err := cmd.Run(t.Context()); exitCode(err) != 6 || out.String() != "out\n" || errw.String() != "err\n" {
				t.Errorf("%q, %q, %v", &out, &errw, err)
			}
		})
		t.Run("no output", func(t *testing.T) {
			if err := sh(c, "echo x; exit 5").Run(t.Context()); exitCode(err) != 5 {
				t.Error(err)
			}
		})
		t.Run("success", func(t *testing.T) {
			if err := sh(c, "true").Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
		t.Run("detached", func(t *testing.T) {
			for range 3 {
				cmd := sh(c, "sleep 0.2; yes | head -c 1000000; exit 7")
				cmd.Detach = true
				if err := cmd.Start(t.Context()); err != nil || cmd.ID() == "" {
					t.Fatal(cmd.ID(), err)
				}
				if st, err := cmd.Inspect(t.Context()); err != nil || st.ExitCode != nil {
					t.Errorf("state %+v, %v", st, err)
				}
				if err := cmd.Wait(); exitCode(err) != 7 {
					t.Error(err)
				}
			}
		})
		t.Run("terminal", func(t *testing.T) {
			cmd := sh(c, "test -t 0 && test -t 1 && test -t 2 && sleep 0.3 && stty size; exit 3")
			cmd.TTY, cmd.Size = true, Size{Rows: 31, Cols: 71}
			out, err := cmd.Output(t.Context())
			if exitCode(err) != 3 || strings.TrimSpace(string(out)) != "31 71" {
				t.Errorf("%q, %v", out, err)
			}
		})
		t.Run("terminal stdin ends", func(t *testing.T) {
			cmd := c.Command("cat")
			cmd.TTY, cmd.Stdin = true, strings.NewReader("line\npart")
			out, err := cmd.Output(t.Context())
			if err != nil || !strings.Contains(string(out), "line\r\n") || !strings.HasSuffix(string(out), "part") {
				t.Errorf("%q, %v", out, err)
			}
		})
		t.Run("socket", func(t *testing.T) {
			cmd := sh(c, "read x; echo got $x; exit 4")
			conn, err := cmd.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, "data\n")
			var out bytes.Buffer
			if err := Demux(&out, nil, conn); err != nil || out.String() != "got data\n" {
				t.Errorf("%q, %v", &out, err)
			}
			conn.Close()
			if err := cmd.Wait(); exitCode(err) != 4 {
				t.Error(err)
			}
		})
		t.Run("options", func(t *testing.T) {
			cmd := sh(c, `id -u; pwd; echo "$A ${KEPT:-none}"`)
			cmd.User, cmd.Dir, cmd.Env = "nobody", "/tmp", map[string]string{"A": "b c"}
			if out, err := cmd.Output(t.Context()); err != nil || string(out) != "65534\n/tmp\nb c kept\n" {
				t.Errorf("%q, %v", out, err)
			}
			cmd = sh(c, `echo "${KEPT-none}"`)
			cmd.UnsetEnv = []string{"KEPT"}
			if out, err := cmd.Output(t.Context()); string(out) != "none\n" && !errors.Is(err, ErrUnsupported) {
				t.Errorf("%q, %v", out, err)
			}
		})
	})
}

func TestEngineCmdBytesAreExact(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		data := make([]byte, 2_000_000)
		rand.NewChaCha8([32]byte{1}).Read(data)
		cmd := c.Command("cat")
		cmd.Stdin = bytes.NewReader(data)
		out, err := cmd.Output(t.Context())
		if err != nil || !bytes.Equal(out, data) {
			t.Errorf("%d bytes came back of %d, %v", len(out), len(data), err)
		}
	})
}

func TestEngineCmdMissingCommand(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		for name, tt := range map[string]struct {
			prepare func(*Cmd)
			path    string
			code    int
			kind    error
		}{
			"missing":                  {func(*Cmd) {}, "nosuch", 127, ErrCommandNotFound},
			"missing path":             {func(*Cmd) {}, "/no/such", 127, ErrCommandNotFound},
			"missing, on a terminal":   {func(c *Cmd) { c.TTY = true }, "nosuch", 127, ErrCommandNotFound},
			"missing, detached":        {func(c *Cmd) { c.Detach = true }, "nosuch", 127, ErrCommandNotFound},
			"not executable":           {func(*Cmd) {}, "/etc/passwd", 126, ErrCommandNotExecutable},
			"not executable, detached": {func(c *Cmd) { c.Detach = true }, "/etc/passwd", 126, ErrCommandNotExecutable},
		} {
			t.Run(name, func(t *testing.T) {
				cmd := c.Command(tt.path)
				tt.prepare(cmd)
				var out []byte
				var err error
				if cmd.Detach {
					err = cmd.Run(t.Context())
				} else {
					out, err = cmd.CombinedOutput(t.Context())
				}
				e, ok := errors.AsType[*ExitError](err)
				if !ok || e.Code != tt.code || !errors.Is(err, tt.kind) || e.Message == "" || len(out) > 0 {
					t.Errorf("output %q, error %#v", out, err)
				}
			})
		}
		// What a process says is its own.
		words := "OCI runtime exec failed: exec failed: executable file not found in $PATH"
		out, err := sh(c, "echo '"+words+"'; exit 127").Output(t.Context())
		if exitCode(err) != 127 || errors.Is(err, ErrCommandNotFound) || string(out) != words+"\n" {
			t.Errorf("output %q, %v", out, err)
		}
	})
}

func TestEngineCmdFailures(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		for _, detach := range []bool{false, true} {
			for field, set := range map[string]func(*Cmd){
				"Cmd.User": func(c *Cmd) { c.User = "nosuchuser" },
				"Cmd.Dir":  func(c *Cmd) { c.Dir = "/nosuch" },
			} {
				cmd := c.Command("true")
				cmd.Detach = detach
				set(cmd)
				err := cmd.Run(t.Context())
				if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Option != field {
					t.Errorf("detached %t: %v, want an InvalidError of %s", detach, err, field)
				}
			}
		}
		cmd := c.Command("sleep", "600")
		if err := cmd.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond) // for the process to be there
		if err := c.Kill(t.Context(), "KILL"); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); exitCode(err) != 137 {
			t.Errorf("killed with the container: %v, want exit code 137", err)
		}
		if err := c.Command("true").Run(t.Context()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("in a stopped container: %v, want ErrNotRunning", err)
		}
	})
}

// processes counts the processes of the container that have word in their command line.
func processes(t *testing.T, c *Container, word string) int {
	t.Helper()
	top, err := c.Top(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range top.Processes {
		if strings.Contains(p.Command, word) {
			n++
		}
	}
	return n
}

func TestEngineCmdCancelKills(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		for name, prepare := range map[string]func(*Cmd){
			"plain":    func(*Cmd) {},
			"stdin":    func(c *Cmd) { c.StdinPipe() },
			"terminal": func(c *Cmd) { c.TTY = true },
			"ignores":  func(c *Cmd) { c.TTY = true; c.Args[2] = "trap '' INT HUP TERM; " + c.Args[2] },
		} {
			t.Run(name, func(t *testing.T) {
				cmd := sh(c, "echo up; sleep 4321; sleep 4321")
				prepare(cmd)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if err := cmd.Start(ctx); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
					t.Fatal(err)
				}
				cancel()
				if err := cmd.Wait(); !errors.Is(err, context.Canceled) {
					t.Errorf("error is %v, want context.Canceled", err)
				} else if _, alive := errors.AsType[*ExecAliveError](err); alive {
					t.Errorf("error is %v", err)
				}
				n := 1
				for deadline := time.Now().Add(10 * time.Second); n > 0 && time.Now().Before(deadline); {
					n = processes(t, c, "echo up; sleep 4321") // a process that was sent SIGKILL needs a moment
				}
				if n > 0 {
					t.Errorf("%d shells live on", n)
				}
			})
		}
	})
}

// Without access to the engine's processes the second way must do.
func TestEngineCmdCancelKillsRemotely(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		for i, mark := range []bool{false, true} {
			command := []string{"sleep", fmt.Sprint(1234 + i)}
			far, err := New(t.Context(), WithHost(cli.Engine().Host), WithoutLocalAccess())
			if err != nil {
				t.Fatal(err)
			}
			defer far.Close()
			cmd := far.container(c.ID()).Command(command[0], command[1])
			cmd.KillOnCancel = mark
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			err = cmd.Run(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v, want context.DeadlineExceeded", err)
			}
			_, alive := errors.AsType[*ExecAliveError](err)
			n := processes(t, c, strings.Join(command, " "))
			if alive != (n > 0) {
				t.Errorf("marked %t: %d processes are there, and the error is %v", mark, n, err)
			}
			if mark && alive {
				t.Errorf("a marked process lives on: %v", err)
			}
		}
	})
}

func TestEngineCmdConcurrently(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				cmd := sh(c, fmt.Sprintf("cat; yes %d | head -n 10000; exit %d", i, i))
				cmd.Stdin = strings.NewReader("in\n")
				out, err := cmd.Output(t.Context())
				want := "in\n" + strings.Repeat(fmt.Sprintf("%d\n", i), 10_000)
				if string(out) != want || max(exitCode(err), 0) != i {
					t.Errorf("%d: %d bytes, %v", i, len(out), err)
				}
			})
		}
		wg.Wait()
	})
}

func TestEngineCmdWaitDelay(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		cmd := sh(c, "sleep 30 & echo hi; exit 4")
		cmd.WaitDelay = 200 * time.Millisecond
		out, err := cmd.Output(t.Context())
		if exitCode(err) != 4 || string(out) != "hi\n" {
			t.Errorf("%q, %v", out, err)
		}
	})
}

func TestEngineCmdKillAndResize(t *testing.T) {
	onEngines(t, func(t *testing.T, cli *Client, _ string) {
		c := sleeper(t, cli)
		cmd := sh(c, "while :; do stty size; sleep 0.1; done")
		cmd.TTY = true
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Resize(t.Context(), Size{Rows: 12, Cols: 34}); err != nil {
			t.Error(err)
		}
		var seen strings.Builder
		for buf := make([]byte, 256); !strings.Contains(seen.String(), "12 34"); {
			n, err := out.Read(buf)
			if err != nil {
				t.Fatalf("%v after %q", err, &seen)
			}
			seen.Write(buf[:n])
		}
		if err := cmd.Kill(t.Context(), ""); err != nil {
			t.Error(err)
		}
		io.Copy(io.Discard, out)
		if err := cmd.Wait(); exitCode(err) != 137 {
			t.Errorf("error is %v, want exit code 137", err)
		}
	})
}
