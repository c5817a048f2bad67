package engine

import (
	"encoding/json"
	"io/fs"
	"time"
)

// The types below are what JSON sees: the fields of the type itself, but for
// those that are written as text. Each is decoded into what is there already, as
// encoding/json does. plainX is X without its methods.

type plainSpec Spec

type specJSON struct {
	*plainSpec
	StopTimeout *durationText `json:"stopTimeout,omitzero"`
	Timeout     durationText  `json:"timeout,omitzero"`
}

// MarshalJSON writes durations as Go's text, sizes as text where a unit divides
// them, and modes as octal text. A nil slice is left out, an empty one is []. Text
// that is not UTF-8, which JSON would change, is an InvalidError.
func (s Spec) MarshalJSON() ([]byte, error) {
	if err := checkText("Spec", s); err != nil {
		return nil, err
	}
	return s.marshal()
}

func (s Spec) marshal() ([]byte, error) {
	return json.Marshal(specJSON{(*plainSpec)(&s), (*durationText)(s.StopTimeout), durationText(s.Timeout)})
}

// UnmarshalJSON reads what MarshalJSON writes, and numbers for durations
// (nanoseconds), sizes (bytes) and modes. An unknown member is an InvalidError.
func (s *Spec) UnmarshalJSON(data []byte) error {
	j := specJSON{(*plainSpec)(s), (*durationText)(s.StopTimeout), durationText(s.Timeout)}
	if err := unmarshalStrict(data, "Spec", &j); err != nil {
		return err
	}
	s.StopTimeout, s.Timeout = (*time.Duration)(j.StopTimeout), time.Duration(j.Timeout)
	return nil
}

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

type plainMount Mount

type mountJSON struct {
	*plainMount
	Mode *octalText `json:"mode,omitzero"`
}

// MarshalJSON writes Mode as octal text.
func (m Mount) MarshalJSON() ([]byte, error) {
	return json.Marshal(mountJSON{(*plainMount)(&m), (*octalText)(m.Mode)})
}

// UnmarshalJSON reads Mode as octal text and as a number. An unknown member is an InvalidError.
func (m *Mount) UnmarshalJSON(data []byte) error {
	j := mountJSON{(*plainMount)(m), (*octalText)(m.Mode)}
	if err := unmarshalStrict(data, "Mount", &j); err != nil {
		return err
	}
	m.Mode = (*fs.FileMode)(j.Mode)
	return nil
}

type plainSecretMount SecretMount

type secretMountJSON struct {
	*plainSecretMount
	Mode *octalText `json:"mode,omitzero"`
}

// MarshalJSON writes Mode as octal text.
func (m SecretMount) MarshalJSON() ([]byte, error) {
	return json.Marshal(secretMountJSON{(*plainSecretMount)(&m), (*octalText)(m.Mode)})
}

// UnmarshalJSON reads Mode as octal text and as a number. An unknown member is an InvalidError.
func (m *SecretMount) UnmarshalJSON(data []byte) error {
	j := secretMountJSON{(*plainSecretMount)(m), (*octalText)(m.Mode)}
	if err := unmarshalStrict(data, "SecretMount", &j); err != nil {
		return err
	}
	m.Mode = (*uint32)(j.Mode)
	return nil
}
