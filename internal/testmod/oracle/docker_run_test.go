package oracle

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestDockerRun compares run: its output, its error, and what it leaves.
func TestDockerRun(t *testing.T) {
	w := newWorld(t, "docker", "docker")
	w.run("output", func(w *world) {
		for _, line := range []string{"echo out", "echo out; sleep 0.3; echo err >&2", "true", "echo a; echo b"} {
			w.py.with["cmd"] = []string{"sh", "-c", line}
			res := must(w.cli.Containers.Run(w.ctx, rig.Spec("sh", "-c", line)))
			// stderr=False is docker-py's default. Berth keeps both, apart.
			equal(w.t, line, w.py.eval("", `client.containers.run(image, cmd, remove=True, network_mode="none")`), string(res.Stdout))
			equal(w.t, line+": stderr", w.py.eval("", `client.containers.run(image, cmd, remove=True, stderr=True, stdout=False, network_mode="none")`), string(res.Stderr))
			var both bytes.Buffer
			must(w.cli.Containers.Run(w.ctx, rig.Spec("sh", "-c", line), berth.RunOptions{Stdout: &both, Stderr: &both}))
			equal(w.t, line+": both", w.py.eval("", `client.containers.run(image, cmd, remove=True, stderr=True, network_mode="none")`), both.String())
			equal(w.t, line+": stream", w.py.eval("", `b"".join(client.containers.run(image, cmd, remove=True, stderr=True, stream=True, network_mode="none"))`), both.String())
		}
	})
	w.run("failure", func(w *world) {
		_, perr := w.py.try("", `client.containers.run(image, ["sh", "-c", "echo out; echo err >&2; exit 5"], remove=True, network_mode="none")`)
		res, err := w.cli.Containers.Run(w.ctx, rig.Spec("sh", "-c", "echo out; echo err >&2; exit 5"))
		var ee *berth.ExitError
		var pe *pyError
		if !errors.As(perr, &pe) || pe.Type != "ContainerError" || !errors.As(err, &ee) {
			w.t.Fatalf("docker-py %v, Berth %v", perr, err)
		}
		// docker-py keeps standard error alone (docker-py 2997).
		if !strings.Contains(pe.Text, "non-zero exit status 5") || ee.Code != 5 || !strings.Contains(pe.Text, strings.TrimSpace(string(ee.Stderr))) || string(res.Stdout) != "out\n" {
			w.t.Errorf("docker-py %v, Berth %v with output %q", pe, ee, res.Stdout)
		}
	})
	w.run("binary output", func(w *world) {
		// docker-py reads the log, which rewrites what is no UTF-8 (docker-py 2575). Berth's output is exact.
		const line = `printf '\377\376ab'`
		w.py.with["cmd"] = []string{"sh", "-c", line}
		py := w.py.eval("", `client.containers.run(image, cmd, remove=True, network_mode="none")`)
		res := must(w.cli.Containers.Run(w.ctx, rig.Spec("sh", "-c", line)))
		if string(res.Stdout) != "\xff\xfeab" || py == pyBytes("\xff\xfeab") {
			w.t.Errorf("docker-py %q (want it rewritten), Berth %q (want it exact)", py, res.Stdout)
		}
	})
	w.run("no log", func(w *world) {
		// docker-py has no output of a container whose log it cannot read.
		py := w.py.eval("", `client.containers.run(image, "echo x", remove=True, log_config={"Type": "none"}, network_mode="none")`)
		spec := rig.Spec("echo", "x")
		spec.LogConfig.Driver = "none"
		res := must(w.cli.Containers.Run(w.ctx, spec))
		if py != nil || string(res.Stdout) != "x\n" {
			w.t.Errorf("docker-py %v (want None), Berth %q", py, res.Stdout)
		}
	})
	w.run("detach", func(w *world) {
		name := rig.Name()
		w.py.with["name"] = name + "-py"
		w.t.Cleanup(func() { rig.Remove(w.t, w.cli, name+"-py") })
		py := w.py.eval("", `client.containers.get(client.containers.run(image, "sleep 3600", detach=True, name=name, stdin_open=True).id).attrs`)
		spec := berth.Spec{Image: rig.Image, Command: []string{"sleep", "3600"}, Name: name + "-go", OpenStdin: true}
		c := w.start(spec)
		one, two := neutral(py, name), neutral(wire(w.t, must(c.Inspect(w.ctx)).Raw), name)
		for path := range merged(one, two) {
			if one[path] != two[path] && !strings.HasPrefix(path, "Config.Attach") && !strings.HasPrefix(path, "NetworkSettings.") {
				w.t.Errorf("%s is %q of docker-py's container, %q of Berth's", path, one[path], two[path])
			}
		}
		for _, path := range []string{"State.Status", "State.Running"} {
			equal(w.t, path, lookUp(must(c.Inspect(w.ctx)).Raw, strings.Split(path, ".")...), py.(m)["State"].(m)[strings.TrimPrefix(path, "State.")])
		}
	})
	w.run("missing", func(w *world) {
		w.py.with["none"] = rig.Name()
		_, perr := w.py.try("", `client.containers.create(none, "true")`)
		_, err := w.cli.Containers.Create(w.ctx, berth.Spec{Image: w.py.with["none"].(string)}, berth.CreateOptions{Pull: berth.PullNever})
		var pe *pyError
		if !errors.As(perr, &pe) || pe.Type != "ImageNotFound" || !errors.Is(err, berth.ErrImageNotFound) {
			w.t.Errorf("a missing image: docker-py %v, Berth %v", perr, err)
		}
		_, perr = w.py.try("", `client.containers.run(image, "/nosuch", remove=True)`)
		_, err = w.cli.Containers.Run(w.ctx, rig.Spec("/nosuch"))
		// docker-py leaves the container behind (docker-py 3284).
		if list, ok := w.py.eval("", `[c.remove() for c in client.containers.list(all=True, filters={"status": "created", "ancestor": image}) if c.attrs["Config"]["Cmd"] == ["/nosuch"]]`).([]any); !ok || len(list) == 0 {
			w.t.Error("docker-py has removed a container that it could not start: this is no difference any more")
		}
		if perr == nil || !errors.Is(err, berth.ErrCommandNotFound) {
			w.t.Errorf("a missing command: docker-py %v, Berth %v", perr, err)
		}
	})
	w.run("prune", func(w *world) {
		label := "oracle=" + rig.Name()
		key, value, _ := strings.Cut(label, "=")
		w.py.with["label"] = label
		made := func() string {
			spec := rig.Spec("true")
			spec.Labels = map[string]string{key: value}
			c := w.create(spec)
			return c.ID()
		}
		one := made()
		py := w.py.dict("", `client.containers.prune(filters={"label": label})`)
		two := made()
		report := must(w.cli.Containers.Prune(w.ctx, berth.Filters{"label": {label}}))
		equal(w.t, "docker-py's ContainersDeleted", py["ContainersDeleted"], l{one})
		equal(w.t, "Berth's Deleted", l{two}, report.Deleted)
		equal(w.t, "reclaimed", py["SpaceReclaimed"], int64(report.Reclaimed))
	})
}
