package docker

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestVolumes(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		label := map[string]string{"t": unique("l")}
		mine := engine.Filters{"label": {"t=" + label["t"]}}
		v, err := e.VolumeCreate(ctx, engine.VolumeCreateOptions{Name: unique("vol"), Labels: label, DriverOptions: map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}})
		if err != nil {
			t.Fatal(err)
		}
		remove := func(name string) {
			if err := e.VolumeRemove(context.WithoutCancel(ctx), name, true); err != nil {
				t.Error(err)
			}
		}
		defer remove(v.Name)
		if v.Driver != "local" || v.Mountpoint == "" || v.Created.IsZero() || v.Labels["t"] != label["t"] || v.Options["type"] != "tmpfs" || v.Anonymous || len(v.Raw) == 0 {
			t.Errorf("%+v", v)
		}
		if got, err := e.VolumeInspect(ctx, v.Name); err != nil || got.Name != v.Name {
			t.Errorf("%+v, %v", got, err)
		}
		if list, err := e.VolumeList(ctx, mine); err != nil || len(list) != 1 || list[0].Name != v.Name {
			t.Errorf("%+v, %v", list, err)
		}
		c := made(t, e, engine.Spec{Command: []string{"true"}, Mounts: []engine.Mount{engine.Volume(v.Name, "/a"), engine.Volume("", "/b")}})
		a, err := e.ContainerInspect(ctx, c, engine.InspectOptions{})
		if err != nil || len(a.Mounts) != 2 {
			t.Fatalf("%+v, %v", a, err)
		}
		var anonymous string
		for _, m := range a.Mounts {
			if m.Target == "/b" {
				anonymous = m.Name
			} else if m.Name != v.Name || m.Type != engine.MountVolume || !m.ReadWrite {
				t.Errorf("%+v", m)
			}
		}
		if av, err := e.VolumeInspect(ctx, anonymous); err != nil || !av.Anonymous {
			t.Errorf("%+v, %v", av, err)
		}
		if err := e.VolumeRemove(ctx, v.Name, false); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("volume in use: %v", err)
		}
		if err := e.ContainerRemove(ctx, c, engine.RemoveOptions{Volumes: true}); err != nil {
			t.Error(err)
		}
		if _, err := e.VolumeInspect(ctx, anonymous); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("anonymous volume left: %v", err)
		}
		// A named volume is not pruned unless that is asked for.
		if report, err := e.VolumePrune(ctx, mine); err != nil || len(report.Deleted) != 0 {
			t.Errorf("prune: %+v, %v", report, err)
		}
		unnamed, err := e.VolumeCreate(ctx, engine.VolumeCreateOptions{Labels: label})
		if err != nil || !unnamed.Anonymous {
			t.Fatalf("%+v, %v", unnamed, err)
		}
		if report, err := e.VolumePrune(ctx, mine); err != nil || !slices.Equal(report.Deleted, []string{unnamed.Name}) {
			t.Errorf("prune: %+v, %v", report, err)
		}
		named, err := e.VolumeCreate(ctx, engine.VolumeCreateOptions{Name: unique("vol"), Labels: map[string]string{"t": label["t"], "all": "1"}})
		if err != nil {
			t.Fatal(err)
		}
		if report, err := e.VolumePrune(ctx, engine.Filters{"label": {"t=" + label["t"], "all=1"}, "all": {"true"}}); err != nil || !slices.Equal(report.Deleted, []string{named.Name}) {
			t.Errorf("prune all: %+v, %v", report, err)
		}
		if _, err := e.VolumeCreate(ctx, engine.VolumeCreateOptions{Driver: "nosuch"}); err == nil {
			t.Error("made with a driver that is none")
		}
		if err := e.VolumeRemove(ctx, "no-such-volume", false); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

