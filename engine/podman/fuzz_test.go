package podman

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// FuzzAnswers decodes what an engine may answer: it must not panic, whatever that is.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"Id":"a","State":{"Status":"running","Health":{"Status":"healthy"}},"Config":{"Entrypoint":"a b","Cmd":["b"],"StopSignal":15},"HostConfig":{"PortBindings":{"80/tcp":null}},"NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"","HostPort":"1"}]}}}`))
	f.Add([]byte(`{"status":"x","Type":"container","Action":"died","Actor":{"ID":"a","Attributes":{"containerExitCode":"3"}},"timeNano":5}`))
	f.Add([]byte(`{"name":"n","subnets":[{"subnet":"10.0.0.0/24","lease_range":{"start_ip":"10.0.0.1","end_ip":"10.0.0.9"}}]}`))
	f.Add([]byte(`{"ContainerID":"a","SystemNano":5,"CPUNano":1,"CPUSystemNano":7,"Network":{"eth0":{"RxBytes":1}}}`))
	f.Add([]byte(`{"status":"Downloading","id":"1","progressDetail":{"current":-5,"total":10}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e := &Engine{version: minVersion}
		var c wireContainer
		if json.Unmarshal(b, &c) == nil {
			e.attrs(&c)
		}
		var l wireListed
		if json.Unmarshal(b, &l) == nil {
			summary(&l, true, c.Created)
		}
		if ev, err := event(b); err == nil && ev.Attributes == nil {
			t.Error("no attributes")
		}
		var n wire.Raw[wireNetwork]
		if json.Unmarshal(b, &n) == nil {
			networkAttrs(&n)
		}
		if s, err := e.decodeStats(b); err == nil {
			since(engine.Stats{}, s)
		}
		var p wireProgress
		if json.Unmarshal(b, &p) == nil {
			var y layers
			for range 2 {
				if sum, _ := y.add(&p); sum.Done > sum.Layers {
					t.Errorf("%+v", sum)
				}
			}
		}
	})
}

// FuzzUserns reads the options of the user namespace.
func FuzzUserns(f *testing.F) {
	f.Add("size=5,uidmapping=0:1:2")
	f.Fuzz(func(t *testing.T, s string) {
		r := &refusals{e: &Engine{}}
		if o := autoOptions(r, "x", s); (o == nil) != (s == "" || len(r.errs) > 0) {
			t.Errorf("%q: %+v, %v", s, o, r.errs)
		}
	})
}

// FuzzBounds holds that the range of addresses of a network is the one that was asked for.
func FuzzBounds(f *testing.F) {
	f.Add("10.0.0.0/24")
	f.Add("fd00::/64")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := netip.ParsePrefix(s)
		if err != nil || p.Addr().Is4In6() {
			return
		}
		first, last := bounds(p)
		if !p.Contains(first) || !p.Contains(last) || last.Less(first) {
			t.Errorf("%s is %s to %s", p, first, last)
		}
		if got := rangeOf(first, last); got != p.Masked() && p.Bits() < first.BitLen()-2 {
			t.Errorf("%s comes back as %s", p, got)
		}
	})
}

// FuzzRawPath splits what Do is given.
func FuzzRawPath(f *testing.F) {
	for _, s := range []string{"/containers/json?all=1", "/v1.41/info", "/libpod/info", "x", "/v", "/_ping"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := rawRequest(s); err == nil && (len(r.Path) == 0 || r.Path[0] != '/') {
			t.Errorf("%q is %q", s, r.Path)
		}
	})
}
