package cgroup

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Layout is which versions of cgroups this machine has mounted.
type Layout int

// The layouts.
const (
	None    Layout = iota // no cgroup file system is mounted
	Legacy                // v1 alone
	Hybrid                // v1, and v2 beside it, with none or few controllers
	Unified               // v2 alone
)

// Mode tells the layout of this machine.
func Mode() Layout { return layoutOf(hierarchies()) }

// mountPoint is where every distribution of today mounts cgroups.
const mountPoint = "/sys/fs/cgroup"

// hierarchy is a mounted cgroup file system.
type hierarchy struct {
	dir         string   // where it is mounted
	v2          bool     //
	controllers []string // those it has; "name=systemd" is a v1 hierarchy without any
}

// hierarchies lists what is mounted, each hierarchy once. Of the unified one alone,
// which is the common case, it does not read the table of mounts.
func hierarchies() []hierarchy { return hierarchiesIn(nil) }

// hierarchiesIn is hierarchies with the table of mounts, if it is known.
func hierarchiesIn(table []byte) []hierarchy {
	var fs unix.Statfs_t
	if unix.Statfs(mountPoint, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return []hierarchy{{dir: mountPoint, v2: true, controllers: words(mountPoint + "/cgroup.controllers")}}
	}
	if table == nil {
		var err error
		if table, err = os.ReadFile("/proc/self/mountinfo"); err != nil {
			return nil
		}
	}
	all := parseMounts(table)
	for i := range all {
		if all[i].v2 {
			all[i].controllers = words(all[i].dir + "/cgroup.controllers")
		}
	}
	return all
}

// parseMounts finds the cgroup mounts in a /proc/PID/mountinfo.
func parseMounts(table []byte) []hierarchy {
	var all []hierarchy
	lines := bufio.NewScanner(bytes.NewReader(table))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(" - cgroup")) {
			continue
		}
		before, after, _ := strings.Cut(lines.Text(), " - ")
		place, what := strings.Fields(before), strings.Fields(after)
		if len(place) < 6 || len(what) < 3 {
			continue
		}
		h := hierarchy{dir: unescape(place[4])}
		switch what[0] {
		case "cgroup":
			h.controllers = v1Controllers(what[2])
		case "cgroup2":
			h.v2 = true
		default:
			continue
		}
		same := func(o hierarchy) bool { return o.v2 == h.v2 && slices.Equal(o.controllers, h.controllers) }
		if !slices.ContainsFunc(all, same) {
			all = append(all, h)
		}
	}
	return all
}

// v1Controllers are the controllers in the options of a v1 mount.
func v1Controllers(options string) []string {
	var list []string
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "none", "favordynmods", "nofavordynmods":
		default:
			if !strings.HasPrefix(o, "release_agent=") {
				list = append(list, o)
			}
		}
	}
	return list
}

// unescape undoes the octal escapes of a mount point.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

func layoutOf(all []hierarchy) Layout {
	v1 := slices.ContainsFunc(all, func(h hierarchy) bool { return !h.v2 })
	v2 := slices.ContainsFunc(all, func(h hierarchy) bool { return h.v2 })
	switch {
	case v1 && v2:
		return Hybrid
	case v1:
		return Legacy
	case v2:
		return Unified
	}
	return None
}
