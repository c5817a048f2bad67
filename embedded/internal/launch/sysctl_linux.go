package launch

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// sysctlNamespaces are the settings that belong to a namespace, and to which. All
// others belong to the host and are refused, whatever the procfs would say.
var sysctlNamespaces = []struct {
	prefix string // with a final dot: all below it
	flag   uintptr
}{
	{"net.", unix.CLONE_NEWNET},
	{"fs.mqueue.", unix.CLONE_NEWIPC},
	{"kernel.msgmax", unix.CLONE_NEWIPC},
	{"kernel.msgmnb", unix.CLONE_NEWIPC},
	{"kernel.msgmni", unix.CLONE_NEWIPC},
	{"kernel.sem", unix.CLONE_NEWIPC},
	{"kernel.shmall", unix.CLONE_NEWIPC},
	{"kernel.shmmax", unix.CLONE_NEWIPC},
	{"kernel.shmmni", unix.CLONE_NEWIPC},
	{"kernel.shm_rmid_forced", unix.CLONE_NEWIPC},
	{"kernel.domainname", unix.CLONE_NEWUTS},
	{"user.", unix.CLONE_NEWUSER},
}

// setting begins the names of steps that set one.
const setting = "set "

// isSysctl tells whether a step is about a kernel setting.
func isSysctl(step string) bool {
	key, ok := strings.CutPrefix(step, setting)
	key = strings.ReplaceAll(key, "/", ".")
	for _, n := range sysctlNamespaces {
		if ok && strings.HasPrefix(key, n.prefix) {
			return true
		}
	}
	return false
}

// sysctls writes settings through the procfs that this start made: the container
// cannot have put another file in its place.
func (b *builder) sysctls(m map[string]string, ns spaces) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		// "net/ipv4/conf/eth0.1/forwarding" names an interface with a dot; with the first
		// separator a dot, slashes and dots change places.
		file := key
		if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
			file = strings.NewReplacer(".", "/", "/", ".").Replace(key)
		}
		dotted := strings.ReplaceAll(file, "/", ".")
		flag := uintptr(0)
		for _, n := range sysctlNamespaces {
			if dotted == n.prefix || strings.HasSuffix(n.prefix, ".") && strings.HasPrefix(dotted, n.prefix) {
				flag = n.flag
			}
		}
		switch {
		case slices.Contains(strings.Split(file, "/"), "..") || strings.Contains(file, "//"):
			return invalid("linux.sysctl", key+" is no setting")
		case flag == 0:
			return invalid("linux.sysctl", key+" does not belong to a namespace")
		case !ns.has(flag):
			return invalid("linux.sysctl", key+" is the host's: the container has not the namespace that it belongs to")
		}
		name := setting + key
		if file == "kernel/domainname" {
			// The file belongs to the host's root, also in a user namespace.
			b.add(name, "setdomainname", b.str(m[key]), num(len(m[key])))
			continue
		}
		f := b.open(name, "openat", b.ownProc().val(), b.str("sys/"+file), num(unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW))
		b.add(name, "write", f.val(), b.str(m[key]), num(len(m[key])))
		b.add("close a descriptor", "close", f.val())
	}
	return nil
}
