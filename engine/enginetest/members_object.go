package enginetest

import (
	"net/netip"
	"slices"

	"github.com/berthdev/berth"
)

// objectMembers are those of volumes, networks and secrets.
func objectMembers() []Case {
	return []Case{
		{Name: "volumes/all", Do: func(t *T) {
			name := t.NewName()
			v, err := t.Client().Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: name, Labels: t.Labels()})
			t.Check(err, "create")
			Equal(t, "name", v.Name(), name)
			v, err = t.Client().Volumes.Get(t.Context(), name)
			t.Check(err, "get")
			a := v.Attrs()
			if a.Driver != "local" || a.Mountpoint == "" || a.Labels[label] == "" {
				t.Errorf("volume is %+v", a)
			}
			list, err := t.Client().Volumes.List(t.Context(), berth.Filters{"label": {label + ".case=" + t.name}})
			t.Check(err, "list")
			Equal(t, "found", slices.ContainsFunc(list, func(v *berth.Volume) bool { return v.Name() == name }), true)
			spec := t.Sleeper()
			spec.Mounts = []berth.Mount{berth.VolumeMount(name, "/v")}
			c := t.Start(spec)
			t.WantError("removal of a volume in use", v.Remove(t.Context()), berth.ErrConflict)
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true}), "remove the container")
			t.Check(v.Remove(t.Context()), "remove")
			_, err = t.Client().Volumes.Get(t.Context(), name)
			t.WantError("a removed volume", err, berth.ErrNotFound)
		}},
		{Name: "volumes/prune", Serial: true, Do: func(t *T) {
			name := t.NewName()
			_, err := t.Client().Volumes.Create(t.Context(), berth.VolumeCreateOptions{Name: name, Labels: map[string]string{"berth.prune": t.s.run}})
			t.Check(err, "create")
			report, err := t.Client().Volumes.Prune(t.Context(), berth.Filters{"label": {"berth.prune=" + t.s.run}, "all": {"true"}})
			t.Check(err, "prune")
			Equal(t, "pruned", slices.Contains(report.Deleted, name), true)
		}},
		{Name: "networks/all", Do: func(t *T) {
			name := t.NewName()
			subnet := netip.MustParsePrefix("10.199.78.0/24")
			n, err := t.Client().Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: name, Labels: t.Labels(), Internal: true,
				Subnets: []berth.Subnet{{Subnet: subnet, Gateway: netip.MustParseAddr("10.199.78.1")}}})
			t.Check(err, "create")
			n, err = t.Client().Networks.Get(t.Context(), n.ID())
			t.Check(err, "get")
			a := n.Attrs()
			if a.Name != name || !a.Internal || a.Driver != "bridge" || len(a.Subnets) != 1 || a.Subnets[0].Subnet != subnet {
				t.Errorf("network is %+v", a)
			}
			list, err := t.Client().Networks.List(t.Context(), berth.Filters{"name": {name}})
			t.Check(err, "list")
			Equal(t, "networks of the name", len(list), 1)
			c := t.Start(t.Sleeper())
			t.Check(n.Connect(t.Context(), c.ID(), berth.Endpoint{IPv4: netip.MustParseAddr("10.199.78.44"), Aliases: []string{"berth-joined"}}), "connect")
			t.Contains("addresses", t.ExecSh(c, "ip -4 -o addr"), "10.199.78.44/24")
			t.Check(n.Disconnect(t.Context(), c.ID()), "disconnect")
			if out := t.ExecSh(c, "ip -4 -o addr"); len(out) == 0 || slices.Contains([]string{"10.199.78.44"}, out) {
				t.Errorf("addresses after disconnecting: %s", out)
			}
			t.Check(c.Remove(t.Context(), berth.RemoveOptions{Force: true}), "remove the container")
			t.Check(n.Remove(t.Context()), "remove")
			_, err = t.Client().Networks.Get(t.Context(), name)
			t.WantError("a removed network", err, berth.ErrNotFound)
		}},
		{Name: "networks/prune", Serial: true, Do: func(t *T) {
			name := t.NewName()
			_, err := t.Client().Networks.Create(t.Context(), berth.NetworkCreateOptions{Name: name, Labels: map[string]string{"berth.prune": t.s.run}})
			t.Check(err, "create")
			report, err := t.Client().Networks.Prune(t.Context(), berth.Filters{"label": {"berth.prune=" + t.s.run}})
			t.Check(err, "prune")
			Equal(t, "pruned", slices.Contains(report.Deleted, name), true)
		}},
		{Name: "secrets/all", Do: func(t *T) {
			name := t.NewName()
			s, err := t.Client().Secrets.Create(t.Context(), name, []byte("data"), berth.SecretCreateOptions{Labels: map[string]string{"a": "b"}})
			t.Check(err, "create")
			_, err = t.Client().Secrets.Create(t.Context(), name, []byte("data"))
			t.WantError("a second secret of the name", err, berth.ErrConflict)
			got, err := t.Client().Secrets.Get(t.Context(), name)
			t.Check(err, "get")
			Equal(t, "ID", got.ID(), s.ID())
			Equal(t, "label", got.Attrs().Labels["a"], "b")
			list, err := t.Client().Secrets.List(t.Context())
			t.Check(err, "list")
			Equal(t, "found", slices.ContainsFunc(list, func(s *berth.Secret) bool { return s.Name() == name }), true)
			t.Check(s.Remove(t.Context()), "remove")
			_, err = t.Client().Secrets.Get(t.Context(), name)
			t.WantError("a removed secret", err, berth.ErrNotFound)
		}},
	}
}
