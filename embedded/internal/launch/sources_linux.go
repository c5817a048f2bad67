package launch

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mountPlan is Spec.Mounts on the way into the container.
type mountPlan struct {
	mounts  []*planned
	devices []device
	console bool // /dev/console is the terminal
	ownDev  bool // one of the mounts is a tmpfs on /dev, which is filled before it is attached
	hostDev bool // one of the mounts is a bind on /dev: no devices are made
	parent  bool // sources are opened by the parent
	userns  bool
	ns      spaces
}

// planned is a mount.
type planned struct {
	specs.Mount
	opts   mountOptions
	dest   string // clean and absolute
	isFile bool   // of a bind: the source is no directory
	have   uint64 // of a bind: MS_… flags that its source's mount has
	fd     val    // the detached mount
	subs   []*planned
	links  [][2]string // symbolic links to make in it: cgroup controllers that share a hierarchy
}

// devpts is the mount that the plan puts on /dev/pts; the zero value is none.
func (pl *mountPlan) devpts() val {
	for _, p := range pl.mounts {
		if p.Type == "devpts" && p.dest == "/dev/pts" {
			return p.fd
		}
	}
	return val{}
}

// plan sorts out Spec.Mounts.
func (b *builder) plan(cfg *Config, ns spaces) (*mountPlan, error) {
	pl := &mountPlan{ns: ns, userns: ns.has(unix.CLONE_NEWUSER), console: cfg.Spec.Process.Terminal}
	// Root of a new user namespace may lack the permission to reach the sources; the parent has it.
	pl.parent = pl.userns && b.privileged
	b.trees = cfg.Trees
	for _, m := range cfg.Spec.Mounts {
		p, err := b.planMount(m)
		if err != nil {
			return nil, err
		}
		if p.Type == "cgroup" {
			if err := b.planCgroup(cfg, pl, p); err != nil {
				return nil, err
			}
		}
		if p.dest == "/dev" {
			pl.hostDev = p.opts.bind
			pl.ownDev = !p.opts.bind && p.Type == "tmpfs"
		}
		pl.mounts = append(pl.mounts, p)
	}
	var err error
	pl.devices, err = deviceList(cfg.Spec.Linux.Devices)
	return pl, err
}

// planMount checks one mount.
func (b *builder) planMount(m specs.Mount) (*planned, error) {
	o, err := parseMountOptions(m.Options)
	if err != nil {
		return nil, err
	}
	p := &planned{Mount: m, opts: o, dest: path.Clean("/" + m.Destination)}
	p.opts.bind = o.bind || m.Type == "bind"
	switch {
	case m.Destination == "" || p.dest == "/":
		return nil, invalid("mounts.destination", "the root cannot be mounted over")
	case len(m.UIDMappings) > 0 || len(m.GIDMappings) > 0:
		return nil, unsupported("mounts.uidMappings", "", "")
	case p.opts.bind:
		return p, b.planBind(p)
	case m.Type == "":
		return nil, invalid("mounts.type", m.Destination+" has none")
	case below(p.dest, "/proc") && !(p.dest == "/proc" && m.Type == "proc"):
		return nil, invalid("mounts.destination", p.dest+" is inside /proc")
	}
	return p, nil
}

// planBind looks at the source of a bind.
func (b *builder) planBind(p *planned) error {
	if !path.IsAbs(p.Source) {
		return invalid("mounts.source", p.Source+" is not absolute")
	}
	if below(p.dest, "/proc") && !mayCover[p.dest] {
		// Over /proc itself only another procfs, else masks and sysctls would not be what they seem.
		if p.dest != "/proc" || !b.dry && !isProcfs(p.Source) {
			return invalid("mounts.destination", p.dest+" is inside /proc")
		}
	}
	if b.dry {
		return nil
	}
	if t := b.trees[p.dest]; t != nil {
		return b.planTree(p, t)
	}
	st, err := os.Stat(p.Source)
	if err != nil {
		return failure("mount "+p.Source+" on "+p.dest, err)
	}
	p.isFile = !st.IsDir()
	if !b.mountSetattr {
		p.have = mountFlags(p.Source)
	}
	return nil
}

