package cgroup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// needs tells which controllers of v2 the group shall have. Where v2 is alone they are all that limit or count
// something; beside v1, where whoever set up the machine left them out, those that res asks for.
func (g *Group) needs(res *specs.LinuxResources) func(controller string) bool {
	if g.Layout() == Unified {
		return func(c string) bool {
			switch c {
			case "cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma":
				return true
			}
			return res != nil && hasFileOf(res.Unified, c)
		}
	}
	return func(c string) bool {
		switch {
		case res == nil:
			return false
		case c == "hugetlb" && len(res.HugepageLimits) > 0, c == "rdma" && len(res.Rdma) > 0:
			return true
		}
		return hasFileOf(res.Unified, c)
	}
}

func hasFileOf(files map[string]string, controller string) bool {
	for file := range files {
		if strings.HasPrefix(file, controller+".") {
			return true
		}
	}
	return false
}

// enable enables controllers in the groups above, from the top, so that the group
// has them. What the kernel refuses is no error here: the group is without, and a
// limit that needs it is refused later, with the kernel's reason.
func (d *dir) enable(needs func(string) bool) error {
	parents := append([]string{d.base}, d.above()...)
	last := parents[len(parents)-1]
	have := words(last + "/cgroup.subtree_control")
	missing := func(c string) bool { return needs(c) && !slices.Contains(have, c) }
	if slices.ContainsFunc(d.controllers, missing) {
		for _, at := range parents {
			enabled := words(at + "/cgroup.subtree_control")
			for _, c := range words(at + "/cgroup.controllers") {
				if !needs(c) || slices.Contains(enabled, c) {
					continue
				}
				if err := write(at+"/cgroup.subtree_control", "+"+c); err != nil && d.refused == "" {
					d.refused = fmt.Sprintf("%v%s", err, whyBusy(at))
				}
			}
		}
		have = words(last + "/cgroup.subtree_control")
	}
	d.controllers = have
	return nil
}

// whyBusy explains the kernel's EBUSY: but in the true root, a group has processes or controllers for its groups, not both.
func whyBusy(at string) string {
	if len(words(at+"/cgroup.procs")) == 0 {
		return ""
	}
	return "; " + at + " has processes of its own, and so can give controllers to none of its groups: move them into a group below it"
}
