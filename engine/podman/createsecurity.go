package podman

import (
	"strings"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// The annotations from which inspect tells what SecurityOpt was.
const (
	annotationSeccomp  = "io.podman.annotations.seccomp"
	annotationAppArmor = "io.podman.annotations.apparmor"
	annotationLabel    = "io.podman.annotations.label"
)

// security sets what Spec.SecurityOpt says, each in the field of its own that libpod has for it.
func (e *Engine) security(r *refusals, b *wireCreate, s *engine.Spec) {
	sec, err := normal.SecurityOpts(s.SecurityOpt)
	if err != nil {
		r.add(err)
		return
	}
	b.NoNewPrivileges = sec.NoNewPrivileges
	switch profile := strings.TrimSpace(sec.Seccomp); {
	case profile == "":
	case strings.HasPrefix(profile, "{"):
		r.unsupported("Spec.SecurityOpt", "seccomp={…}", "Podman reads a profile from a file of its own host: give its path")
	default:
		b.SeccompProfilePath = sec.Seccomp
		setKey(&b.Annotations, annotationSeccomp, sec.Seccomp)
	}
	if sec.AppArmor != "" {
		r.when(!e.info.Host.Security.AppArmor && sec.AppArmor != "unconfined", "Spec.SecurityOpt", "apparmor="+sec.AppArmor, "the engine's host has no AppArmor")
		b.ApparmorProfile = sec.AppArmor
		setKey(&b.Annotations, annotationAppArmor, sec.AppArmor)
	}
	if len(sec.Labels) > 0 {
		b.SelinuxOpts = sec.Labels
		setKey(&b.Annotations, annotationLabel, strings.Join(sec.Labels, ","))
	}
	r.needs(sec.LabelNested, vLabelNested, "Spec.SecurityOpt")
	b.LabelNested = sec.LabelNested
	b.Mask, b.Unmask, b.ProcfsOpts = sec.Mask, sec.Unmask, sec.ProcOpts
	if sec.SystemPathsUnconfined {
		b.Unmask = []string{"ALL"}
	}
	r.when(sec.WritableCgroups != nil && *sec.WritableCgroups, "Spec.SecurityOpt", "writable-cgroups", "")
}
