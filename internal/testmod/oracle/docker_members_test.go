package oracle

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// dockerMembers compares the members of Container that look, each with the same
// call in both.
func dockerMembers(w *world) {
	c := w.rich()
	w.run("identity", func(w *world) {
		equal(w.t, "id", w.py.eval(c.ID(), "c.id"), c.ID())
		equal(w.t, "short_id", w.py.eval(c.ID(), "c.short_id"), c.ShortID())
		equal(w.t, "name", w.py.eval(c.ID(), "c.name"), c.Name())
		equal(w.t, "labels", w.py.eval(c.ID(), "c.labels"), c.Labels())
		equal(w.t, "status", w.py.eval(c.ID(), "c.status"), must(c.Status(w.ctx)))
		equal(w.t, "image", w.py.eval(c.ID(), "c.image.id"), must(c.Image(w.ctx)).ID())
		equal(w.t, "ports", w.py.eval(c.ID(), "c.ports"), dockerPorts(must(c.Ports(w.ctx))))
		w.py.with["name"] = c.Name()
		equal(w.t, "get(name)", w.py.eval("", "client.containers.get(name).id"), must(w.cli.Containers.Get(w.ctx, c.Name())).ID())
		equal(w.t, "get(short)", w.py.eval(c.ID(), "client.containers.get(c.short_id).id"), must(w.cli.Containers.Get(w.ctx, c.ShortID())).ID())
	})
	w.run("health", func(w *world) {
		for _, test := range []string{"true", "false"} {
			spec := sleeper()
			spec.Healthcheck = &berth.Healthcheck{Test: []string{"CMD", test}, Interval: time.Second, Retries: 1}
			c := w.start(spec)
			for must(c.Health(w.ctx)).Status == berth.HealthStarting {
				time.Sleep(100 * time.Millisecond)
			}
			equal(w.t, "health", w.py.eval(c.ID(), "c.health"), must(c.Health(w.ctx)).Status)
		}
		// docker-py: "unknown" without a health check. Berth: none.
		c := w.create(sleeper())
		if v, h := w.py.eval(c.ID(), "c.health"), must(c.Health(w.ctx)).Status; v != "unknown" || h != berth.HealthNone {
			w.t.Errorf("health without a check is %v in docker-py (want unknown) and %q in Berth (want none)", v, h)
		}
	})
	w.run("logs", func(w *world) { logsTest(w) })
	w.run("diff", func(w *world) {
		c := w.ended("echo x >/new; rm /etc/group; chmod 600 /etc/passwd; mkdir /d; echo y >/d/e")
		var berthDiff unordered
		for _, ch := range must(c.Diff(w.ctx)) {
			berthDiff = append(berthDiff, m{"Path": ch.Path, "Kind": int(ch.Kind)})
		}
		equal(w.t, "diff", w.py.eval(c.ID(), "c.diff()"), berthDiff)
		same := w.create(sleeper())
		// docker-py: None when nothing has changed. Berth: empty, not nil.
		if v, list := w.py.eval(same.ID(), "c.diff()"), must(same.Diff(w.ctx)); v != nil || list == nil || len(list) != 0 {
			w.t.Errorf("diff of nothing is %v in docker-py (want None) and %#v in Berth (want an empty list)", v, list)
		}
	})
	w.run("top", func(w *world) {
		top := must(c.Top(w.ctx, berth.TopOptions{Args: []string{"-o", "pid,ppid,args"}}))
		equal(w.t, "top(ps_args)", w.py.eval(c.ID(), `c.top(ps_args="-o pid,ppid,args")`), m{"Titles": top.Titles, "Processes": top.Rows})
		// Without arguments docker-py has ps -ef, whose columns differ from engine to engine. Berth's are the same everywhere.
		py := w.py.dict(c.ID(), "c.top()")
		fixed := must(c.Top(w.ctx))
		titles, _ := py["Titles"].([]any)
		column := slices.Index(titles, any("CMD"))
		for i, row := range py["Processes"].([]any) {
			equal(w.t, "top: command", row.([]any)[column], fixed.Processes[i].Command)
			equal(w.t, "top: pid", row.([]any)[slices.Index(titles, any("PID"))], fixed.Rows[i][1])
		}
	})
	w.run("wait", func(w *world) {
		for _, line := range []string{"exit 0", "exit 3", "kill -9 $$"} {
			c := w.ended(line)
			py := w.py.dict(c.ID(), "c.wait()")
			exit := must(c.Wait(w.ctx))
			equal(w.t, line, py["StatusCode"], exit.Code)
			equal(w.t, line, py["Error"], exit.Error)
		}
		c := w.create(sleeper())
		equal(w.t, "never started", w.py.dict(c.ID(), "c.wait()")["StatusCode"], must(c.Wait(w.ctx)).Code)
	})
	w.run("resize", func(w *world) {
		spec := sleeper()
		spec.TTY = true
		c := w.start(spec)
		size := func() string {
			cmd := c.Command("sh", "-c", "stty size </proc/1/fd/0")
			return strings.TrimSpace(string(must(cmd.Output(w.ctx))))
		}
		w.py.eval(c.ID(), "c.resize(11, 22)")
		if got := size(); got != "11 22" {
			w.t.Errorf("after docker-py's resize(11, 22) the terminal is %q", got)
		}
		w.must(c.Resize(w.ctx, berth.Size{Rows: 33, Cols: 44}))
		if got := size(); got != "33 44" {
			w.t.Errorf("after Berth's resize to 33 rows and 44 columns the terminal is %q", got)
		}
	})
	w.run("missing", func(w *world) {
		w.py.with["none"] = rig.Name()
		_, perr := w.py.try("", "client.containers.get(none)")
		_, berr := w.cli.Containers.Get(w.ctx, w.py.with["none"].(string))
		var pe *pyError
		if !errors.As(perr, &pe) || pe.Type != "NotFound" || !errors.Is(berr, berth.ErrNotFound) {
			w.t.Errorf("a container that does not exist: docker-py %v, Berth %v", perr, berr)
		}
	})
}

