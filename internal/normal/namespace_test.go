package normal

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestNamespace(t *testing.T) {
	for in, want := range map[string]NS{
		"": {}, "host": {"host", ""}, "private": {"private", ""}, "container:db": {"container", "db"}, "ns:/run/netns/x": {"ns", "/run/netns/x"},
		"keep-id:uid=1,gid=2": {"keep-id", "uid=1,gid=2"}, "auto:size=10:x": {"auto", "size=10:x"}, "nomap": {"nomap", ""}, "shareable": {"shareable", ""},
	} {
		got, err := Namespace("Spec.PIDMode", in)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{":", "a:", ":a", "container", "container:", "ns", "ns:", "ns:x", "host:x", "private:x", "none:x"} {
		_, err := Namespace("Spec.PIDMode", in)
		wantInvalid(t, err)
		if e, ok := err.(*engine.InvalidError); ok && (e.Option != "Spec.PIDMode" || e.Value != in) {
			t.Errorf("%q: %+v", in, e)
		}
	}
}

func TestNetworkMode(t *testing.T) {
	for in, want := range map[string]NetMode{
		"": {}, "default": {Mode: "default"}, "bridge": {Mode: "bridge"}, "host": {Mode: "host"}, "none": {Mode: "none"}, "private": {Mode: "private"}, "pod": {Mode: "pod"},
		"container:a": {Mode: "container", Value: "a"}, "ns:/x:y": {Mode: "ns", Value: "/x:y"},
		"pasta": {Mode: "pasta"}, "pasta:-t,80": {Mode: "pasta", Options: []string{"-t", "80"}},
		"slirp4netns:mtu=1500,cidr=10.0.0.0/8": {Mode: "slirp4netns", Options: []string{"mtu=1500", "cidr=10.0.0.0/8"}},
		"mynet":                                {Mode: "network", Value: "mynet"}, "hosts": {Mode: "network", Value: "hosts"},
	} {
		got, err := NetworkMode(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", in, err, diff)
		}
	}
	for _, in := range []string{"container", "ns:x", "bridge:x", "mynet:ip=1", "host:x", ":", "pasta:"} {
		_, err := NetworkMode(in)
		wantInvalid(t, err)
	}
}

func FuzzNetworkMode(f *testing.F) {
	f.Add("container:db")
	f.Add("pasta:-t,80")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := NetworkMode(s)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if again, err := NetworkMode(s); err != nil || !cmp.Equal(m, again) || m.Mode == "" && s != "" {
			t.Fatalf("%q: %+v, %+v", s, m, again)
		}
		// What can be used is not refused by Spec.Validate, unless it is text that no engine can take.
		spec := engine.Spec{Image: "x", NetworkMode: s}
		if err := spec.Validate(); err != nil && utf8.ValidString(s) && !strings.Contains(s, "\x00") {
			t.Fatalf("%q is %+v, but %v", s, m, err)
		}
	})
}
