package launch

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// What is wrong with a profile that cannot be had.
const (
	noAppArmor = "this kernel has no AppArmor"
	notLoaded  = "no profile of that name is loaded"
)

// apparmorOpen opens the file that takes the AppArmor profile of the next execve. It
// is the host's procfs, by descriptor: the container's may be another file system (CVE-2019-16884).
func (b *builder) apparmorOpen(profile string) {
	if b.profile = ProfileToApply(profile); b.profile == "" {
		return
	}
	proc := b.parentFD("/proc", func() (int, error) {
		return unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	b.apparmor = b.open("set the AppArmor profile "+profile, "openat", proc, b.str("self/attr/apparmor/exec"), num(unix.O_WRONLY|unix.O_CLOEXEC))
	b.last().Detail = noAppArmor
}

// apparmorWrite names the profile.
func (b *builder) apparmorWrite() {
	if b.profile == "" {
		return
	}
	name, text := "set the AppArmor profile "+b.profile, "exec "+b.profile
	s := b.add(name, "write", b.apparmor.val(), b.str(text), num(len(text)))
	jump := b.add("skip", opJump, num(0))
	b.on(s, unix.ENOENT, b.here())
	b.add(name, opFail, num(uint32(unix.ENOENT))).Detail = notLoaded
	jump.Args[0] = num(b.here())
}

// hasAppArmor says that processes have profiles.
func hasAppArmor() bool { return unix.Access("/proc/self/attr/apparmor/exec", unix.F_OK) == nil }

// ProfileToApply is the profile that a process with this one in its configuration has to be given; empty is none. It is another one
// only where there is no AppArmor: everything is unconfined there.
func ProfileToApply(profile string) string {
	if profile == "unconfined" && !hasAppArmor() {
		return ""
	}
	return profile
}

// CheckProfile fails as a start with the profile would, for those that another program makes: the words of some do not say what is wrong.
func CheckProfile(profile string) error {
	e := &Error{Step: "set the AppArmor profile " + profile, Errno: unix.ENOENT}
	switch {
	case profile == "":
		return nil
	case !hasAppArmor():
		e.Detail = noAppArmor
	case !ProfileLoaded(profile):
		e.Detail = notLoaded
	default:
		return nil
	}
	return e
}

// ProfileLoaded says that AppArmor knows a profile. Its list is root's to read, but not the names of which it is made; where these
// cannot be read either, and of profiles in others, the kernel will tell at the start.
func ProfileLoaded(name string) bool {
	if name == "unconfined" {
		return true
	}
	const dir = "/sys/kernel/security/apparmor/"
	b, err := os.ReadFile(dir + "profiles")
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if i := strings.LastIndex(line, " ("); i >= 0 && line[:i] == name {
				return true
			}
		}
		return false
	}
	files, _ := filepath.Glob(dir + "policy/profiles/*/name")
	for _, file := range files {
		if b, err := os.ReadFile(file); err != nil || strings.TrimSuffix(string(b), "\n") == name {
			return true
		}
	}
	return len(files) == 0 || strings.ContainsAny(name, ":/")
}
