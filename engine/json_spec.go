package engine

import (
	"encoding/json"
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
