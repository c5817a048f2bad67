//go:build linux

package image

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/engine"
)

func TestChange(t *testing.T) {
	set := func(list ...string) map[string]struct{} { return setOf(list) }
	base := ContainerConfig{Env: []string{"PATH=/bin", "E="}, Cmd: []string{"old"}, WorkingDir: "/w"}
	for _, test := range []struct {
		changes []string
		want    func(*ContainerConfig)
	}{
		{[]string{`CMD ["sh", "-c", "echo $PATH"]`}, func(c *ContainerConfig) { c.Cmd = []string{"sh", "-c", "echo $PATH"} }},
		{[]string{`cmd echo "$PATH"`}, func(c *ContainerConfig) { c.Cmd = []string{"/bin/sh", "-c", `echo "$PATH"`} }},
		{[]string{`CMD [not json]`}, func(c *ContainerConfig) { c.Cmd = []string{"/bin/sh", "-c", "[not json]"} }},
		{[]string{`CMD []`}, func(c *ContainerConfig) { c.Cmd = []string{} }},
		{[]string{`ENTRYPOINT ["/e"]`}, func(c *ContainerConfig) { c.Entrypoint, c.Cmd = []string{"/e"}, nil }},
		{[]string{`CMD x`, `ENTRYPOINT ["/e"]`}, func(c *ContainerConfig) { c.Entrypoint, c.Cmd = []string{"/e"}, []string{"/bin/sh", "-c", "x"} }},
		{[]string{`ENV A=1 B="2 3" C='$PATH' D=4\ 5 PATH=/x:$PATH`}, func(c *ContainerConfig) {
			c.Env = []string{"PATH=/x:/bin", "E=", "A=1", "B=2 3", "C=$PATH", "D=4 5"}
		}},
		{[]string{`ENV A some value`, `ENV B ${A}s ${E:-none} ${PATH:+some} ${NOSUCH}$ \$A`}, func(c *ContainerConfig) {
			c.Env = append(c.Env, "A=some value", "B=some values none some $ $A")
		}},
		{[]string{`LABEL a=b "c d"="e f" g=`}, func(c *ContainerConfig) { c.Labels = map[string]string{"a": "b", "c d": "e f", "g": ""} }},
		{[]string{`EXPOSE 80 53/UDP 1-3/sctp`}, func(c *ContainerConfig) { c.ExposedPorts = set("80/tcp", "53/udp", "1/sctp", "2/sctp", "3/sctp") }},
		{[]string{`VOLUME /a "/b c"`, `VOLUME ["/d"]`}, func(c *ContainerConfig) { c.Volumes = set("/a", "/b c", "/d") }},
		{[]string{`USER me:group`, `STOPSIGNAL SIGQUIT`, `WORKDIR sub/../x`}, func(c *ContainerConfig) { c.User, c.StopSignal, c.WorkingDir = "me:group", "SIGQUIT", "/w/x" }},
		{[]string{`WORKDIR /abs/`}, func(c *ContainerConfig) { c.WorkingDir = "/abs" }},
		{[]string{`HEALTHCHECK --interval=5s --timeout=1m --start-period=2s --start-interval=1s --retries=3 CMD curl x || exit 1`}, func(c *ContainerConfig) {
			c.Healthcheck = &Healthcheck{Test: []string{"CMD-SHELL", "curl x || exit 1"}, Interval: 5 * time.Second, Timeout: time.Minute, StartPeriod: 2 * time.Second, StartInterval: time.Second, Retries: 3}
		}},
		{[]string{`HEALTHCHECK CMD ["true"]`}, func(c *ContainerConfig) { c.Healthcheck = &Healthcheck{Test: []string{"CMD", "true"}} }},
		{[]string{`HEALTHCHECK none`}, func(c *ContainerConfig) { c.Healthcheck = &Healthcheck{Test: []string{"NONE"}} }},
	} {
		got, want := base, base
		want.Env = append([]string{}, base.Env...)
		test.want(&want)
		if err := got.change(test.changes); err != nil {
			t.Errorf("%q: %v", test.changes, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", test.changes, diff)
		}
	}
	if diff := cmp.Diff([]string{"PATH=/bin", "E="}, base.Env); diff != "" {
		t.Error("the base was changed: " + diff)
	}
}

func TestChangeRefuses(t *testing.T) {
	for _, line := range []string{
		"", "FROM x", "RUN x", "ENV", "ENV A", "ENV =x", "ENV A=1 B", `ENV A="x`, `ENV A=x\`, "ENV A=${", "ENV A=${B", "ENV A=${B:?x}", "ENV A=${B:-${C}}", "LABEL a", "EXPOSE x", "EXPOSE 0", "EXPOSE 70000", "EXPOSE 80/icmp", "EXPOSE 9-3",
		"VOLUME", `VOLUME [""]`, "STOPSIGNAL NOSUCH", "HEALTHCHECK", "HEALTHCHECK x", "HEALTHCHECK CMD", "HEALTHCHECK CMD []", "HEALTHCHECK NONE x", "HEALTHCHECK --interval=5s NONE", "HEALTHCHECK --interval CMD x",
		"HEALTHCHECK --interval=x CMD x", "HEALTHCHECK --interval=1ns CMD x", "HEALTHCHECK --retries=0 CMD x", "HEALTHCHECK --nosuch=1 CMD x", "CMD a\nUSER b",
	} {
		var c ContainerConfig
		if err := c.change([]string{line}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", line, err)
		}
	}
	var c ContainerConfig
	if err := c.change([]string{"ONBUILD RUN x"}); !errors.Is(err, engine.ErrUnsupported) {
		t.Error(err)
	}
}

func FuzzChange(f *testing.F) {
	for _, s := range []string{`ENV A="${B:-x}" C=\$`, "EXPOSE 1-9/udp", `HEALTHCHECK --retries=3 CMD ["x"]`, `CMD ["a"]`, "LABEL a b", "VOLUME [\"/a\"]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c := ContainerConfig{Env: []string{"B=1"}}
		if err := c.change([]string{line}); err != nil && !errors.Is(err, engine.ErrInvalid) && !errors.Is(err, engine.ErrUnsupported) {
			t.Error(err)
		}
	})
}
