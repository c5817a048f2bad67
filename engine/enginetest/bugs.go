package enginetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// bugs are what the Python libraries get wrong: each is named after it.
func bugs() []Case {
	return []Case{
		{Name: "bug/run-binary-output", Do: func(t *T) {
			// docker-py #2575: through the log driver, 2,000,000 random bytes come back as 3.7 million.
			data := make([]byte, 2<<20)
			rand.Read(data)
			res, err := t.Client().Containers.Run(t.Context(), t.Spec("cat"), berth.RunOptions{Stdin: bytes.NewReader(data)})
			t.Check(err, "run")
			if !bytes.Equal(res.Stdout, data) {
				t.Errorf("%d bytes came back of %d, or others", len(res.Stdout), len(data))
			}
		}},
		{Name: "bug/run-log-driver", Do: func(t *T) {
			// docker-py returns None for every driver but json-file and journald, podman-py for k8s-file.
			drivers := map[string][]string{"docker": {"none", "local", "json-file"}, "podman": {"none", "k8s-file", "json-file"}, "embedded": {"none", "json-file"}}[t.Kind()]
			for _, driver := range drivers {
				for _, remove := range []bool{false, true} {
					spec := t.Spec("sh", "-c", "echo out; echo err >&2; exit 7")
					spec.LogConfig.Driver, spec.AutoRemove = driver, remove
					res, err := t.Client().Containers.Run(t.Context(), spec)
					var ee *berth.ExitError
					if !errors.As(err, &ee) || ee.Code != 7 || string(res.Stdout) != "out\n" || string(res.Stderr) != "err\n" {
						t.Errorf("driver %s, auto-remove %v: %q %q %v", driver, remove, res.Stdout, res.Stderr, err)
					}
				}
			}
		}},
		{Name: "bug/run-journald", Do: func(t *T) {
			spec := t.Spec("echo", "out")
			spec.LogConfig.Driver = "journald"
			res, err := t.Client().Containers.Run(t.Context(), spec)
			if err != nil {
				t.Gone("the refusal")
				t.Check(notUnsupported(err), "run")
				t.Untestable("no journal runs on the engine's host", err)
			}
			Equal(t, "output", string(res.Stdout), "out\n")
		}},
		{Name: "bug/run-fast-exit", Soak: true, Do: func(t *T) {
			// docker-py #1813: auto-remove races with the output; 6 of 20 runs raised NotFound.
			drivers := map[string][]string{"docker": {"none", "local", "json-file"}, "podman": {"none", "k8s-file"}, "embedded": {"none", "json-file"}}[t.Kind()]
			var wg sync.WaitGroup
			slots := make(chan struct{}, 4)
			for i := range 200 {
				slots <- struct{}{}
				wg.Go(func() {
					defer func() { <-slots }()
					spec := t.Spec("sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i%5))
					spec.LogConfig.Driver, spec.AutoRemove = drivers[i%len(drivers)], i%2 == 0
					res, err := t.Client().Containers.Run(t.Context(), spec)
					var ee *berth.ExitError
					if err != nil && !errors.As(err, &ee) {
						t.Errorf("run %d: %v", i, err)
						return
					}
					if res.ExitCode != i%5 || string(res.Stdout) != fmt.Sprintf("%d\n", i) {
						t.Errorf("run %d: exit code %d, output %q", i, res.ExitCode, res.Stdout)
					}
				})
			}
			wg.Wait()
		}},
		{Name: "bug/run-fast-exit-few", Do: func(t *T) {
			for i := range 10 {
				spec := t.Spec("echo", itoa(i))
				spec.AutoRemove = true
				Equal(t, "output", t.Output(spec), itoa(i)+"\n")
			}
		}},
		{Name: "bug/run-leak", Do: func(t *T) {
			// docker-py #3284: every failure after create leaves the container, and remove=True its anonymous volumes.
			vols := func() int {
				return len(must(t.Client().Volumes.List(t.Context(), berth.Filters{"label": {"berth.anon=" + t.name}})))
			}
			before := vols()
			spec := t.Spec("true")
			m := berth.VolumeMount("", "/anon")
			if t.Kind() == "docker" {
				m.Labels = map[string]string{"berth.anon": t.name}
			}
			spec.Mounts = []berth.Mount{m}
			t.Output(spec)
			Equal(t, "anonymous volumes after a run", vols(), before)
			spec.Command = []string{"/nosuch"}
			_, err := t.Client().Containers.Run(t.Context(), spec)
			t.WantError("a command that does not exist", err, berth.ErrCommandNotFound)
			Equal(t, "anonymous volumes after a failed start", vols(), before)
			_, err = t.Client().Containers.Start(t.Context(), spec)
			t.WantError("a detached command that does not exist", err, berth.ErrCommandNotFound)
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			_, err = t.Client().Containers.Run(ctx, t.Sleeper())
			t.WantError("a cancelled run", err, context.DeadlineExceeded)
			bad := t.Spec("true")
			bad.Sysctls = map[string]string{"kernel.berth_nosuch": "1"}
			if _, err := t.Client().Containers.Run(t.Context(), bad); err == nil {
				t.Error("a sysctl that does not exist was accepted")
			}
			t.Gone("the failures")
		}},
		{Name: "bug/exec-exit-code", Do: func(t *T) {
			// docker-py #2557, #2450, #2396: no exit code for streamed, output-less or detached execs.
			code := func(what string, err error) {
				t.Helper()
				var ee *berth.ExitError
				if !errors.As(err, &ee) || ee.Code != 5 {
					t.Errorf("%s: error is %v, want exit code 5", what, err)
				}
			}
			code("output-less", t.Shared().Command("sh", "-c", "echo x; exit 5").Run(t.Context()))
			cmd := t.Shared().Command("sh", "-c", "sleep 0.3; exit 5")
			cmd.Detach = true
			t.Check(cmd.Start(t.Context()), "start detached")
			code("detached", cmd.Wait())
			cmd = t.Shared().Command("sh", "-c", "echo streamed; exit 5")
			out, err := cmd.StdoutPipe()
			t.Check(err, "pipe")
			t.Check(cmd.Start(t.Context()), "start")
			data, err := io.ReadAll(out)
			t.Check(err, "read")
			Equal(t, "streamed output", string(data), "streamed\n")
			code("streamed", cmd.Wait())
		}},
		{Name: "bug/exec-command-not-found", Do: func(t *T) {
			for command, want := range map[string]error{"/nosuch/command": berth.ErrCommandNotFound, "/etc/passwd": berth.ErrCommandNotExecutable} {
				cmd := t.Shared().Command(command)
				var out, errw bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errw
				err := cmd.Run(t.Context())
				t.WantError(command, err, want)
				var ee *berth.ExitError
				if errors.As(err, &ee) {
					code := map[error]int{berth.ErrCommandNotFound: 127, berth.ErrCommandNotExecutable: 126}[want]
					Equal(t, "code of "+command, ee.Code, code)
				}
				if out.Len()+errw.Len() > 0 {
					t.Errorf("%s: the engine's words are in the command's output: %q %q", command, out.String(), errw.String())
				}
			}
		}},
		{Name: "bug/stdin-half-close", Do: func(t *T) {
			// docker-py #983, #1507: closing the input never reaches the process.
			for _, spec := range []berth.Spec{t.Spec("cat"), t.Spec("wc", "-c")} {
				res, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Stdin: strings.NewReader("input")})
				t.Check(err, "run")
				if len(res.Stdout) == 0 {
					t.Errorf("%v printed nothing", spec.Command)
				}
			}
		}},
		{Name: "bug/exec-cancel-kills", Do: func(t *T) {
			// moby #43208, docker-py #2651: cancelling leaves the process.
			c := t.Start(t.Sleeper())
			ctx, cancel := context.WithCancel(t.Context())
			cmd := c.Command("sleep", "4321")
			t.Check(cmd.Start(ctx), "start")
			cancel()
			err := cmd.Wait()
			t.WantError("cancelled exec", err, context.Canceled)
			alive := strings.Contains(t.ExecSh(c, "ps -o args"), "sleep 4321")
			var ae *berth.ExecAliveError
			if errors.As(err, &ae) != alive {
				t.Errorf("the process is alive: %v, the error: %v", alive, err)
			}
			if alive && t.Client().Engine().Local {
				t.Error("the engine is local and the process lives on")
			}
		}},
		{Name: "bug/exec-cancel-remote", Do: func(t *T) {
			// The same where the engine's process IDs are not ours.
			cli := t.NewClient(berth.WithoutLocalAccess())
			c := must(cli.Containers.Get(t.Context(), t.Start(t.Sleeper()).ID()))
			ctx, cancel := context.WithCancel(t.Context())
			cmd := c.Command("sleep", "4322")
			cmd.KillOnCancel = true
			t.Check(cmd.Start(ctx), "start")
			cancel()
			err := cmd.Wait()
			t.WantError("cancelled exec", err, context.Canceled)
			alive := strings.Contains(t.ExecSh(c, "ps -o args"), "sleep 4322")
			var ae *berth.ExecAliveError
			if errors.As(err, &ae) != alive {
				t.Errorf("the process is alive: %v, the error: %v", alive, err)
			}
			Equal(t, "alive", alive, false)
		}},
		{Name: "bug/list-churn", Do: func(t *T) {
			// docker-py #1485: 30 of 60 lists failed while containers came and went.
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := t.Client().Containers.Run(t.Context(), t.Spec("true")); err != nil {
							t.Errorf("run: %v", err)
						}
					}
				})
			}
			for range 20 {
				_, err := t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Inspect: true})
				if err != nil {
					t.Errorf("list: %v", err)
				}
			}
			cancel()
			wg.Wait()
		}},
		{Name: "bug/list-since-before", Do: func(t *T) {
			// docker-py ignores both.
			one, two, three := t.Create(t.Sleeper()), t.Create(t.Sleeper()), t.Create(t.Sleeper())
			mine := berth.Filters{"label": {label + ".case=" + t.name, label + "=" + t.s.run}}
			ids := func(opts berth.ListOptions) string {
				opts.Filters = mine
				var ids []string
				for _, c := range must(t.Client().Containers.List(t.Context(), opts)) {
					ids = append(ids, c.ID())
				}
				return strings.Join(ids, " ")
			}
			Equal(t, "since the second", ids(berth.ListOptions{All: true, Since: two.ID()}), three.ID())
			Equal(t, "before the second", ids(berth.ListOptions{All: true, Before: two.ID()}), one.ID())
		}},
		{Name: "bug/strict-values", Do: func(t *T) {
			for what, spec := range map[string]berth.Spec{
				"a negative size": {Image: t.Config().Image, ShmSize: -5},
				"a bad port":      {Image: t.Config().Image, Ports: []berth.Port{{Container: "http"}}},
				"a bad signal":    {Image: t.Config().Image, StopSignal: "NOSUCH"},
				"a bad name":      {Image: t.Config().Image, Name: "a/b c"},
				"no image":        {},
			} {
				_, err := t.Client().Containers.Create(t.Context(), spec)
				t.WantError(what, err, berth.ErrInvalid)
			}
			for _, s := range []string{"1x", "", "-", "1.5.5m", "0x10"} {
				if _, err := berth.ParseBytes(s); !errors.Is(err, berth.ErrInvalid) {
					t.Errorf("size %q: %v", s, err)
				}
			}
		}},
		{Name: "bug/escaped-ids", Do: func(t *T) {
			// docker-py: get("../images/json?x=") reaches another endpoint.
			for _, id := range []string{"../images/json?x=", "a/../../info", "x?force=1", "", "a b", "..", "%2e%2e", "\n"} {
				_, err := t.Client().Containers.Get(t.Context(), id)
				if !errors.Is(err, berth.ErrInvalid) && !errors.Is(err, berth.ErrNotFound) {
					t.Errorf("get %q: %v", id, err)
				}
			}
		}},
		{Name: "bug/attach-to-exited", Do: func(t *T) {
			// docker-py #2087: it hangs. podman #29664: it resets the container.
			c := t.Start(t.Spec("sh", "-c", "echo logged; exit 9"))
			_, err := c.Wait(t.Context())
			t.Check(err, "wait")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err = c.Attach(ctx, berth.AttachOptions{Stdout: io.Discard})
			t.WantError("attach", err, berth.ErrNotRunning)
			a := must(c.Inspect(t.Context()))
			Equal(t, "status afterwards", a.State.Status, berth.StatusExited)
			Equal(t, "exit code afterwards", a.State.ExitCode, 9)
		}},
		{Name: "bug/restart-stop-timeout", Do: func(t *T) {
			// docker-py always waits 10 s; podman kills at once.
			spec := t.Spec("sh", "-c", "trap 'echo stopped; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
			spec.StopTimeout = new(30 * time.Second)
			c := t.Start(spec)
			t.Check(c.WaitFor(t.Context(), berth.LogMatches("ready")), "wait for ready")
			t.Check(c.Restart(t.Context()), "restart")
			t.eventually("the trap", func(ctx context.Context) (bool, error) {
				var out bytes.Buffer
				err := c.LogsTo(ctx, &out, nil)
				return strings.Contains(out.String(), "stopped"), err
			})
			t.Check(c.Kill(t.Context(), "KILL"), "kill")
		}},
		{Name: "bug/wait-auto-remove", Do: func(t *T) {
			// podman #25479: wait on an auto-removed container loses the code.
			for range 5 {
				spec := t.Spec("sh", "-c", "exit 11")
				spec.AutoRemove = true
				_, err := t.Client().Containers.Run(t.Context(), spec)
				var ee *berth.ExitError
				if !errors.As(err, &ee) || ee.Code != 11 {
					t.Errorf("error is %v, want exit code 11", err)
				}
			}
		}},
		{Name: "bug/many-containers", Soak: true, Do: func(t *T) {
			// Mixed calls on hundreds of containers from 64 goroutines.
			var mu sync.Mutex
			var all []*berth.Container
			var wg sync.WaitGroup
			slots := make(chan struct{}, 64)
			for i := range 500 {
				slots <- struct{}{}
				wg.Go(func() {
					defer func() { <-slots }()
					c, err := t.Client().Containers.Create(t.Context(), t.Sleeper())
					if err != nil {
						t.Errorf("create %d: %v", i, err)
						return
					}
					mu.Lock()
					all = append(all, c)
					mu.Unlock()
					var what string
					switch i % 5 {
					case 0:
						what, err = "inspect", errOf(c.Inspect(t.Context()))
					case 1:
						what, err = "stat", errOf(c.StatPath(t.Context(), "/etc/passwd"))
					case 2:
						what, err = "rename", c.Rename(t.Context(), t.NewName())
					case 3:
						what, err = "diff", errOf(c.Diff(t.Context()))
					case 4:
						what, err = "list", errOf(t.Client().Containers.List(t.Context(), berth.ListOptions{All: true}))
					}
					if err != nil {
						t.Errorf("%s %d: %v", what, i, err)
					}
				})
			}
			wg.Wait()
			for _, c := range all {
				slots <- struct{}{}
				wg.Go(func() {
					defer func() { <-slots }()
					if err := c.Remove(context.WithoutCancel(t.Context()), berth.RemoveOptions{Force: true}); err != nil {
						t.Errorf("remove: %v", err)
					}
				})
			}
			wg.Wait()
		}},
	}
}

func errOf[V any](_ V, err error) error { return err }

// notUnsupported passes on an UnsupportedError alone, so that Check ends the case as unsupported.
func notUnsupported(err error) error {
	if errors.Is(err, berth.ErrUnsupported) {
		return err
	}
	return nil
}
