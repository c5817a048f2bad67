package podman

import (
	"cmp"
	"context"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// mergeImage completes b with what the image says, where Podman does not do so as Docker does.
func (e *Engine) mergeImage(ctx context.Context, o op, b *wireCreate, s *engine.Spec) error {
	var image engine.ImageConfig
	if s.Image != "" {
		img, err := e.ImageInspect(ctx, s.Image)
		if err != nil {
			return createNotFound(o, s, err)
		}
		if s.Platform != "" {
			p, err := engine.ParsePlatform(s.Platform)
			if err != nil {
				return err
			}
			if p.OS != "" && p.OS != img.OS || p.Arch != "" && p.Arch != img.Architecture || p.Variant != "" && img.Variant != "" && p.Variant != img.Variant {
				return &engine.APIError{
					Engine: Name, Op: o.verb, Object: o.object, Kind: engine.ErrImageNotFound,
					Message: "image " + s.Image + " is for " + img.OS + "/" + img.Architecture + ", not for " + s.Platform,
				}
			}
		}
		image = img.Config
	}
	if err := mergeCommand(b, s, image); err != nil {
		return err
	}
	return e.mergeHealth(b, s.Healthcheck, image.Healthcheck)
}

// createNotFound makes the missing image of a create request that of the request.
func createNotFound(o op, s *engine.Spec, err error) error {
	if !isNotFound(err) {
		return err
	}
	api, ok := err.(*engine.APIError)
	if !ok {
		return err
	}
	own := *api
	own.Op, own.Object, own.Kind = o.verb, o.object, engine.ErrImageNotFound
	if own.Message == "" {
		own.Message = s.Image + ": image not known"
	}
	return &own
}

// mergeCommand: an entrypoint that is empty on purpose is written [""], and then Podman leaves out the image's command too; a command that is empty on purpose means the image's, unless there is an entrypoint.
func mergeCommand(b *wireCreate, s *engine.Spec, image engine.ImageConfig) error {
	if s.Entrypoint != nil && len(s.Entrypoint) == 0 {
		b.Entrypoint = []string{""}
		if s.Command == nil {
			b.Command = image.Cmd
		}
	}
	if s.Command != nil && len(s.Command) == 0 && s.Entrypoint == nil {
		if len(image.Entrypoint) == 0 {
			return &engine.InvalidError{Option: "Spec.Command", Reason: "it is empty, and the image has no entrypoint"}
		}
		b.Entrypoint = image.Entrypoint
	}
	return nil
}

// The defaults of docker and podman run for a health check's log, which the API does not have.
const (
	healthLogCount = 5
	healthLogSize  = 500
)

// mergeHealth sets a complete health check: Podman fills in nothing, and takes 0 for a timeout of 0.
func (e *Engine) mergeHealth(b *wireCreate, own, image *engine.Healthcheck) error {
	if own == nil && image == nil {
		return nil
	}
	h := normal.MergeHealth(image, own)
	switch {
	case h == nil && own == nil:
		return nil
	case h == nil:
		return &engine.InvalidError{Option: "Spec.Healthcheck.Test", Reason: "it is missing, and the image has none"}
	case h.Test[0] == "NONE":
		b.HealthConfig = &wireHealthcheck{Test: []string{"NONE"}, Interval: 30 * time.Second, Timeout: 30 * time.Second, Retries: 3}
		return nil
	}
	if h.StartInterval != 0 && own != nil && own.StartInterval != 0 {
		return e.unsupported("Spec.Healthcheck.StartInterval", h.StartInterval.String(), "Podman has no start interval")
	}
	b.HealthConfig = &wireHealthcheck{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries}
	switch h.OnFailure {
	case "", "none":
	case "kill":
		b.HealthOnFailure = 2
	case "restart":
		b.HealthOnFailure = 3
	case "stop":
		b.HealthOnFailure = 4
	default:
		return &engine.InvalidError{Option: "Spec.Healthcheck.OnFailure", Value: h.OnFailure, Reason: "want none, kill, restart or stop"}
	}
	if s := h.Startup; s != nil {
		b.StartupHealthConfig = &wireHealthcheck{
			Test: s.Test, Interval: cmp.Or(s.Interval, 30*time.Second), Timeout: cmp.Or(s.Timeout, 30*time.Second), Retries: s.Retries, Successes: max(s.Successes, 1),
		}
	}
	if e.version >= vHealthLog {
		b.HealthLogDestination = cmp.Or(h.LogDestination, "local")
		b.HealthMaxLogCount, b.HealthMaxLogSize = new(uint(healthLogCount)), new(uint(healthLogSize))
		if h.LogMaxCount != nil {
			b.HealthMaxLogCount = h.LogMaxCount
		}
		if h.LogMaxSize != nil {
			b.HealthMaxLogSize = h.LogMaxSize
		}
	}
	return nil
}
