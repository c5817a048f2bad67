package enginetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// managerMembers are those of the containers manager and of the client.
func managerMembers() []Case {
	return []Case{
		{Name: "containers/run", Do: func(t *T) {
			res, err := t.Client().Containers.Run(t.Context(), t.Spec("wc", "-c"), berth.RunOptions{Stdin: strings.NewReader("hi")})
			t.Check(err, "run")
			Equal(t, "output", strings.TrimSpace(string(res.Stdout)), "2")
			Equal(t, "exit code", res.ExitCode, 0)
			res, err = t.Client().Containers.Run(t.Context(), t.Spec("sh", "-c", "echo some; echo why >&2; exit 42"))
			var ee *berth.ExitError
			if !errors.As(err, &ee) {
				t.Fatalf("error is %v, want an ExitError", err)
			}
			Equal(t, "code", ee.Code, 42)
			Equal(t, "code of the result", res.ExitCode, 42)
			Equal(t, "stdout of the error", string(ee.Stdout), "some\n")
			Equal(t, "stderr of the error", string(ee.Stderr), "why\n")
			t.Gone("run")
		}},
		{Name: "containers/run-command-not-found", Do: func(t *T) {
			_, err := t.Client().Containers.Run(t.Context(), t.Spec("/nosuch/command"))
			t.WantError("a command that does not exist", err, berth.ErrCommandNotFound)
			t.Gone("the failure")
			_, err = t.Client().Containers.Run(t.Context(), t.Spec("/etc/passwd"))
			t.WantError("a command that is not executable", err, berth.ErrCommandNotExecutable)
			t.Gone("the failure")
		}},
		{Name: "containers/run-oom", Do: func(t *T) {
			spec := t.Spec("sh", "-c", "x=a; while :; do x=$x$x; done")
			spec.Resources.Memory, spec.Resources.MemorySwap = 16*berth.MiB, 16*berth.MiB
			_, err := t.Client().Containers.Run(t.Context(), spec)
			var ee *berth.ExitError
			if !errors.As(err, &ee) {
				t.Check(err, "run until memory is out")
				t.Fatal("it has ended well")
			}
			if ee.OOMKilled != nil && !*ee.OOMKilled {
				t.Error("the error says that it was not killed for lack of memory")
			}
		}},
		{Name: "containers/get", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			for _, id := range []string{c.ID(), c.ID()[:12], c.Name(), "/" + c.Name()} {
				got, err := t.Client().Containers.Get(t.Context(), id)
				t.Check(err, "get %s", id)
				Equal(t, "ID of "+id, got.ID(), c.ID())
			}
			_, err := t.Client().Containers.Get(t.Context(), "berth-nosuch")
			t.WantError("a container that does not exist", err, berth.ErrNotFound)
		}},
		{Name: "containers/exists", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			for id, want := range map[string]bool{c.ID(): true, c.Name(): true, "berth-nosuch": false} {
				ok, err := t.Client().Containers.Exists(t.Context(), id)
				t.Check(err, "exists")
				Equal(t, id+" exists", ok, want)
			}
		}},
		{Name: "containers/list", Do: func(t *T) {
			mine := berth.Filters{"label": {label + ".case=" + t.name, label + "=" + t.s.run}}
			run := t.Start(t.Sleeper())
			ended := t.Start(t.Spec("sh", "-c", "exit 3"))
			_, err := ended.Wait(t.Context())
			t.Check(err, "wait")
			var list []*berth.Container
			t.eventually("only the running container listed", func(ctx context.Context) (bool, error) {
				// Docker's list may lag behind its wait for a moment.
				list, err = t.Client().Containers.List(ctx, berth.ListOptions{Filters: mine})
				return err == nil && len(list) == 1 && list[0].ID() == run.ID(), err
			})
			s := list[0].Summary()
			if s == nil || s.Status != berth.StatusRunning || s.StatusText == "" || s.Created.IsZero() || !slices.Contains(s.Names, run.Name()) || s.Image == "" || s.ImageID == "" || !strings.Contains(s.Command, "sleep") {
				t.Errorf("summary is %+v", s)
			}
			Equal(t, "label", list[0].Labels()[label], t.Labels()[label])
			if list[0].Attrs() != nil {
				t.Error("attributes of a listed container are not nil")
			}
			list, err = t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Filters: mine, Inspect: true, Size: true})
			t.Check(err, "list all")
			Equal(t, "containers", len(list), 2)
			for _, c := range list {
				if c.Attrs() == nil {
					t.Error("attributes are nil although inspect was asked for")
				}
				if c.Summary().SizeRw == nil {
					t.Error("no size although it was asked for")
				}
			}
			list, err = t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Filters: berth.Filters{"label": mine["label"], "exited": {"3"}}})
			t.Check(err, "list by exit code")
			if len(list) != 1 || list[0].ID() != ended.ID() {
				t.Errorf("containers that exited with 3 are %v", list)
			}
			_, err = t.Client().Containers.List(t.Context(), berth.ListOptions{Filters: berth.Filters{"nosuchfilter": {"x"}}})
			if err == nil {
				t.Error("an unknown filter was accepted")
			}
		}},
		{Name: "containers/list-limit", Serial: true, Do: func(t *T) {
			t.Create(t.Sleeper())
			c := t.Create(t.Sleeper())
			list, err := t.Client().Containers.List(t.Context(), berth.ListOptions{Limit: 1})
			t.Check(err, "list")
			if len(list) != 1 || list[0].ID() != c.ID() {
				t.Errorf("the newest container is %v, want %v, stopped as it is", list, c)
			}
		}},
		{Name: "containers/prune", Do: func(t *T) {
			ended := t.Start(t.Spec("true"))
			_, err := ended.Wait(t.Context())
			t.Check(err, "wait")
			run := t.Start(t.Sleeper())
			report, err := t.Client().Containers.Prune(t.Context(), berth.Filters{"label": {label + ".case=" + t.name}})
			t.Check(err, "prune")
			if !slices.Contains(report.Deleted, ended.ID()) || slices.Contains(report.Deleted, run.ID()) {
				t.Errorf("pruned %v", report.Deleted)
			}
			ok, err := t.Client().Containers.Exists(t.Context(), ended.ID())
			t.Check(err, "exists")
			Equal(t, "the pruned container exists", ok, false)
		}},
		{Name: "containers/remove", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.Check(t.Client().Containers.Remove(t.Context(), c.Name(), berth.RemoveOptions{Force: true, Volumes: true}), "remove")
			t.WantError("second removal", t.Client().Containers.Remove(t.Context(), c.ID()), berth.ErrNotFound)
		}},
		{Name: "client/ping", Do: func(t *T) {
			t.Check(t.Client().Ping(t.Context()), "ping")
			v, err := t.Client().Version(t.Context())
			t.Check(err, "version")
			if v.Version == "" || v.APIVersion == "" || v.OS != "linux" || v.Arch == "" {
				t.Errorf("version is %+v", v)
			}
			info, err := t.Client().Info(t.Context())
			t.Check(err, "info")
			if info.NCPU == 0 || info.MemTotal == 0 || info.StorageDriver == "" || info.KernelVersion == "" || len(info.Raw) == 0 {
				t.Errorf("info is %+v", info)
			}
		}},
		{Name: "client/disk_usage", Do: func(t *T) {
			du, err := t.Client().DiskUsage(t.Context())
			t.Check(err, "disk usage")
			if len(du.Images) == 0 {
				t.Error("no images take space")
			}
		}},
		{Name: "client/context", Do: func(t *T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := t.Client().Containers.List(ctx)
			t.WantError("a call with a cancelled context", err, context.Canceled)
			ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err = t.Client().Containers.Run(ctx, t.Sleeper())
			t.WantError("a run with a deadline", err, context.DeadlineExceeded)
			t.Gone("the cancelled run")
		}},
		{Name: "client/options-twice", Do: func(t *T) {
			_, err := t.Client().Containers.List(t.Context(), berth.ListOptions{}, berth.ListOptions{})
			t.WantError("two option values", err, berth.ErrInvalid)
		}},
	}
}
