package normal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/berthdev/berth/engine"
)

// MergePatch applies a JSON merge patch (RFC 7386) to target: a member of patch replaces target's, null removes it,
// and objects are merged. Numbers are kept as they are written. An empty target is null. Neither argument is
// modified. Malformed JSON is an InvalidError.
func MergePatch(target, patch json.RawMessage) (json.RawMessage, error) {
	var t any
	if len(target) > 0 {
		var err error
		if t, err = decode(target); err != nil {
			return nil, &engine.InvalidError{Option: "JSON to be patched", Err: err}
		}
	}
	p, err := decode(patch)
	if err != nil {
		return nil, &engine.InvalidError{Option: "JSON merge patch", Err: err}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(merge(t, p)); err != nil {
		return nil, &engine.InvalidError{Option: "JSON merge patch", Err: err}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// merge is MergePatch of RFC 7386, section 2. It may modify target.
func merge(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	for name, value := range p {
		if value == nil {
			delete(t, name)
		} else {
			t[name] = merge(t[name], value)
		}
	}
	return t
}

func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("data after the value")
	}
	return v, nil
}
