package normal

import (
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// Security is Spec.SecurityOpt, read.
type Security struct {
	NoNewPrivileges       *bool
	Seccomp               string   // unconfined, a path, or JSON
	AppArmor              string   // unconfined or a profile
	Labels                []string // user:…, role:…, type:…, level:…, filetype:…, disable
	LabelNested           bool
	Mask, Unmask          []string // paths; Unmask may be ALL
	ProcOpts              []string // options of the mount of /proc
	SystemPathsUnconfined bool
	WritableCgroups       *bool
}

// SecurityOpts reads Spec.SecurityOpt. NAME=VALUE may be written NAME:VALUE, as
// engines accept it. An unknown name, and a second value for what has one, are InvalidErrors.
func SecurityOpts(opts []string) (Security, error) {
	var s Security
	seen := map[string]bool{}
	for _, opt := range opts {
		name, value, has := strings.Cut(opt, "=")
		if !has {
			name, value, has = strings.Cut(opt, ":")
		}
		reason := s.set(name, value, has)
		if reason == "" && seen[name] {
			reason = name + " is given twice"
		}
		if reason != "" {
			return Security{}, &engine.InvalidError{Option: "Spec.SecurityOpt", Value: brief(opt), Reason: reason}
		}
		switch name {
		case "label", "mask", "unmask", "proc-opts":
		default:
			seen[name] = true
		}
	}
	return s, nil
}

// set applies one option; the result is why it cannot.
func (s *Security) set(name, value string, has bool) string {
	if name != "no-new-privileges" && value == "" {
		switch name {
		case "seccomp", "apparmor", "label", "mask", "unmask", "proc-opts", "systempaths", "writable-cgroups":
			return "the value is missing"
		}
	}
	flag := func(to **bool) string {
		on, err := strconv.ParseBool(value)
		if err != nil && has {
			return "want true or false"
		}
		*to = new(on || !has)
		return ""
	}
	switch name {
	case "no-new-privileges":
		return flag(&s.NoNewPrivileges)
	case "writable-cgroups":
		return flag(&s.WritableCgroups)
	case "seccomp":
		s.Seccomp = value
	case "apparmor":
		s.AppArmor = value
	case "label":
		if value == "nested" {
			s.LabelNested = true
			return ""
		}
		s.Labels = append(s.Labels, value)
	case "mask":
		return paths(&s.Mask, value, false)
	case "unmask":
		return paths(&s.Unmask, value, true)
	case "proc-opts":
		s.ProcOpts = append(s.ProcOpts, strings.Split(value, ",")...)
	case "systempaths":
		if value != "unconfined" {
			return "want systempaths=unconfined"
		}
		s.SystemPathsUnconfined = true
	case "credentialspec":
		return "it belongs to Spec.Windows.CredentialSpec"
	default:
		return "there is no such option"
	}
	return ""
}

// paths adds a list of paths that are separated by colons.
func paths(to *[]string, value string, all bool) string {
	for p := range strings.SplitSeq(value, ":") {
		if !strings.HasPrefix(p, "/") && (!all || p != "ALL") {
			return "want absolute paths"
		}
		*to = append(*to, p)
	}
	return ""
}

// brief keeps an error from showing a whole seccomp profile.
func brief(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