// logsTest compares what both read of a log, and takes the bytes apart as both do.
func logsTest(w *world) {
	c := w.ended(`echo one; echo two >&2; printf 'no newline'`)
	raw := w.ended(`i=0; while [ $i -lt 3000 ]; do echo "line $i of a long log"; i=$((i+1)); done`)
	logs := func(c *berth.Container, opts berth.LogOptions) string {
		return string(must(c.CombinedLogs(w.ctx, opts)))
	}
	for expr, opts := range map[string]berth.LogOptions{
		"":                                    {},
		"stdout=True, stderr=False":           {NoStderr: true},
		"stdout=False, stderr=True":           {NoStdout: true},
		"timestamps=True":                     {Timestamps: true},
		"tail=1":                              {Tail: new(1)},
		"tail=0":                              {Tail: new(0)},
		"tail=2, timestamps=True":             {Tail: new(2), Timestamps: true},
		"since=datetime.datetime(2001, 1, 1)": {Since: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)},
		"until=datetime.datetime(2001, 1, 1)": {Until: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)},
		"follow=True":                         {Follow: true},
	} {
		equal(w.t, "logs("+expr+")", w.py.eval(c.ID(), "c.logs("+expr+")"), logs(c, opts))
	}
	equal(w.t, "a long log", w.py.eval(raw.ID(), "c.logs()"), logs(raw, berth.LogOptions{}))
	equal(w.t, "its end", w.py.eval(raw.ID(), "c.logs(tail=7)"), logs(raw, berth.LogOptions{Tail: new(7)}))
	equal(w.t, "its stream", w.py.eval(raw.ID(), `b"".join(c.logs(stream=True))`), logs(raw, berth.LogOptions{Follow: true}))

	// docker-py cannot tell the streams of one call apart; two calls can.
	var out, errw bytes.Buffer
	w.must(c.LogsTo(w.ctx, &out, &errw))
	equal(w.t, "standard output", w.py.eval(c.ID(), "c.logs(stderr=False)"), out.String())
	equal(w.t, "standard error", w.py.eval(c.ID(), "c.logs(stdout=False)"), errw.String())

	spec := rig.Spec(berth.Shell("echo one; echo two >&2")...)
	spec.TTY = true
	tty := w.start(spec)
	must(tty.Wait(w.ctx))
	equal(w.t, "a terminal's", w.py.eval(tty.ID(), "c.logs()"), logs(tty, berth.LogOptions{}))
}

// dockerLife lets docker-py act and both look.
func dockerLife(w *world) {
	c := w.create(sleeper())
	look := func(action string) {
		w.t.Helper()
		if action != "" {
			w.py.eval(c.ID(), "c."+action)
		}
		equal(w.t, "status after "+action, w.py.eval(c.ID(), "c.status"), must(c.Status(w.ctx)))
	}
	for _, action := range []string{"", "start()", "start()", "pause()", "unpause()", "restart(timeout=0)", `kill("SIGKILL")`} {
		look(action)
	}
	must(c.Wait(w.ctx))
	for _, action := range []string{"", "start()", "stop(timeout=0)", "stop()"} {
		look(action)
	}
	w.py.with["name"] = rig.Name()
	w.py.eval(c.ID(), "c.rename(name)")
	w.must(c.Reload(w.ctx))
	equal(w.t, "rename", w.py.with["name"], c.Name())
	// docker-py: renaming to the same name is an APIError. Berth: a success, as on Podman.
	if _, err := w.py.try(c.ID(), "c.rename(c.name)"); err == nil {
		w.t.Error("docker-py renames a container to its own name now: this is no difference any more")
	}
	w.must(c.Rename(w.ctx, c.Name()))
	for expr, call := range map[string]func(context.Context) error{
		"c.kill()":                      func(ctx context.Context) error { return c.Kill(ctx, "") },
		"c.pause()":                     c.Pause,
		"c.unpause()":                   c.Unpause,
		`c.exec_run("true")`:            func(ctx context.Context) error { return c.Command("true").Run(ctx) },
		"c.top()":                       func(ctx context.Context) error { _, err := c.Top(ctx); return err },
		`c.get_archive("/nosuch")`:      func(ctx context.Context) error { _, _, err := c.GetArchive(ctx, "/nosuch"); return err },
		`c.put_archive("/nosuch", b"")`: func(ctx context.Context) error { return c.PutArchive(ctx, "/nosuch", strings.NewReader("")) },
		"c.resize(1, 1)":                func(ctx context.Context) error { return c.Resize(ctx, berth.Size{Rows: 1, Cols: 1}) },
	} {
		_, perr := w.py.try(c.ID(), expr)
		berr := call(w.ctx)
		if perr == nil || berr == nil {
			w.t.Errorf("%s of a container that does not run: docker-py %v, Berth %v", expr, perr, berr)
			continue
		}
		// The engine's words are the same in both errors.
		var api *berth.APIError
		if errors.As(berr, &api) && api.Message != "" && !strings.Contains(perr.Error(), strings.TrimSpace(api.Message)) && !strings.Contains(expr, "archive") {
			w.t.Errorf("%s: docker-py %v, Berth %q", expr, perr, api.Message)
		}
	}
	w.py.eval(c.ID(), "c.remove()")
	if ok := must(w.cli.Containers.Exists(w.ctx, c.ID())); ok {
		w.t.Error("the container that docker-py has removed exists")
	}
}