// TestVolumeMounts has what of volumes and images depends on the version.
func TestVolumeMounts(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name := unique("vol")
		spec := engine.Spec{VolumeDriver: "local", Mounts: []engine.Mount{{Type: engine.MountVolume, Source: name, Target: "/etc", Labels: map[string]string{"a": "b"}}}}
		if got := run(t, e, spec, "mkdir -p /etc/sub && echo x > /etc/sub/f && cat /etc/passwd | wc -l"); got != "3" {
			t.Errorf("copied: %q", got)
		}
		defer e.VolumeRemove(context.WithoutCancel(ctx), name, true)
		if v, err := e.VolumeInspect(ctx, name); err != nil || v.Labels["a"] != "b" {
			t.Errorf("%+v, %v", v, err)
		}
		spec = engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Source: name, Target: "/v", Subpath: "sub", ReadOnly: true}}}
		res, err := runErr(t, e, spec, "cat /v/f; touch /v/g 2>/dev/null || echo ro")
		if e.api < apiSubpath {
			if !errors.Is(err, engine.ErrUnsupported) {
				t.Errorf("subpath: %v", err)
			}
		} else if err != nil || res.stdout != "x\nro\n" {
			t.Errorf("subpath: %+v, %v", res, err)
		}
		res, err = runErr(t, e, engine.Spec{Mounts: []engine.Mount{engine.ImageMount("busybox", "/i")}}, "ls /i/bin/busybox")
		if e.api < apiImageMount {
			if !errors.Is(err, engine.ErrUnsupported) {
				t.Errorf("image: %v", err)
			}
		} else if err != nil || res.stdout != "/i/bin/busybox\n" {
			t.Errorf("image: %+v, %v", res, err)
		}
		empty := unique("vol")
		defer e.VolumeRemove(context.WithoutCancel(ctx), empty, true)
		spec = engine.Spec{Mounts: []engine.Mount{{Type: engine.MountVolume, Source: empty, Target: "/root/../home", NoCopy: true, Relabel: "shared"}}}
		if got := run(t, e, spec, "ls /home | wc -l"); got != "0" {
			t.Errorf("no copy: %q", got)
		}
		dir := "/tmp/" + unique("dir")
		spec = engine.Spec{Mounts: []engine.Mount{{Type: engine.MountBind, Source: dir, Target: "/d", CreateSource: true}}}
		if got := run(t, e, spec, "touch /d/f && ls /d"); got != "f" {
			t.Errorf("create source: %q", got)
		}
		defer run(t, e, engine.Spec{Mounts: []engine.Mount{engine.Bind("/tmp", "/d")}}, "rm -r /d/"+strings.TrimPrefix(dir, "/tmp/"))
	})
}

func TestNetworks(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		label := unique("l")
		second := byte(len(t.Name()) + int(time.Now().UnixNano()>>20)%100)
		create := func(third byte, opts engine.NetworkCreateOptions) *engine.NetworkAttrs {
			opts.Name = unique("net") + string(rune('z'-third))
			opts.Labels = map[string]string{"l": label}
			opts.Subnets = []engine.Subnet{{Subnet: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, third, 0}), 24)}}
			n, err := e.NetworkCreate(ctx, opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.NetworkRemove(context.WithoutCancel(ctx), n.ID, false) })
			return n
		}
		n1 := create(1, engine.NetworkCreateOptions{InterfaceName: "dk" + label[len(label)-8:]})
		n2 := create(2, engine.NetworkCreateOptions{Internal: true})
		if n1.Driver != "bridge" || n1.Subnets[0].Subnet.Addr() != netip.AddrFrom4([4]byte{10, second, 1, 0}) || n1.InterfaceName[:2] != "dk" || n1.Labels["l"] != label || !n2.Internal || n1.Created.IsZero() || !strings.HasPrefix(n2.InterfaceName, "br-") {
			t.Errorf("%+v, %+v", n1, n2)
		}
		if _, err := e.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: n1.Name}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("name taken: %v", err)
		}
		if list, err := e.NetworkList(ctx, engine.Filters{"label": {"l=" + label}}); err != nil || len(list) != 2 || list[0].Containers != nil {
			t.Errorf("%+v, %v", list, err)
		}
		// n1 is the first, although its name sorts last.
		ip := netip.AddrFrom4([4]byte{10, second, 2, 77})
		spec := engine.Spec{Networks: []engine.Endpoint{{Network: n1.Name, Aliases: []string{"al"}, MACAddress: "02:42:ac:11:00:66"}, {Network: n2.Name, IPv4: ip}}}
		c := started(t, e, spec)
		a, err := e.ContainerInspect(ctx, c, engine.InspectOptions{})
		if err != nil || len(a.Networks) != 2 || a.Networks[n2.Name].IPv4.Addr() != ip || a.Networks[n1.Name].MACAddress != "02:42:ac:11:00:66" || a.HostConfig.NetworkMode != n1.Name {
			t.Errorf("%+v, %v", a.Networks, err)
		}
		if e.api >= apiInterfaceName {
			if got := execOut(t, e, c, "sh", "-c", "ip -o -4 a show eth1; ip r | head -1"); !strings.Contains(got, ip.String()) || !strings.Contains(got, "default via 10.") || !strings.Contains(got, "eth0") {
				t.Errorf("interfaces: %s", got)
			}
		}
		if got := execOut(t, e, c, "nslookup", "al", "127.0.0.11"); !strings.Contains(got, a.Networks[n1.Name].IPv4.Addr().String()) {
			t.Errorf("alias: %s", got)
		}
		if n, err := e.NetworkInspect(ctx, n1.Name); err != nil || n.Containers[c].Name == "" || !n.Containers[c].IPv4.IsValid() {
			t.Errorf("%+v, %v", n, err)
		}
		if err := e.NetworkRemove(ctx, n1.Name, false); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("network in use: %v", err)
		}
		if err := e.NetworkDisconnect(ctx, n2.Name, c, false); err != nil {
			t.Error(err)
		}
		if err := e.NetworkConnect(ctx, n2.Name, c, engine.Endpoint{IPv4: ip.Next(), Aliases: []string{"bl"}}); err != nil {
			t.Error(err)
		}
		if a, err = e.ContainerInspect(ctx, c, engine.InspectOptions{}); err != nil || a.Networks[n2.Name].IPv4.Addr() != ip.Next() {
			t.Errorf("%+v, %v", a.Networks, err)
		}
		if err := e.NetworkConnect(ctx, n2.Name, c, engine.Endpoint{MACAddress: "02:42:ac:11:00:67"}); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
		if err := e.NetworkConnect(ctx, "no-such-network", c, engine.Endpoint{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		removeForced(t, e, c)
		if report, err := e.NetworkPrune(ctx, engine.Filters{"label": {"l=" + label}}); err != nil || len(report.Deleted) != 2 {
			t.Errorf("%+v, %v", report, err)
		}
		if _, err := e.NetworkInspect(ctx, n1.ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		// A network that is not there: Docker notices at creation, after it, or, in 20.10, only at the start.
		spec = engine.Spec{Image: "busybox", Name: unique("c"), Networks: []engine.Endpoint{{Network: "bridge"}, {Network: "no-such-network"}}}
		res, err := e.ContainerCreate(ctx, &spec, engine.CreateOptions{})
		if err == nil {
			err = e.ContainerStart(ctx, res.ID, engine.StartOptions{})
			removeForced(t, e, res.ID)
		}
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if there, err := e.ContainerExists(ctx, spec.Name); there || err != nil {
			t.Errorf("left behind: %v, %v", there, err)
		}
	})
}

