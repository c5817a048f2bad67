package enginetest

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// processOptions are the options of the process and its environment.
func processOptions() []Case {
	return []Case{
		{Name: "option/image", Do: func(t *T) {
			img, err := t.Client().Images.Get(t.Context(), t.Config().Image)
			t.Check(err, "get image")
			for _, ref := range []string{t.Config().Image, img.ID(), img.ShortID()} {
				spec := t.Spec()
				spec.Image = ref
				Equal(t, "output of "+ref, t.Sh(spec, "echo here"), "here")
			}
		}},
		{Name: "option/command", Do: func(t *T) {
			Equal(t, "output", t.Output(t.Spec("printf", "%s|", "a b", "", "c'd")), "a b||c'd|")
			split, err := berth.SplitCommand(`printf '%s|' "a b" c`)
			t.Check(err, "split")
			Equal(t, "output of the split command", t.Output(t.Spec(split...)), "a b|c|")
		}},
		{Name: "option/entrypoint", Do: func(t *T) {
			spec := t.Spec("x", "y z")
			spec.Entrypoint = []string{"echo", "first"}
			Equal(t, "output", t.Output(spec), "first x y z\n")
			// An empty one clears the image's.
			spec = t.Spec("echo", "cleared")
			spec.Image = t.image(`ENTRYPOINT ["false"]`)
			spec.Entrypoint = []string{}
			Equal(t, "output without entrypoint", t.Output(spec), "cleared\n")
		}},
		{Name: "option/environment", Do: func(t *T) {
			spec := t.Spec()
			spec.Image = t.image("ENV GONE=1", "ENV KEPT=2")
			spec.Env = map[string]string{"A": "b c=d", "EMPTY": "", "UTF": "ü\n"}
			spec.UnsetEnv = []string{"GONE"}
			got := t.Sh(spec, `echo "$A|${EMPTY-unset}|$UTF|${GONE-unset}|$KEPT"`)
			Equal(t, "environment", got, "b c=d||ü\n|unset|2")
		}},
		effect("option/working_dir", func(t *T, s *berth.Spec) { s.WorkingDir = "/made/on the/way" }, "pwd", "/made/on the/way"),
		effect("option/user", func(t *T, s *berth.Spec) { s.User = "nobody" }, "id -u; id -g", "65534\n65534"),
		effect("option/user-number", func(t *T, s *berth.Spec) { s.User = "1234:4321" }, "id -u; id -g", "1234\n4321"),
		effect("option/group_add", func(t *T, s *berth.Spec) { s.User = "1000:1000"; s.GroupAdd = []string{"1234", "daemon"} },
			"for g in $(id -G); do echo $g; done | sort -n | tr '\\n' ' '", "2 1000 1234 "),
		differs("option/umask", func(t *T, s *berth.Spec) { s.Umask = "0027" }, "umask", "0027"),
		{Name: "option/timezone", Do: func(t *T) {
			spec := t.Spec()
			spec.Timezone = "Asia/Tokyo"
			Equal(t, "hour of the epoch", t.Sh(spec, "date -d @0 +%H"), "09")
		}},
		differs("option/tty", func(t *T, s *berth.Spec) { s.TTY = true }, "test -t 1 && echo terminal || echo none", "terminal\r"),
		{Name: "option/stdin_open", Do: func(t *T) {
			spec := t.Spec("cat")
			spec.OpenStdin, spec.StdinOnce = true, true
			c := t.Create(spec)
			conn, err := c.AttachConn(t.Context(), berth.AttachConnOptions{Stdin: true, Stdout: true, Stderr: true})
			t.Check(err, "attach")
			defer conn.Close()
			t.Check(c.Start(t.Context()), "start")
			_, err = conn.Write([]byte("through\n"))
			t.Check(err, "write")
			t.Check(conn.CloseWrite(), "close the input")
			exit, err := c.Wait(t.Context())
			t.Check(err, "wait")
			Equal(t, "exit code of cat", exit.Code, 0)
		}},
		{Name: "option/stop_signal", Do: func(t *T) {
			for _, sig := range []string{"SIGUSR1", "usr1", "10"} {
				spec := t.Spec("sh", "-c", "trap 'exit 3' USR1; echo ready; while :; do sleep 0.1; done")
				spec.StopSignal = sig
				spec.StopTimeout = new(30 * time.Second)
				c := t.Start(spec)
				t.Check(c.WaitFor(t.Context(), berth.LogMatches("ready")), "wait for ready")
				t.Check(c.Stop(t.Context()), "stop")
				exit, err := c.Wait(t.Context())
				t.Check(err, "wait")
				Equal(t, "exit code after "+sig, exit.Code, 3)
			}
		}},
		{Name: "option/stop_timeout", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "trap 'echo stop' TERM; echo ready; while :; do sleep 0.1; echo -n .; done")
			spec.StopTimeout = new(time.Second)
			c := t.Start(spec)
			t.Check(c.WaitFor(t.Context(), berth.LogMatches("ready")), "wait for ready")
			t.Check(c.Stop(t.Context()), "stop")
			exit, err := c.Wait(t.Context())
			t.Check(err, "wait")
			Equal(t, "exit code", exit.Code, 137)
			// With the engines' own default, 10 s, it would have come to some hundred.
			var out bytes.Buffer
			t.Check(c.LogsTo(t.Context(), &out, nil), "logs")
			_, after, ok := strings.Cut(out.String(), "stop")
			if n := strings.Count(after, "."); !ok || n > 50 {
				t.Errorf("it went on for %d tenths of a second (%q)", n, out.String())
			}
		}},
		{Name: "option/timeout", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Timeout = time.Second
			c := t.Start(spec)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			exit, err := c.Wait(ctx)
			t.Check(err, "wait for the engine to end it")
			if exit.Code == 0 {
				t.Error("exit code is 0 although it was killed")
			}
		}},
		{Name: "option/init", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo; echo $$")
			spec.Init = new(true)
			res, err := t.Client().Containers.Run(t.Context(), spec)
			if err != nil && missingInit(err) {
				t.Gone("the failed start")
				t.Untestable("the engine's host has no init binary", err)
			}
			t.Check(err, "run")
			first, pid, _ := strings.Cut(strings.TrimSpace(string(res.Stdout)), "\n")
			if !strings.Contains(first, "init") && !strings.Contains(first, "catatonit") && !strings.Contains(first, "tini") {
				t.Errorf("PID 1 is %q, want an init", first)
			}
			if pid == "1" {
				t.Error("the command is PID 1")
			}
		}},
		{Name: "option/init_path", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Init, spec.InitPath = new(true), "/nonexistent/berth-init"
			c, err := t.Client().Containers.Start(t.Context(), spec)
			if err == nil {
				t.removeLater(c)
				t.Fatal("it runs with an init that does not exist")
			}
			t.Gone("the failed start")
			if t.Kind() == "docker" {
				t.Unsupported(err)
			}
			t.Contains("error", err.Error(), "berth-init")
		}},
		effect("option/hostname", func(t *T, s *berth.Spec) { s.Hostname = "berth-host" }, "hostname; cat /proc/sys/kernel/hostname", "berth-host\nberth-host"),
		differs("option/domainname", func(t *T, s *berth.Spec) { s.Domainname = "berth.example" }, "cat /proc/sys/kernel/domainname", "berth.example"),
		{Name: "option/labels", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Labels["berth.empty"] = ""
			spec.Labels["berth.value"] = "a=b c"
			c := t.Create(spec)
			Equal(t, "label", c.Labels()["berth.value"], "a=b c")
			list, err := t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Filters: berth.Filters{
				"label": {"berth.value=a=b c", "berth.empty", label + "=" + t.Labels()[label]}}})
			t.Check(err, "list")
			Equal(t, "containers found by label", len(list), 1)
		}},
		{Name: "option/annotations", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Annotations = map[string]string{"berth.example/a": "b"}
			c := t.Create(spec)
			a, err := c.Inspect(t.Context())
			t.Check(err, "inspect")
			Equal(t, "annotation", a.Config.Annotations["berth.example/a"], "b")
		}},
		{Name: "option/name", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Name = t.NewName()
			c := t.Create(spec)
			Equal(t, "name", c.Name(), spec.Name)
			byName, err := t.Client().Containers.Get(t.Context(), spec.Name)
			t.Check(err, "get by name")
			Equal(t, "ID", byName.ID(), c.ID())
			_, err = t.Client().Containers.Create(t.Context(), spec)
			t.WantError("second container of the name", err, berth.ErrConflict)
		}},
		{Name: "option/platform", Do: func(t *T) {
			id := t.Client().Engine()
			spec := t.Spec()
			spec.Platform = "linux/" + id.Arch
			if t.Sh(spec, "echo ok") != "ok" {
				t.Error("the engine's own platform does not run")
			}
			other := "linux/s390x"
			spec.Platform = other
			spec.Command = []string{"true"}
			_, err := t.Client().Containers.Create(t.Context(), spec, berth.CreateOptions{Pull: berth.PullNever})
			if err == nil {
				t.Error("an image of another platform was accepted")
			}
			t.Gone("the refusal")
		}},
		refused("option/lxc_config", func(s *berth.Spec) { s.LXCConf = map[string]string{"lxc.utsname": "x"} }),
		refused("option/isolation", func(s *berth.Spec) { s.Windows = &berth.WindowsSpec{Isolation: "hyperv"} }),
		refused("option/cpu_count", func(s *berth.Spec) { s.Windows = &berth.WindowsSpec{CPUCount: 1} }),
		refused("option/cpu_percent", func(s *berth.Spec) { s.Windows = &berth.WindowsSpec{CPUPercent: 50} }),
	}
}

// missingInit tells that a start failed because the engine's host has no docker-init or catatonit.
func missingInit(err error) bool {
	text := err.Error()
	return strings.Contains(text, "docker-init") || strings.Contains(text, "catatonit") || strings.Contains(text, "init binary")
}

// image makes an image of the suite's with Dockerfile instructions applied, and removes it with the case.
func (t *T) image(changes ...string) string {
	t.Helper()
	c := t.Create(t.Spec("true"))
	name := t.NewName()
	// A layer of its own: Podman's commit fails while another image of the same layers is being removed.
	t.Check(c.WriteFile(t.Context(), "/"+name, []byte(name), 0o644), "write file")
	img, err := c.Commit(t.Context(), berth.CommitOptions{Repository: "localhost/" + name, Tag: "v1", Changes: changes})
	t.Check(err, "commit")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := t.Client().Images.Remove(ctx, img.ID(), berth.ImageRemoveOptions{Force: true}); err != nil {
			t.Errorf("remove image: %v", err)
		}
	})
	return "localhost/" + name + ":v1"
}
