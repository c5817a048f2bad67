package oracle

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/testmod/rig"
)

// TestDocker holds what docker-py shows of containers and images against Berth.
func TestDocker(t *testing.T) {
	w := newWorld(t, "docker", "docker")
	w.run("attrs", dockerAttrsTest)
	w.run("list", dockerList)
	w.run("members", dockerMembers)
	w.run("life", dockerLife)
	w.run("stats", dockerStatsTest)
	w.run("image", dockerImage)
	w.run("commit", dockerCommit)
	w.run("events", dockerEvents)
	w.run("update", dockerUpdate)
	w.run("system", dockerSystem)
}

// rich is a container that has something of everything.
func (w *world) rich() *berth.Container {
	w.t.Helper()
	spec := sleeper()
	spec.NetworkMode, spec.Networks = "", []berth.Endpoint{{Network: w.network().Name(), Aliases: []string{"alias"}}}
	spec.Labels = map[string]string{"a": "b", "empty": ""}
	spec.Env = map[string]string{"K": "v=w"}
	spec.Hostname, spec.Domainname, spec.User, spec.WorkingDir = "h", "d", "0:0", "/tmp"
	spec.Ports = []berth.Port{{Container: "80/tcp"}, {Container: "53/udp"}}
	spec.Expose = []string{"81/tcp"}
	spec.Mounts = []berth.Mount{
		berth.VolumeMount(w.volume(), "/v"), {Type: berth.MountBind, Source: "/tmp", Target: "/b", ReadOnly: true}, berth.Tmpfs("/t"),
		{Type: berth.MountTmpfs, Target: "/t2", Options: []string{"uid=1"}},
	}
	spec.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("echo fine"), Interval: time.Hour, Timeout: time.Minute, Retries: 2}
	spec.Resources = berth.Resources{
		Memory: 64 * berth.MiB, MemorySwap: 128 * berth.MiB, MemoryReservation: 32 * berth.MiB, CPUShares: 512, CPUs: 0.5, CpusetCPUs: "0", PidsLimit: new(int64(100)),
	}
	spec.Ulimits = []berth.Ulimit{{Name: "nofile", Soft: 100, Hard: 200}}
	spec.Devices = []berth.Device{{Host: "/dev/null", Container: "/dev/n", Permissions: "r"}}
	spec.Sysctls = map[string]string{"net.core.somaxconn": "300"}
	spec.DNSOptions, spec.DNSSearch, spec.ExtraHosts = []string{"ndots:2"}, []string{"example.com"}, []string{"x:1.2.3.4"}
	spec.CapAdd, spec.CapDrop, spec.SecurityOpt, spec.GroupAdd = []string{"NET_ADMIN"}, []string{"MKNOD"}, []string{"no-new-privileges"}, []string{"5"}
	spec.ShmSize, spec.OOMScoreAdj, spec.StopSignal = 8*berth.MiB, new(100), "SIGINT"
	spec.Init, spec.OpenStdin = new(true), true
	spec.RestartPolicy = berth.RestartPolicy{Name: "on-failure", MaximumRetryCount: 2}
	spec.LogConfig = berth.LogConfig{Driver: "json-file", Options: map[string]string{"max-size": "1m"}}
	return w.start(spec)
}

func dockerAttrsTest(w *world) {
	found := map[string]bool{}
	paused := w.start(sleeper())
	w.must(paused.Pause(w.ctx))
	defer paused.Unpause(context.WithoutCancel(w.ctx))
	tty := sleeper()
	tty.TTY = true
	annotated := sleeper()
	if w.cli.Supports(berth.FeatureAnnotations) {
		annotated.Annotations = map[string]string{"a": "b"}
	}
	checked := sleeper()
	checked.Healthcheck = &berth.Healthcheck{Test: berth.CmdShell("echo fine"), Interval: time.Second, Retries: 1}
	healthy := w.start(checked)
	w.must(healthy.WaitFor(w.ctx, berth.Healthy()))
	w.must(healthy.Kill(w.ctx, "")) // so that the log of its checks does not grow any more
	_, err := healthy.Wait(w.ctx)
	w.must(err)
	for name, c := range map[string]*berth.Container{
		"rich": w.rich(), "created": w.create(annotated), "ended": w.ended("exit 3"), "paused": paused, "tty": w.start(tty), "healthy": healthy,
	} {
		w.run(name, func(w *world) {
			a := must(c.Inspect(w.ctx))
			dockerAttrs().check(w.t, w.py.dict(c.ID(), "c.attrs"), a, a.Raw, found)
		})
	}
	w.run("size", func(w *world) {
		c := w.ended("echo data >/file")
		a := must(c.Inspect(w.ctx, berth.InspectOptions{Size: true}))
		w.py.with["id"] = c.ID()
		dict := w.py.dict("", `client.api._result(client.api._get(client.api._url("/containers/{0}/json", id), params={"size": True}), True)`)
		dockerAttrs().check(w.t, dict, a, a.Raw, found)
	})
	if w.e.Name == "docker28" {
		places := dockerAttrs()
		for path := range places {
			// What 28.5 shows only where it is set by raw options that no Python has.
			if slices.Contains([]string{
				"Config.NetworkDisabled", "Config.MacAddress", "HostConfig.KernelMemory", "HostConfig.KernelMemoryTCP", "HostConfig.StorageOpt", "HostConfig.Tmpfs",
				"Config.StopTimeout",
			}, path) {
				delete(places, path)
			}
		}
		places.unused(w.t, found)
	}
}

