package wire

import (
	"encoding/json"
	"io"
	"iter"
)

// Values iterates over the JSON values of r (one a line, or just concatenated) until its end. A value cut short is io.ErrUnexpectedEOF; other errors
// are r's own or encoding/json's. An error comes last, with a zero value. It is for one use: a second range goes on after the value at which the first one ended, and repeats its error. It does not close r.
func Values[T any](r io.Reader) iter.Seq2[T, error] {
	d := json.NewDecoder(r)
	var last error
	return func(yield func(T, error) bool) {
		for last == nil {
			var v T
			if last = d.Decode(&v); last != nil {
				break
			}
			if !yield(v, nil) {
				return
			}
		}
		if last != io.EOF {
			var zero T
			yield(zero, last)
		}
	}
}
