package enginetest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

func itoa(n int) string { return strconv.Itoa(n) }

// eventually runs f until it returns true, or fails the case when patience is at its end.
func (t *T) eventually(what string, f func(ctx context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		ok, err := f(ctx)
		if ok {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s did not come true in %v (%v)", what, patience, err)
		}
	}
}

// lifeOptions are those of health, restarts, logs and of the run itself.
func lifeOptions() []Case {
	return []Case{
		{Name: "option/healthcheck", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("test -e /ok || { echo not yet; exit 1; }"), Interval: time.Second, Timeout: 5 * time.Second, Retries: 2}
			c := t.Start(spec)
			t.eventually("unhealthy", func(ctx context.Context) (bool, error) {
				h, err := c.Health(ctx)
				return err == nil && h.Status == berth.HealthUnhealthy, err
			})
			h, err := c.Health(t.Context())
			t.Check(err, "health")
			if len(h.Log) == 0 || !strings.Contains(h.Log[len(h.Log)-1].Output, "not yet") {
				t.Errorf("health log is %+v", h.Log)
			}
			t.ExecSh(c, "touch /ok")
			t.eventually("healthy", func(ctx context.Context) (bool, error) {
				h, err := c.Health(ctx)
				return err == nil && h.Status == berth.HealthHealthy, err
			})
		}},
		{Name: "option/healthcheck-none", Do: func(t *T) {
			spec := t.Sleeper()
			if id := t.Client().Engine(); id.Name != "podman" || !strings.HasPrefix(id.Version, "4.") {
				spec.Image = t.image(`HEALTHCHECK CMD ["true"]`) // Podman 4 takes no such change at commit
			}
			spec.Healthcheck = &berth.Healthcheck{Test: []string{"NONE"}}
			h, err := t.Start(spec).Health(t.Context())
			t.Check(err, "health")
			Equal(t, "health", h.Status, berth.HealthNone)
		}},
		{Name: "option/healthcheck-start-interval", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("true"), Interval: time.Hour, StartPeriod: time.Hour, StartInterval: time.Second}
			c := t.Start(spec)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			t.Check(c.WaitFor(ctx, berth.Healthy()), "wait for healthy")
		}},
		{Name: "option/healthcheck-startup", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("true"), Interval: time.Second,
				Startup: &berth.StartupHealthcheck{Test: berth.CmdShell("true"), Interval: time.Second, Retries: 5, Successes: 2}}
			c := t.Start(spec)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			t.Check(c.WaitFor(ctx, berth.Healthy()), "wait for healthy")
		}},
		{Name: "option/health_check_on_failure_action", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("false"), Interval: time.Second, Retries: 1, OnFailure: "kill"}
			c := t.Start(spec)
			t.eventually("end of the unhealthy container", func(ctx context.Context) (bool, error) {
				if _, err := c.Health(ctx); err != nil {
					return false, err
				}
				st, err := c.Status(ctx)
				return st == berth.StatusExited, err
			})
		}},
		{Name: "option/health_log", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("echo 0123456789; exit 1"), Interval: time.Hour, Retries: 1,
				LogDestination: "local", LogMaxCount: new(uint(2)), LogMaxSize: new(uint(5))}
			c := t.Start(spec)
			for range 4 {
				_, err := c.RunHealthcheck(t.Context())
				t.Check(err, "run the health check")
			}
			h, err := c.Inspect(t.Context())
			t.Check(err, "inspect")
			if h.State.Health == nil || len(h.State.Health.Log) != 2 || !strings.HasPrefix(h.State.Health.Log[0].Output, "01234") || strings.Contains(h.State.Health.Log[0].Output, "56789") {
				t.Errorf("health is %+v, want two results of five characters", h.State.Health)
			}
		}},
		{Name: "option/restart_policy", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "echo run; exit 1")
			spec.RestartPolicy = berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 2}
			c := t.Start(spec)
			t.eventually("three runs", func(ctx context.Context) (bool, error) {
				var out bytes.Buffer
				if err := c.LogsTo(ctx, &out, nil); err != nil {
					return false, err
				}
				return strings.Count(out.String(), "run\n") == 3, nil
			})
			spec = t.Sleeper()
			spec.RestartPolicy = berth.RestartPolicy{Name: "always", MaximumRetryCount: 3}
			_, err := t.Client().Containers.Create(t.Context(), spec)
			t.WantError("retries without on-failure", err, berth.ErrInvalid)
		}},
		{Name: "option/auto_remove", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "echo out; exit 3")
			spec.AutoRemove = true
			res, err := t.Client().Containers.Run(t.Context(), spec)
			var ee *berth.ExitError
			if !errors.As(err, &ee) || ee.Code != 3 {
				t.Fatalf("error is %v, want exit code 3", err)
			}
			Equal(t, "output", string(res.Stdout), "out\n")
			t.eventually("removal", func(ctx context.Context) (bool, error) {
				list, err := t.Client().Containers.List(ctx, berth.ListOptions{All: true, Filters: berth.Filters{"label": {label + ".case=" + t.name, label + "=" + t.s.run}}})
				return err == nil && len(list) == 0, err
			})
		}},
		{Name: "option/remove", Do: func(t *T) {
			t.Sh(t.Spec(), "true")
			t.Gone("a run")
			res, err := t.Client().Containers.Run(t.Context(), t.Spec("true"), berth.RunOptions{Keep: true})
			t.Check(err, "run")
			t.removeLater(res.Container)
			st, err := res.Container.Status(t.Context())
			t.Check(err, "status of the kept container")
			Equal(t, "status", st, berth.StatusExited)
		}},
		{Name: "option/detach", Do: func(t *T) {
			st, err := t.Start(t.Sleeper()).Status(t.Context())
			t.Check(err, "status")
			Equal(t, "status", st, berth.StatusRunning)
		}},
		{Name: "option/stdout", Do: func(t *T) {
			res, err := t.Client().Containers.Run(t.Context(), t.Spec("sh", "-c", "echo out; echo err >&2"))
			t.Check(err, "run")
			Equal(t, "stdout", string(res.Stdout), "out\n")
			Equal(t, "stderr", string(res.Stderr), "err\n")
		}},
		{Name: "option/stream", Do: func(t *T) {
			// The container waits for a file that only the reader of its first line makes.
			dir := t.volume(berth.VolumeCreateOptions{})
			spec := t.Spec("sh", "-c", "echo first; while ! test -e /v/seen; do sleep 0.05; done; echo second")
			spec.Mounts = []berth.Mount{berth.VolumeMount(dir, "/v")}
			helper := t.Spec("touch", "/v/seen")
			helper.Mounts = spec.Mounts
			var out strings.Builder
			w := writerFunc(func(p []byte) (int, error) {
				out.Write(p)
				if out.String() == "first\n" {
					if _, err := t.Client().Containers.Run(t.Context(), helper); err != nil {
						t.Errorf("run the helper: %v", err)
					}
				}
				return len(p), nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := t.Client().Containers.Run(ctx, spec, berth.RunOptions{Stdout: w})
			t.Check(err, "run")
			Equal(t, "output", out.String(), "first\nsecond\n")
		}},
		{Name: "option/log_config", Do: func(t *T) {
			driver := map[string]string{"docker": "json-file", "podman": "k8s-file", "embedded": "json-file"}[t.Kind()]
			spec := t.Spec("sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i 0123456789012345678901234567890123456789; i=$((i+1)); done")
			spec.LogConfig = berth.LogConfig{Driver: driver, Options: map[string]string{"max-size": "20k"}}
			res, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Keep: true})
			t.Check(err, "run")
			t.removeLater(res.Container)
			var out bytes.Buffer
			t.Check(res.Container.LogsTo(t.Context(), &out, nil), "logs")
			if out.Len() == 0 || out.Len() > 60<<10 {
				t.Errorf("the log holds %d bytes, want a part bounded by max-size", out.Len())
			}
			if len(res.Stdout) < 3000*50 {
				t.Errorf("the run's own output is %d bytes: it must not depend on the log driver", len(res.Stdout))
			}
		}},
		{Name: "option/log_config-none", Do: func(t *T) {
			spec := t.Spec("echo", "unlogged")
			spec.LogConfig.Driver = "none"
			res, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Keep: true})
			t.Check(err, "run")
			t.removeLater(res.Container)
			Equal(t, "output", string(res.Stdout), "unlogged\n")
			t.WantError("logs", res.Container.LogsTo(t.Context(), &bytes.Buffer{}, nil), berth.ErrUnsupported)
		}},
		{Name: "option/log_config-unknown", Do: func(t *T) {
			spec := t.Sleeper()
			spec.LogConfig.Driver = "berth-nosuch"
			c, err := t.Client().Containers.Start(t.Context(), spec)
			if err == nil {
				t.removeLater(c)
				t.Fatal("it runs with a log driver that does not exist")
			}
			t.Contains("error", err.Error(), "log")
			t.Gone("the refusal")
		}},
		{Name: "option/runtime", Do: func(t *T) {
			spec := t.Spec()
			spec.Runtime = "runc"
			Equal(t, "output", t.Sh(spec, "echo ran"), "ran")
			spec.Runtime = "berth-nosuch"
			_, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "true"))
			if err == nil {
				t.Error("it runs with a runtime that does not exist")
			}
			t.Gone("the refusal")
		}},
		{Name: "option/use_config_proxy", Serial: true, Do: func(t *T) {
			dir := t.TempDir()
			config := `{"proxies":{"default":{"httpProxy":"http://berth.example:3128","noProxy":"localhost"}}}`
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("DOCKER_CONFIG", dir)
			cli := t.NewClient()
			run := func(spec berth.Spec) string {
				t.Helper()
				res, err := cli.Containers.Run(t.Context(), withCommand(spec, "sh", "-c", `echo "$HTTP_PROXY $http_proxy $NO_PROXY"`))
				t.Check(err, "run")
				return strings.TrimSpace(string(res.Stdout))
			}
			Equal(t, "proxies", run(t.Spec()), "http://berth.example:3128 http://berth.example:3128 localhost")
			spec := t.Spec()
			spec.Env = map[string]string{"HTTP_PROXY": "mine"}
			Equal(t, "proxies with one set", run(spec), "mine http://berth.example:3128 localhost")
			spec = t.Spec()
			spec.UseConfigProxy = new(false)
			Equal(t, "proxies turned off", run(spec), "")
		}},
		{Name: "option/version", Do: func(t *T) {
			api := t.Client().Engine().APIVersion
			if api == "" {
				t.Fatal("the engine tells no API version")
			}
			if t.Kind() == "embedded" {
				return
			}
			cli := t.NewClient(berth.WithAPIVersion(api))
			Equal(t, "API version", cli.Engine().APIVersion, api)
			_, err := cli.Containers.List(t.Context())
			t.Check(err, "list")
			if t.Kind() == "docker" {
				cli = t.NewClient(berth.WithAPIVersion("1.41"))
				Equal(t, "older API version", cli.Engine().APIVersion, "1.41")
				_, err = cli.Containers.List(t.Context())
				t.Check(err, "list with an older version")
			}
		}},
		{Name: "option/secrets", Do: func(t *T) {
			name := t.secret("top\x00secret")
			spec := t.Spec()
			spec.User = "nobody"
			spec.Secrets = []berth.SecretMount{{Source: name}}
			Equal(t, "secret as another user", t.Sh(spec, "cat /run/secrets/"+name+" | tr '\\0' '_'; stat -c ' %a' /run/secrets/"+name), "top_secret 444")
			spec.User = ""
			spec.Secrets = []berth.SecretMount{{Source: name, Target: "renamed", UID: 12, GID: 34, Mode: new(uint32(0o400))}}
			Equal(t, "secret with target", t.Sh(spec, "stat -c '%a %u %g' /run/secrets/renamed"), "400 12 34")
		}},
		{Name: "option/secret_env", Do: func(t *T) {
			name := t.secret("in the environment")
			spec := t.Spec()
			spec.SecretEnv = map[string]string{"TOKEN": name}
			Equal(t, "variable", t.Sh(spec, "echo $TOKEN"), "in the environment")
		}},
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
