package enginetest

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// effect is a case whose effect a shell line in the container shows: set changes
// the spec, line prints, and want is what must be printed.
func effect(name string, set func(t *T, s *berth.Spec), line, want string) Case {
	return Case{Name: name, Do: func(t *T) {
		spec := t.Spec()
		set(t, &spec)
		if got := t.Sh(spec, line); got != want {
			t.Errorf("%s prints %q, want %q", line, got, want)
		}
	}}
}

// differs is an effect that is also seen to be absent from a container without the option.
func differs(name string, set func(t *T, s *berth.Spec), line, want string) Case {
	c := effect(name, set, line, want)
	with := c.Do
	c.Do = func(t *T) {
		if without := t.Sh(t.Spec(), line); without == want {
			t.Fatalf("%s prints %q without the option too", line, without)
		}
		with(t)
	}
	return c
}

// refused is a case of an option that no engine on Linux has: it must be refused before anything is made.
func refused(name string, set func(s *berth.Spec)) Case {
	return Case{Name: name, Do: func(t *T) {
		spec := t.Sleeper()
		set(&spec)
		c, err := t.Client().Containers.Start(t.Context(), spec)
		if err == nil {
			t.removeLater(c)
			t.Fatal("a container runs although the option has no effect")
		}
		t.Gone("the refusal")
		t.Unsupported(err)
	}}
}

// cgroup reads a cgroup file of a container of spec: v1 is controller/file, v2 the file of the unified
// hierarchy ("" where there is none).
func (t *T) cgroup(spec berth.Spec, v1, v2 string) string {
	t.Helper()
	controller, file, _ := strings.Cut(v1, "/")
	// The container's own cgroup is what /sys/fs/cgroup shows, whichever cgroup namespace it has.
	line := "cat /sys/fs/cgroup/" + controller + "/" + file
	if t.Client().Engine().CgroupVersion == "2" {
		if v2 == "" {
			_, err := t.Client().Containers.Run(t.Context(), withCommand(spec, "true"))
			if err == nil {
				t.Fatalf("%s has no file in cgroup v2: the engine should have refused", v1)
			}
			t.Unsupported(err)
		}
		line = "cat /sys/fs/cgroup/" + v2
	}
	if t.Client().Engine().Rootless && t.Sh(spec, "test -e "+strings.TrimPrefix(line, "cat ")+" || echo none") == "none" {
		t.Untestable("a container of this user has no cgroup of its own", nil)
	}
	return t.Sh(spec, line)
}

// limited is a case of an option that sets a cgroup file. Values that are right alike have | between them.
func limited(name string, set func(s *berth.Spec), v1, want1, v2, want2 string) Case {
	return Case{Name: name, Do: func(t *T) {
		spec := t.Spec()
		set(&spec)
		want := want1
		if t.Client().Engine().CgroupVersion == "2" {
			want = want2
		}
		if got := t.cgroup(spec, v1, v2); !slices.Contains(strings.Split(want, "|"), got) {
			t.Errorf("%s is %q, want %q", v1, got, want)
		}
	}}
}
