package oracle

import (
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// dockerImageAttrs are the places of Image.attrs.
func dockerImageAttrs() places[*berth.ImageAttrs] {
	type I = berth.ImageAttrs
	p := places[*I]{
		"Id": func(i *I) any { return i.ID }, "RepoTags": func(i *I) any { return i.RepoTags }, "RepoDigests": func(i *I) any { return i.RepoDigests },
		"Parent": func(i *I) any { return i.Parent }, "Comment": func(i *I) any { return i.Comment }, "Author": func(i *I) any { return i.Author },
		"Created": func(i *I) any { return i.Created }, "Os": func(i *I) any { return i.OS }, "Architecture": func(i *I) any { return i.Architecture },
		"Variant": func(i *I) any { return i.Variant }, "Size": func(i *I) any { return int64(i.Size) }, "RootFS.Layers": func(i *I) any { return i.Layers },
		"Config.User": func(i *I) any { return i.Config.User }, "Config.ExposedPorts": func(i *I) any { return keys(i.Config.ExposedPorts) },
		"Config.Env": func(i *I) any { return i.Config.Env }, "Config.Entrypoint": func(i *I) any { return i.Config.Entrypoint },
		"Config.Cmd": func(i *I) any { return i.Config.Cmd }, "Config.Volumes": func(i *I) any { return keys(i.Config.Volumes) },
		"Config.WorkingDir": func(i *I) any { return i.Config.WorkingDir }, "Config.Labels": func(i *I) any { return i.Config.Labels },
		"Config.StopSignal": func(i *I) any { return i.Config.StopSignal }, "Config.Healthcheck": func(i *I) any { return dockerHealthcheck(i.Config.Healthcheck) },
	}
	for _, raw := range []string{"DockerVersion", "GraphDriver", "Metadata", "RootFS.Type", "Config.OnBuild", "Config.Shell", "Descriptor", "ContainerConfig", "Container", "VirtualSize",
		// Before 28 the image's configuration is shown as that of a container.
		"Config.ArgsEscaped", "Config.AttachStderr", "Config.AttachStdin", "Config.AttachStdout", "Config.Domainname", "Config.Hostname", "Config.Image", "Config.OpenStdin", "Config.StdinOnce", "Config.Tty",
	} {
		p[raw] = nil
	}
	return p
}

// dockerCommit lets both make an image of a container in the same way.
func dockerCommit(w *world) {
	c := w.ended("echo x >/file")
	repo := rig.Name()
	w.py.with["repo"] = repo
	changes := []string{
		`CMD ["a", "b c"]`, `ENTRYPOINT ["/e"]`, "ENV A=b", "EXPOSE 80/tcp", "LABEL l=v", "USER 5", "VOLUME /v", "WORKDIR /w",
		"HEALTHCHECK --interval=5s --timeout=6s --start-period=7s --retries=8 CMD true", `ONBUILD RUN x`,
	}
	if w.newest() {
		changes = append(changes, "STOPSIGNAL SIGINT")
	}
	w.py.with["changes"] = changes
	py := w.py.dict(c.ID(), `c.commit(repository=repo, tag="py", message="m", author="au", changes=changes, pause=False)`)
	img := must(c.Commit(w.ctx, berth.CommitOptions{Repository: repo, Tag: "berth", Message: "m", Author: "au", Changes: changes, Pause: new(false)}))
	w.removeImageLater(py["Id"].(string))
	w.removeImageLater(img.ID())
	a := img.Attrs()
	own := wire(w.t, a.Raw).(map[string]any)
	for _, what := range []string{"Comment", "Author", "Config", "Architecture", "Os", "RootFS"} {
		equal(w.t, what, py[what], own[what])
	}
	equal(w.t, "tags", py["RepoTags"], l{repo + ":py"})
	equal(w.t, "tags", own["RepoTags"], l{repo + ":berth"})

	conf := w.py.dict(c.ID(), `c.commit(conf={"Cmd": ["x"], "Env": ["A=1"], "Labels": {"k": "v"}, "WorkingDir": "/wd", "User": "u"})`)
	img2 := must(c.Commit(w.ctx, berth.CommitOptions{Conf: &berth.ImageConfig{
		Cmd: []string{"x"}, Env: []string{"A=1"}, Labels: map[string]string{"k": "v"}, WorkingDir: "/wd", User: "u",
	}}))
	w.removeImageLater(conf["Id"].(string))
	w.removeImageLater(img2.ID())
	equal(w.t, "conf", conf["Config"], wire(w.t, img2.Attrs().Raw).(map[string]any)["Config"])
}

// dockerImage compares what both show of an image that has everything.
func dockerImage(w *world) {
	c := w.ended("echo x >/file")
	ref := rig.Name() + ":tag"
	repo, tag, _ := strings.Cut(ref, ":")
	img := must(c.Commit(w.ctx, berth.CommitOptions{Repository: repo, Tag: tag, Message: "m", Author: "a", Changes: []string{
		"EXPOSE 80/tcp", "LABEL l=v", "USER 5", "VOLUME /v", "WORKDIR /w", `ENTRYPOINT ["/e"]`, "HEALTHCHECK --interval=5s CMD true",
	}}))
	w.removeImageLater(img.ID())
	w.py.with["ref"], w.py.with["repo"] = ref, repo
	found := map[string]bool{}
	dockerImageAttrs().check(w.t, w.py.dict("", "client.images.get(ref)"), must(w.cli.Images.Inspect(w.ctx, ref)), img.Attrs().Raw, found)
	base := must(w.cli.Images.Inspect(w.ctx, rig.Image))
	dockerImageAttrs().check(w.t, w.py.dict("", "client.images.get(image)"), base, base.Raw, found)

	equal(w.t, "short_id", w.py.eval("", `client.images.get(ref).short_id`), "sha256:"+img.ShortID())
	equal(w.t, "tags", w.py.eval("", `client.images.get(ref).tags`), must(w.cli.Images.Get(w.ctx, ref)).Tags())
	equal(w.t, "labels", w.py.eval("", `client.images.get(ref).labels`), must(w.cli.Images.Get(w.ctx, ref)).Labels())

	var history l
	for _, h := range must(img.History(w.ctx)) {
		history = append(history, m{"Id": h.ID, "Created": h.Created.Unix(), "CreatedBy": h.CreatedBy, "Size": int64(h.Size), "Comment": h.Comment, "Tags": h.Tags})
	}
	equal(w.t, "history", w.py.eval("", "client.images.get(ref).history()"), history)

	var list l
	for _, i := range must(w.cli.Images.List(w.ctx, berth.ImageListOptions{Name: repo})) {
		s := i.Summary()
		list = append(list, m{"Id": s.ID, "RepoTags": s.RepoTags, "RepoDigests": s.RepoDigests, "ParentId": s.ParentID, "Created": s.Created.Unix(), "Size": int64(s.Size), "Labels": s.Labels})
	}
	py, _ := w.py.eval("", "client.api.images(repo)").([]any)
	for _, i := range py {
		for _, key := range []string{"Containers", "SharedSize", "VirtualSize"} {
			delete(i.(map[string]any), key) // -1, which says that it was not counted; Berth: nil
		}
	}
	equal(w.t, "list", py, list)
	for expr, opts := range map[string]berth.ImageListOptions{
		"all=True":                                   {All: true},
		`filters={"label": "l=v"}`:                   {Filters: berth.Filters{"label": {"l=v"}}},
		`filters={"reference": repo + ":*"}`:         {Filters: berth.Filters{"reference": {repo + ":*"}}},
		`filters={"dangling": True, "label": "l=v"}`: {Filters: berth.Filters{"dangling": {"true"}, "label": {"l=v"}}},
	} {
		var ids []string
		for _, i := range must(w.cli.Images.List(w.ctx, opts)) {
			ids = append(ids, i.ID())
		}
		if expr == "all=True" { // others come and go
			if py := w.py.eval("", "ref in [t for i in client.images.list("+expr+") for t in i.tags]"); py != true {
				w.t.Error("docker-py does not list the image")
			}
			continue
		}
		equal(w.t, "images.list("+expr+")", w.py.eval("", "[i['Id'] for i in client.api.images("+expr+")]"), ids)
	}
}

// dockerEvents compares what both replay.
func dockerEvents(w *world) {
	start := time.Now().Add(-time.Second)
	spec := sleeper()
	spec.Labels = map[string]string{"l": "v"}
	c := w.start(spec)
	w.must(c.Command("true").Run(w.ctx))
	w.must(c.Pause(w.ctx))
	w.must(c.Unpause(w.ctx))
	w.must(c.Rename(w.ctx, rig.Name()))
	w.must(c.Kill(w.ctx, "TERM"))
	w.must(c.Stop(w.ctx))
	w.must(c.Remove(w.ctx))
	end := time.Now().Add(time.Second)
	w.py.with["since"], w.py.with["until"], w.py.with["id"] = start.Unix(), end.Unix()+1, c.ID()
	py := w.py.eval("", `client.events(since=since, until=until, decode=True, filters={"container": id})`).([]any)
	var events []berth.Event
	for ev, err := range w.cli.Events(w.ctx, berth.EventOptions{Since: time.Unix(start.Unix(), 0), Until: time.Unix(end.Unix()+1, 0), Filters: berth.Filters{"container": {c.ID()}}}) {
		w.must(err)
		events = append(events, ev)
	}
	if len(py) != len(events) || len(py) < 12 {
		w.t.Fatalf("docker-py has %d events, Berth %d", len(py), len(events))
	}
	for i, ev := range events {
		dict := py[i].(map[string]any)
		actor := dict["Actor"].(map[string]any)
		delete(actor["Attributes"].(map[string]any), "health_status")
		equal(w.t, "action", dict["Action"], ev.Raw)
		action, _, _ := strings.Cut(dict["Action"].(string), ": ")
		equal(w.t, "its name alone", action, ev.Action)
		equal(w.t, "type", dict["Type"], ev.Type)
		equal(w.t, "scope", dict["scope"], ev.Scope)
		equal(w.t, "time", dict["timeNano"], ev.Time.UnixNano())
		equal(w.t, "actor", actor, m{"ID": ev.ID, "Attributes": ev.Attributes})
		equal(w.t, "image", dict["from"], ev.Image)
		equal(w.t, "name", actor["Attributes"].(m)["name"], ev.Name)
		if code, ok := actor["Attributes"].(m)["exitCode"].(string); ok && (ev.ExitCode == nil || code != itoa(*ev.ExitCode)) {
			w.t.Errorf("exit code of %s is %s in docker-py, %v in Berth", ev.Raw, code, ev.ExitCode)
		}
	}
}
