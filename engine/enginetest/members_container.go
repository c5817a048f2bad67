package enginetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// containerMembers are the members of Container that change or tell its state.
func containerMembers() []Case {
	return []Case{
		{Name: "container/identity", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Name = t.NewName()
			c := t.Create(spec)
			Equal(t, "length of ID", len(c.ID()), 64)
			Equal(t, "short ID", c.ShortID(), c.ID()[:12])
			Equal(t, "name", c.Name(), spec.Name)
			same := must(t.Client().Containers.Get(t.Context(), c.ShortID()))
			Equal(t, "equal", c.Equal(same), true)
			t.Contains("string", c.String(), c.ShortID())
			img, err := c.Image(t.Context())
			t.Check(err, "image")
			Equal(t, "image ID", img.ID(), c.ImageID())
			Equal(t, "label", c.Labels()[label], t.Labels()[label])
		}},
		{Name: "container/status", Do: func(t *T) {
			spec := t.Sleeper()
			c := t.Create(spec)
			status := func(want berth.Status) {
				t.Helper()
				got, err := c.Status(t.Context())
				t.Check(err, "status")
				Equal(t, "status", got, want)
			}
			status(berth.StatusCreated)
			t.Check(c.Start(t.Context()), "start")
			status(berth.StatusRunning)
			t.Check(c.Pause(t.Context()), "pause")
			status(berth.StatusPaused)
			t.Check(c.Unpause(t.Context()), "unpause")
			status(berth.StatusRunning)
			t.Check(c.Stop(t.Context()), "stop")
			status(berth.StatusExited)
			t.Check(c.Stop(t.Context()), "stop again")
			t.Check(c.Start(t.Context()), "start again")
			t.Check(c.Start(t.Context()), "start the running one")
			status(berth.StatusRunning)
		}},
		{Name: "container/attrs", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			before := c.Attrs()
			if before == nil || before.State.Status != berth.StatusCreated || before.At.IsZero() || len(before.Raw) == 0 {
				t.Fatalf("attributes after Create are %+v", before)
			}
			t.Check(c.Start(t.Context()), "start")
			Equal(t, "status in the snapshot after Start", c.Attrs().State.Status, berth.StatusRunning)
			Equal(t, "status in the old snapshot", before.State.Status, berth.StatusCreated)
			other := must(t.Client().Containers.Get(t.Context(), c.ID()))
			t.Check(other.Stop(t.Context()), "stop through another handle")
			Equal(t, "status in the stale snapshot", c.Attrs().State.Status, berth.StatusRunning)
			t.Check(c.Reload(t.Context()), "reload")
			Equal(t, "status after Reload", c.Attrs().State.Status, berth.StatusExited)
			a, err := c.Inspect(t.Context(), berth.InspectOptions{Size: true})
			t.Check(err, "inspect")
			if a.SizeRootFs == nil || *a.SizeRootFs == 0 {
				t.Errorf("size is %v", a.SizeRootFs)
			}
		}},
		{Name: "container/kill", Do: func(t *T) {
			for _, sig := range []string{"USR1", "SIGUSR1", "10"} {
				c := t.Start(t.Spec("sh", "-c", "trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done"))
				t.Check(c.WaitFor(t.Context(), berth.LogMatches("ready")), "wait for ready")
				t.Check(c.Kill(t.Context(), sig), "kill")
				exit, err := c.Wait(t.Context())
				t.Check(err, "wait")
				Equal(t, "exit code after "+sig, exit.Code, 7)
			}
			c := t.Start(t.Sleeper())
			t.Check(c.Kill(t.Context(), ""), "kill")
			exit, err := c.Wait(t.Context())
			t.Check(err, "wait")
			Equal(t, "exit code", exit.Code, 137)
			t.WantError("kill of a stopped container", c.Kill(t.Context(), ""), berth.ErrNotRunning)
			t.WantError("a signal that does not exist", c.Kill(t.Context(), "NOSUCH"), berth.ErrInvalid)
		}},
		{Name: "container/restart", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "date +%s.%N; exec sleep 3600"))
			first := must(c.Inspect(t.Context())).State.StartedAt
			t.Check(c.Restart(t.Context()), "restart")
			second := must(c.Inspect(t.Context())).State
			if !second.StartedAt.After(first) || second.Status != berth.StatusRunning {
				t.Errorf("started at %v, then %v, now %v", first, second.StartedAt, second.Status)
			}
			created := t.Create(t.Sleeper())
			t.Check(created.Restart(t.Context()), "restart of a created container")
			Equal(t, "status", must(created.Status(t.Context())), berth.StatusRunning)
		}},
		{Name: "container/rename", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Name = t.NewName()
			c := t.Create(spec)
			name := t.NewName()
			t.Check(c.Rename(t.Context(), name), "rename")
			Equal(t, "name", c.Name(), name)
			t.Check(c.Rename(t.Context(), name), "rename to its own name")
			other := t.Create(t.Sleeper())
			t.WantError("rename to a taken name", other.Rename(t.Context(), name), berth.ErrConflict)
		}},
		{Name: "container/pause", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			t.WantError("pause of a container that does not run", c.Pause(t.Context()), berth.ErrConflict)
			t.WantError("unpause of a container that does not run", c.Unpause(t.Context()), berth.ErrConflict)
		}},
		{Name: "container/init", Do: func(t *T) {
			c := t.Create(t.Spec("echo", "later"))
			t.Check(c.Init(t.Context()), "init")
			Equal(t, "status", must(c.Status(t.Context())), berth.StatusInitialized)
			t.Check(c.Start(t.Context()), "start")
			exit, err := c.Wait(t.Context())
			t.Check(err, "wait")
			Equal(t, "exit code", exit.Code, 0)
		}},
		{Name: "containers/run-terminal-size", Do: func(t *T) {
			// At the latest a moment after the start; where the engine takes it at the creation the process never sees another.
			spec := t.Spec("sh", "-c", "stty size 2>/dev/null; until stty size 2>/dev/null | grep -q '^31 71'; do sleep 0.1; done; echo sized")
			spec.TTY = true
			res, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Size: berth.Size{Rows: 31, Cols: 71}})
			t.Check(err, "run")
			t.Contains("output", string(res.Stdout), "sized")
			if id := t.Client().Engine(); id.Name == "docker" && !strings.HasPrefix(id.Version, "20.") {
				t.Contains("output", string(res.Stdout), "31 71\r\nsized")
			}
		}},
		{Name: "container/resize", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "while :; do stty size; sleep 0.1; done")
			spec.TTY = true
			c := t.Start(spec)
			t.Check(c.Resize(t.Context(), berth.Size{Rows: 33, Cols: 77}), "resize")
			t.Check(c.WaitFor(t.Context(), berth.LogMatches("33 77")), "wait for the size")
		}},
		{Name: "container/update-memory", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Resources.Memory, spec.Resources.MemorySwap = 64*berth.MiB, 128*berth.MiB
			c := t.Start(spec)
			_, err := c.Update(t.Context(), berth.Update{Memory: new(48 * berth.MiB), MemorySwap: new(96 * berth.MiB), MemoryReservation: new(24 * berth.MiB)})
			t.Check(err, "update")
			Equal(t, "limit", t.cgroupOf(c, "memory/memory.limit_in_bytes", "memory.max"), "50331648")
		}},
		{Name: "container/update-cpu", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			_, err := c.Update(t.Context(), berth.Update{CPUShares: new(int64(512)), CPUPeriod: new(int64(50000)), CPUQuota: new(int64(25000)), CpusetCPUs: new("0"), CpusetMems: new("0")})
			t.Check(err, "update")
			Equal(t, "quota", t.cgroupOf(c, "cpu/cpu.cfs_quota_us", ""), "25000")
			Equal(t, "shares", t.cgroupOf(c, "cpu/cpu.shares", ""), "512")
			Equal(t, "cpus", t.cgroupOf(c, "cpuset/cpuset.cpus", ""), "0")
		}},
		{Name: "container/update-nano_cpus", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			_, err := c.Update(t.Context(), berth.Update{CPUs: new(0.25)})
			t.Check(err, "update")
			Equal(t, "quota", t.cgroupOf(c, "cpu/cpu.cfs_quota_us", ""), "25000")
		}},
		{Name: "container/update-pids_limit", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			_, err := c.Update(t.Context(), berth.Update{PidsLimit: new(int64(55))})
			t.Check(err, "update")
			Equal(t, "limit", t.cgroupOf(c, "pids/pids.max", "pids.max"), "55")
		}},
		{Name: "container/update-blkio", Do: func(t *T) {
			dev, majmin := t.blockDevice()
			c := t.Start(t.Sleeper())
			_, err := c.Update(t.Context(), berth.Update{BlkioDeviceReadBps: []berth.ThrottleDevice{{Path: dev, Rate: 1 << 20}}})
			t.Check(err, "update")
			t.Contains("throttle", t.cgroupOf(c, "blkio/blkio.throttle.read_bps_device", "io.max"), majmin)
		}},
		{Name: "container/update-restart_policy", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			_, err := c.Update(t.Context(), berth.Update{RestartPolicy: &berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}})
			t.Check(err, "update")
			Equal(t, "policy", must(c.Inspect(t.Context())).HostConfig.RestartPolicy, berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3})
		}},
		{Name: "container/update-health", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("false"), Interval: time.Hour}
			c := t.Start(spec)
			_, err := c.Update(t.Context(), berth.Update{Healthcheck: &berth.Healthcheck{Test: berth.CmdShell("true"), Interval: time.Second, Timeout: time.Second}})
			t.Check(err, "update")
			res, err := c.RunHealthcheck(t.Context())
			t.Check(err, "run the health check")
			Equal(t, "healthy", res.Healthy, true)
		}},
		{Name: "container/update-zero", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Resources.Memory = 64 * berth.MiB
			c := t.Start(spec)
			_, err := c.Update(t.Context(), berth.Update{Memory: new(berth.Bytes(0))})
			if err != nil {
				Equal(t, "limit after the refusal", t.cgroupOf(c, "memory/memory.limit_in_bytes", "memory.max"), "67108864")
			}
			t.Check(err, "update to zero")
			if got := t.cgroupOf(c, "memory/memory.limit_in_bytes", "memory.max"); got == "67108864" {
				t.Error("the zero was ignored")
			}
		}},
		{Name: "container/wait", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "sleep 0.5; exit 9"))
			exit, err := c.Wait(t.Context())
			t.Check(err, "wait")
			Equal(t, "exit code", exit.Code, 9)
			exit, err = c.Wait(t.Context())
			t.Check(err, "wait again")
			Equal(t, "exit code again", exit.Code, 9)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err = t.Start(t.Sleeper()).Wait(ctx)
			t.WantError("wait with a deadline", err, context.DeadlineExceeded)
		}},
		{Name: "container/wait-removed", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "sleep 1; exit 4")
			spec.AutoRemove = true
			c := t.Start(spec)
			exit, err := c.Wait(t.Context(), berth.WaitRemoved)
			t.Check(err, "wait")
			Equal(t, "exit code", exit.Code, 4)
			t.eventually("removal", func(ctx context.Context) (bool, error) {
				ok, err := t.Client().Containers.Exists(ctx, c.ID())
				return err == nil && !ok, err
			})
		}},
		{Name: "container/wait-invalid", Do: func(t *T) {
			_, err := t.Shared().Wait(t.Context(), berth.WaitCondition("bogus"))
			t.WantError("a condition that does not exist", err, berth.ErrInvalid)
		}},
		{Name: "container/waitfor", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "sleep 0.3; echo now listening; nc -l -p 90; sleep 3600")
			c := t.Start(spec)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			t.Check(c.WaitFor(ctx, berth.LogMatches("now +listening"), berth.Listening("90/tcp")), "wait for both")
			ended := t.Start(t.Spec("sh", "-c", "echo bye; exit 5"))
			if err := ended.WaitFor(ctx, berth.LogMatches("never")); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("waiting for what cannot come true: %v", err)
			}
			t.Check(ended.WaitFor(ctx, berth.Exited()), "wait for the end")
		}},
		{Name: "container/waitfor-unhealthy", Do: func(t *T) {
			// It ends with its second check, when the first one's result is known.
			spec := t.Spec("sh", "-c", "until test -s /second; do sleep 0.1; done")
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("echo the reason; test -e /first && echo x >/second; echo >/first; exit 1"), Interval: time.Second, Retries: 1}
			c := t.Start(spec)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := c.WaitFor(ctx, berth.Healthy())
			if err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error is %v, want one that says it cannot become healthy", err)
			}
			t.Contains("error", err.Error(), "the reason")
		}},
		{Name: "container/remove", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.WantError("removal of a running container", c.Remove(t.Context()), berth.ErrConflict)
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true}), "forced removal")
			t.WantError("second removal", c.Remove(t.Context()), berth.ErrNotFound)
			_, err := c.Status(t.Context())
			t.WantError("status after removal", err, berth.ErrNotFound)
		}},
		{Name: "container/remove-link", Do: func(t *T) {
			target := t.Sleeper()
			target.Name = t.NewName()
			t.Start(target)
			spec := t.Sleeper()
			spec.Name, spec.Links = t.NewName(), []string{target.Name + ":berth-link"}
			t.Start(spec)
			t.Check(t.Client().Containers.Remove(t.Context(), spec.Name+"/berth-link", berth.RemoveOptions{Link: true}), "remove the link")
		}},
		{Name: "container/healthcheck", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("test -e /ok"), Interval: time.Hour}
			c := t.Start(spec)
			res, err := c.RunHealthcheck(t.Context())
			t.Check(err, "run the health check")
			Equal(t, "healthy", res.Healthy, false)
			t.ExecSh(c, "touch /ok")
			res, err = c.RunHealthcheck(t.Context())
			t.Check(err, "run the health check again")
			Equal(t, "healthy again", res.Healthy, true)
		}},
		{Name: "container/top", Do: func(t *T) {
			c := t.Start(t.Spec("sh", "-c", "sleep 3600 & exec sleep 3601"))
			var top *berth.Top
			// The shell may not have come to both of its commands yet.
			t.eventually("both commands are listed", func(ctx context.Context) (bool, error) {
				var err error
				if top, err = c.Top(ctx); err != nil {
					return false, err
				}
				both := map[string]bool{}
				for _, p := range top.Processes {
					both[p.Command] = true
				}
				return len(both) == 2 && both["sleep 3600"] && both["sleep 3601"], nil
			})
			Equal(t, "titles", strings.Join(top.Titles, " "), "USER PID PPID %CPU ELAPSED TTY TIME COMMAND")
			for _, p := range top.Processes {
				if p.PID == 0 || p.User == "" {
					t.Errorf("process is %+v", p)
				}
			}
			args := []string{"-o", "pid,args"}
			if t.Kind() == "podman" {
				args = []string{"pid", "args"}
			}
			top, err := c.Top(t.Context(), berth.TopOptions{Args: args})
			t.Check(err, "top with arguments")
			Equal(t, "columns", len(top.Titles), 2)
			t.Check(c.Stop(t.Context()), "stop")
			_, err = c.Top(t.Context())
			t.WantError("top of a stopped container", err, berth.ErrNotRunning)
		}},
		{Name: "container/diff", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			changes, err := c.Diff(t.Context())
			t.Check(err, "diff")
			if changes == nil {
				t.Error("no changes are nil, want an empty list")
			}
			t.Check(c.Start(t.Context()), "start")
			t.ExecSh(c, "echo >/added; rm /etc/group; echo >>/etc/passwd")
			changes, err = c.Diff(t.Context())
			t.Check(err, "diff")
			got := map[string]berth.ChangeKind{}
			for _, ch := range changes {
				got[ch.Path] = ch.Kind
			}
			Equal(t, "/added", got["/added"], berth.ChangeAdded)
			Equal(t, "/etc/group", got["/etc/group"], berth.ChangeDeleted)
			Equal(t, "/etc/passwd", got["/etc/passwd"], berth.ChangeModified)
		}},
		{Name: "container/commit", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.ExecSh(c, "echo committed >/file")
			name := "localhost/" + t.NewName()
			img, err := c.Commit(t.Context(), berth.CommitOptions{Repository: name, Tag: "v1", Author: "Berth", Changes: []string{`CMD ["cat","/file"]`, "ENV COMMITTED=yes", "LABEL a=b"}, Pause: new(true)})
			t.Check(err, "commit")
			defer t.removeImage(name + ":v1")
			t.Check(img.Reload(t.Context()), "inspect the image")
			a := img.Attrs()
			Equal(t, "author", a.Author, "Berth")
			Equal(t, "label", a.Config.Labels["a"], "b")
			spec := t.Spec()
			spec.Image, spec.Command = name+":v1", nil
			Equal(t, "output of the image", t.Output(spec), "committed\n")
			img, err = c.Commit(t.Context(), berth.CommitOptions{Repository: name, Tag: "v2", Message: "with a message"})
			t.Check(err, "commit with a message")
			defer t.removeImage(name + ":v2")
			t.Check(img.Reload(t.Context()), "inspect the image")
			Equal(t, "message", img.Attrs().Comment, "with a message")
		}},
	}
}

// cgroupOf reads a cgroup file of a running container; v2 "" skips the check there.
func (t *T) cgroupOf(c *berth.Container, v1, v2 string) string {
	t.Helper()
	path := v1
	if t.Client().Engine().CgroupVersion == "2" {
		if v2 == "" {
			t.Untestable("the file has another form in cgroup v2", nil)
		}
		path = v2
	}
	return t.ExecSh(c, "cat /sys/fs/cgroup/"+path)
}
