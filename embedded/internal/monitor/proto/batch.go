package proto

import (
	"bytes"
	"io"
)

// WriteAll sends messages in one write.
func WriteAll(w io.Writer, messages ...any) error {
	var b bytes.Buffer
	for _, v := range messages {
		if err := Write(&b, v); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
