package engine

import (
	"encoding/json"
	"time"
)

type plainHealthcheck Healthcheck

type healthcheckJSON struct {
	*plainHealthcheck
	Interval      durationText `json:"interval,omitzero"`
	Timeout       durationText `json:"timeout,omitzero"`
	StartPeriod   durationText `json:"startPeriod,omitzero"`
	StartInterval durationText `json:"startInterval,omitzero"`
}

func (h *Healthcheck) json() *healthcheckJSON {
	return &healthcheckJSON{
		(*plainHealthcheck)(h), durationText(h.Interval), durationText(h.Timeout), durationText(h.StartPeriod), durationText(h.StartInterval),
	}
}

// MarshalJSON writes durations as Go's text.
func (h Healthcheck) MarshalJSON() ([]byte, error) { return json.Marshal(h.json()) }

// UnmarshalJSON reads durations as Go's text and as numbers of nanoseconds. An unknown member is an InvalidError.
func (h *Healthcheck) UnmarshalJSON(data []byte) error {
	j := h.json()
	if err := unmarshalStrict(data, "Healthcheck", j); err != nil {
		return err
	}
	h.Interval, h.Timeout = time.Duration(j.Interval), time.Duration(j.Timeout)
	h.StartPeriod, h.StartInterval = time.Duration(j.StartPeriod), time.Duration(j.StartInterval)
	return nil
}

type plainStartup StartupHealthcheck

type startupJSON struct {
	*plainStartup
	Interval durationText `json:"interval,omitzero"`
	Timeout  durationText `json:"timeout,omitzero"`
}

// MarshalJSON writes durations as Go's text.
func (h StartupHealthcheck) MarshalJSON() ([]byte, error) {
	return json.Marshal(startupJSON{(*plainStartup)(&h), durationText(h.Interval), durationText(h.Timeout)})
}

// UnmarshalJSON reads durations as Go's text and as numbers of nanoseconds. An unknown member is an InvalidError.
func (h *StartupHealthcheck) UnmarshalJSON(data []byte) error {
	j := startupJSON{(*plainStartup)(h), durationText(h.Interval), durationText(h.Timeout)}
	if err := unmarshalStrict(data, "StartupHealthcheck", &j); err != nil {
		return err
	}
	h.Interval, h.Timeout = time.Duration(j.Interval), time.Duration(j.Timeout)
	return nil
}
