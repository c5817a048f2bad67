package engine

import (
	"path/filepath"
	"slices"
	"strings"
)

// ParseMount reads a mount in the form of docker run -v:
//
//	[SOURCE:]TARGET[:OPTION[,OPTION]…]
//
// A source that is a path is a bind, which is made if it is missing
// (CreateSource); one that starts with "." is relative to the working directory of
// this process. Any other source names a volume; none is an anonymous volume.
//
// The options are ro, rw; z, Z (SELinux); private, rprivate, shared, rshared,
// slave, rslave and bind, rbind of a bind; nocopy of a volume; cached, consistent,
// delegated; U (chown), O (overlay) and exec, noexec, suid, nosuid, dev, nodev, as
// Podman has them. A path with a colon or a comma in it needs [ParseMountFlag].
// Errors are InvalidErrors.
func ParseMount(s string) (Mount, error) {
	bad := func(reason string) (Mount, error) {
		return Mount{}, &InvalidError{Option: "mount", Value: s, Reason: reason}
	}
	var m Mount
	var options string
	switch parts := splitVolume(s); len(parts) {
	case 1:
		m.Target = parts[0]
	case 2:
		m.Source, m.Target = parts[0], parts[1]
		if m.Source == "" {
			return bad("the source is empty")
		}
	case 3:
		m.Source, m.Target, options = parts[0], parts[1], parts[2]
		if m.Source == "" || options == "" {
			return bad("a part between colons is empty")
		}
	default:
		return bad("too many colons")
	}
	switch {
	case strings.HasPrefix(strings.ToLower(m.Source), `\\.\pipe\`):
		m.Type = MountNpipe
	case isRelative(m.Source), isAbsolute(m.Source):
		m.Type, m.CreateSource = MountBind, true
	default:
		m.Type = MountVolume
		if m.Source != "" && !isName(m.Source) {
			return bad("the source is neither a volume's name nor a path that starts with / or .")
		}
	}
	var err error
	if m.Source, err = absolute(m.Source); err != nil {
		return bad(err.Error())
	}
	if options != "" {
		seen := map[string]bool{}
		for option := range strings.SplitSeq(options, ",") {
			group, reason := m.setOption(option)
			if reason == "" && seen[group] {
				reason = "options exclude each other"
			}
			if reason != "" {
				return bad("option " + option + ": " + reason)
			}
			seen[group] = true
		}
	}
	if errs := m.check(); len(errs) > 0 {
		return bad(errs[0].field + ": " + errs[0].reason)
	}
	return m, nil
}

// setOption applies one option of -v. group is the same for those that exclude each other.
func (m *Mount) setOption(option string) (group, reason string) {
	switch option {
	case "ro", "rw":
		m.ReadOnly = option == "ro"
		return "access", ""
	case "z", "Z":
		m.Relabel = map[string]string{"z": "shared", "Z": "private"}[option]
		return "label", ""
	case "private", "rprivate", "shared", "rshared", "slave", "rslave":
		m.Propagation = option
		return "propagation", ""
	case "bind", "rbind":
		if m.Type != MountBind {
			return "", "the source is no path"
		}
		m.NonRecursive = option == "bind"
		return "recursion", ""
	case "nocopy", "copy":
		m.NoCopy = option == "nocopy"
		return "copy", ""
	case "consistent", "cached", "delegated":
		m.Consistency = option
		return "consistency", ""
	case "U":
		m.Chown = true
		return option, ""
	case "O":
		if m.Type != MountBind {
			return "", "the source is no path"
		}
		m.Type, m.CreateSource = MountOverlay, false
		return option, ""
	case "exec", "noexec", "suid", "nosuid", "dev", "nodev":
		m.Options = append(m.Options, option)
		return strings.TrimPrefix(option, "no"), ""
	}
	return "", "unknown"
}

// splitVolume splits at colons, but not after the drive letter of a Windows path.
// A single letter before "/" is a drive only where a target follows ("C:/a:/b"):
// "c:/b" is the volume c.
func splitVolume(s string) []string {
	parts := strings.SplitN(s, ":", 7)
	for i := 0; i+1 < len(parts); i++ {
		next := parts[i+1]
		drive := len(parts[i]) == 1 && isLetter(parts[i][0]) && (strings.HasPrefix(next, `\`) ||
			strings.HasPrefix(next, "/") && i+2 < len(parts) && (strings.HasPrefix(parts[i+2], "/") || len(parts[i+2]) == 1 && isLetter(parts[i+2][0])))
		if drive {
			parts[i] += ":" + next
			parts = slices.Delete(parts, i+1, i+2)
		}
	}
	return parts
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// isAbsolute tells that p is absolute on Linux or on Windows: the engine's host need not be ours.
func isAbsolute(p string) bool {
	return strings.HasPrefix(p, "/") || strings.HasPrefix(p, `\\`) ||
		len(p) >= 3 && isLetter(p[0]) && p[1] == ':' && (p[2] == '\\' || p[2] == '/')
}

func isRelative(p string) bool {
	return p == "." || p == ".." || strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../") ||
		strings.HasPrefix(p, `.\`) || strings.HasPrefix(p, `..\`)
}

// absolute makes a path that starts with "." absolute.
func absolute(p string) (string, error) {
	if !isRelative(p) {
		return p, nil
	}
	return filepath.Abs(p)
}

// isName tells that s has the form of an object's name: [a-zA-Z0-9][a-zA-Z0-9_.-]*.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && (c < '0' || c > '9') && (i == 0 || c != '_' && c != '.' && c != '-') {
			return false
		}
	}
	return s != ""
}
