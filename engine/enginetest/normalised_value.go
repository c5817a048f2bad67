package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// normalisedValues are values, files and events that engines have in different
// forms, and Berth in the same.
func normalisedValues() []Case {
	return []Case{
		{Name: "normalised/ids", Do: func(t *T) {
			c := t.Create(t.Sleeper())
			img := must(c.Image(t.Context()))
			ids := map[string]string{"snapshot": c.Attrs().ImageID, "image": img.ID()}
			for _, c := range must(t.Client().Containers.List(t.Context(), berth.ListOptions{All: true, Filters: berth.Filters{"id": {c.ID()}}})) {
				ids["list"] = c.Summary().ImageID
				Equal(t, "name", c.Name(), c.Summary().Names[0])
				Equal(t, "slash in the name", strings.HasPrefix(c.Name(), "/"), false)
			}
			for _, i := range must(t.Client().Images.List(t.Context())) {
				if i.ID() == img.ID() {
					ids["images"] = i.ID()
				}
			}
			Equal(t, "places", len(ids), 4)
			for where, id := range ids {
				Equal(t, "ID in "+where, id, img.ID())
				Equal(t, "length in "+where, len(id), len("sha256:")+64)
			}
		}},
		{Name: "normalised/inspect", Do: func(t *T) {
			spec := t.Spec("one arg", "two")
			spec.Entrypoint = []string{"echo", "with space"}
			spec.StopSignal = "2"
			spec.Ports = []berth.Port{{Container: "80"}}
			spec.LogConfig = berth.LogConfig{}
			spec.OpenStdin = true
			a := t.Create(spec).Attrs()
			Equal(t, "entrypoint", fmt.Sprintf("%q", a.Config.Entrypoint), `["echo" "with space"]`)
			Equal(t, "command", fmt.Sprintf("%q", a.Config.Cmd), `["one arg" "two"]`)
			Equal(t, "stop signal", a.Config.StopSignal, "SIGINT")
			Equal(t, "stop signal by default", t.Create(t.Sleeper()).Attrs().Config.StopSignal, "SIGTERM")
			Equal(t, "restart policy by default", a.HostConfig.RestartPolicy.Name, "no")
			Equal(t, "swappiness that is not set", a.HostConfig.Resources.MemorySwappiness == nil, true)
			Equal(t, "exposed", fmt.Sprint(a.Config.ExposedPorts), "[80/tcp]")
			Equal(t, "annotations of the engine's own", len(a.Config.Annotations), 0)
			running := t.Sleeper()
			running.Ports = spec.Ports
			ports := must(t.Start(running).Ports(t.Context()))
			if len(ports) == 0 || ports[0].Container != "80/tcp" || !ports[0].HostIP.IsUnspecified() || ports[0].HostPort == 0 {
				t.Errorf("ports are %v, want 80/tcp on all addresses", ports)
			}
		}},
		{Name: "normalised/stats", Do: func(t *T) {
			// What an engine does not tell is nil, never 0: with a sample of each kind.
			spec := t.Sleeper()
			spec.Resources.Memory = 64 * berth.MiB
			c := t.Start(spec)
			s := must(c.StatsOnce(t.Context()))
			if s.CPUPercent == nil || s.PreRead.IsZero() || !s.Read.After(s.PreRead) || s.PreCPU.Total == 0 || s.CPU.OnlineCPUs == 0 {
				t.Errorf("the sample has no sample before it: %+v", *s)
			}
			if s.Memory.Used == 0 || s.Memory.Used > s.Memory.Usage || s.Memory.Percent == 0 {
				t.Errorf("memory is %+v", s.Memory)
			}
			for what, p := range map[string]*uint64{"system time": s.CPU.System, "failures": s.Memory.Failcnt, "periods": s.CPU.Periods} {
				if p != nil && t.Kind() == "podman" {
					t.Errorf("%s is %d, which Podman does not tell", what, *p)
				}
			}
			once := must(c.StatsOnce(t.Context(), berth.StatsOptions{OneShot: true}))
			Equal(t, "CPU percent of one reading is nil", once.CPUPercent == nil, true)
			ended := t.Start(t.Spec("true"))
			_, err := ended.Wait(t.Context())
			t.Check(err, "wait")
			none := must(ended.StatsOnce(t.Context()))
			if none.CPUPercent != nil || none.Memory.Usage != 0 || none.Pids.Current != 0 || !none.Read.IsZero() {
				t.Errorf("a container that does not run uses %+v", *none)
			}
		}},
		{Name: "normalised/interfaces", Do: func(t *T) {
			one, two := t.network(berth.NetworkCreateOptions{}), t.network(berth.NetworkCreateOptions{})
			spec := t.Sleeper()
			spec.Networks = []berth.Endpoint{{Network: one.Name()}, {Network: two.Name()}}
			c := t.Start(spec)
			t.Contains("interfaces", t.ExecSh(c, "ls /sys/class/net"), "eth0\neth1")
			names := slices.Sorted(maps.Keys(must(c.StatsOnce(t.Context())).Networks))
			if got := strings.Join(names, " "); got != "eth0 eth1" && got != "eth0" { // Podman 4 tells all together
				t.Errorf("counters of the interfaces %q, want eth0 and eth1", got)
			}
			networks := must(c.Inspect(t.Context())).Networks
			if len(networks) != 2 || !networks[one.Name()].IPv4.IsValid() || !networks[two.Name()].IPv4.IsValid() {
				t.Errorf("networks are %v", networks)
			}
			Equal(t, "the first network's interface is the first", strings.Contains(t.ExecSh(c, "ip -4 -o addr show eth0"), networks[one.Name()].IPv4.String()), true)
		}},
		{Name: "normalised/events", Do: func(t *T) {
			since := time.Now().Add(-time.Second)
			c := t.Start(t.Sleeper())
			t.Check(c.Command("true").Run(t.Context()), "exec")
			t.Check(c.Pause(t.Context()), "pause")
			t.Check(c.Unpause(t.Context()), "unpause")
			t.Check(c.Rename(t.Context(), t.NewName()), "rename")
			t.Check(c.Kill(t.Context(), ""), "kill")
			t.Check(c.Remove(t.Context()), "remove")
			seen := map[string]berth.Event{}
			read := func(until time.Time) {
				t.Helper()
				clear(seen)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				for ev, err := range t.Client().Events(ctx, berth.EventOptions{Since: since, Until: until, Filters: berth.Filters{"container": {c.ID()}}}) {
					t.Check(err, "events")
					seen[ev.Action] = ev
					Equal(t, "ID of "+ev.Raw, ev.ID, c.ID())
					if ev.Type != "container" || ev.Name == "" || ev.Image == "" || ev.Time.Before(since) || len(ev.RawJSON) == 0 {
						t.Errorf("event is %+v", ev)
					}
				}
			}
			// Some are told by a process of their own, which comes when it comes.
			t.eventually("all events", func(context.Context) (bool, error) {
				read(time.Now())
				for _, want := range []string{"create", "start", "exec_start", "exec_die", "pause", "unpause", "rename", "die", "destroy"} {
					if _, ok := seen[want]; !ok {
						return false, fmt.Errorf("no %s among %v", want, slices.Sorted(maps.Keys(seen)))
					}
				}
				return true, nil
			})
			if die := seen["die"]; die.ExitCode == nil || *die.ExitCode != 137 {
				t.Errorf("the end is %+v, want exit code 137", die)
			}
			history := len(seen)
			read(time.Now().Add(time.Second)) // until a time that is to come
			if len(seen) < history {
				t.Errorf("%d kinds of events until then, %d before", len(seen), history)
			}
		}},
		{Name: "normalised/image-mount", Do: func(t *T) {
			// Docker's is read-only whatever is said; Podman's would be a layer to write to.
			spec := t.Spec()
			spec.Mounts = []berth.Mount{berth.ImageMount(t.Config().Image, "/mnt/i")}
			Equal(t, "writing to it", t.Sh(spec, "test -x /mnt/i/bin/busybox && ! touch /mnt/i/x 2>/dev/null && echo refused"), "refused")
		}},
		{Name: "normalised/tmpfs", Do: func(t *T) {
			// Empty, its mode 1777 and nothing to be executed, whether the image has such a directory or not.
			for _, target := range []string{"/new/directory", "/etc"} {
				spec := t.Spec()
				spec.Mounts = []berth.Mount{berth.Tmpfs(target)}
				out := t.Sh(spec, "cd "+target+"; ls -A | grep -v -e hosts -e resolv.conf -e hostname -e mtab; stat -c %a .; grep \" $PWD tmpfs\" /proc/mounts")
				mode, options, _ := strings.Cut(out, "\n")
				// runc before 1.2 keeps the mode of the image's directory, whatever it is told.
				if old := strings.HasPrefix(t.Client().Engine().Version, "20.") || strings.HasPrefix(t.Client().Engine().Version, "4."); mode != "1777" && !(old && target == "/etc" && mode == "755") {
					t.Errorf("%s is %q, want it empty and 1777", target, mode)
				}
				for _, want := range []string{"nosuid", "nodev", "noexec"} {
					t.Contains("options", options, want)
				}
			}
		}},
		{Name: "normalised/read-only", Do: func(t *T) {
			spec := t.Spec()
			spec.ReadOnly = true
			out := t.Sh(spec, "for d in / /tmp /run /var/tmp /dev /dev/shm; do touch $d/x 2>/dev/null && echo $d; done; true")
			Equal(t, "what can be written to", strings.Join(strings.Fields(out), " "), "/dev /dev/shm")
		}},
		{Name: "normalised/volume-force", Do: func(t *T) {
			name := t.volume(berth.VolumeCreateOptions{})
			spec := t.Sleeper()
			spec.Mounts = []berth.Mount{berth.VolumeMount(name, "/v")}
			c := t.Start(spec)
			v := must(t.Client().Volumes.Get(t.Context(), name))
			t.WantError("forced removal of a volume in use", v.Remove(t.Context(), berth.VolumeRemoveOptions{Force: true}), berth.ErrConflict)
			Equal(t, "its container", must(c.Status(t.Context())), berth.StatusRunning)
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true}), "remove the container")
		}},
		{Name: "normalised/image-force", Do: func(t *T) {
			spec := t.Sleeper()
			spec.Image = t.image("LABEL berth=force")
			c := t.Start(spec)
			_, err := t.Client().Images.Remove(t.Context(), c.ImageID(), berth.ImageRemoveOptions{Force: true})
			t.WantError("forced removal of an image in use", err, berth.ErrConflict)
			Equal(t, "its container", must(c.Status(t.Context())), berth.StatusRunning)
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true}), "remove the container")
		}},
		{Name: "normalised/volumes-prune", Serial: true, Do: func(t *T) {
			name := t.volume(berth.VolumeCreateOptions{})
			_, err := t.Client().Volumes.Prune(t.Context(), berth.Filters{"label": {label + ".case=" + t.name}})
			t.Check(err, "prune")
			if _, err := t.Client().Volumes.Get(t.Context(), name); err != nil {
				t.Errorf("a named volume was pruned without all=true: %v", err)
			}
		}},
		{Name: "normalised/paths", Do: func(t *T) {
			c := t.Start(t.Sleeper())
			t.ExecSh(c, "mkdir -p /d/sub && echo content >/d/f && ln -s /d/f /link && ln -s ../d /d/up && ln -s /nosuch /dangling")
			// A link is described itself, and led through where content is asked for.
			st := must(c.StatPath(t.Context(), "/link"))
			if st.Name != "link" || st.Mode.Type() != fs.ModeSymlink || st.LinkTarget != "/d/f" {
				t.Errorf("the link is %+v", st)
			}
			st = must(c.StatPath(t.Context(), "/dangling"))
			Equal(t, "target of a link that leads nowhere", st.LinkTarget, "/nosuch")
			Equal(t, "target of a file", must(c.StatPath(t.Context(), "/d/f")).LinkTarget, "")
			Equal(t, "through the link", string(must(c.ReadFile(t.Context(), "/link"))), "content\n")
			Equal(t, "through two", string(must(c.ReadFile(t.Context(), "/d/up/f"))), "content\n")
			for _, path := range []string{"/d/.", "/d/", "d", "/d/sub/.."} {
				_, st, err := c.GetArchive(t.Context(), path)
				t.Check(err, "archive of %s", path)
				Equal(t, "name of "+path, st.Name, "d")
			}
			_, err := c.ReadFile(t.Context(), "/dangling")
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("reading through a link that leads nowhere: %v", err)
			}
		}},
		{Name: "normalised/short-name", Do: func(t *T) {
			// docker.io/library/ goes without saying.
			short, ok := strings.CutPrefix(t.Config().Image, "docker.io/library/")
			if !ok {
				t.Untestable("the image is not Docker Hub's", nil)
			}
			for _, name := range []string{short, strings.TrimSuffix(short, ":latest")} {
				spec := t.Spec("true")
				spec.Image = name
				t.Output(spec)
				Equal(t, "image "+name, must(t.Client().Images.Get(t.Context(), name)).ID(), must(t.Client().Images.Get(t.Context(), t.Config().Image)).ID())
			}
		}},
		{Name: "normalised/empty-command", Do: func(t *T) {
			image := t.image(`ENTRYPOINT ["echo", "entry"]`, `CMD ["cmd"]`)
			for _, test := range []struct {
				what string
				set  func(*berth.Spec)
				want string
			}{
				{"neither", func(s *berth.Spec) { s.Command = nil }, "entry cmd\n"},
				{"no command", func(s *berth.Spec) { s.Command = []string{} }, "entry\n"},
				{"no entrypoint", func(s *berth.Spec) { s.Command, s.Entrypoint = []string{"echo", "own"}, []string{} }, "own\n"},
			} {
				spec := t.Spec()
				spec.Image = image
				test.set(&spec)
				Equal(t, test.what, t.Output(spec), test.want)
			}
		}},
	}
}
