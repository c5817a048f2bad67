package launch

import (
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// hierarchy is a cgroup hierarchy as the host has it mounted.
type hierarchy struct {
	dir         string // mount point
	root        string // which of its cgroups is there
	v2          bool
	controllers []string // of v1; "name=x" for one without controller
}

// planCgroup replaces a mount of type cgroup by what this machine has: the unified
// hierarchy, or a tmpfs with a directory for each v1 hierarchy.
func (b *builder) planCgroup(cfg *Config, pl *mountPlan, p *planned) error {
	all, err := hierarchies(cfg.MountInfo)
	if err != nil {
		return err
	}
	v1 := slices.DeleteFunc(slices.Clone(all), func(h hierarchy) bool { return h.v2 })
	ns := pl.ns.has(unix.CLONE_NEWCGROUP)
	if len(v1) == 0 {
		p.Type, p.Source = "cgroup2", "cgroup"
		if pl.userns && !ns && len(all) > 0 {
			// The kernel lets only the owner of the cgroup namespace mount it: the host's is bound, read-only where it was to be.
			p.Type, p.Source = "bind", all[0].dir
			p.opts.bind, p.opts.recursive, p.opts.allSet = true, true, p.opts.allSet|p.opts.set
			return b.planBind(p)
		}
		return nil
	}
	own, err := ownCgroups(cfg.TasksFiles)
	if err != nil {
		return err
	}
	sub := func(h hierarchy) *planned {
		source := "cgroup"
		if i := slices.IndexFunc(h.controllers, func(c string) bool { return strings.HasPrefix(c, "name=") }); i >= 0 {
			source = strings.TrimPrefix(h.controllers[i], "name=")
		}
		s := &planned{Mount: specs.Mount{Type: "cgroup", Source: source}, dest: path.Join(p.dest, path.Base(h.dir))}
		s.opts = mountOptions{set: p.opts.set, allSet: p.opts.allSet}
		if !ns {
			// The host's tree would be seen: only our own cgroup is bound.
			s.opts.bind, s.isFile = true, false
			s.Source = own(h)
			return s
		}
		for _, c := range h.controllers {
			if strings.HasPrefix(c, "name=") {
				s.opts.data = append(s.opts.data, "none")
			}
			s.opts.data = append(s.opts.data, c)
		}
		return s
	}
	for _, h := range v1 {
		s := sub(h)
		p.subs = append(p.subs, s)
		base := path.Base(h.dir)
		for _, c := range h.controllers {
			if c != base && strings.Contains(base, ",") && !strings.HasPrefix(c, "name=") {
				p.links = append(p.links, [2]string{base, c})
			}
		}
	}
	p.Type, p.Source = "tmpfs", "tmpfs"
	p.opts.data = append(p.opts.data, "mode=755")
	return nil
}

// attachSubs attaches the mounts of a cgroup tmpfs, in directories of it.
func (b *builder) attachSubs(p *planned) {
	for _, s := range p.subs {
		dir := path.Base(s.dest)
		name := "mount cgroup on " + s.dest
		b.add(name, "mkdirat", p.fd, b.str(dir), num(0o755))
		if s.opts.bind {
			b.mountAttr(name, s)
		}
		b.moveMount(name, s.fd, p.fd, dir)
		if s.opts.bind {
			b.mountAttrByPath(name, s)
		}
		b.add("close a descriptor", "close", s.fd)
	}
	for _, l := range p.links {
		b.add("make "+p.dest+"/"+l[1], "symlinkat", b.str(l[0]), p.fd, b.str(l[1]))
	}
}

// hierarchies is what of cgroups is mounted, as the table of mounts says; without one it is read.
func hierarchies(info []byte) ([]hierarchy, error) {
	if info == nil {
		var err error
		if info, err = os.ReadFile("/proc/self/mountinfo"); err != nil {
			return nil, failure("read the cgroup mounts", err)
		}
	}
	var all []hierarchy
	seen := map[string]bool{}
	for line := range strings.Lines(string(info)) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 6 || len(g) < 3 || g[0] != "cgroup" && g[0] != "cgroup2" {
			continue
		}
		h := hierarchy{root: f[3], dir: f[4], v2: g[0] == "cgroup2"}
		for o := range strings.SplitSeq(g[2], ",") {
			switch o {
			case "rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "nsdelegate", "memory_recursiveprot", "favordynmods", "nofavordynmods", "none":
			default:
				if !strings.HasPrefix(o, "release_agent=") && !h.v2 {
					h.controllers = append(h.controllers, o)
				}
			}
		}
		key := strings.Join(h.controllers, ",")
		if !seen[key] || h.v2 {
			seen[key] = true
			all = append(all, h)
		}
	}
	return all, nil
}

// ownCgroups tells the directory of the container's cgroup in a hierarchy: that of its
// tasks file, else our own.
func ownCgroups(tasks []string) (func(hierarchy) string, error) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, failure("read our cgroups", err)
	}
	ours := map[string]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 {
			ours[f[1]] = f[2]
		}
	}
	return func(h hierarchy) string {
		for _, t := range tasks {
			if below(t, h.dir) {
				return path.Dir(t)
			}
		}
		rel := ours[strings.Join(h.controllers, ",")]
		if h.root != "/" {
			rel = strings.TrimPrefix(rel, h.root)
		}
		return path.Join(h.dir, rel)
	}, nil
}