func TestLinks(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		other := unique("other")
		c := started(t, e, engine.Spec{Name: other})
		if got := run(t, e, engine.Spec{Links: []string{other + ":friend"}}, "grep friend /etc/hosts"); !strings.Contains(got, "friend") {
			t.Errorf("got %q", got)
		}
		link := made(t, e, engine.Spec{Name: unique("linked"), Links: []string{other + ":friend"}})
		a, err := e.ContainerInspect(t.Context(), link, engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.ContainerRemove(t.Context(), a.Name+"/friend", engine.RemoveOptions{Link: true}); err != nil {
			t.Error(err)
		}
		if err := e.ContainerRemove(t.Context(), a.Name, engine.RemoveOptions{Link: true}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("got %v", err)
		}
		n, err := e.NetworkCreate(t.Context(), engine.NetworkCreateOptions{Name: unique("net")})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			removeForced(t, e, c)
			if err := e.NetworkRemove(context.WithoutCancel(t.Context()), n.ID, false); err != nil {
				t.Error(err)
			}
		}()
		if err := e.NetworkConnect(t.Context(), n.ID, c, engine.Endpoint{}); err != nil {
			t.Fatal(err)
		}
		if got := run(t, e, engine.Spec{NetworkMode: n.Name, Links: []string{other + ":friend"}}, "nslookup friend 127.0.0.11"); !strings.Contains(got, "Address") {
			t.Errorf("got %q", got)
		}
	})
}

func TestPorts(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		c := started(t, e, engine.Spec{Ports: []engine.Port{{Container: "80"}, {Container: "81/udp", HostIP: netip.MustParseAddr("127.0.0.1")}, {Container: "90", Host: "29100-29199"}}, Expose: []string{"99"}})
		a, err := e.ContainerInspect(t.Context(), c, engine.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]engine.PortBinding{}
		for _, p := range a.Ports {
			found[p.Container] = p
		}
		if p := found["80/tcp"]; p.HostPort == 0 || !p.HostIP.IsValid() {
			t.Errorf("%+v", a.Ports)
		}
		if p := found["81/udp"]; p.HostPort == 0 || p.HostIP.String() != "127.0.0.1" {
			t.Errorf("%+v", a.Ports)
		}
		if p := found["90/tcp"]; p.HostPort < 29100 || p.HostPort > 29199 {
			t.Errorf("%+v", a.Ports)
		}
		if p, ok := found["99/tcp"]; !ok || p.HostPort != 0 || p.HostIP.IsValid() {
			t.Errorf("%+v", a.Ports)
		}
		second := made(t, e, engine.Spec{Command: []string{"true"}, Ports: []engine.Port{{Container: "80", Host: strconv.Itoa(int(found["80/tcp"].HostPort))}}})
		if err := e.ContainerStart(t.Context(), second, engine.StartOptions{}); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("port taken: %v", err)
		}
		sctp := made(t, e, engine.Spec{Command: []string{"true"}, Ports: []engine.Port{{Container: "70/sctp"}}})
		if err := e.ContainerStart(t.Context(), sctp, engine.StartOptions{}); err != nil && !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("sctp on a kernel that may not have it: %v", err)
		}
	})
}

