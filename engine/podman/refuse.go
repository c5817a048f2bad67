package podman

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// refuse refuses what Podman does not have, or accepts and forgets, as far as it has no other place.
func (e *Engine) refuse(r *refusals, s *engine.Spec) {
	r.when(len(s.Links) > 0, "Spec.Links", strings.Join(s.Links, " "), "Podman has no links: use Networks and their Aliases")
	r.when(len(s.LXCConf) > 0, "Spec.LXCConf", "", "it went with Docker's lxc driver")
	r.when(s.Windows != nil, "Spec.Windows", "", "Podman's containers are Linux's")
	// The field of the create request is there, and ignored by every version that was tried.
	if own := e.info.Host.OCIRuntime; s.Runtime != "" && s.Runtime != own.Name && s.Runtime != own.Path {
		r.unsupported("Spec.Runtime", s.Runtime, "the service runs every container with "+own.Name)
	}
	if len(s.Raw) > 0 && s.Raw[Name] == nil {
		r.unsupported("Spec.Raw", strings.Join(slices.Sorted(maps.Keys(s.Raw)), ","), "it has no entry podman")
	}
	r.when(s.Platform != "" && s.Podman != nil && s.Podman.Rootfs != "", "Spec.Platform", s.Platform, "a Rootfs has none")
	if h := s.Healthcheck; h != nil {
		r.when(h.StartInterval != 0, "Spec.Healthcheck.StartInterval", h.StartInterval.String(), "Podman has no start interval")
		r.needs(h.OnFailure != "", vUpdate, "Spec.Healthcheck.OnFailure")
		r.needs(h.Startup != nil, vStartupHealth, "Spec.Healthcheck.Startup")
		r.needs(h.LogDestination != "", vHealthLog, "Spec.Healthcheck.LogDestination")
		r.needs(h.LogMaxCount != nil, vHealthLog, "Spec.Healthcheck.LogMaxCount")
		r.needs(h.LogMaxSize != nil, vHealthLog, "Spec.Healthcheck.LogMaxSize")
	}
}
