package wire

import (
	"bytes"
	"encoding/json"
)

// Raw is a value together with the text it was decoded from.
type Raw[T any] struct {
	Value T
	Text  json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Raw[T]) UnmarshalJSON(b []byte) error {
	r.Text = bytes.Clone(b)
	return json.Unmarshal(b, &r.Value)
}

// decodeFirst does what DecodeJSON does of a whole body. The text of a body that is one value, as nearly all
// are, is neither copied nor looked through more often than a decoding without it takes.
func (r *Raw[T]) decodeFirst(body []byte) error {
	text := bytes.TrimSpace(body)
	if err := json.Unmarshal(text, &r.Value); err == nil {
		r.Text = text
		return nil
	}
	var none T
	r.Value = none
	return DecodeJSON(bytes.NewReader(body), r)
}

// firstDecoder is a Raw of any type.
type firstDecoder interface{ decodeFirst(body []byte) error }
