package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

// unmarshalTextOrInt reads a JSON string with parse, or a JSON number that is
// an integer, into v. null leaves v as it is.
func unmarshalTextOrInt[T ~int64 | ~uint32](data []byte, what string, v *T, parse func(string) (T, error)) error {
	data = bytes.TrimSpace(data)
	if string(data) == "null" {
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return &InvalidError{Option: what, Err: err}
		}
		p, err := parse(s)
		if err == nil {
			*v = p
		}
		return err
	}
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || int64(T(n)) != n {
		return &InvalidError{Option: what, Value: string(data), Reason: "want a text or a whole number in range"}
	}
	*v = T(n)
	return nil
}

// durationText is a duration in JSON: Go's text ("1m30s"); numbers are nanoseconds.
type durationText time.Duration

func (d durationText) MarshalJSON() ([]byte, error) {
	return []byte(`"` + time.Duration(d).String() + `"`), nil
}

func (d *durationText) UnmarshalJSON(data []byte) error {
	return unmarshalTextOrInt(data, "duration", d, func(s string) (durationText, error) {
		v, err := time.ParseDuration(s)
		if err != nil {
			return 0, &InvalidError{Option: "duration", Value: s, Reason: `want the form of "1m30s"`}
		}
		return durationText(v), nil
	})
}

// octalText holds mode bits in JSON: octal text ("1777"); numbers are the bits' value.
type octalText uint32

func (m octalText) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `"%04o"`, uint32(m)), nil
}

func (m *octalText) UnmarshalJSON(data []byte) error {
	return unmarshalTextOrInt(data, "mode", m, func(s string) (octalText, error) {
		v, err := parseMode(s)
		return octalText(v), err
	})
}

// parseMode reads octal mode bits, with or without a leading 0 or 0o.
func parseMode(s string) (uint32, error) {
	digits := s
	if len(s) > 2 && (s[:2] == "0o" || s[:2] == "0O") {
		digits = s[2:]
	}
	v, err := strconv.ParseUint(digits, 8, 32)
	if err != nil {
		return 0, &InvalidError{Option: "mode", Value: s, Reason: "want octal digits"}
	}
	return uint32(v), nil
}

// unmarshalStrict is json.Unmarshal that refuses members which v does not have:
// an option that nobody reads would be dropped in silence.
func unmarshalStrict(data []byte, what string, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = fmt.Errorf("data after the value")
		}
	}
	if err != nil {
		return &InvalidError{Option: what, Reason: "not its JSON", Err: err}
	}
	return nil
}
