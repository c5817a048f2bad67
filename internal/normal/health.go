package normal

import (
	"slices"
	"time"

	"github.com/berthdev/berth/engine"
)

// The values that Docker takes for what a health check leaves open (moby,
// daemon/health.go). Podman's API takes none: see podman issue 20212.
const (
	healthInterval = 30 * time.Second
	healthTimeout  = 30 * time.Second
	healthRetries  = 3
)

// MergeHealth is the complete health check of a container of an image with the check image and with Spec.Healthcheck
// own; each may be nil. What own leaves open is the image's, else Docker's default. A check that own turns off is
// {"NONE"} and nothing else; one that the image turned off, or that there never was, is nil.
//
// Nil for an own that is not nil means that own has options and nothing has a test: the caller must refuse it.
func MergeHealth(image, own *engine.Healthcheck) *engine.Healthcheck {
	if image != nil && (len(image.Test) == 0 || image.Test[0] == "NONE") {
		image = nil
	}
	var h engine.Healthcheck
	if own != nil {
		h = clone(own)
	}
	switch {
	case len(h.Test) > 0 && h.Test[0] == "NONE":
		return &engine.Healthcheck{Test: []string{"NONE"}}
	case image == nil && len(h.Test) == 0:
		return nil
	case image == nil:
		image = &engine.Healthcheck{}
	}
	if len(h.Test) == 0 {
		h.Test = slices.Clone(image.Test)
	}
	h.Interval = first(h.Interval, image.Interval, healthInterval)
	h.Timeout = first(h.Timeout, image.Timeout, healthTimeout)
	h.Retries = first(h.Retries, image.Retries, healthRetries)
	h.StartPeriod = first(h.StartPeriod, image.StartPeriod)
	h.StartInterval = first(h.StartInterval, image.StartInterval)
	return &h
}

// first is the first value that is not zero.
func first[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}

// clone copies what callers could share.
func clone(h *engine.Healthcheck) engine.Healthcheck {
	c := *h
	c.Test = slices.Clone(h.Test)
	if h.Startup != nil {
		startup := *h.Startup
		startup.Test = slices.Clone(startup.Test)
		c.Startup = &startup
	}
	if h.LogMaxCount != nil {
		c.LogMaxCount = new(*h.LogMaxCount)
	}
	if h.LogMaxSize != nil {
		c.LogMaxSize = new(*h.LogMaxSize)
	}
	return c
}
