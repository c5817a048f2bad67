package docker

import (
	"fmt"
	"os"
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// security translates Spec.SecurityOpt. A seccomp profile is read here and sent as JSON; what is mounted over /proc and /sys is not an option of the engine but two lists.
func security(r *refusals, h *wireHostConfig, s *engine.Spec) {
	sec, err := normal.SecurityOpts(s.SecurityOpt)
	if err != nil {
		r.add(err)
		return
	}
	if sec.NoNewPrivileges != nil {
		h.SecurityOpt = append(h.SecurityOpt, fmt.Sprintf("no-new-privileges=%t", *sec.NoNewPrivileges))
	}
	if sec.WritableCgroups != nil {
		h.SecurityOpt = append(h.SecurityOpt, fmt.Sprintf("writable-cgroups=%t", *sec.WritableCgroups))
	}
	if sec.Seccomp != "" {
		profile, err := seccompProfile(sec.Seccomp)
		r.add(err)
		h.SecurityOpt = append(h.SecurityOpt, "seccomp="+profile)
	}
	if sec.AppArmor != "" {
		h.SecurityOpt = append(h.SecurityOpt, "apparmor="+sec.AppArmor)
	}
	for _, l := range sec.Labels {
		h.SecurityOpt = append(h.SecurityOpt, "label="+l)
	}
	if sec.SystemPathsUnconfined || len(sec.Unmask) == 1 && strings.EqualFold(sec.Unmask[0], "ALL") {
		h.MaskedPaths, h.ReadonlyPaths = []string{}, []string{}
		sec.Unmask = nil
	}
	const reason = "Docker has no such option: only systempaths=unconfined, for all of them"
	for _, p := range sec.Mask {
		r.unsupported("Spec.SecurityOpt", "mask="+p, reason)
	}
	for _, p := range sec.Unmask {
		r.unsupported("Spec.SecurityOpt", "unmask="+p, reason)
	}
	for _, p := range sec.ProcOpts {
		r.unsupported("Spec.SecurityOpt", "proc-opts="+p, "")
	}
	r.unless(!sec.LabelNested, "Spec.SecurityOpt", "label=nested", "")
	r.e.refuseSecurity(r, s, sec)
}

// refuseSecurity refuses what the engine accepts and does not do: profiles and labels of a security module that the host does not have, and a seccomp profile beside Privileged (Docker
// before 23).
func (e *Engine) refuseSecurity(r *refusals, s *engine.Spec, sec normal.Security) {
	if sec.AppArmor != "" && sec.AppArmor != "unconfined" {
		r.unless(e.hasSecurity("apparmor"), "Spec.SecurityOpt", "apparmor="+sec.AppArmor, "the engine's host has no AppArmor, and the engine would ignore it")
	}
	for _, l := range sec.Labels {
		r.unless(l == "disable" || e.hasSecurity("selinux"), "Spec.SecurityOpt", "label="+l, "the engine's host has no SELinux, and the engine would ignore it")
	}
	if sec.Seccomp != "" && sec.Seccomp != "unconfined" && s.Privileged && e.major() != 0 && e.major() < 23 {
		r.unsupported("Spec.SecurityOpt", "seccomp", "with Spec.Privileged, Docker before 23 ignores it")
	}
}

// seccompProfile is what follows "seccomp=": unconfined, builtin, or the JSON of a profile, read from the file that profile names if it is none itself.
func seccompProfile(profile string) (string, error) {
	if profile == "unconfined" || profile == "builtin" || strings.HasPrefix(strings.TrimSpace(profile), "{") {
		return profile, nil
	}
	b, err := os.ReadFile(profile)
	if err != nil {
		return "", &engine.InvalidError{Option: "Spec.SecurityOpt", Value: "seccomp=" + profile, Reason: "read the profile", Err: err}
	}
	return string(b), nil
}
