//go:build linux

package network

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/berthdev/berth/engine"
)

// TestCreate: networks are as asked for, and found by name and ID; what cannot be is an error, and nothing is left.
func TestCreate(t *testing.T) {
	m := newManager(t)
	ctx := t.Context()
	subnet := netip.MustParsePrefix("10.199.78.0/24")
	a := create(t, m, engine.NetworkCreateOptions{Name: "net-1", Labels: map[string]string{"a": "b"}, Internal: true,
		Subnets: []engine.Subnet{{Subnet: subnet, Gateway: netip.MustParseAddr("10.199.78.9")}}, Options: map[string]string{"com.example.x": "y"}})
	want := &engine.NetworkAttrs{ID: a.ID, Name: "net-1", Driver: "bridge", Created: a.Created, Scope: "local", Internal: true, InterfaceName: "berth-" + a.ID[:9],
		Subnets: []engine.Subnet{{Subnet: subnet, Gateway: netip.MustParseAddr("10.199.78.9")}}, Labels: map[string]string{"a": "b"}, Options: map[string]string{"com.example.x": "y"},
		Containers: map[string]engine.NetworkContainer{}, Raw: a.Raw}
	if d := cmp.Diff(want, a, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Errorf("created (-want +got):\n%s", d)
	}
	if time.Since(a.Created) > time.Minute || len(a.ID) != 64 {
		t.Errorf("created %v, ID %s", a.Created, a.ID)
	}
	for _, ref := range []string{"net-1", a.ID, a.ID[:12]} {
		got, err := m.Inspect(ctx, ref)
		if err != nil || got.ID != a.ID {
			t.Errorf("inspect %s: %v, %v", ref, got, err)
		}
	}
	for name, c := range map[string]struct {
		opts engine.NetworkCreateOptions
		kind error
	}{
		"the name again":           {engine.NetworkCreateOptions{Name: "net-1"}, engine.ErrConflict},
		"the default's name":       {engine.NetworkCreateOptions{Name: "bridge"}, engine.ErrInvalid},
		"host":                     {engine.NetworkCreateOptions{Name: "host"}, engine.ErrInvalid},
		"no name":                  {engine.NetworkCreateOptions{}, engine.ErrInvalid},
		"a path":                   {engine.NetworkCreateOptions{Name: "../x"}, engine.ErrInvalid},
		"an overlap":               {engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.78.128/25")}}}, engine.ErrConflict},
		"an address as subnet":     {engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.80.1/24")}}}, engine.ErrInvalid},
		"a gateway elsewhere":      {engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.80.0/24"), Gateway: netip.MustParseAddr("10.0.0.1")}}}, engine.ErrInvalid},
		"a range elsewhere":        {engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.80.0/24"), Range: netip.MustParsePrefix("10.0.0.0/25")}}}, engine.ErrInvalid},
		"a subnet without room":    {engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.80.0/31")}}}, engine.ErrInvalid},
		"two subnets of a family":  {engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.199.80.0/24")}, {Subnet: netip.MustParsePrefix("10.199.81.0/24")}}}, engine.ErrUnsupported},
		"another driver":           {engine.NetworkCreateOptions{Name: "x", Driver: "macvlan"}, engine.ErrUnsupported},
		"attachable":               {engine.NetworkCreateOptions{Name: "x", Attachable: true}, engine.ErrUnsupported},
		"an IPAM driver":           {engine.NetworkCreateOptions{Name: "x", IPAMDriver: "dhcp"}, engine.ErrUnsupported},
		"an IPAM option":           {engine.NetworkCreateOptions{Name: "x", IPAMOptions: map[string]string{"a": "b"}}, engine.ErrUnsupported},
		"an unknown option":        {engine.NetworkCreateOptions{Name: "x", Options: map[string]string{"com.docker.network.bridge.nosuch": "1"}}, engine.ErrUnsupported},
		"a wrong MTU":              {engine.NetworkCreateOptions{Name: "x", Options: map[string]string{"mtu": "1"}}, engine.ErrInvalid},
		"an interface of the host": {engine.NetworkCreateOptions{Name: "x", InterfaceName: "lo"}, engine.ErrConflict},
		"an interface's long name": {engine.NetworkCreateOptions{Name: "x", InterfaceName: strings.Repeat("x", 16)}, engine.ErrInvalid},
	} {
		_, err := m.Create(ctx, c.opts)
		wantKind(t, name, err, c.kind)
	}
	if list, err := m.List(ctx, nil); err != nil || len(list) != 4 {
		t.Errorf("networks are %v, %v", list, err)
	}
	wantKind(t, "removal of the default network", m.Remove(ctx, Default, nil), engine.ErrInvalid)
	wantKind(t, "removal of none", m.Remove(ctx, "none", nil), engine.ErrInvalid)
	wantKind(t, "removal of a network in use", m.Remove(ctx, "net-1", func(name, id string) []string {
		if name != "net-1" || id != a.ID {
			t.Errorf("asked about %s %s", name, id)
		}
		return []string{"x"}
	}), engine.ErrConflict)
	if err := m.Remove(ctx, a.ID[:20], nil); err != nil {
		t.Errorf("remove: %v", err)
	}
	wantKind(t, "second removal", m.Remove(ctx, "net-1", nil), engine.ErrNotFound)
}

// TestList: filters choose, and unknown ones are errors; prune removes what nobody uses.
func TestList(t *testing.T) {
	m := newManager(t)
	ctx := t.Context()
	create(t, m, engine.NetworkCreateOptions{Name: "one", Labels: map[string]string{"k": "v", "l": ""}})
	two := create(t, m, engine.NetworkCreateOptions{Name: "two", Labels: map[string]string{"k": "w"}})
	create(t, m, engine.NetworkCreateOptions{Name: "three", Labels: map[string]string{"keep": ""}})
	connect(t, m, func(r *Request) { r.Endpoints[0].Network = "one" })
	for _, c := range []struct {
		filters engine.Filters
		want    string
	}{
		{nil, "bridge host none one three two"},
		{engine.Filters{"name": {"t"}}, "host three two"},
		{engine.Filters{"name": {"ne", "two"}}, "none one two"},
		{engine.Filters{"id": {two.ID[:10]}}, "two"},
		{engine.Filters{"label": {"k"}}, "one two"},
		{engine.Filters{"label": {"k=v"}}, "one"},
		{engine.Filters{"label": {"k", "l"}}, "one"},
		{engine.Filters{"driver": {"null", "host"}}, "host none"},
		{engine.Filters{"type": {"custom"}}, "one three two"},
		{engine.Filters{"type": {"builtin"}}, "bridge host none"},
		{engine.Filters{"dangling": {"true"}}, "three two"},
		{engine.Filters{"dangling": {"false"}, "type": {"custom"}}, "one"},
		{engine.Filters{"scope": {"swarm"}}, ""},
	} {
		list, err := m.List(ctx, c.filters)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range list {
			got = append(got, a.Name)
			if a.Containers != nil {
				t.Errorf("%s: the list has containers", a.Name)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v: %s, want %s", c.filters, s, c.want)
		}
	}
	for _, f := range []engine.Filters{{"nosuch": {"x"}}, {"type": {"x"}}, {"dangling": {"x"}}} {
		_, err := m.List(ctx, f)
		wantKind(t, "a wrong filter", err, engine.ErrInvalid)
	}
	_, err := m.Prune(ctx, engine.Filters{"name": {"x"}}, nil)
	wantKind(t, "a filter that prune does not have", err, engine.ErrInvalid)
	report, err := m.Prune(ctx, engine.Filters{"until": {"1h"}}, nil)
	if err != nil || len(report.Deleted) != 0 {
		t.Errorf("prune of the old: %+v, %v", report, err)
	}
	report, err = m.Prune(ctx, engine.Filters{"label!": {"keep"}}, nil)
	if d := cmp.Diff([]string{"two"}, report.Deleted); err != nil || d != "" {
		t.Errorf("prune: %v, %s", err, d)
	}
	report, err = m.Prune(ctx, nil, func(name, id string) []string { return []string{"stopped"} })
	if err != nil || len(report.Deleted) != 0 {
		t.Errorf("prune of what stopped containers use: %+v, %v", report, err)
	}
}

// TestChooseSubnet: subnets keep out of the way of the host's routes and of each other.
func TestChooseSubnet(t *testing.T) {
	m := newManager(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "vpn0"
	dummy := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(dummy); err != nil {
		t.Fatal(err)
	}
	defer netlink.LinkDel(dummy)
	if err := netlink.LinkSetUp(dummy); err != nil {
		t.Fatal(err)
	}
	route := func(s string) {
		t.Helper()
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: dummy.Attrs().Index, Dst: ipNet(netip.MustParsePrefix(s)), Scope: netlink.SCOPE_LINK, Table: 77}); err != nil {
			t.Fatal(err)
		}
	}
	route("10.188.128.0/24")
	route("10.189.0.0/23")
	for name, want := range map[string]string{"a": "10.189.2.0/24"} {
		if a := create(t, m, engine.NetworkCreateOptions{Name: name}); a.Subnets[0].Subnet.String() != want {
			t.Errorf("subnet is %s, want %s", a.Subnets[0].Subnet, want)
		}
	}
	if a, err := m.Inspect(t.Context(), Default); err != nil || a.Subnets[0].Subnet.String() != "10.189.3.0/24" {
		t.Errorf("the default network is %+v, %v: its pool has a route in it", a, err)
	}
	_, err := m.Create(t.Context(), engine.NetworkCreateOptions{Name: "x", Subnets: []engine.Subnet{{Subnet: netip.MustParsePrefix("10.188.128.0/24")}}})
	wantKind(t, "the subnet of a route of the host", err, engine.ErrConflict)
	route("10.0.0.0/8")
	if a := create(t, m, engine.NetworkCreateOptions{Name: "b"}); a.Subnets[0].Subnet.String() != "172.24.0.0/24" {
		t.Errorf("beside a route to 10.0.0.0/8: %s", a.Subnets[0].Subnet)
	}
	six := create(t, m, engine.NetworkCreateOptions{Name: "six", IPv6: true})
	if s := six.Subnets[1].Subnet; s.Bits() != 64 || s.Addr().As16()[0] != 0xfd {
		t.Errorf("IPv6 subnet is %s", s)
	}
}

// TestSweep: a bridge stays while a container is in its network; Sweep removes those without, waiting if it is told to.
func TestSweep(t *testing.T) {
	m := newManager(t)
	ctx := t.Context()
	create(t, m, engine.NetworkCreateOptions{Name: "one", InterfaceName: "mybridge0"})
	a := connect(t, m, nil)
	b := connect(t, m, func(r *Request) { r.Endpoints[0].Network = "one" })
	there := func(name string) bool {
		_, err := netlink.LinkByName(name)
		return err == nil
	}
	def := a.session.record.Load().Endpoints[0].Bridge
	b.end()
	if !there("mybridge0") || !there(def) {
		t.Error("a bridge went with its last container: the next one pays for it")
	}
	if err := m.Sweep(ctx, time.Millisecond); err != nil || !there("mybridge0") {
		t.Errorf("sweep beside a container: %v, %v", err, there("mybridge0"))
	}
	if err := m.Sweep(ctx, 0); err != nil || there("mybridge0") || !there(def) {
		t.Errorf("sweep: %v, mybridge0 %v, %s %v", err, there("mybridge0"), def, there(def))
	}
	a.end()
	if err := m.Sweep(ctx, time.Millisecond); err != nil {
		t.Error(err)
	}
	nothingLeft(t, m)
	// The bridge of another is not touched.
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "mybridge0"
	other := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(other); err != nil {
		t.Fatal(err)
	}
	defer netlink.LinkDel(other)
	if _, err := tryConnect(t, m, func(r *Request) { r.Endpoints[0].Network = "one" }); err == nil || !strings.Contains(err.Error(), "is not the bridge of network one") {
		t.Errorf("a bridge of somebody else: %v", err)
	}
	if err := m.Remove(ctx, "one", nil); err != nil || !there("mybridge0") {
		t.Errorf("remove: %v; the bridge of somebody else is there: %v", err, there("mybridge0"))
	}
}

// TestLostRoot: bridges of a state directory that was deleted are found.
func TestLostRoot(t *testing.T) {
	m := newManager(t)
	c := connect(t, m, nil)
	c.end()
	if err := os.RemoveAll(filepath.Join(m.root, "networks")); err != nil {
		t.Fatal(err)
	}
	if err := m.Sweep(t.Context(), 0); err != nil {
		t.Error(err)
	}
	nothingLeft(t, m)
}

// TestLostRunRoot: the monitor that ends last finds its run directory deleted: it removes the bridge, and makes nothing anew.
func TestLostRunRoot(t *testing.T) {
	for _, idle := range []time.Duration{0, time.Millisecond} {
		m := newManager(t)
		c := connect(t, m, nil)
		c.end()
		if err := os.RemoveAll(m.run); err != nil {
			t.Fatal(err)
		}
		if err := m.Sweep(t.Context(), idle); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(m.run); err == nil {
			t.Errorf("%s is there again", m.run)
		}
		nothingLeft(t, m)
	}
}

// TestHalfMadeBridge: a bridge whose maker has died before it gave it the alias is used, and removed.
func TestHalfMadeBridge(t *testing.T) {
	m := newManager(t)
	connect(t, m, nil).end()
	nets, err := m.files()
	if err != nil || len(nets) != 1 {
		t.Fatalf("networks: %v, %v", nets, err)
	}
	for _, use := range []bool{true, false} {
		if err := m.Sweep(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = nets[0].Interface
		if attrs.HardwareAddr, err = nets[0].hardwareAddr(); err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
			t.Fatal(err)
		}
		if use {
			connect(t, m, nil).end()
		}
	}
	if err := m.Sweep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, m)
}

// TestTwoStates: two state directories on one host do not disturb each other.
func TestTwoStates(t *testing.T) {
	lan(t)
	one, two := newManager(t), newManager(t)
	a, b := connect(t, one, nil), connect(t, two, nil)
	a.serve("a", 80)
	if a.ip(Default) == b.ip(Default) {
		t.Errorf("both have %s", a.ip(Default))
	}
	wantSilence(t, b.machine, "tcp", a.ip(Default).String()+":80")
	b.end()
	if err := two.Sweep(t.Context(), 0); err != nil {
		t.Error(err)
	}
	wantAnswer(t, nil, "tcp", a.ip(Default).String()+":80", "a "+a.result.Gateway.String())
}

// TestRootless: what needs a bridge is refused with a reason.
func TestRootless(t *testing.T) {
	m := newManager(t)
	m.opts.Rootless = true
	_, err := m.Create(t.Context(), engine.NetworkCreateOptions{Name: "x"})
	wantKind(t, "create", err, engine.ErrUnsupported)
	wantKind(t, "check", m.Check(t.Context(), []engine.Endpoint{{Network: Default}}, nil), engine.ErrUnsupported)
	if err := m.Check(t.Context(), nil, nil); err != nil {
		t.Errorf("no network: %v", err)
	}
}

// TestCheck: what Connect would refuse is known before anything is made.
func TestCheck(t *testing.T) {
	m := newManager(t)
	ctx := t.Context()
	if err := m.Check(ctx, []engine.Endpoint{{Network: Default}}, []engine.PortMapping{tcp(80, 80, "")}); err != nil {
		t.Error(err)
	}
	wantKind(t, "no network", m.Check(ctx, []engine.Endpoint{{Network: "nosuch"}}, nil), engine.ErrNotFound)
	wantKind(t, "host", m.Check(ctx, []engine.Endpoint{{Network: "host"}}, nil), engine.ErrInvalid)
	wantKind(t, "an IPv6 address", m.Check(ctx, []engine.Endpoint{{Network: Default, IPv6: netip.MustParseAddr("fd00::1")}}, nil), engine.ErrInvalid)
}