func TestEvents(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		label := unique("ev")
		since := time.Now()
		id := started(t, e, engine.Spec{Command: []string{"sh", "-c", "exit 3"}, Labels: map[string]string{"l": label}, Healthcheck: &engine.Healthcheck{Test: engine.CmdShell("true"), Interval: time.Hour}})
		wait(t, e, id)
		removeForced(t, e, id)
		var actions []string
		for ev, err := range e.Events(ctx, engine.EventOptions{Since: since.Add(-time.Second), Filters: engine.Filters{"label": {"l=" + label}}}) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Type != "container" || ev.ID != id || ev.Image != "busybox" || ev.Name == "" || ev.Time.Before(since.Add(-time.Minute)) || len(ev.RawJSON) == 0 || ev.Raw == "" {
				t.Errorf("%+v", ev)
			}
			if ev.Action == "die" && (ev.ExitCode == nil || *ev.ExitCode != 3) {
				t.Errorf("%+v", ev)
			}
			actions = append(actions, ev.Action)
			if ev.Action == "destroy" {
				break
			}
		}
		if !slices.Equal(actions, []string{"create", "start", "die", "destroy"}) {
			t.Errorf("actions %v", actions)
		}
		n := 0
		for _, err := range e.Events(ctx, engine.EventOptions{Since: since.Add(-time.Second), Until: time.Now(), Filters: engine.Filters{"label": {"l=" + label}}}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 4 {
			t.Errorf("%d events until now", n)
		}
		for _, err := range e.Events(ctx, engine.EventOptions{Filters: engine.Filters{"nosuch": {"x"}}}) {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("unknown filter: %v", err)
			}
		}
		time.AfterFunc(100*time.Millisecond, cancel)
		for _, err := range e.Events(ctx, engine.EventOptions{Filters: engine.Filters{"label": {"nobody=" + label}}}) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestSystem(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		if err := e.Ping(ctx); err != nil {
			t.Error(err)
		}
		v, err := e.Version(ctx)
		if err != nil || v.Engine != Name || v.Version == "" || v.Components["runc"] == "" || v.OS != "linux" || v.KernelVersion == "" || len(v.Raw) == 0 {
			t.Errorf("%+v, %v", v, err)
		}
		i, err := e.Info(ctx)
		if err != nil || i.ServerVersion != v.Version || i.CgroupVersion != "1" || i.NCPU == 0 || i.MemTotal == 0 || !slices.Contains(i.Runtimes, "runc") || !slices.Contains(i.LogDrivers, "json-file") || i.SwapLimit == nil || i.Arch != v.Arch || i.Rootless {
			t.Errorf("%+v, %v", i, err)
		}
		id := e.Identity()
		if id.Name != Name || id.Version != v.Version || id.APIVersion != e.api.String() || id.OS != "linux" || id.Arch != v.Arch || id.CgroupVersion != "1" || !id.Local || id.Rootless {
			t.Errorf("%+v", id)
		}
		c := started(t, e, engine.Spec{Mounts: []engine.Mount{engine.Volume("", "/v")}})
		u, err := e.DiskUsage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range u.Containers {
			if item.ID == c && (item.Reclaimable || item.Name == "") {
				t.Errorf("%+v", item)
			}
		}
		if len(u.Images) == 0 || u.LayersSize == 0 || len(u.Volumes) == 0 {
			t.Errorf("%+v", u)
		}
		resp, err := e.Do(ctx, "GET", "/containers/"+c+"/json?size=1", nil, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%+v, %v", resp, err)
		}
		resp.Body.Close()
		resp, err = e.Do(ctx, "GET", "/v1.40/containers/no-such-container/json", nil, nil)
		if err != nil || resp.StatusCode != 404 {
			t.Fatalf("%+v, %v", resp, err)
		}
		resp.Body.Close()
		if _, err := e.SecretList(ctx, nil); !errors.Is(err, engine.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}
