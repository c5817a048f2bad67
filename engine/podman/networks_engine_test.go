package podman

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"github.com/berthdev/berth/engine"
)

func TestNetworks(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		name, label := unique("net"), unique("label")
		subnet := netip.MustParsePrefix("10.213.77.0/24")
		n, err := e.NetworkCreate(ctx, engine.NetworkCreateOptions{
			Name: name, Labels: map[string]string{label: "1"}, Options: map[string]string{"mtu": "1400"}, Internal: true,
			Subnets: []engine.Subnet{{Subnet: subnet, Range: netip.MustParsePrefix("10.213.77.128/25"), Gateway: netip.MustParseAddr("10.213.77.9")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.NetworkRemove(context.WithoutCancel(ctx), name, true) })
		check := func(n *engine.NetworkAttrs) {
			t.Helper()
			want := engine.Subnet{Subnet: subnet, Range: netip.MustParsePrefix("10.213.77.128/25"), Gateway: netip.MustParseAddr("10.213.77.9")}
			if n.Name != name || len(n.ID) != 64 || n.Driver != "bridge" || !n.Internal || n.Labels[label] != "1" || n.Options["mtu"] != "1400" || len(n.Subnets) != 1 || n.Subnets[0] != want || n.InterfaceName == "" || n.Scope != "local" {
				t.Errorf("%+v", n)
			}
		}
		check(n)
		if n, err = e.NetworkInspect(ctx, name); err != nil {
			t.Fatal(err)
		}
		check(n)
		list, err := e.NetworkList(ctx, engine.Filters{"label": {label}})
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		check(&list[0])
		_, err = e.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: name})
		wantKind(t, "taken name", err, engine.ErrConflict)
		c := started(t, e, engine.Spec{})
		ip := netip.MustParseAddr("10.213.77.200")
		if err := e.NetworkConnect(ctx, name, c, engine.Endpoint{IPv4: ip, Aliases: []string{"al"}, MACAddress: "02:42:00:00:00:09"}); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "connect again", e.NetworkConnect(ctx, name, c, engine.Endpoint{}), engine.ErrConflict)
		if out := execOut(t, e, c, "sh", "-c", "ip -o -4 a | grep -c 10.213.77.200/24; cat /sys/class/net/eth1/address /sys/class/net/eth1/mtu"); out != "1\n02:42:00:00:00:09\n1400" {
			t.Errorf("in the container: %q", out)
		}
		if n, err = e.NetworkInspect(ctx, name); err != nil || n.Containers[c].IPv4.Addr() != ip || n.Containers[c].MACAddress != "02:42:00:00:00:09" {
			t.Errorf("%+v, %v", n, err)
		}
		wantKind(t, "remove of one in use", e.NetworkRemove(ctx, name, false), engine.ErrConflict)
		if err := e.NetworkDisconnect(ctx, name, c, false); err != nil {
			t.Error(err)
		}
		if err := e.NetworkConnect(ctx, name, c, engine.Endpoint{}); err != nil {
			t.Error(err)
		}
		if err := e.NetworkRemove(ctx, name, true); err != nil {
			t.Error(err)
		}
		if s := statusNow(t, e, c); !s.Running() {
			t.Errorf("the container is %s", s.Status)
		}
		_, err = e.NetworkInspect(ctx, name)
		wantKind(t, "inspect of a missing one", err, engine.ErrNotFound)
		wantKind(t, "remove of a missing one", e.NetworkRemove(ctx, name, true), engine.ErrNotFound)
		wantKind(t, "connect to a missing one", e.NetworkConnect(ctx, name, c, engine.Endpoint{}), engine.ErrNotFound)
		wantKind(t, "connect of a missing one", e.NetworkConnect(ctx, "podman", "no-such", engine.Endpoint{}), engine.ErrNotFound)
		_, err = e.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: name, Attachable: true})
		wantUnsupported(t, err, "NetworkCreateOptions.Attachable")

		if _, err := e.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: name, Labels: map[string]string{label: "1"}}); err != nil {
			t.Fatal(err)
		}
		report, err := e.NetworkPrune(ctx, engine.Filters{"label": {label}})
		if err != nil || !slices.Equal(report.Deleted, []string{name}) {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// TestNetworkNames: containers of a network find each other, as on Docker.
func TestNetworkNames(t *testing.T) {
	onEngines(t, func(t *testing.T, e *Engine) {
		ctx := t.Context()
		n, err := e.NetworkCreate(ctx, engine.NetworkCreateOptions{Name: unique("net")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.NetworkRemove(context.WithoutCancel(ctx), n.Name, true) })
		name := unique("peer")
		started(t, e, engine.Spec{Name: name, Networks: []engine.Endpoint{{Network: n.Name, Aliases: []string{"peer-alias"}}}})
		for _, host := range []string{name, "peer-alias"} {
			run(t, e, engine.Spec{NetworkMode: n.Name}, "for i in 1 2 3 4 5 6 7 8 9; do nslookup "+host+" >/dev/null 2>&1 && exit 0; sleep 0.3; done; nslookup "+host)
		}
	})
}
