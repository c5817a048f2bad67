package podman

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/normal"
)

// wireUpdateHealth is the health check of an update, which has words of its own for everything.
type wireUpdateHealth struct {
	NoHealthcheck bool   `json:"no_healthcheck,omitzero"`
	Cmd           string `json:"health_cmd,omitzero"`
	Interval      string `json:"health_interval,omitzero"`
	Timeout       string `json:"health_timeout,omitzero"`
	StartPeriod   string `json:"health_start_period,omitzero"`
	Retries       uint   `json:"health_retries,omitzero"`
	OnFailure     string `json:"health_on_failure,omitzero"`

	StartupCmd       string `json:"health_startup_cmd,omitzero"`
	StartupInterval  string `json:"health_startup_interval,omitzero"`
	StartupTimeout   string `json:"health_startup_timeout,omitzero"`
	StartupRetries   uint   `json:"health_startup_retries,omitzero"`
	StartupSuccesses uint   `json:"health_startup_success,omitzero"`

	LogDestination string `json:"health_log_destination,omitzero"`
	LogMaxCount    *uint  `json:"health_max_log_count,omitzero"`
	LogMaxSize     *uint  `json:"health_max_log_size,omitzero"`
}

// updateHealth is a health check that replaces the container's; where it has no test, the one there is keeps its own and what is not set.
func (e *Engine) updateHealth(ctx context.Context, o op, id string, own *engine.Healthcheck) (wireUpdateHealth, error) {
	var w wireUpdateHealth
	var current *engine.Healthcheck
	if len(own.Test) == 0 {
		c, err := e.inspect(ctx, o, id)
		if err != nil {
			return w, err
		}
		current = healthcheckOf(&c.Config)
	}
	h := normal.MergeHealth(current, own)
	switch {
	case h == nil:
		return w, &engine.InvalidError{Option: "Update.Healthcheck", Reason: "there is no test, and none in the container"}
	case h.Test[0] == "NONE":
		w.NoHealthcheck = true
		return w, nil
	case h.StartInterval != 0:
		return w, e.unsupported("Update.Healthcheck.StartInterval", "", "Podman has no start interval")
	}
	var err error
	if w.Cmd, err = healthCommand("Update.Healthcheck.Test", h.Test); err != nil {
		return w, err
	}
	w.Interval, w.Timeout, w.StartPeriod = h.Interval.String(), h.Timeout.String(), h.StartPeriod.String()
	w.Retries = uint(max(h.Retries, 0))
	w.OnFailure = h.OnFailure
	w.LogDestination, w.LogMaxCount, w.LogMaxSize = h.LogDestination, h.LogMaxCount, h.LogMaxSize
	if s := h.Startup; s != nil {
		if w.StartupCmd, err = healthCommand("Update.Healthcheck.Startup.Test", s.Test); err != nil {
			return w, err
		}
		w.StartupInterval = max(s.Interval, time.Second).String()
		w.StartupTimeout = max(s.Timeout, time.Second).String()
		w.StartupRetries, w.StartupSuccesses = uint(max(s.Retries, 0)), uint(max(s.Successes, 0))
	}
	return w, nil
}

// healthCommand is a test as an update takes it: a JSON list, whose first element is CMD-SHELL or else the program. A program without arguments would be taken for a shell's line, but for the old form "CMD PROGRAM".
func healthCommand(option string, test []string) (string, error) {
	if len(test) == 2 && test[0] == "CMD" {
		if test[1] == "" || strings.ContainsAny(test[1], " \t\r\n\v\f") {
			return "", &engine.UnsupportedError{Option: option, Value: test[1], Engine: Name, Reason: "a program without arguments whose name has spaces cannot be told"}
		}
		return "CMD " + test[1], nil
	}
	if test[0] == "CMD" {
		test = test[1:]
	}
	b, err := json.Marshal(test)
	return string(b), err
}
