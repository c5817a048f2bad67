package enginetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// streamMembers are attach, exec, logs, stats and events.
func streamMembers() []Case {
	const both = "echo out; echo err >&2"
	return []Case{
		{Name: "container/attach", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "read line; echo got $line; echo err >&2; exit 2")
			spec.OpenStdin, spec.StdinOnce = true, true
			c := t.Create(spec)
			// Attached to while it is only created: the reader starts it, so that nothing is missed.
			var out, errw bytes.Buffer
			in := readerFunc(sync.OnceValue(func() error { return c.Start(t.Context()) }), strings.NewReader("input\n"))
			t.Check(c.Attach(t.Context(), berth.AttachOptions{Stdin: in, Stdout: &out, Stderr: &errw}), "attach")
			Equal(t, "stdout", out.String(), "got input\n")
			Equal(t, "stderr", errw.String(), "err\n")
		}},
		{Name: "container/attach-tty", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "read line; echo got $line")
			spec.TTY, spec.OpenStdin = true, true
			c := t.Create(spec)
			conn, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdin: true, Stdout: true})
			t.Check(err, "attach")
			defer conn.Close()
			t.Check(c.Start(t.Context()), "start")
			_, err = io.WriteString(conn, "typed\n")
			t.Check(err, "write")
			out, err := io.ReadAll(conn)
			t.Check(err, "read")
			t.Contains("output", string(out), "got typed\r\n")
		}},
		{Name: "container/attach-detach_keys", Do: func(t *T) {
			spec := t.Sleeper()
			spec.TTY, spec.OpenStdin = true, true
			c := t.Start(spec)
			conn, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdin: true, Stdout: true, DetachKeys: "ctrl-e,e"})
			t.Check(err, "attach")
			defer conn.Close()
			ended := make(chan error, 1)
			go func() {
				_, err := io.Copy(io.Discard, conn)
				ended <- err
			}()
			// Podman knows the keys only when they come one by one, as they are typed: on a machine with much to do, slowly.
			for pause, over := 200*time.Millisecond, false; !over; pause = min(2*pause, 5*time.Second) {
				for _, key := range []byte{5, 'e'} {
					if _, err = conn.Write([]byte{key}); err != nil {
						break // it has just ended
					}
					time.Sleep(pause)
				}
				select {
				case err := <-ended:
					over = true
					if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("read after the detach keys: %v", err)
					}
				case <-time.After(5 * time.Second):
				case <-t.Context().Done():
					t.Fatal("the detach keys do not detach")
				}
			}
			Equal(t, "status", must(c.Status(t.Context())), berth.StatusRunning)
		}},
		{Name: "container/attach-websocket", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "read line; echo got $line")
			spec.OpenStdin, spec.StdinOnce = true, true
			c := t.Create(spec)
			conn, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdin: true, Stdout: true, Websocket: true})
			t.Check(err, "attach")
			defer conn.Close()
			t.Check(c.Start(t.Context()), "start")
			_, err = io.WriteString(conn, "typed\n")
			t.Check(err, "write")
			out, err := io.ReadAll(conn)
			t.Check(err, "read")
			Equal(t, "output", string(out), "got typed\n")
		}},
		{Name: "container/exec_run", Do: func(t *T) {
			cmd := t.Shared().Command("sh", "-c", both+"; exit 6")
			var out, errw bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errw
			err := cmd.Run(t.Context())
			var ee *berth.ExitError
			if !errors.As(err, &ee) || ee.Code != 6 {
				t.Fatalf("error is %v, want exit code 6", err)
			}
			Equal(t, "stdout", out.String(), "out\n")
			Equal(t, "stderr", errw.String(), "err\n")
			combined, err := t.Shared().Command("sh", "-c", "echo out; sleep 1; echo err >&2").CombinedOutput(t.Context())
			t.Check(err, "combined output")
			Equal(t, "combined output", string(combined), "out\nerr\n")
		}},
		{Name: "container/exec_run-options", Do: func(t *T) {
			cmd := t.Shared().Command("sh", "-c", `id -u; pwd; echo "$A ${PATH:+path}"; grep CapEff /proc/self/status | cut -f2`)
			cmd.User, cmd.Dir, cmd.Env = "nobody", "/tmp", map[string]string{"A": "b c"}
			out, err := cmd.Output(t.Context())
			t.Check(err, "exec")
			Equal(t, "output", string(out), "65534\n/tmp\nb c path\n0000000000000000\n")
		}},
		{Name: "container/exec_run-privileged", Do: func(t *T) {
			cmd := t.Shared().Command("sh", "-c", "grep CapEff /proc/self/status | cut -f2")
			cmd.Privileged = true
			out, err := cmd.Output(t.Context())
			var ee *berth.ExitError
			if errors.As(err, &ee) && strings.Contains(ee.Message+string(out), "unable to apply caps") {
				t.Untestable("the engine's host lacks capabilities itself", errors.New(ee.Message))
			}
			t.Check(err, "privileged exec")
			if plain := t.ExecSh(t.Shared(), "grep CapEff /proc/self/status | cut -f2"); plain == strings.TrimSpace(string(out)) {
				t.Errorf("privileged and plain exec have the same capabilities %s", plain)
			}
		}},
		{Name: "container/exec_run-stdin", Do: func(t *T) {
			cmd := t.Shared().Command("cat")
			data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			cmd.Stdin = bytes.NewReader(data)
			out, err := cmd.Output(t.Context())
			t.Check(err, "exec")
			if !bytes.Equal(out, data) {
				t.Errorf("cat returned %d bytes, want %d", len(out), len(data))
			}
		}},
		{Name: "container/exec_run-tty", Do: func(t *T) {
			cmd := t.Shared().Command("sh", "-c", "while ! stty size 2>/dev/null | grep -q '31 71'; do sleep 0.1; done; echo sized; exit 3")
			cmd.TTY, cmd.Size = true, berth.Size{Rows: 31, Cols: 71}
			var out bytes.Buffer
			cmd.Stdout = &out
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := cmd.Run(ctx)
			var ee *berth.ExitError
			if !errors.As(err, &ee) || ee.Code != 3 {
				t.Fatalf("error is %v, want exit code 3", err)
			}
			t.Contains("output", out.String(), "sized")
		}},
		{Name: "container/exec_run-stream", Do: func(t *T) {
			cmd := t.Shared().Command("sh", "-c", "echo first; read x; echo second $x; exit 8")
			in, err := cmd.StdinPipe()
			t.Check(err, "stdin pipe")
			out, err := cmd.StdoutPipe()
			t.Check(err, "stdout pipe")
			t.Check(cmd.Start(t.Context()), "start")
			buf := make([]byte, 6)
			_, err = io.ReadFull(out, buf)
			t.Check(err, "read the first line")
			io.WriteString(in, "reply\n")
			in.Close()
			rest, err := io.ReadAll(out)
			t.Check(err, "read the rest")
			Equal(t, "output", string(buf)+string(rest), "first\nsecond reply\n")
			var ee *berth.ExitError
			if err := cmd.Wait(); !errors.As(err, &ee) || ee.Code != 8 {
				t.Errorf("error is %v, want exit code 8", err)
			}
		}},
		{Name: "container/exec_run-socket", Do: func(t *T) {
			cmd := t.Shared().Command("sh")
			cmd.TTY = true
			conn, err := cmd.Conn(t.Context())
			t.Check(err, "conn")
			_, err = io.WriteString(conn, "echo $((100+11)); exit 4\n")
			t.Check(err, "write")
			out, err := io.ReadAll(conn)
			t.Check(err, "read")
			t.Contains("output", string(out), "111")
			conn.Close()
			var ee *berth.ExitError
			if err := cmd.Wait(); !errors.As(err, &ee) || ee.Code != 4 {
				t.Errorf("error is %v, want exit code 4", err)
			}
		}},
		{Name: "container/exec_run-resize", Do: func(t *T) {
			cmd := t.Shared().Command("sh", "-c", "while :; do stty size; sleep 0.1; done")
			cmd.TTY = true
			out, err := cmd.StdoutPipe()
			t.Check(err, "stdout pipe")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			t.Check(cmd.Start(ctx), "start")
			t.Check(cmd.Resize(ctx, berth.Size{Rows: 12, Cols: 34}), "resize")
			var seen strings.Builder
			buf := make([]byte, 256)
			for !strings.Contains(seen.String(), "12 34") {
				n, err := out.Read(buf)
				t.Check(err, "read (until now %q)", seen.String())
				seen.Write(buf[:n])
			}
			cmd.Kill(ctx, "")
			cmd.Wait()
		}},
		{Name: "container/exec-inspect", Do: func(t *T) {
			cmd := t.Shared().Command("cat")
			in, err := cmd.StdinPipe()
			t.Check(err, "stdin pipe")
			t.Check(cmd.Start(t.Context()), "start")
			if cmd.ID() == "" {
				t.Error("the exec has no ID")
			}
			t.eventually("running without an exit code", func(ctx context.Context) (bool, error) {
				st, err := cmd.Inspect(ctx)
				return err == nil && st.Running && st.ExitCode == nil, err
			})
			in.Close()
			t.Check(cmd.Wait(), "wait")
		}},
		{Name: "container/logs", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "for i in 1 2 3; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done; printf part"))
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			lines := map[berth.OutputStream]string{} // an engine reads each stream by itself: only its own order is sure
			for line, err := range c.Logs(t.Context()) {
				t.Check(err, "logs")
				if line.Time.IsZero() || time.Since(line.Time) > time.Hour {
					t.Errorf("time of a line is %v", line.Time)
				}
				lines[line.Stream] += line.Text + "|"
			}
			Equal(t, "lines of stdout", lines[berth.Stdout], "out 1|out 2|out 3|part|")
			Equal(t, "lines of stderr", lines[berth.Stderr], "err 1|err 2|err 3|")
			var out, errw bytes.Buffer
			t.Check(c.LogsTo(t.Context(), &out, &errw), "logs to writers")
			Equal(t, "stdout", out.String(), "out 1\nout 2\nout 3\npart")
			Equal(t, "stderr", errw.String(), "err 1\nerr 2\nerr 3\n")
		}},
		{Name: "container/logs-tail", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "seq 1 20"))
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			for n, want := range map[int]string{0: "", 1: "20\n", 3: "18\n19\n20\n"} {
				var out bytes.Buffer
				t.Check(c.LogsTo(t.Context(), &out, nil, berth.LogOptions{Tail: &n}), "logs")
				Equal(t, "last lines", out.String(), want)
			}
			err = c.LogsTo(t.Context(), io.Discard, nil, berth.LogOptions{Tail: new(-1)})
			t.WantError("a negative tail", err, berth.ErrInvalid)
			err = c.LogsTo(t.Context(), io.Discard, nil, berth.LogOptions{NoStdout: true, NoStderr: true})
			t.WantError("no stream at all", err, berth.ErrInvalid)
		}},
		{Name: "container/logs-since", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "echo one; sleep 1.5; echo two; sleep 1.5; echo three"))
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			var times []time.Time
			for line, err := range c.Logs(t.Context()) {
				t.Check(err, "logs")
				times = append(times, line.Time)
			}
			if len(times) != 3 {
				t.Fatalf("%d lines", len(times))
			}
			var out bytes.Buffer
			t.Check(c.LogsTo(t.Context(), &out, nil, berth.LogOptions{Since: times[0].Add(times[1].Sub(times[0]) / 2)}), "logs since")
			Equal(t, "since", out.String(), "two\nthree\n")
			out.Reset()
			t.Check(c.LogsTo(t.Context(), &out, nil, berth.LogOptions{Until: times[1].Add(times[2].Sub(times[1]) / 2)}), "logs until")
			Equal(t, "until", out.String(), "one\ntwo\n")
		}},
		{Name: "container/logs-follow", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done"))
			n := 0
			for line, err := range c.Logs(t.Context(), berth.LogOptions{Follow: true}) {
				t.Check(err, "logs")
				Equal(t, "line", line.Text, itoa(n))
				if n++; n == 5 {
					break
				}
			}
			Equal(t, "lines", n, 5)
			ends := t.Start(t.Spec("sh", "-c", "echo a; sleep 1; echo b"))
			var out bytes.Buffer
			t.Check(ends.LogsTo(t.Context(), &out, nil, berth.LogOptions{Follow: true}), "follow to the end")
			Equal(t, "output", out.String(), "a\nb\n")
		}},
		{Name: "container/logs-tty", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "echo one; echo two")
			spec.TTY = true
			c := t.Start(spec)
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			var got []string
			for line, err := range c.Logs(t.Context()) {
				t.Check(err, "logs")
				got = append(got, line.Text)
			}
			Equal(t, "lines", strings.Join(got, "|"), "one|two")
		}},
		{Name: "container/stats", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "while :; do :; done")
			spec.Resources.Memory, spec.Resources.CPUs = 64*berth.MiB, 0.5
			c := t.Start(spec)
			s, err := c.StatsOnce(t.Context())
			t.Check(err, "stats")
			if s.CPUPercent == nil || *s.CPUPercent <= 0 || *s.CPUPercent > 120 { // how much of its half it gets is for the machine to say
				t.Errorf("CPU is %v percent of one that may use half a CPU", deref(s.CPUPercent))
			}
			Equal(t, "memory limit", s.Memory.Limit, 64<<20)
			if s.Memory.Used == 0 || s.Memory.Used > 64<<20 {
				t.Errorf("memory used is %d", s.Memory.Used)
			}
			if s.Pids.Current == 0 {
				t.Error("no processes")
			}
			if _, ok := s.Networks["eth0"]; !ok {
				t.Errorf("networks are %v", s.Networks)
			}
			if len(s.Raw) == 0 || s.ID != c.ID() {
				t.Errorf("sample is of %q, raw %d bytes", s.ID, len(s.Raw))
			}
			n := 0
			for s, err := range c.Stats(t.Context()) {
				t.Check(err, "stats stream")
				if n++; n == 3 {
					if s.CPUPercent == nil {
						t.Error("the third sample has no CPU percent")
					}
					break
				}
			}
			Equal(t, "samples", n, 3)
		}},
		{Name: "container/stats-many", Do: func(t *T) {
			one, two := t.Start(t.Sleeper()), t.Start(t.Sleeper())
			seen := map[string]int{}
			for s, err := range t.Client().Containers.Stats(t.Context(), []*berth.Container{one, two}) {
				t.Check(err, "stats")
				seen[s.ID]++
				if seen[one.ID()] >= 2 && seen[two.ID()] >= 2 {
					break
				}
			}
			Equal(t, "containers sampled", len(seen), 2)
		}},
		{Name: "container/stats-ends", Do: func(t *T) {
			c := t.Start(t.Spec("sleep", "5"))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for _, err := range c.Stats(ctx) {
				t.Check(err, "stats of a container that ends")
			}
			t.Check(ctx.Err(), "the stream of a container that ends does not end")
		}},
		{Name: "client/events", Do: func(t *T) {
			since := time.Now().Add(-time.Second)
			c := t.Start(t.Spec("sh", "-c", "exit 3"))
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var actions []string
			for ev, err := range t.Client().Events(ctx, berth.EventOptions{Since: since, Filters: berth.Filters{"container": {c.ID()}, "type": {"container"}}}) {
				t.Check(err, "events (until now %v)", actions)
				actions = append(actions, ev.Action)
				if ev.Action == "die" {
					if ev.ExitCode == nil || *ev.ExitCode != 3 {
						t.Errorf("exit code of die is %v", ev.ExitCode)
					}
					break
				}
			}
			t.Contains("actions", strings.Join(actions, " "), "create")
			t.Contains("actions", strings.Join(actions, " "), "start")
		}},
	}
}

func deref(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// readerFunc reads from r after first has been called.
func readerFunc(first func() error, r io.Reader) io.Reader { return &lateReader{first, r} }

type lateReader struct {
	first func() error
	r     io.Reader
}

func (l *lateReader) Read(p []byte) (int, error) {
	if err := l.first(); err != nil {
		return 0, err
	}
	return l.r.Read(p)
}