func dockerList(w *world) {
	name := rig.Name()
	spec := sleeper()
	spec.Name, spec.NetworkMode = name, "bridge"
	spec.Labels = map[string]string{"oracle": name}
	spec.Ports, spec.Expose = []berth.Port{{Container: "80/tcp"}}, []string{"81/udp"}
	spec.Mounts = []berth.Mount{berth.VolumeMount(w.volume(), "/v")}
	w.start(spec)
	other := rig.Spec("sh", "-c", "exit 3")
	other.Labels = spec.Labels
	c := w.start(other)
	w.over(c)
	third := sleeper()
	third.Labels = spec.Labels
	w.create(third)

	w.py.with["label"], w.py.with["second"] = "oracle="+name, c.ID()
	mine := berth.Filters{"label": {"oracle=" + name}}
	raw, _ := w.py.eval("", `client.api.containers(all=True, size=True, filters={"label": label})`).([]any)
	list := must(w.cli.Containers.List(w.ctx, berth.ListOptions{All: true, Size: true, Filters: mine}))
	if len(raw) != 3 || len(list) != 3 {
		w.t.Fatalf("Python lists %d containers, Berth %d, want 3", len(raw), len(list))
	}
	found := map[string]bool{}
	for i, c := range list {
		s, dict := c.Summary(), raw[i].(map[string]any)
		sortPorts(dict["Ports"])
		dockerSummary().check(w.t, dict, s, nil, found)
		equal(w.t, "status text", noTime(dict["Status"].(string)), noTime(s.StatusText))
		equal(w.t, "network mode", dict["HostConfig"].(m)["NetworkMode"], must(c.Inspect(w.ctx)).HostConfig.NetworkMode)
		var networks []any
		for n := range dict["NetworkSettings"].(m)["Networks"].(m) {
			networks = append(networks, n)
		}
		equal(w.t, "networks", networks, s.Networks)
	}
	places := dockerSummary()
	delete(places, "SizeRw") // left out where it is 0
	places.unused(w.t, found)

	for expr, opts := range map[string]berth.ListOptions{
		`filters={"label": label}`:                                             {},
		`all=True, filters={"label": label}`:                                   {All: true},
		`limit=1, filters={"label": label}`:                                    {Limit: 1},
		`filters={"label": label, "status": "exited"}`:                         {Filters: berth.Filters{"status": {"exited"}}},
		`all=True, filters={"label": label, "exited": 3}`:                      {All: true, Filters: berth.Filters{"exited": {"3"}}},
		`all=True, filters={"label": [label, "x"]}`:                            {All: true, Filters: berth.Filters{"label": {"x"}}},
		`all=True, filters={"label": label, "since": second}`:                  {All: true, Since: c.ID()},
		`all=True, filters={"label": label, "before": second}`:                 {All: true, Before: c.ID()},
		`all=True, filters={"label": label, "ancestor": image}`:                {All: true, Filters: berth.Filters{"ancestor": {rig.Image}}},
		`all=True, filters={"label": label, "id": second[:12]}`:                {All: true, Filters: berth.Filters{"id": {c.ShortID()}}},
		`all=True, sparse=True, ignore_removed=True, filters={"label": label}`: {All: true},
	} {
		if opts.Filters == nil {
			opts.Filters = berth.Filters{}
		}
		opts.Filters["label"] = append(slices.Clone(mine["label"]), opts.Filters["label"]...)
		var ids []string
		for _, c := range must(w.cli.Containers.List(w.ctx, opts)) {
			ids = append(ids, c.ID())
		}
		equal(w.t, "list("+expr+")", w.py.eval("", "[x.id for x in client.containers.list("+expr+")]"), ids)
	}
}

var times = regexp.MustCompile(`(About an?|Less than a|[0-9]+) (seconds?|minutes?)`)

// noTime is a status text without how long it has been so.
func noTime(text string) string { return times.ReplaceAllString(text, "TIME") }

// sortPorts puts the ports of a summary into Berth's order: the engine's is by chance.
func sortPorts(v any) {
	list, _ := v.([]any)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(portKey(a), portKey(b)) })
}

func portKey(v any) string {
	d, _ := v.(map[string]any)
	out := map[string]string{}
	leaves("", d, out)
	ip := "4"
	if strings.Contains(out["IP"], ":") {
		ip = "6"
	}
	return strings.Repeat("0", 5-len(out["PrivatePort"])) + out["PrivatePort"] + out["Type"] + ip + out["PublicPort"]
}
