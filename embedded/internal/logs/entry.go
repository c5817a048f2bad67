//go:build linux

package logs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/berthdev/berth/internal/frame"
)

// maxPiece is how much of a line, in bytes, one entry holds at most: Docker's figure.
const maxPiece = 16 << 10

// maxEntry is more than an entry of maxPiece bytes can take when each one is escaped and there is a raw field too.
const maxEntry = 8 * maxPiece

// entry is a line of the file.
type entry struct {
	text   []byte
	stream frame.Stream
	time   time.Time
}

const hexDigits = "0123456789abcdef"

// appendEntry appends an entry's line to b.
func appendEntry(b []byte, e entry) []byte {
	b = append(b, `{"log":"`...)
	b, valid := appendEscaped(b, e.text)
	b = append(b, `","stream":"`...)
	b = append(b, e.stream.String()...)
	if !valid {
		b = append(b, `","raw":"`...)
		b = base64.StdEncoding.AppendEncode(b, e.text)
	}
	b = append(b, `","time":"`...)
	b = e.time.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, "\"}\n"...)
}

// appendEscaped appends text as the inside of a JSON string, and tells whether text is valid UTF-8; what is not becomes U+FFFD.
func appendEscaped(b, text []byte) ([]byte, bool) {
	valid := true
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && n == 1 {
				valid = false
				b = append(append(b, text[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		b = append(b, text[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(b, text[from:]...), valid
}

// parseEntry reads a line of the file, with or without its end. Fields that it does not know are ignored.
func parseEntry(line []byte) (entry, error) {
	var w struct {
		Log    string    `json:"log"`
		Stream string    `json:"stream"`
		Raw    []byte    `json:"raw"`
		Time   time.Time `json:"time"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(line), &w); err != nil {
		return entry{}, err
	}
	e := entry{text: w.Raw, time: w.Time}
	if e.text == nil {
		e.text = []byte(w.Log)
	}
	switch w.Stream {
	case "stdout":
		e.stream = frame.Stdout
	case "stderr":
		e.stream = frame.Stderr
	default:
		return entry{}, errors.New("an entry of no stream")
	}
	return e, nil
}