// planTree looks at a detached mount.
func (b *builder) planTree(p *planned, tree *os.File) error {
	st, err := tree.Stat()
	if err != nil {
		return failure("mount a tree on "+p.dest, err)
	}
	p.isFile = !st.IsDir()
	if !b.mountSetattr {
		p.have = mountFlags(fmt.Sprintf("/proc/self/fd/%d", tree.Fd()))
	}
	return nil
}

// mountFlags are the MS_… flags of the mount at a path: 0 where it cannot be read, which
// the kernel then refuses where it matters.
func mountFlags(p string) uint64 {
	var fs unix.Statfs_t
	if unix.Statfs(p, &fs) != nil {
		return 0
	}
	// ST_… of statfs and MS_… of mount are the same bits, except for relatime.
	return uint64(fs.Flags) & (unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME)
}

// mayCover are the files of /proc that may be replaced by others (by lxcfs, as a rule).
var mayCover = map[string]bool{
	"/proc/cpuinfo": true, "/proc/diskstats": true, "/proc/loadavg": true, "/proc/meminfo": true,
	"/proc/slabinfo": true, "/proc/stat": true, "/proc/swaps": true, "/proc/uptime": true,
	"/proc/net/dev": true, "/proc/sys/kernel/ns_last_pid": true, "/proc/sys/crypto/fips_enabled": true,
}

func isProcfs(p string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(p, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}

// below says that p is dir or something below it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// propagation cuts the child's copy of the host's mounts off, or leaves them shared
// where the configuration says so: then a bind of a shared mount stays shared. As
// with runc, the container's own mounts do not become so.
func (b *builder) propagation(mode string) {
	flags, ok := propagations[mode]
	if !ok {
		flags = unix.MS_SLAVE | unix.MS_REC
	}
	b.mount("make mounts "+propagationName(flags), "", "/", "", flags, "")
}

// sources opens everything that has a path on the host.
func (b *builder) sources(cfg *Config, pl *mountPlan) error {
	for _, p := range pl.mounts {
		if t := b.trees[p.dest]; t != nil && p.opts.bind {
			p.fd = b.parentFD("mount a tree on "+p.dest, func() (int, error) { return unix.FcntlInt(t.Fd(), unix.F_DUPFD_CLOEXEC, 3) })
		} else if p.opts.bind {
			p.fd = b.tree(pl, p.Source, p.opts.recursive, "mount "+p.Source+" on "+p.dest)
		}
		for _, sub := range p.subs {
			if sub.opts.bind {
				sub.fd = b.tree(pl, sub.Source, false, "mount "+sub.Source+" on "+sub.dest)
			}
		}
	}
	if err := b.deviceSources(pl, len(cfg.Spec.Linux.MaskedPaths)); err != nil {
		return err
	}
	mode := cfg.Spec.Linux.RootfsPropagation
	if strings.HasSuffix(mode, "shared") || slices.Contains([]string{"slave", "private", "unbindable"}, mode) {
		// The copies are made: what happens to the rest must not reach the host.
		b.mount("make mounts rslave", "", "/", "", unix.MS_SLAVE|unix.MS_REC, "")
	}
	return b.openRoot(cfg, pl)
}

// tree is a detached copy of the mount at a path of the host, with those below it if it is recursive.
func (b *builder) tree(pl *mountPlan, source string, recursive bool, what string) val {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	if pl.parent {
		return b.parentFD(what, func() (int, error) { return unix.OpenTree(unix.AT_FDCWD, source, flags) })
	}
	return b.open(what, "open_tree", atCWD, b.str(source), num(flags)).val()
}

// mount adds a mount(2).
func (b *builder) mount(name, source, target, typ string, flags uint64, data string) *step {
	d := num(0)
	if data != "" {
		d = b.str(data)
	}
	return b.add(name, "mount", b.str(source), b.str(target), b.str(typ), num(flags), d)
}

func propagationName(flags uint64) string {
	for name, f := range propagations {
		if f == flags {
			return name
		}
	}
	return ""
}
